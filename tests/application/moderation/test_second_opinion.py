"""A classifier beside the lists: asked about what they let pass, and never waited for in vain."""

from typing import cast

import pytest

from adapters.memory.moderation import MemoryTextClassifier
from adapters.memory.system import CountingIds, ManualClock
from adapters.memory.unit_of_work import MemoryDatabase, MemoryUnitOfWork
from application.moderation.judging import Moderation, TextRefused, require_allowed_text
from application.moderation.second_opinion import SecondOpinion, Unanswered
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from application.ports.unit_of_work import UnitOfWork
from domain.moderation.case import CaseState
from domain.moderation.judgement import Category, Verdict
from domain.studio.circuit import COOLING, FAILURES_TO_OPEN
from tests import builders
from tests.moderating import moderation_for

ADA = builders.actor()
GONE = Unavailable("gone", provider="memory")


class World:
    def __init__(self) -> None:
        self.clock, self.ids = ManualClock(), CountingIds()
        self.database = MemoryDatabase()
        self.classifier = MemoryTextClassifier()
        self.second = SecondOpinion(classifier=self.classifier, clock=self.clock)

    @property
    def moderation(self) -> Moderation:
        return moderation_for(self.clock, self.ids, second=self.second)

    async def judge(self, text: str) -> None:
        uow = cast("UnitOfWork", MemoryUnitOfWork(self.database))
        await require_allowed_text({"prompt": text}, actor=ADA, uow=uow, moderation=self.moderation)

    def kept(self) -> list[tuple[Verdict, str]]:
        records = self.database.table("judgement").rows.values()
        return [(record.verdict, record.edition.partition("+")[2]) for record in records]


@pytest.fixture
def world() -> World:
    return World()


async def test_what_the_lists_do_not_see_is_refused_and_can_be_appealed_against(
    world: World,
) -> None:
    world.classifier.scores["lighthouse"] = {Category.HATE: 0.9}
    with pytest.raises(TextRefused) as refused:
        await world.judge("a lighthouse")
    assert refused.value.facts["fields"]["prompt"] == ["hate"]  # type: ignore[index]
    (case,) = world.database.table("moderation case").rows.values()
    assert (case.state, case.hard, case.excerpt) == (CaseState.BLOCKED, False, "")
    assert world.kept() == [(Verdict.BLOCKED, "memory.2026-01-01")]


async def test_what_it_doubts_goes_on_and_waits_for_a_moderator(world: World) -> None:
    world.classifier.scores["lighthouse"] = {Category.HATE: 0.6}
    await world.judge("a lighthouse")
    (case,) = world.database.table("moderation case").rows.values()
    assert (case.state, case.category) == (CaseState.OPEN, Category.HATE)


async def test_what_the_lists_refuse_is_told_to_nobody_outside(world: World) -> None:
    with pytest.raises(TextRefused):
        await world.judge("a nude")
    assert world.classifier.asked == []


@pytest.mark.parametrize(
    "failure",
    [
        GONE,
        OutcomeUnknown("silence", provider="memory"),
        Rejected("no", provider="memory", reason="http_401"),
    ],
    ids=["gone", "silent", "declined"],
)
async def test_without_its_answer_a_text_goes_on_or_not_as_it_is_set(
    world: World, failure: Unavailable
) -> None:
    world.classifier.failures = [failure]
    with pytest.raises(Unavailable) as closed:
        await world.judge("a lighthouse")
    assert closed.value.retry_after_s is not None
    assert world.kept() == []
    world.second.unanswered = Unanswered.FAIL_OPEN
    world.classifier.failures = [failure]
    await world.judge("a lighthouse")
    assert world.kept() == [(Verdict.ALLOWED, "")]
    assert world.second.skipped == 1


async def test_it_has_little_time(world: World) -> None:
    world.second.timeout_s, world.classifier.delay_s = 0.01, 5
    with pytest.raises(Unavailable):
        await world.judge("a lighthouse")


async def test_after_several_failures_it_is_left_alone_for_a_while(world: World) -> None:
    world.second.unanswered = Unanswered.FAIL_OPEN
    world.classifier.failures = [GONE] * FAILURES_TO_OPEN
    for _ in range(FAILURES_TO_OPEN + 3):
        await world.judge("a lighthouse")
    assert len(world.classifier.asked) == FAILURES_TO_OPEN
    world.clock.advance(COOLING)
    await world.judge("a lighthouse")
    await world.judge("a lighthouse")
    assert len(world.classifier.asked) == FAILURES_TO_OPEN + 2
