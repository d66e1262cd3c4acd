"""Versions of likeness models over HTTP: pages, promotion, retirement, deletion."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapters.memory.images import blank_png
from tests.http.studio import House, data_of, open_house, refusal


@pytest.fixture
async def house(clean_database: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(clean_database, tmp_path) as house:
        await house.world.with_model()
        await house.world.with_model()
        yield house


def models(house: House) -> str:
    return f"/api/v1/creators/{house.world.market.creator.id}/models"


async def page(house: House, query: str) -> dict[str, Any]:
    answer = await house.http.get(f"{models(house)}?{query}", headers=house.as_owner)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_versions_come_in_pages_and_one_is_in_force(house: House) -> None:
    first = await page(house, "limit=1")
    (newest,) = first["data"]
    assert (newest["version"], newest["status"], newest["in_force"]) == (2, "ready", True)
    assert len(newest["manifest_hash"]) == len(newest["weights_sha256"]) == 64
    cursor = first["meta"]["pagination"]["next_cursor"]
    second = await page(house, f"limit=1&cursor={cursor}")
    (oldest,) = second["data"]
    assert (oldest["version"], second["meta"]["pagination"]["next_cursor"]) == (1, None)

    one = f"{models(house)}/{oldest['id']}"
    promoted = data_of(await house.http.post(f"{one}/promote", headers=house.as_owner))
    assert promoted["in_force"]
    generation = data_of(
        await house.http.post(
            "/api/v1/generations",
            json={"creator_id": str(house.world.market.creator.id), "prompt": "at a harbour"},
            headers=house.as_fan,
        ),
        202,
    )
    shown = data_of(
        await house.http.get(f"/api/v1/generations/{generation['id']}", headers=house.as_fan)
    )
    assert shown["model"] == {"id": oldest["id"], "version": 1}


async def test_a_deleted_version_is_shown_as_a_tombstone(house: House) -> None:
    (newest, oldest) = (await page(house, ""))["data"]
    one = f"{models(house)}/{newest['id']}"
    retired = data_of(await house.http.post(f"{one}/retire", headers=house.as_owner))
    assert (retired["status"], retired["in_force"]) == ("retired", False)
    for _ in range(2):
        gone = await house.http.delete(one, headers=house.as_owner)
        assert gone.status_code == 204
    shown = data_of(await house.http.get(one, headers=house.as_owner))
    assert (shown["status"], shown["trigger_word"], shown["training_set"]) == ("deleted", None, [])
    assert shown["deletion"]["reason"] == "by_creator"
    again = await house.http.post(f"{one}/promote", headers=house.as_owner)
    assert refusal(again) == (410, "model_deleted")

    everything = await house.http.delete(
        models(house), params={"with_images": True}, headers=house.as_owner
    )
    assert everything.status_code == 204
    left = data_of(await house.http.get(f"{models(house)}/{oldest['id']}", headers=house.as_owner))
    assert left["status"] == "deleted"


async def test_every_image_that_is_wrong_is_named(house: House) -> None:
    house.world.faces.usually = 4
    crowd = data_of(
        await house.upload(blank_png(60, 40), "training_image", headers=house.as_owner), 201
    )
    assert crowd["faces"] == 4
    unknown = str(uuid4())
    report = data_of(
        await house.http.post(
            f"{models(house)}/check",
            json={"asset_ids": [crowd["id"], unknown]},
            headers=house.as_owner,
        )
    )
    first, second = report["images"]
    assert [one["code"] for one in first["problems"]] == ["image_too_small", "several_faces"]
    assert not any(one["refuses"] for one in first["problems"])
    assert (second["faces"], second["problems"][0]["code"]) == (None, "image_unknown")
    assert not report["acceptable"]
    refused = await house.http.post(
        models(house),
        json={"trigger_word": "adl4ce", "asset_ids": [crowd["id"], unknown]},
        headers=house.as_owner,
    )
    assert refusal(refused) == (400, "training_images_refused")
    error = refused.json()["error"]
    assert [(one["code"], one["value"]) for one in error["reasons"]] == [("image_unknown", unknown)]
    assert error["details"] == {"asset_ids": [f"{unknown} is not a training image of yours"]}


async def test_an_ordinary_trigger_word_is_refused(house: House) -> None:
    answer = await house.http.post(
        models(house),
        json={"trigger_word": "portrait", "asset_ids": ["0" * 8 + "-0000-0000-0000-" + "0" * 12]},
        headers=house.as_owner,
    )
    assert refusal(answer) == (400, "trigger_word_refused")
