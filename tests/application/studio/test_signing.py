"""What is said in the copies of a generated image, and that row, object and memory agree."""

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from adapters.memory.credentials import MemoryCredentials
from adapters.memory.images import blank_png
from application.ports.credentials import CredentialReport, Parent, Signed
from application.ports.errors import Unavailable
from application.studio.finishing import finish_image
from domain.media.asset import Asset, AssetPurpose, AssetState
from domain.media.provenance import (
    Claim,
    MediaCopy,
    SignedCopy,
    SourceType,
    Verdict,
)
from domain.studio.generation import Generation, Mode
from tests.application.studio.world import World

ASSET = UUID(int=99)


class Refusing(MemoryCredentials):
    """A key that cannot be reached, after it has signed `before` files."""

    def __init__(self, before: int = 0) -> None:
        super().__init__()
        self.left = before

    async def sign(
        self, content: bytes, content_type: str, claim: Claim, *, parents: Sequence[Parent] = ()
    ) -> Signed:
        if self.left == 0:
            raise Unavailable("The key is away.", provider="credentials")
        self.left -= 1
        return await super().sign(content, content_type, claim, parents=parents)


async def generated(world: World, **wish: Any) -> tuple[Generation, Asset]:
    job = await world.ask(**wish)
    await world.work()
    await world.finish_at_provider()
    await world.poll_later()
    await world.work()
    async with (uow := world.uow()):
        generation = await uow.generations.get(job.id)
    [asset] = await world.images_of(job.id)
    return generation, asset


def claim_like(signed: SignedCopy, *, title: str) -> Claim:
    return Claim(
        title=title,
        source=signed.source,
        model=signed.model,
        licence=signed.licence,
        training_allowed=False,
    )


async def said_in(world: World, key: str) -> CredentialReport:
    return await world.credentials.read(await world.storage.get(key), "image/png")


async def remembered(world: World, asset_id: UUID) -> list[SignedCopy]:
    async with (uow := world.uow()):
        return await uow.signed_copies.of_asset(asset_id)


async def test_every_copy_that_is_delivered_says_what_it_is(world: World) -> None:
    await world.with_model()
    generation, asset = await generated(world)
    assert asset.preview_key is not None
    assert asset.thumbnail_key is not None

    reports = [
        await said_in(world, key)
        for key in (asset.clean_key, asset.preview_key, asset.thumbnail_key)
    ]

    for report in reports:
        assert report.verdict is Verdict.VALID
        [said] = report.statements
        assert said.title == str(asset.id)
        assert said.source_types == (SourceType.TRAINED.uri,)
        assert said.models == (f"{world.generator.provider}/{world.generator.model}",)
        assert said.training_allowed is False
        assert said.licence is not None
        assert said.licence.licence_id == generation.terms_id
        assert (said.licence.version, said.licence.hash) == (
            generation.terms_version,
            generation.terms_hash,
        )
    assert [report.statements[0].actions for report in reports] == [
        ("c2pa.created",),
        ("c2pa.created", "c2pa.resized", "c2pa.addedText"),
        ("c2pa.created", "c2pa.resized", "c2pa.addedText"),
    ]


async def test_nobody_is_named_in_a_file(world: World) -> None:
    await world.with_model()
    generation, asset = await generated(world)
    content = await world.storage.get(asset.clean_key)

    for person in (
        generation.prompt,
        world.market.creator.display_name,
        world.market.creator.slug,
        str(world.market.creator.id),
        str(world.fan.user_id),
        str(world.owner.user_id),
    ):
        assert person.encode() not in content


async def test_row_object_and_memory_agree(world: World) -> None:
    await world.with_model()
    _, asset = await generated(world)
    content = await world.storage.get(asset.clean_key)

    assert (asset.size_bytes, asset.sha256) == (
        len(content),
        hashlib.sha256(content).hexdigest(),
    )
    copies = {one.copy: one for one in await remembered(world, asset.id)}
    assert set(copies) == set(MediaCopy)
    assert copies[MediaCopy.CLEAN].key == asset.clean_key
    assert copies[MediaCopy.CLEAN].sha256 == asset.sha256
    assert copies[MediaCopy.PREVIEW].key == asset.preview_key
    assert copies[MediaCopy.THUMBNAIL].key == asset.thumbnail_key
    report = await said_in(world, asset.clean_key)
    assert copies[MediaCopy.CLEAN].manifest == report.statements[0].manifest


async def test_a_scene_is_what_it_was_made_from(world: World) -> None:
    await world.with_model()
    scene = await world.upload(AssetPurpose.SCENE_IMAGE, actor=world.fan)
    _, asset = await generated(world, mode=Mode.PHOTO, scene_asset_id=scene)

    [said] = (await said_in(world, asset.clean_key)).statements

    assert said.actions == ("c2pa.opened", "c2pa.edited")
    assert said.source_types == (SourceType.COMPOSITE.uri,)


async def test_the_chain_of_a_generated_scene_is_kept(world: World) -> None:
    await world.with_model()
    _, first = await generated(world)
    _, asset = await generated(world, mode=Mode.PHOTO, scene_asset_id=first.id)

    said = (await said_in(world, asset.clean_key)).statements

    assert [one.title for one in said] == [str(asset.id), str(first.id)]


async def test_what_the_provider_has_signed_is_kept(world: World) -> None:
    await world.with_model()
    generation, _ = await generated(world)
    theirs = MemoryCredentials(root="the provider")
    claim_of_theirs = (await remembered(world, (await world.images_of(generation.id))[0].id))[0]
    signed = await theirs.sign(
        blank_png(40, 30), "image/png", claim_like(claim_of_theirs, title="theirs")
    )

    made = await finish_image(ASSET, signed.content, generation, workshop=world.workshop)

    said = (await said_in(world, made.clean_key)).statements
    assert [one.title for one in said] == [str(ASSET), "theirs"]


async def test_running_again_leaves_row_and_object_in_agreement(world: World) -> None:
    """A kill between storing and the row: the second run has bytes and keys of its own."""
    await world.with_model()
    generation, _ = await generated(world)
    runs = [
        await finish_image(ASSET, blank_png(40, 30), generation, workshop=world.workshop)
        for _ in range(2)
    ]

    assert runs[0].clean_key != runs[1].clean_key
    for run in runs:
        content = await world.storage.get(run.clean_key)
        assert hashlib.sha256(content).hexdigest() == run.sha256
    assert len(await remembered(world, ASSET)) == 6


@pytest.mark.parametrize("before", [0, 1, 2])
async def test_without_the_key_nothing_is_delivered(world: World, before: int) -> None:
    await world.with_model()
    generation, _ = await generated(world)
    world.use_credentials(Refusing(before))

    with pytest.raises(Unavailable):
        await finish_image(ASSET, blank_png(40, 30), generation, workshop=world.workshop)

    assert await remembered(world, ASSET) == []
    kept = [key for key in world.storage.stored_keys() if str(ASSET) in key]
    assert [key for key in kept if "original" not in key] == []


async def test_a_hidden_result_is_signed_too(world: World) -> None:
    await world.with_model()
    job = await world.ask()
    await world.work()
    request = await world.finish_at_provider()
    await world.cancel(job.id)
    await world.call_back(request)
    await world.work()

    [asset] = await world.images_of(job.id)

    assert asset.state is AssetState.HIDDEN
    assert (await said_in(world, asset.clean_key)).verdict is Verdict.VALID
