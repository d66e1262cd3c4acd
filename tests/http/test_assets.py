"""Images over HTTP: what may be uploaded, who sees it, and what a signed link is good for."""

import gc
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest

from adapters.memory.images import blank_png
from application.ports.media import CleanGrant
from domain.identity.actor import Role
from entrypoints.http.routes.files import part_of
from tests import builders
from tests.http.studio import House, data_of, open_house, refusal
from tests.pictures import picture


@pytest.fixture
async def house(clean_database: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(clean_database, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_an_upload_answers_what_was_kept(house: House, kind: str) -> None:
    made = data_of(await house.upload(picture(kind, (40, 30))), 201)
    assert (made["purpose"], made["width"], made["height"]) == ("avatar", 40, 30)
    assert len(made["sha256"]) == 64
    served = await house.http.get(made["url"])
    assert served.status_code == 200
    assert served.headers["content-type"] == made["content_type"]
    assert len(served.content) == made["size_bytes"]


async def test_what_is_no_image_is_415_whatever_it_is_called(house: House) -> None:
    answer = await house.upload(b"<svg onload='x'/>")
    assert refusal(answer) == (415, "image_type_refused")
    assert list(answer.json()["error"]["details"]) == ["file"]


async def test_half_an_image_is_400(house: House) -> None:
    answer = await house.upload(picture("PNG")[:14])
    assert refusal(answer) == (400, "image_refused")
    assert list(answer.json()["error"]["details"]) == ["file"]


async def test_more_than_the_purpose_takes_is_413(house: House) -> None:
    answer = await house.upload(b"\x89PNG\r\n\x1a\n" + b"\x00" * (5 * 1024 * 1024))
    assert refusal(answer) == (413, "upload_too_large")


# The server's form parser leaves its temporary file to the garbage collector when it is cut off.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_more_than_any_purpose_takes_is_not_even_read(house: House) -> None:
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        yield (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'
            b"Content-Type: image/png\r\n\r\n"
        )
        for _ in range(64):
            sent += 1
            yield b"\x00" * 1024 * 1024

    answer = await house.http.post(
        "/api/v1/assets",
        content=body(),
        headers={"Content-Type": "multipart/form-data; boundary=x", **house.as_fan},
    )
    assert refusal(answer) == (413, "body_too_large")
    assert sent < 30
    gc.collect()


@pytest.mark.parametrize(("purpose", "status"), [("generation", 400), ("anything", 400), ("", 400)])
async def test_an_unknown_purpose_is_400(house: House, purpose: str, status: int) -> None:
    answer = await house.upload(picture(), purpose)
    assert answer.status_code == status
    assert "purpose" in answer.json()["error"]["details"]


async def test_a_form_without_a_file_is_400(house: House) -> None:
    answer = await house.http.post(
        "/api/v1/assets",
        files={"purpose": (None, "avatar")},
        headers=house.as_fan,
    )
    assert answer.status_code == 400
    text = await house.http.post(
        "/api/v1/assets",
        files={"purpose": (None, "avatar"), "file": (None, "not a file")},
        headers=house.as_fan,
    )
    assert text.status_code == 400


async def test_uploading_needs_somebody_signed_in(house: House) -> None:
    assert (await house.upload(picture(), headers={})).status_code == 401


async def test_an_image_is_its_owners_alone(house: House) -> None:
    made = data_of(await house.upload(picture()), 201)
    path = f"/api/v1/assets/{made['id']}"
    assert data_of(await house.http.get(path, headers=house.as_fan))["id"] == made["id"]
    assert refusal(await house.http.get(path, headers=house.as_owner)) == (404, "not_found")
    assert (await house.http.delete(path, headers=house.as_owner)).status_code == 404
    assert (await house.http.get(path)).status_code == 401


async def test_a_deleted_image_is_gone(house: House) -> None:
    made = data_of(await house.upload(picture()), 201)
    path = f"/api/v1/assets/{made['id']}"
    assert (await house.http.delete(path, headers=house.as_fan)).status_code == 204
    assert (await house.http.delete(path, headers=house.as_fan)).status_code == 404


async def test_a_bought_image_cannot_be_deleted_and_its_buyer_has_the_clean_copy(
    house: House,
) -> None:
    made = data_of(await house.upload(picture()), 201)
    grant = CleanGrant(
        asset_id=UUID(made["id"]), user_id=house.world.owner.user_id, order_id=UUID(int=1)
    )
    async with (uow := house.world.uow()):
        await uow.assets.grant_clean([grant])
        await uow.commit()
    path = f"/api/v1/assets/{made['id']}"
    assert refusal(await house.http.delete(path, headers=house.as_fan)) == (409, "asset_in_use")
    seen = data_of(await house.http.get(path, headers=house.as_owner))
    served = await house.http.get(seen["clean_url"])
    assert served.headers["content-disposition"].startswith(f'attachment; filename="{made["id"]}')


async def test_lists_are_paged_newest_first(house: House) -> None:
    ids = []
    for _ in range(5):
        ids.append(data_of(await house.upload(picture()), 201)["id"])
        house.world.clock.advance(timedelta(seconds=1))
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "2", "purpose": "avatar"} | ({"cursor": cursor} if cursor else {})
        answer = await house.http.get("/api/v1/assets", params=query, headers=house.as_fan)
        seen += [found["id"] for found in data_of(answer)]
        cursor = answer.json()["meta"]["pagination"]["next_cursor"]
    assert seen == ids[::-1]
    other = await house.http.get(
        "/api/v1/assets", headers=house.signed_in(builders.actor(Role.FAN))
    )
    assert data_of(other) == []


async def link(house: House) -> str:
    made = data_of(await house.upload(blank_png(400, 300)), 201)
    return str(made["preview_url"])


async def test_a_link_is_served_safely_and_may_be_cached(house: House) -> None:
    served = await house.http.get(await link(house))
    assert served.status_code == 200
    assert served.headers["x-content-type-options"] == "nosniff"
    assert served.headers["cache-control"] == "private, max-age=3600, immutable"
    assert "sandbox" in served.headers["content-security-policy"]
    assert served.headers["content-length"] == str(len(served.content))


async def test_an_expired_link_is_410_and_a_changed_one_403(house: House) -> None:
    url = await link(house)
    forged = url[:-1] + ("0" if url[-1] != "0" else "1")
    assert refusal(await house.http.get(forged)) == (403, "link_refused")
    other = url.replace("preview", "clean")
    assert refusal(await house.http.get(other)) == (403, "link_refused")
    assert refusal(await house.http.get(f"{url}&name=evil.html")) == (403, "link_refused")
    house.world.clock.advance(timedelta(hours=1))
    assert refusal(await house.http.get(url)) == (410, "link_expired")


@pytest.mark.parametrize("path", ["../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "a//b"])
async def test_no_path_leads_out_of_the_store(house: House, path: str) -> None:
    answer = await house.http.get(f"/api/v1/files/{path}?expires=1&signature=x")
    assert answer.status_code in {403, 404}


async def test_a_part_of_a_file_can_be_asked_for(house: House) -> None:
    url = await link(house)
    whole = (await house.http.get(url)).content

    async def part(asked: str) -> httpx.Response:
        return await house.http.get(url, headers={"Range": asked})

    first = await part("bytes=0-9")
    assert (first.status_code, first.content) == (206, whole[:10])
    assert first.headers["content-range"] == f"bytes 0-9/{len(whole)}"
    assert (await part("bytes=-5")).content == whole[-5:]
    assert (await part("bytes=5-")).content == whole[5:]
    beyond = await part(f"bytes={len(whole)}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(whole)}")
    assert (await part("lines=1-2")).status_code == 200


async def test_a_known_file_is_not_sent_again(house: House) -> None:
    url = await link(house)
    etag = (await house.http.get(url)).headers["etag"]
    answer = await house.http.get(url, headers={"If-None-Match": etag})
    assert (answer.status_code, answer.content) == (304, b"")


async def test_a_link_to_erased_bytes_is_404(house: House) -> None:
    url = await link(house)
    await house.ports.storage.delete(urlsplit(url).path.removeprefix("/api/v1/files/"))
    assert refusal(await house.http.get(url)) == (404, "object_missing")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (None, None),
        ("bytes=0-0", (0, 1)),
        ("bytes=2-", (2, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-30", (0, 10)),
        ("bytes=4-40", (4, 10)),
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=1-2,4-5", None),
    ],
)
def test_a_range_is_understood_as_the_rfc_says(
    asked: str | None, expected: tuple[int, int] | None
) -> None:
    assert part_of(asked, 10) == expected
