"""What was made is judged before anybody sees it: shown, hidden until looked at, or refused."""

from uuid import UUID

import pytest

from adapters.postgres.moderation_views import PostgresModerationViews
from application.media.assets import read_asset
from application.moderation.desk import DecideCase, Ruling, decide_case
from application.ports.live import JobFailed
from application.ports.moderation import CaseRow
from application.studio.credits import open_wallet
from application.studio.news import JobCompletedNews, Newsroom, news_of
from domain.identity.actor import Role
from domain.media.asset import AssetState
from domain.moderation.case import CaseState
from domain.shared.errors import NotFound
from domain.studio.job import JobStatus
from tests import builders
from tests.application.studio.world import World


async def make(studio: World, score: float) -> UUID:
    studio.classifier.score_of_others = score
    accepted = await studio.ask()
    await studio.work()
    await studio.finish_at_provider()
    await studio.poll_later()
    await studio.work()
    return accepted.id


async def made(studio: World, score: float) -> tuple[JobStatus, str | None, list[AssetState]]:
    job = await make(studio, score)
    seen = await studio.seen(job)
    images = await studio.images_of(job)
    return seen.status, seen.error_code, [image.state for image in images]


async def decide(studio: World, ruling: Ruling) -> CaseRow:
    """The one case that waits, as it was before it was decided."""
    views = PostgresModerationViews(studio.sessions.kw["bind"])
    (case,) = await views.queue(state=None, kind=None, before=None, limit=10)
    await decide_case(
        case.id,
        DecideCase(decision=ruling),
        actor=builders.actor(Role.ADMIN),
        uow=studio.uow(),
        clock=studio.clock,
        ids=studio.ids,
    )
    return case


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (0.1, (JobStatus.SUCCEEDED, None, [AssetState.READY])),
        (0.6, (JobStatus.SUCCEEDED, None, [AssetState.UNDER_REVIEW])),
        (0.9, (JobStatus.FAILED, "content_blocked", [AssetState.HIDDEN])),
    ],
)
async def test_an_image_is_shown_by_its_score(
    studio: World, score: float, expected: tuple[JobStatus, str | None, list[AssetState]]
) -> None:
    assert await made(studio, score) == expected


async def test_who_asked_is_told_that_somebody_looks_at_it_first(studio: World) -> None:
    """A job that has succeeded and shows nothing would say nothing."""
    job = await make(studio, 0.6)
    seen = await studio.seen(job)
    assert (seen.results, seen.in_review) == ([], 1)
    newsroom = Newsroom(feed=studio.live, records=studio.records, storage=studio.storage)
    completed = (await studio.events(job))[-1]
    told = await news_of(completed, viewer_id=studio.fan.user_id, newsroom=newsroom)
    assert isinstance(told, JobCompletedNews)
    assert (told.results, told.in_review) == ([], 1)

    await decide(studio, Ruling.APPROVE)

    seen = await studio.seen(job)
    assert ([one.content_type for one in seen.results], seen.in_review) == (["image/png"], 0)
    told = await news_of(completed, viewer_id=studio.fan.user_id, newsroom=newsroom)
    assert isinstance(told, JobCompletedNews)
    assert (len(told.results), told.in_review) == (1, 0)


async def test_what_is_blocked_costs_nothing_and_its_owner_is_told(studio: World) -> None:
    async with studio.uow() as uow:
        before = (await open_wallet(uow, studio.fan.user_id, studio.clock.now())).balance
    job_id = await make(studio, 0.9)
    (told,) = [e for e in await studio.events(job_id) if isinstance(e, JobFailed)]
    assert told.error_code == "content_blocked"
    assert told.error_message
    async with studio.uow() as uow:
        wallet = await open_wallet(uow, studio.fan.user_id, studio.clock.now())
    assert (wallet.balance, wallet.held) == (before, 0)
    (image,) = await studio.images_of(job_id)
    seeing = {"uow": studio.uow(), "storage": studio.storage, "clock": studio.clock}
    for who in (studio.fan, studio.owner):
        with pytest.raises(NotFound):
            await read_asset(image.id, actor=who, **seeing)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ruling", "state"), [(Ruling.APPROVE, AssetState.READY), (Ruling.BLOCK, AssetState.HIDDEN)]
)
async def test_a_doubtful_image_is_a_moderator_s_to_show(
    studio: World, ruling: Ruling, state: AssetState
) -> None:
    await made(studio, 0.6)
    case = await decide(studio, ruling)
    assert (case.state, case.hidden) == (CaseState.OPEN, True)
    async with studio.uow() as uow:
        assert (await uow.assets.get(case.subject_id)).state is state
