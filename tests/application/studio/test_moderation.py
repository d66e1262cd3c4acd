"""What was made is judged before anybody sees it: shown, hidden until looked at, or refused."""

import pytest

from adapters.postgres.moderation_views import PostgresModerationViews
from application.moderation.desk import DecideCase, Ruling, decide_case
from domain.identity.actor import Role
from domain.media.asset import AssetState
from domain.moderation.case import CaseState
from domain.studio.job import JobStatus
from tests import builders
from tests.application.studio.world import World


async def made(studio: World, score: float) -> tuple[JobStatus, str | None, list[AssetState]]:
    studio.classifier.score_of_others = score
    accepted = await studio.ask()
    await studio.work()
    await studio.finish_at_provider()
    await studio.poll_later()
    await studio.work()
    seen = await studio.seen(accepted.id)
    images = await studio.images_of(accepted.id)
    return seen.status, seen.error_code, [image.state for image in images]


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (0.1, (JobStatus.SUCCEEDED, None, [AssetState.READY])),
        (0.6, (JobStatus.SUCCEEDED, None, [AssetState.HIDDEN])),
        (0.9, (JobStatus.FAILED, "content_blocked", [AssetState.HIDDEN])),
    ],
)
async def test_an_image_is_shown_by_its_score(
    studio: World, score: float, expected: tuple[JobStatus, str | None, list[AssetState]]
) -> None:
    assert await made(studio, score) == expected


@pytest.mark.parametrize(
    ("ruling", "state"), [(Ruling.APPROVE, AssetState.READY), (Ruling.BLOCK, AssetState.HIDDEN)]
)
async def test_a_doubtful_image_is_a_moderator_s_to_show(
    studio: World, ruling: Ruling, state: AssetState
) -> None:
    await made(studio, 0.6)
    views = PostgresModerationViews(studio.sessions.kw["bind"])
    (case,) = await views.queue(state=None, kind=None, before=None, limit=10)
    assert (case.state, case.hidden) == (CaseState.OPEN, True)
    await decide_case(
        case.id,
        DecideCase(decision=ruling),
        actor=builders.actor(Role.ADMIN),
        uow=studio.uow(),
        clock=studio.clock,
        ids=studio.ids,
    )
    async with studio.uow() as uow:
        assert (await uow.assets.get(case.subject_id)).state is state
