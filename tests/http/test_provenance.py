"""Anybody may ask where a file came from; the real library signs and reads here."""

import io
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.c2pa.credentials import C2paCredentials
from adapters.c2pa.development import development_material
from application.studio.finishing import finish_image
from application.studio.finishing_clips import finish_video
from domain.media.asset import Asset
from domain.media.provenance import Claim, LicenceClaim, SourceType
from entrypoints.http.routes.provenance import MAX_BODY_BYTES
from tests.http import estate
from tests.http.shop import API, Shop, data_of, refusal
from tests.movies import movie, sound
from tests.pictures import MESH, opened, picture

VERIFY = f"{API}/provenance/verify"


async def delivered(shop: Shop) -> tuple[Asset, bytes]:
    """The picture of the estate, finished as generated images are."""
    async with (uow := shop.ports.uow()):
        generation = await uow.generations.get(estate.GENERATION)
    made = await finish_image(
        estate.PICTURE, picture("PNG", (300, 200)), generation, workshop=shop.ports.workshop
    )
    async with (uow := shop.ports.uow()):
        asset = await uow.assets.get(estate.PICTURE, lock=True)
        asset.clean_key, asset.sha256 = made.clean_key, made.sha256
        asset.preview_key, asset.thumbnail_key = made.preview_key, made.thumbnail_key
        await uow.commit()
    return made, await shop.ports.storage.get(made.clean_key)


async def verify(shop: Shop, content: bytes) -> Any:
    return data_of(await shop.http.post(VERIFY, content=content))


async def test_what_we_deliver_says_where_it_came_from(shop: Shop) -> None:
    asset, content = await delivered(shop)

    checked = await verify(shop, content)

    assert (checked["verdict"], checked["findings"]) == ("valid", [])
    assert (checked["content_type"], checked["sha256"]) == ("image/png", asset.sha256)
    said = checked["statement"]
    assert said["digital_source_types"] == [SourceType.TRAINED.uri]
    assert said["signer"]["issuer"] == "Likeness development"
    assert said["training_allowed"] is False
    assert said["licence"]["licence_id"] == str(estate.TERMS)
    assert len(said["licence"]["hash"]) == 64
    assert said["known"]["asset_id"] == str(estate.PICTURE)
    assert (said["known"]["asset"], said["known"]["copy"]) == ("kept", "clean")
    assert said["known"]["exact"] is True
    assert checked["made_from"] == []


@pytest.mark.parametrize("published", [True, False])
async def test_a_creator_is_named_while_their_page_is_public(shop: Shop, published: bool) -> None:
    _, content = await delivered(shop)
    async with (uow := shop.ports.uow()):
        creator = await uow.creators.get(estate.CREATOR, lock=True)
        creator.published = published
        name = creator.display_name
        await uow.commit()

    known = (await verify(shop, content))["statement"]["known"]

    expected = {"slug": estate.SLUG, "display_name": name} if published else None
    assert known["creator"] == expected
    assert name.encode() not in content


async def test_a_form_is_as_good_as_the_bytes(shop: Shop) -> None:
    _, content = await delivered(shop)
    answer = await shop.http.post(VERIFY, files={"file": ("a.jpg", content, "image/jpeg")})
    assert data_of(answer)["verdict"] == "valid"


async def test_every_copy_that_is_shown_is_signed(shop: Shop) -> None:
    asset, _ = await delivered(shop)
    for key, copy in ((asset.preview_key, "preview"), (asset.thumbnail_key, "thumbnail")):
        assert key is not None
        checked = await verify(shop, await shop.ports.storage.get(key))
        assert checked["verdict"] == "valid"
        assert checked["statement"]["known"]["copy"] == copy
        assert checked["statement"]["actions"] == ["c2pa.created", "c2pa.resized", "c2pa.addedText"]


async def test_one_changed_byte_is_told(shop: Shop) -> None:
    _, content = await delivered(shop)
    changed = bytearray(content)
    changed[-30] ^= 1

    checked = await verify(shop, bytes(changed))

    assert checked["verdict"] == "invalid"
    assert checked["findings"] == [
        {
            "code": "assertion.dataHash.mismatch",
            "message": "The file was changed after it was signed.",
        }
    ]
    assert checked["statement"]["known"]["exact"] is False


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_a_picture_that_was_saved_anew_is_silent(shop: Shop, kind: str) -> None:
    _, content = await delivered(shop)
    saved = io.BytesIO()
    opened(content).save(saved, kind)

    checked = await verify(shop, saved.getvalue())

    assert (checked["verdict"], checked["statement"]) == ("none", None)
    assert [finding["code"] for finding in checked["findings"]] == ["manifest.missing"]


async def test_an_erased_image_is_still_known(shop: Shop) -> None:
    async with (uow := shop.ports.uow()):
        generation = await uow.generations.get(estate.GENERATION)
    gone = await finish_image(
        shop.ports.ids.new(), picture(), generation, workshop=shop.ports.workshop
    )
    content = await shop.ports.storage.get(gone.clean_key)

    known = (await verify(shop, content))["statement"]["known"]

    assert (known["asset"], known["asset_id"]) == ("erased", str(gone.id))


async def test_strangers_sign_in_our_name_in_vain(shop: Shop, tmp_path: Any) -> None:
    stranger = C2paCredentials(lambda: development_material(tmp_path / "stranger"))
    signed = await stranger.sign(picture(), "image/png", claim_of(title=str(estate.PICTURE)))
    stranger.close()

    checked = await verify(shop, signed.content)

    assert checked["verdict"] == "untrusted"
    assert [finding["code"] for finding in checked["findings"]] == ["signingCredential.untrusted"]
    assert checked["statement"]["known"] is None


@pytest.mark.parametrize("copy", ["clean_key", "preview_key"])
async def test_a_film_says_the_same_of_itself(shop: Shop, copy: str) -> None:
    async with (uow := shop.ports.uow()):
        generation = await uow.generations.get(estate.GENERATION)
    film = await finish_video(
        shop.ports.ids.new(), movie("mp4", audio=True), generation, workshop=shop.ports.workshop
    )
    content = await shop.ports.storage.get(getattr(film, copy))

    checked = await verify(shop, content)
    changed = await verify(shop, content[:-30] + bytes([content[-30] ^ 1]) + content[-29:])

    assert (checked["verdict"], checked["content_type"]) == ("valid", "video/mp4")
    said = checked["statement"]
    assert said["licence"]["licence_id"] == str(estate.TERMS)
    assert said["training_allowed"] is False
    assert (said["known"]["exact"], said["known"]["copy"]) == (True, copy.removesuffix("_key"))
    assert (changed["verdict"], [one["code"] for one in changed["findings"]]) == (
        "invalid",
        ["assertion.bmffHash.mismatch"],
    )
    assert changed["statement"]["known"]["exact"] is False


@pytest.mark.parametrize("content", [MESH, movie("webm"), sound("ogg")])
async def test_what_cannot_carry_credentials_is_told_plainly(shop: Shop, content: bytes) -> None:
    answer = await shop.http.post(VERIFY, content=content)
    assert refusal(answer) == (415, "provenance_type_refused")
    assert "cannot carry content credentials" in answer.text


@pytest.mark.parametrize("content", [b"", b"plain text", b"%PDF-1.7", b"\x89PNG"])
async def test_other_files_are_not_read(shop: Shop, content: bytes) -> None:
    answer = await shop.http.post(VERIFY, content=content)
    assert refusal(answer) == (415, "provenance_type_refused")


async def test_too_much_is_refused_while_it_arrives(shop: Shop) -> None:
    async def endless(head: bytes) -> AsyncIterator[bytes]:
        yield head
        while True:
            yield bytes(1024 * 1024)

    answer = await shop.http.post(VERIFY, content=endless(b"\x89PNG\r\n\x1a\n"))
    assert refusal(answer) == (413, "provenance_too_large")
    head = b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n"
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await shop.http.post(VERIFY, content=endless(head), headers=form)
    assert refusal(answer) == (413, "body_too_large")
    announced = {"Content-Length": str(MAX_BODY_BYTES + 1)}
    answer = await shop.http.post(VERIFY, content=endless(b"\0\0\0 ftypisom"), headers=announced)
    assert refusal(answer) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"--x\r\nnot a form", "multipart/form-data; boundary=x"),
        (b"anything", "multipart/form-data"),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
        (
            (
                b'--x\r\nContent-Disposition: form-data; name="other"; filename="a"\r\n\r\n'
                b"text\r\n--x--\r\n"
            ),
            "multipart/form-data; boundary=x",
        ),
    ],
)
async def test_a_broken_form_is_the_senders_fault(
    shop: Shop, body: bytes, content_type: str
) -> None:
    answer = await shop.http.post(VERIFY, content=body, headers={"Content-Type": content_type})
    assert answer.status_code == 400, answer.text


async def test_hostile_files_are_answered(shop: Shop) -> None:
    """Mutations of a signed file, of its manifest above all: never a fault, never believed."""
    _, content = await delivered(shop)
    begins = content.index(b"jumb")
    chance = random.Random(11)
    for number in range(40):
        hostile = bytearray(content)
        place = chance.randrange(begins - 8, begins + 4000)
        match number % 4:
            case 0:
                hostile[place] ^= 1 << chance.randrange(8)
            case 1:
                hostile[place : place + 8] = b"\xff" * 8
            case 2:
                del hostile[place : place + chance.randrange(1, 400)]
            case 3:
                hostile[place:place] = chance.randbytes(chance.randrange(1, 400))
        checked = await verify(shop, bytes(hostile))
        if checked["verdict"] == "valid":  # a bit of the padding, which nothing reads
            assert number % 4 in {0, 1}
            assert not checked["statement"]["known"]["exact"]


@pytest.mark.parametrize("depth", [100, 20_000])
async def test_boxes_in_boxes_do_not_hurt(shop: Shop, depth: int) -> None:
    inner = b""
    for _ in range(depth):
        inner = (len(inner) + 8).to_bytes(4, "big") + b"jumb" + inner
        if len(inner) > 400_000:
            break
    png = picture()
    chunk = len(inner).to_bytes(4, "big") + b"caBX" + inner + b"\x00" * 4
    checked = await verify(shop, png[:33] + chunk + png[33:])
    assert checked["verdict"] in {"invalid", "none"}


async def test_an_assets_provenance_is_for_who_may_see_it(shop: Shop) -> None:
    asset, _ = await delivered(shop)
    path = f"/assets/{estate.PICTURE}/provenance"

    seen = data_of(await shop.get(path, by=shop.owner))

    assert seen["digital_source_type"] == "trainedAlgorithmicMedia"
    assert {one["copy"] for one in seen["copies"]} == {"clean", "preview", "thumbnail"}
    [clean] = [one for one in seen["copies"] if one["copy"] == "clean"]
    assert clean["sha256"] == asset.sha256
    assert clean["licence"]["licence_id"] == str(estate.TERMS)
    assert refusal(await shop.get(path, by=shop.fan)) == (404, "not_found")
    upload = data_of(await shop.get(f"/assets/{estate.SCENE}/provenance", by=shop.owner))
    assert (upload["digital_source_type"], upload["copies"]) == (None, [])


def claim_of(*, title: str) -> Claim:
    return Claim(
        title=title,
        source=SourceType.TRAINED,
        model="a model",
        licence=LicenceClaim(estate.TERMS, 1, "a" * 64),
        training_allowed=True,
    )
