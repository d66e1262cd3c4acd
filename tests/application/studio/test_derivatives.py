"""What is made of what was made here: recognised, judged, and nobody else's."""

from uuid import UUID

import pytest

from adapters.memory.images import blank_png
from application.licensing.derivatives import SourceNotLicensed, sources_among
from application.media.assets import upload_image
from application.ports.media import CleanGrant
from application.studio.generations import AcceptedJob
from domain.identity.actor import Actor
from domain.licensing.approval import ApprovalNeeded
from domain.licensing.conditions import Derivatives
from domain.media.asset import Asset, AssetPurpose
from domain.shared.errors import LikenessError, NotFound
from domain.studio.generation import Mode
from tests import builders
from tests.application.licensing.together import asked_in, name_together, say
from tests.application.studio.world import World


@pytest.fixture
async def studio(studio: World) -> World:
    someone = builders.user()
    async with studio.uow() as uow:
        uow.users.add(someone)
        await uow.commit()
    studio.fan = Actor(someone.id, frozenset())
    return studio


async def made(studio: World) -> Asset:
    """An image that was generated for the fan."""
    accepted = await studio.ask()
    await studio.work()
    await studio.finish_at_provider()
    await studio.poll_later()
    await studio.work()
    (image,) = await studio.images_of(accepted.id)
    return image


async def uploaded(studio: World, content: bytes, purpose: AssetPurpose, *, actor: Actor) -> UUID:
    kept = await upload_image(
        content,
        purpose,
        actor=actor,
        uow=studio.uow(),
        storage=studio.storage,
        images=studio.images,
        moderation=studio.moderation,
        faces=studio.faces,
        clock=studio.clock,
        ids=studio.ids,
    )
    return kept.id


async def again(studio: World, scene: UUID, creator_id: UUID | None = None) -> AcceptedJob:
    """Ask for a derivative of the scene, by default of the world's creator."""
    creator_id = creator_id or studio.market.creator.id
    return await studio.ask(mode=Mode.PHOTO, scene_asset_id=scene, creator_id=creator_id)


async def refusal(studio: World, scene: UUID) -> list[str]:
    with pytest.raises(LikenessError) as refused:
        await again(studio, scene)
    return [reason.code for reason in refused.value.facts.get("reasons", ())]  # type: ignore[attr-defined]


async def under(studio: World, **conditions: object) -> None:
    """The creator publishes terms that say this."""
    await name_together(studio.uow, studio.market, **conditions)


async def test_an_own_image_is_a_scene_where_derivatives_are_allowed(studio: World) -> None:
    image = await made(studio)
    accepted = await again(studio, image.id)
    await studio.work()
    sent = studio.generator.submissions[-1].request
    assert image.clean_key in (sent.scene_image_url or "")
    async with studio.uow() as uow:
        assert (await uow.generations.get(accepted.id)).scene_asset_id == image.id

    await under(studio, derivatives=Derivatives.NONE)
    assert await refusal(studio, image.id) == ["derivative_not_allowed"]
    scene = await studio.upload(AssetPurpose.SCENE_IMAGE, actor=studio.fan)
    await again(studio, scene)


async def test_a_bought_image_is_a_scene_and_a_stranger_s_is_not_there(studio: World) -> None:
    image = await made(studio)
    studio.fan = builders.actor()
    with pytest.raises(NotFound):
        await again(studio, image.id)
    grant = CleanGrant(asset_id=image.id, user_id=studio.fan.user_id, order_id=image.id)
    async with studio.uow() as uow:
        await uow.assets.grant_clean([grant])
        await uow.commit()
    await again(studio, image.id)


async def test_a_derivative_waits_for_the_creator_who_wants_to_be_asked(studio: World) -> None:
    image = await made(studio)
    await under(studio, derivatives=Derivatives.APPROVAL)
    await studio.ask()
    with pytest.raises(ApprovalNeeded) as needed:
        await again(studio, image.id)
    (request,) = asked_in(needed.value)
    await say(studio.market, request, studio.uow, studio.clock)

    await again(studio, image.id)
    with pytest.raises(ApprovalNeeded):
        await again(studio, image.id)


async def test_a_delivered_image_that_is_uploaded_is_known_again(studio: World) -> None:
    image = await made(studio)
    await under(studio, derivatives=Derivatives.NONE)
    clean = await studio.storage.get(image.clean_key)
    copy = await uploaded(studio, clean, AssetPurpose.SCENE_IMAGE, actor=studio.fan)
    assert await refusal(studio, copy) == ["derivative_not_allowed"]
    other = await uploaded(studio, blank_png(2000, 999), AssetPurpose.SCENE_IMAGE, actor=studio.fan)
    await again(studio, other)


async def test_an_image_of_somebody_else_is_made_into_nothing(studio: World) -> None:
    image = await made(studio)
    other = await builders.market(studio.uow())
    await builders.generation(studio.uow(), other)
    with pytest.raises(SourceNotLicensed) as refused:
        await again(studio, image.id, other.creator.id)
    assert refused.value.facts["creator_id"] == str(studio.market.creator.id)

    await name_together(studio.uow, other, studio.market)
    await again(studio, image.id, other.creator.id)


async def test_outputs_train_a_model_only_where_the_terms_say_so(studio: World) -> None:
    image = await made(studio)
    clean = await studio.storage.get(image.clean_key)
    mine = await studio.upload(AssetPurpose.TRAINING_IMAGE, actor=studio.owner)
    copy = await uploaded(studio, clean, AssetPurpose.TRAINING_IMAGE, actor=studio.owner)
    with pytest.raises(LikenessError) as refused:
        await studio.train([mine, copy])
    reasons = refused.value.facts["reasons"]
    assert [reason.code for reason in reasons] == ["ai_training_not_allowed"]  # type: ignore[attr-defined]
    await studio.train([mine])

    await under(studio, ai_training_of_outputs=True)
    await studio.train([mine, copy])


async def test_sources_are_told_by_whom_they_show(studio: World) -> None:
    image = await made(studio)
    scene = await studio.upload(AssetPurpose.SCENE_IMAGE, actor=studio.fan)
    async with studio.uow() as uow:
        plain = await uow.assets.get(scene)
        (source,) = await sources_among([plain, image], uow=uow)
        assert await sources_among([plain], uow=uow) == []
    assert source == (image.id, image.generation_id, studio.market.creator.id)
