"""Invented people: shown by images of their owner's, under nobody's licence."""

from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from application.catalogue.products import CreateProduct, NobodysLikeness, create_product
from application.licensing.derivatives import SourceNotLicensed
from application.moderation.judging import TextRefused
from application.ports.engines import CharacterToImage, TextToImage
from application.ports.studio import GenerationFilter
from application.studio.generations import SpokenText
from domain.identity.actor import Actor, Role
from domain.licensing.conditions import SubjectRight
from domain.licensing.terms import Capability, ProductType, Purpose
from domain.media.asset import Asset, AssetPurpose, AssetState
from domain.media.provenance import Verdict
from domain.ordering.fees import fee_schedule
from domain.shared.errors import NotFound
from domain.studio.character import Character, ReferencesRefused
from domain.studio.generation import CreatorRequired, Mode
from domain.studio.job import JobStatus
from domain.studio.publication import WorkKind, publication_of
from tests import builders
from tests.application.studio.test_pipelines import through
from tests.application.studio.world import World

SPEECH = SpokenText(text="Good morning.")


@pytest.fixture
async def studio(sessions: async_sessionmaker[AsyncSession]) -> World:
    """A trained model, under terms that allow everything."""
    everything = builders.terms(
        capabilities=frozenset(Capability), subject_rights=frozenset(SubjectRight)
    )
    return await (await World(sessions).opened(licence=everything)).with_model()


async def invented(studio: World, *, by: Actor | None = None, **changes: Any) -> Character:
    """A character of the fan's, shown by two pictures of theirs."""
    by = by or studio.fan
    shown = [await studio.upload(AssetPurpose.SCENE_IMAGE, actor=by) for _ in range(2)]
    values = {"creator_id": None, "asset_ids": shown, **changes}
    character = builders.character_of(by.user_id, **values)
    async with (uow := studio.uow()):
        uow.characters.add(character)
        await uow.commit()
    return character


async def wish(studio: World, character_id: UUID, **changes: Any) -> UUID:
    values = {"creator_id": None, "character_id": character_id, **changes}
    return (await studio.ask(**values)).id


async def made(studio: World, character_id: UUID, **changes: Any) -> Asset:
    job_id = await wish(studio, character_id, **changes)
    await through(studio, job_id)
    assert (await studio.seen(job_id)).status is JobStatus.SUCCEEDED
    (asset,) = await studio.images_of(job_id)
    return asset


async def test_an_invented_person_is_drawn_from_their_images(studio: World) -> None:
    character = await invented(studio)
    job_id = await wish(studio, character.id, prompt="at a harbour")
    await studio.work()
    (sent,) = [one.request for one in studio.engine(CharacterToImage).submissions]
    assert "at a harbour" in sent.prompt
    assert f"{character.age} year old" in sent.prompt
    (archive,) = [key for key in studio.storage.stored_keys() if key.startswith("training/")]
    assert archive in sent.references_url
    await through(studio, job_id)

    seen = await studio.seen(job_id)
    assert (seen.status, seen.creator_id, seen.terms_id) == (JobStatus.SUCCEEDED, None, None)
    assert (seen.character_id, seen.spent) == (character.id, 2)
    assert [key for key in studio.storage.stored_keys() if key.startswith("training/")] == []
    assert studio.engine(TextToImage).submissions == []


async def test_nobodys_licence_is_asked_and_none_is_claimed(studio: World) -> None:
    async with studio.sessions() as session:
        before = await session.scalar(text("SELECT count(*) FROM licence_decisions"))
    asset = await made(studio, (await invented(studio)).id)
    report = await studio.credentials.read(await studio.storage.get(asset.clean_key), "image/png")
    async with studio.sessions() as session:
        after = await session.scalar(text("SELECT count(*) FROM licence_decisions"))

    assert before == after
    (said,) = report.statements
    assert (report.verdict, said.licence, said.training_allowed) == (Verdict.VALID, None, False)
    assert said.models == ("elsewhere/character_to_image",)
    async with (uow := studio.uow()):
        copies = await uow.signed_copies.of_asset(asset.id)
    assert {(one.creator_id, one.licence) for one in copies} == {(None, None)}


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "video"},
        {"kind": "talking_avatar", "speech": SPEECH},
        {"kind": "model_3d"},
        {"kind": "speech", "prompt": "", "speech": SPEECH},
    ],
)
async def test_every_kind_is_made_of_an_invented_person(
    studio: World, changes: dict[str, Any]
) -> None:
    await made(studio, (await invented(studio)).id, **changes)


async def test_what_was_drawn_becomes_a_film(studio: World) -> None:
    character = await invented(studio)
    image = await made(studio, character.id)
    film = await made(studio, character.id, kind="video", prompt="", source_asset_id=image.id)
    content = await studio.storage.get(film.clean_key)
    said = (await studio.credentials.read(content, "video/mp4")).statements
    assert [one.title for one in said] == [str(film.id), str(image.id)]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"character_id": None}, "creator_id"),
        ({"purpose": Purpose.ADULT}, "purpose"),
        ({"mode": Mode.PHOTO}, "mode"),
    ],
)
async def test_what_takes_a_creator_says_so(
    studio: World, changes: dict[str, Any], field: str
) -> None:
    character = await invented(studio)
    if changes.get("mode") is Mode.PHOTO:
        scene = await studio.upload(AssetPurpose.SCENE_IMAGE, actor=studio.fan)
        changes = {**changes, "scene_asset_id": scene}
    with pytest.raises(CreatorRequired) as refused:
        await wish(studio, **{"character_id": character.id, **changes})
    assert field in cast("dict[str, object]", refused.value.facts["fields"])


async def test_no_creators_likeness_is_used_without_a_licence(studio: World) -> None:
    """Neither as what shows the character nor as what a film is made of; an upload of the very
    bytes is known again."""
    licensed = (await studio.ask()).id
    await through(studio, licensed)
    (of_creator,) = await studio.images_of(licensed)
    character = await invented(studio)
    disguised = await invented(studio, asset_ids=[of_creator.id])
    for character_id, changes in (
        (disguised.id, {}),
        (character.id, {"kind": "video", "prompt": "", "source_asset_id": of_creator.id}),
    ):
        with pytest.raises(SourceNotLicensed):
            await wish(studio, character_id, **changes)
    assert studio.engine(CharacterToImage).submissions == []


async def test_an_invented_persons_image_may_go_into_licensed_work(studio: World) -> None:
    image = await made(studio, (await invented(studio)).id)
    job_id = (await studio.ask(kind="video", prompt="", source_asset_id=image.id)).id
    await through(studio, job_id)
    assert (await studio.seen(job_id)).status is JobStatus.SUCCEEDED


async def test_the_images_must_still_be_there_and_theirs(studio: World) -> None:
    character = await invented(studio)
    async with (uow := studio.uow()):
        shown = await uow.assets.get(character.asset_ids[0], lock=True)
        shown.state = AssetState.HIDDEN
        await uow.commit()
    with pytest.raises(ReferencesRefused):
        await wish(studio, character.id)
    strangers = await studio.upload(AssetPurpose.SCENE_IMAGE, actor=studio.owner)
    with pytest.raises(ReferencesRefused):
        await wish(studio, (await invented(studio, asset_ids=[strangers])).id)


async def test_another_persons_character_is_used_once_it_is_published(studio: World) -> None:
    character = await invented(studio, by=studio.owner)
    with pytest.raises(NotFound):
        await wish(studio, character.id)
    async with (uow := studio.uow()):
        admin = builders.actor(Role.ADMIN)
        publication = publication_of(
            character, WorkKind.CHARACTER, creator_id=None, at=studio.clock.now()
        )
        publication.submit(character, at=studio.clock.now())
        publication.approve(by=admin.user_id, at=studio.clock.now())
        uow.publications.add(publication)
        await uow.commit()
    await made(studio, character.id)


async def test_texts_are_judged_and_nothing_is_for_adults_only(studio: World) -> None:
    with pytest.raises(IntegrityError, match="adult"):
        await invented(studio, age=17)
    for purpose in (Purpose.PERSONAL, Purpose.ADULT):
        with pytest.raises(TextRefused):
            await wish(studio, (await invented(studio)).id, prompt="naked porn", purpose=purpose)


async def test_it_is_nobodys_merchandise(studio: World) -> None:
    job_id = await wish(studio, (await invented(studio)).id)
    await through(studio, job_id)
    command = CreateProduct(
        generation_id=job_id,
        product_type=ProductType.PRINT,
        title="A print",
        price_cents=2000,
        currency="eur",
    )
    with pytest.raises(NobodysLikeness):
        await create_product(
            studio.market.store.id,
            command,
            actor=Actor(user_id=studio.market.owner.id, roles=frozenset({Role.STORE_OWNER})),
            uow=studio.uow(),
            clock=studio.clock,
            ids=studio.ids,
            fees=fee_schedule({}),
            moderation=studio.moderation,
        )


async def test_a_character_lists_what_it_was_used_for(studio: World) -> None:
    first, other = await invented(studio), await invented(studio)
    wanted = await wish(studio, first.id)
    await wish(studio, other.id)
    found = await studio.views.generations(
        studio.fan.user_id,
        only=GenerationFilter(character_id=first.id),
        before=None,
        limit=10,
    )
    assert [one.id for one in found] == [wanted]


async def test_started_again_it_asks_nobody_either(studio: World) -> None:
    job_id = await wish(studio, (await invented(studio)).id)
    await studio.work()
    await studio.cancel(job_id)
    await studio.retry(job_id)
    await through(studio, job_id)
    assert (await studio.seen(job_id)).status is JobStatus.SUCCEEDED


@pytest.mark.parametrize(
    "change",
    [
        "reference_ids = '[]'",
        "character_id = NULL",
        "terms_version = 1",
        "creator_id = (SELECT id FROM creators LIMIT 1)",
    ],
)
async def test_the_database_knows_whom_it_shows(studio: World, change: str) -> None:
    job_id = await wish(studio, (await invented(studio)).id)
    async with studio.sessions() as session:
        with pytest.raises(IntegrityError):
            await session.execute(
                text(f"UPDATE generations SET {change} WHERE id = :id"),
                {"id": job_id},
            )
