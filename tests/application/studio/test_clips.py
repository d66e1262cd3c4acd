"""What is said in films and sounds, and what a film that moves like another is made of."""

from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from application.ports.credentials import Statement
from application.ports.engines import ImageToVideo, TextToImage, TransferMotion
from application.studio.generations import SpokenText
from domain.licensing.conditions import SubjectRight
from domain.licensing.terms import Capability
from domain.media.asset import Asset, AssetPurpose, Media
from domain.media.provenance import MediaCopy, SourceType, Verdict, credential_type
from domain.studio.job import JobStatus
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


async def made(studio: World, **wish: object) -> Asset:
    accepted = await studio.ask(**wish)  # type: ignore[arg-type]
    await through(studio, accepted.id)
    assert (await studio.seen(accepted.id)).status is JobStatus.SUCCEEDED
    (asset,) = await studio.images_of(accepted.id)
    return asset


async def said_in(studio: World, key: str | None) -> tuple[Statement, ...]:
    assert key is not None
    content = await studio.storage.get(key)
    report = await studio.credentials.read(content, credential_type(content))
    assert report.verdict is Verdict.VALID
    return report.statements


async def driven_preset(studio: World, *, duration_ms: int = 7200) -> UUID:
    """One that has who is in the picture move as somebody does in a video."""
    driving = builders.generated_asset(studio.fan.user_id)
    driving.purpose, driving.media = AssetPurpose.DRIVING_VIDEO, Media.VIDEO
    driving.generation_id, driving.duration_ms = None, duration_ms
    preset = builders.preset_of(studio.fan.user_id, driving_asset_id=driving.id)
    async with (uow := studio.uow()):
        uow.assets.add(driving)
        uow.presets.add(preset)
        await uow.commit()
    return preset.id


async def test_every_copy_of_a_film_says_what_it_is(studio: World) -> None:
    film = await made(studio, kind="video")

    for key, marked in ((film.clean_key, False), (film.preview_key, True)):
        (said,) = await said_in(studio, key)
        assert said.title == str(film.id)
        assert said.models == ("memory/text_to_image, elsewhere/image_to_video",)
        assert said.source_types == (SourceType.TRAINED.uri,)
        assert said.licence is not None
        assert said.training_allowed is False
        assert ("c2pa.addedText" in said.actions) is marked
    assert await said_in(studio, film.thumbnail_key)
    async with (uow := studio.uow()):
        signed = await uow.signed_copies.of_asset(film.id)
    assert {one.copy: one.key for one in signed} == {
        MediaCopy.CLEAN: film.clean_key,
        MediaCopy.PREVIEW: film.preview_key,
        MediaCopy.THUMBNAIL: film.thumbnail_key,
    }
    assert film.sha256 == next(one.sha256 for one in signed if one.copy is MediaCopy.CLEAN)


async def test_a_film_of_a_generated_image_keeps_its_chain(studio: World) -> None:
    image = await made(studio)
    film = await made(studio, kind="video", prompt="", source_asset_id=image.id)

    said = await said_in(studio, film.clean_key)

    assert [one.title for one in said] == [str(film.id), str(image.id)]
    assert said[0].actions == ("c2pa.opened", "c2pa.edited")
    assert said[0].source_types == (SourceType.TRAINED.uri,)


async def test_a_film_of_a_photograph_is_composite(studio: World) -> None:
    photograph = await studio.upload(AssetPurpose.SCENE_IMAGE, actor=studio.fan)
    film = await made(studio, kind="video", prompt="", source_asset_id=photograph)
    again = await made(studio, kind="model_3d", prompt="", source_asset_id=photograph)

    (said,) = await said_in(studio, film.clean_key)

    assert said.source_types == (SourceType.COMPOSITE.uri,)
    async with (uow := studio.uow()):
        assert await uow.signed_copies.of_asset(again.id) == []  # glTF has no place for them


async def test_a_voice_is_signed(studio: World) -> None:
    voice = await made(studio, kind="speech", prompt="", speech=SPEECH)
    (said,) = await said_in(studio, voice.clean_key)
    assert (said.title, said.models) == (str(voice.id), ("elsewhere/text_to_speech",))
    assert voice.clean_key.endswith(".mp3")


async def test_what_moves_like_a_video_pays_for_nothing_that_it_does_not_use(
    studio: World,
) -> None:
    accepted = await studio.ask(kind="video", preset_id=await driven_preset(studio))
    seen = await studio.seen(accepted.id)
    assert [(step.type, step.credits) for step in seen.steps] == [
        ("image_generation", 2),
        ("motion_transfer", 8 * 4),
        ("post_processing", 0),
    ]

    await through(studio, accepted.id)

    assert studio.engine(ImageToVideo).submissions == []
    (moved,) = [one.request for one in studio.engine(TransferMotion).submissions]
    (drawn,) = [one for one in await studio.steps(accepted.id) if one.type == "image_generation"]
    assert drawn.results[0].key in moved.image_url
    assert len(studio.engine(TextToImage).submissions) == 1
    assert (await studio.seen(accepted.id)).spent == 2 + 4  # what was made lasts a second
