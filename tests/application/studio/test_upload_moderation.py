"""Uploads are judged by what they are for, and what is doubtful is a moderator's to let in."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.memory.images import blank_png
from adapters.postgres.messages import outbox_messages
from adapters.postgres.moderation_views import PostgresModerationViews
from application.media.assets import delete_asset, read_asset, upload_image
from application.media.delivery import AssetDetails
from application.moderation.appeals import Appeal, appeal_case
from application.moderation.desk import DecideCase, Ruling, decide_case
from application.moderation.uploads import UploadBlocked
from application.ports.media import ERASE_BYTES
from application.ports.moderation import CaseRow
from domain.creators.training_set import TrainingImagesRefused
from domain.identity.actor import Actor, Role
from domain.licensing.terms import Purpose
from domain.media.asset import AssetPurpose, AssetState
from domain.moderation.case import CaseState, SubjectKind
from domain.shared.errors import NotFound
from tests import builders
from tests.application.studio.world import World

PICTURE = blank_png(40, 30)


async def sent(
    world: World, purpose: AssetPurpose, score: float, *, actor: Actor | None = None
) -> AssetDetails:
    world.classifier.score_of_others = score
    return await upload_image(
        PICTURE,
        purpose,
        actor=actor or world.owner,
        uow=world.uow(),
        storage=world.storage,
        images=world.images,
        moderation=world.moderation,
        faces=world.faces,
        clock=world.clock,
        ids=world.ids,
    )


async def cases(world: World, state: CaseState | None = None) -> list[CaseRow]:
    views = PostgresModerationViews(world.sessions.kw["bind"])
    return await views.queue(state=state, kind=None, before=None, limit=10)


async def decide(world: World, case_id: UUID, ruling: Ruling) -> CaseRow:
    return await decide_case(
        case_id,
        DecideCase(decision=ruling),
        actor=builders.actor(Role.ADMIN),
        uow=world.uow(),
        clock=world.clock,
        ids=world.ids,
    )


async def used_bytes(world: World) -> int:
    async with world.uow() as uow:
        return (await uow.uploads.usage(world.owner.user_id)).used_bytes


@pytest.fixture
async def adult(sessions: async_sessionmaker[AsyncSession]) -> World:
    """A world whose creator licenses adult purposes."""
    plain = builders.terms()
    licence = replace(plain, purposes=plain.purposes | {Purpose.ADULT})
    return await World(sessions).opened(licence=licence)


@pytest.mark.parametrize("purpose", [AssetPurpose.TRAINING_IMAGE, AssetPurpose.SCENE_IMAGE])
async def test_a_licence_for_adult_purposes_covers_what_its_creator_uploads(
    adult: World, purpose: AssetPurpose
) -> None:
    assert (await sent(adult, purpose, 0.99)).state is AssetState.READY
    with pytest.raises(UploadBlocked):
        await sent(adult, purpose, 0.99, actor=adult.fan)


@pytest.mark.parametrize(
    "purpose", [AssetPurpose.AVATAR, AssetPurpose.BANNER, AssetPurpose.PRODUCT_IMAGE]
)
async def test_no_licence_covers_what_everybody_sees(adult: World, purpose: AssetPurpose) -> None:
    with pytest.raises(UploadBlocked):
        await sent(adult, purpose, 0.99)


async def test_without_such_a_licence_nothing_is_covered(world: World) -> None:
    with pytest.raises(UploadBlocked) as refused:
        await sent(world, AssetPurpose.TRAINING_IMAGE, 0.99)
    (case,) = await cases(world, CaseState.BLOCKED)
    assert refused.value.facts["fields"]["case_id"] == [str(case.id)]  # type: ignore[index]
    assert world.storage.stored_keys() == set()


async def test_a_doubtful_picture_cannot_be_trained_from_until_it_is_let_in(world: World) -> None:
    image = await sent(world, AssetPurpose.TRAINING_IMAGE, 0.6)
    other = await sent(world, AssetPurpose.TRAINING_IMAGE, 0.1)
    assert (image.state, image.url) == (AssetState.UNDER_REVIEW, None)
    held = await used_bytes(world)
    assert held == 2 * image.size_bytes
    with pytest.raises(TrainingImagesRefused):
        await world.train([image.id, other.id])
    (case,) = await cases(world)
    await decide(world, case.id, Ruling.APPROVE)
    assert await used_bytes(world) == held
    await world.train([image.id, other.id])


async def test_a_doubtful_picture_that_a_moderator_blocks_is_erased(world: World) -> None:
    image = await sent(world, AssetPurpose.AVATAR, 0.6)
    (case,) = await cases(world)
    await decide(world, case.id, Ruling.BLOCK)
    with pytest.raises(NotFound):
        await read_asset(image.id, **asking(world))
    assert await used_bytes(world) == 0
    async with world.sessions() as session:
        rows = await session.execute(
            select(outbox_messages.c.payload).where(outbox_messages.c.topic == ERASE_BYTES)
        )
    (payload,) = rows.scalars()
    assert b"/clean.png" in payload


async def test_after_a_granted_appeal_the_same_picture_is_looked_at_once_more(
    world: World,
) -> None:
    with pytest.raises(UploadBlocked):
        await sent(world, AssetPurpose.AVATAR, 0.99)
    (case,) = await cases(world, CaseState.BLOCKED)
    await appeal_case(
        case.id,
        Appeal(text="It is a peach."),
        actor=world.owner,
        uow=world.uow(),
        clock=world.clock,
    )
    with pytest.raises(UploadBlocked):
        await sent(world, AssetPurpose.AVATAR, 0.99)
    (waiting,) = await cases(world)
    assert (waiting.id, waiting.subject_kind) == (case.id, SubjectKind.UPLOAD)
    await decide(world, case.id, Ruling.APPROVE)
    again = await sent(world, AssetPurpose.AVATAR, 0.99)
    assert again.state is AssetState.UNDER_REVIEW
    with pytest.raises(UploadBlocked):  # an appeal is for its owner alone
        await sent(world, AssetPurpose.AVATAR, 0.99, actor=world.fan)
    (held,) = await cases(world)
    await decide(world, held.id, Ruling.BLOCK)
    with pytest.raises(UploadBlocked):  # who blocked it has seen it, whatever the score is now
        await sent(world, AssetPurpose.AVATAR, 0.6)


async def test_what_its_owner_has_deleted_meanwhile_can_still_be_decided(world: World) -> None:
    for ruling in Ruling:
        image = await sent(world, AssetPurpose.AVATAR, 0.6)
        await delete_asset(image.id, actor=world.owner, uow=world.uow())
        (case,) = await cases(world)
        assert (await decide(world, case.id, ruling)).decided_at is not None


def asking(world: World) -> dict[str, Any]:
    return {
        "actor": world.owner,
        "uow": world.uow(),
        "storage": world.storage,
        "clock": world.clock,
    }
