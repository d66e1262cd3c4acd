"""Uploads over HTTP: announced here, sent to signed links, checked by a worker, fetched again."""

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from application.media.verification import Inspection, verify_upload
from domain.identity.actor import Role
from tests import builders, files
from tests.http.studio import House, data_of, open_house, refusal

UPLOADS = "/api/v1/uploads"
CONTENT = files.archive()


@pytest.fixture
async def house(clean_database: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(clean_database, tmp_path) as opened:
        yield opened


async def begun(house: House, content: bytes = CONTENT, **claims: object) -> dict[str, Any]:
    body = {
        "filename": "presets.zip",
        "size_bytes": len(content),
        "content_type": "application/zip",
        "sha256": hashlib.sha256(content).hexdigest(),
        "purpose": "product_file",
        **claims,
    }
    made = data_of(await house.http.post(UPLOADS, json=body, headers=house.as_fan), 201)
    assert isinstance(made, dict)
    return made


async def link(house: House, upload: dict[str, Any], number: int = 1) -> str:
    path = f"{UPLOADS}/{upload['id']}/parts"
    answer = await house.http.post(path, json={"numbers": [number]}, headers=house.as_fan)
    (part,) = data_of(answer)
    assert part["headers"] == {"Content-Length": str(part["size_bytes"])}
    return str(part["url"])


async def ready(house: House, content: bytes = CONTENT, **claims: object) -> dict[str, Any]:
    upload = await begun(house, content, **claims)
    sent = await house.http.put(await link(house, upload), content=content)
    assert sent.status_code == 200, sent.text
    path = f"{UPLOADS}/{upload['id']}"
    completed = await house.http.post(f"{path}/complete", headers=house.as_fan)
    assert data_of(completed, 202)["state"] == "verifying"
    await verify_upload(
        upload["id"],
        uow=house.world.uow(),
        storage=house.ports.storage,
        inspection=Inspection(
            images=house.world.images,
            faces=house.world.faces,
            videos=house.world.videos,
            moderation=house.world.moderation,
        ),
        clock=house.world.clock,
        live=house.ports.live,
    )
    seen = data_of(await house.http.get(path, headers=house.as_fan))
    assert isinstance(seen, dict)
    return seen


async def test_a_file_goes_the_whole_way_and_comes_back_the_same(house: House) -> None:
    seen = await ready(house)
    assert (seen["state"], seen["progress"], seen["error"]) == ("ready", 100, None)
    assert seen["asset_id"] == seen["id"]
    path = f"/api/v1/assets/{seen['asset_id']}"
    asset = data_of(await house.http.get(path, headers=house.as_fan))
    assert (asset["media"], asset["name"]) == ("archive", "presets.zip")
    assert (asset["width"], asset["preview_url"]) == (None, None)
    redirect = await house.http.get(f"{path}/content", headers=house.as_fan)
    assert (redirect.status_code, redirect.headers["cache-control"]) == (302, "no-store")
    served = await house.http.get(redirect.headers["location"])
    assert served.content == CONTENT
    assert served.headers["content-disposition"].startswith('attachment; filename="presets.zip"')
    none = await house.http.get(f"{path}/content?copy=preview", headers=house.as_fan)
    assert refusal(none) == (404, "not_found")
    stranger = await house.http.get(f"{path}/content", headers=house.as_owner)
    assert refusal(stranger) == (404, "not_found")


async def test_an_image_is_refused_for_what_it_is_and_says_so(house: House) -> None:
    program = b"MZ\x90\0 this program cannot be run"
    seen = await ready(house, program, content_type="image/png", purpose="avatar")
    assert seen["state"] == "refused"
    assert seen["error"]["code"] == "file_type_refused"
    assert seen["asset_id"] is None


async def test_parts_say_how_far_it_is(house: House) -> None:
    upload = await begun(house)
    path = f"{UPLOADS}/{upload['id']}"
    early = await house.http.post(f"{path}/complete", headers=house.as_fan)
    assert refusal(early) == (409, "upload_incomplete")
    sent = await house.http.put(await link(house, upload), content=CONTENT)
    seen = data_of(await house.http.get(path, headers=house.as_fan))
    assert f'"{seen["parts"][0]["etag"]}"' == sent.headers["etag"]
    assert (seen["received_bytes"], seen["progress"]) == (len(CONTENT), 100)
    assert data_of(await house.http.get(f"{UPLOADS}?state=uploading", headers=house.as_fan))
    assert not data_of(await house.http.get(f"{UPLOADS}?state=ready", headers=house.as_fan))
    assert (await house.http.delete(path, headers=house.as_fan)).status_code == 204
    assert (await house.http.delete(path, headers=house.as_fan)).status_code == 204
    assert refusal(
        await house.http.post(f"{path}/parts", json={"numbers": [1]}, headers=house.as_fan)
    ) == (409, "upload_closed")


@pytest.mark.parametrize("sent", [b"", CONTENT[:-1], CONTENT + b"x"])
async def test_a_part_of_another_length_is_refused(house: House, sent: bytes) -> None:
    upload = await begun(house)
    answer = await house.http.put(await link(house, upload), content=sent)
    assert refusal(answer) == (400, "part_refused")
    seen = data_of(await house.http.get(f"{UPLOADS}/{upload['id']}", headers=house.as_fan))
    assert seen["parts"] == []


async def test_more_than_any_part_has_is_not_read_to_its_end(house: House) -> None:
    taken = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(64):
            taken += 1
            yield b"\0" * 1024 * 1024

    answer = await house.http.put(await link(house, await begun(house)), content=body())
    assert answer.status_code in {400, 413}
    assert taken < 20


async def test_a_link_for_a_part_is_good_for_that_part_alone(house: House) -> None:
    upload = await begun(house)
    url = await link(house, upload)
    for forged in (
        url.replace("part=1", "part=2"),
        url.replace(f"size={len(CONTENT)}", f"size={len(CONTENT) + 1}"),
        url.replace(upload["id"], str(house.world.owner.user_id)),
        url[:-1] + ("0" if url[-1] != "0" else "1"),
    ):
        assert refusal(await house.http.put(forged, content=CONTENT)) == (403, "link_refused")
    as_download = url.replace("multipart=", "x=")
    assert refusal(await house.http.get(as_download)) == (403, "link_refused")
    house.world.clock.advance(timedelta(minutes=15))
    assert refusal(await house.http.put(url, content=CONTENT)) == (410, "link_expired")


async def test_a_part_for_what_was_given_up_is_404(house: House) -> None:
    upload = await begun(house)
    url = await link(house, upload)
    await house.ports.storage.abort_multipart(
        f"quarantine/{upload['id']}/file", url.split("multipart=")[1].split("&")[0]
    )
    assert refusal(await house.http.put(url, content=CONTENT)) == (404, "multipart_missing")


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"size_bytes": 0}, (400, "invalid_request")),
        ({"size_bytes": 3 * 1024**3}, (413, "upload_too_large")),
        ({"content_type": "text/html"}, (400, "upload_type_refused")),
        ({"purpose": "generation"}, (400, "asset_purpose_refused")),
        ({"sha256": "none"}, (400, "invalid_request")),
    ],
)
async def test_what_is_announced_wrongly_is_told_at_once(
    house: House, claims: dict[str, object], expected: tuple[int, str]
) -> None:
    body = {
        "filename": "a.zip",
        "size_bytes": 10,
        "content_type": "application/zip",
        "sha256": "0" * 64,
        "purpose": "product_file",
        **claims,
    }
    answer = await house.http.post(UPLOADS, json=body, headers=house.as_fan)
    assert refusal(answer)[0] == expected[0]
    if expected[1] != "invalid_request":
        assert refusal(answer) == expected


async def test_no_more_is_begun_than_there_is_room_for(house: House) -> None:
    await begun(house, size_bytes=2 * 1024**3)
    body = {
        "filename": "a.zip",
        "size_bytes": 1,
        "content_type": "application/zip",
        "sha256": "0" * 64,
        "purpose": "product_file",
    }
    answer = await house.http.post(UPLOADS, json=body, headers=house.as_fan)
    assert refusal(answer) == (422, "storage_full")
    other = house.signed_in(builders.actor(Role.FAN))
    assert (await house.http.post(UPLOADS, json=body, headers=other)).status_code == 201


async def test_a_large_file_is_fetched_in_ranges(house: House) -> None:
    seen = await ready(house)
    path = f"/api/v1/assets/{seen['asset_id']}/content"
    url = (await house.http.get(path, headers=house.as_fan)).headers["location"]

    async def part(headers: dict[str, str], method: str = "GET") -> httpx.Response:
        return await house.http.request(method, url, headers=headers)

    head = await part({}, "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(CONTENT))
    assert head.headers["accept-ranges"] == "bytes"
    etag = head.headers["etag"]
    wanted = {"Range": "bytes=10-19"}
    assert (await part(wanted)).content == CONTENT[10:20]
    same = await part({**wanted, "If-Range": etag})
    assert (same.status_code, same.content) == (206, CONTENT[10:20])
    changed = await part({**wanted, "If-Range": '"another"'})
    assert (changed.status_code, changed.content) == (200, CONTENT)
    beyond = await part({"Range": f"bytes={len(CONTENT)}-"})
    assert beyond.status_code == 416
