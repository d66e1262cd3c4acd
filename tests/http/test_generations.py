"""Models, generations and the providers' callbacks over HTTP."""

from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import select

from adapters.memory.images import blank_png
from adapters.memory.prompts import ADDED
from adapters.postgres.messages import inbox_messages
from application.ports.engines import EngineJob, EngineOutput, VerifiedCallback
from application.ports.messages import Message
from application.studio.completion import handle_provider_callbacks
from domain.identity.actor import Role
from domain.studio.plans import SubscriptionStatus
from domain.studio.project import Project
from tests import builders
from tests.domain.studio import test_prices_and_plans as builders_of_plans
from tests.http.studio import House, data_of, open_house, refusal

GENERATIONS = "/api/v1/generations"
NO_CASINO = builders.terms(blocked_keywords=("casino",))


@pytest.fixture
async def house(clean_database: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(clean_database, tmp_path) as opened:
        yield opened


@pytest.fixture
async def studio(house: House) -> House:
    await house.world.with_model()
    return house


def wish(house: House, **changes: object) -> dict[str, object]:
    return {"creator_id": str(house.world.market.creator.id), "prompt": "at a harbour", **changes}


async def test_a_creator_trains_a_model_and_watches_it(house: House) -> None:
    models = f"/api/v1/creators/{house.world.market.creator.id}/models"
    image = data_of(
        await house.upload(blank_png(60, 40), "training_image", headers=house.as_owner), 201
    )
    accepted = data_of(
        await house.http.post(
            models,
            json={"trigger_word": "adl4ce", "asset_ids": [image["id"]]},
            headers=house.as_owner,
        ),
        202,
    )
    assert accepted["status"] == "pending"
    await house.world.work()
    (listed,) = data_of(await house.http.get(models, headers=house.as_owner))
    assert (listed["id"], listed["trigger_word"], listed["image_count"]) == (
        accepted["id"],
        "adl4ce",
        1,
    )
    assert "weights_key" not in listed
    assert (await house.http.get(models, headers=house.as_fan)).status_code == 404
    one = f"{models}/{accepted['id']}"
    assert data_of(await house.http.get(one, headers=house.as_owner))["id"] == accepted["id"]
    assert (await house.http.get(f"{models}/{uuid4()}", headers=house.as_owner)).status_code == 404


async def test_images_that_cannot_be_trained_from_are_named(house: House) -> None:
    answer = await house.http.post(
        f"/api/v1/creators/{house.world.market.creator.id}/models",
        json={"trigger_word": "adl4ce", "asset_ids": [str(uuid4())]},
        headers=house.as_owner,
    )
    assert refusal(answer) == (400, "training_images_refused")
    assert "asset_ids" in answer.json()["error"]["details"]


async def test_a_generation_is_accepted_followed_and_shown(studio: House) -> None:
    accepted = data_of(
        await studio.http.post(GENERATIONS, json=wish(studio, seed=7), headers=studio.as_fan), 202
    )
    assert accepted["status"] == "reserved"
    world = studio.world
    await world.work()
    await world.call_back(await world.finish_at_provider())
    await world.work()
    done = data_of(await studio.http.get(f"{GENERATIONS}/{accepted['id']}", headers=studio.as_fan))
    assert (done["status"], done["progress"], done["seed"]) == ("succeeded", 100, 7)
    assert done["licence"]["hash"] == world.market.terms.hash
    assert done["error"] is None
    (image,) = done["assets"]
    assert (image["media"], done["credits"]) == ("image", {"held": 0, "spent": 2})
    assert [(step["type"], step["status"]) for step in done["steps"]] == [
        ("image_generation", "succeeded"),
        ("post_processing", "succeeded"),
    ]
    assert (await studio.http.get(image["preview_url"])).status_code == 200

    asset = data_of(await studio.http.get(f"/api/v1/assets/{image['id']}", headers=studio.as_fan))
    assert asset["clean_url"] is None
    assert "clean" not in asset["url"]


async def test_what_was_made_in_a_project_is_listed(studio: House) -> None:
    world = studio.world
    project, others = a_project_of(world.fan.user_id), a_project_of(uuid4())
    async with studio.ports.uow() as uow:
        uow.projects.add(project)
        uow.projects.add(others)
        await uow.commit()
    for changes in ({}, {"project_id": str(project.id)}):
        await studio.http.post(GENERATIONS, json=wish(studio, **changes), headers=studio.as_fan)
        await world.work()
        await world.call_back(await world.finish_at_provider())
        await world.work()
    path = "/api/v1/assets"
    everything = data_of(await studio.http.get(path, headers=studio.as_fan))
    listed = await studio.http.get(f"{path}?project_id={project.id}", headers=studio.as_fan)
    (made,) = data_of(listed)
    assert len([one for one in everything if one["purpose"] == "generation"]) == 2
    assert made["id"] == everything[0]["id"]
    hidden = await studio.http.get(f"{path}?project_id={others.id}", headers=studio.as_fan)
    assert refusal(hidden) == (404, "not_found")


def a_project_of(owner_id: UUID) -> Project:
    return Project(
        id=uuid4(), owner_id=owner_id, team_id=None, name="P", description="",
        created_at=builders.NOON, updated_at=builders.NOON,
    )  # fmt: skip


async def test_a_plan_with_clean_copies_needs_no_order(studio: House) -> None:
    world = studio.world
    paid = builders_of_plans.subscription(SubscriptionStatus.ACTIVE)
    paid.user_id = world.fan.user_id
    async with studio.ports.uow() as uow:
        uow.plan_subscriptions.add(paid)
        await uow.commit()

    async def made() -> dict[str, Any]:
        accepted = data_of(
            await studio.http.post(GENERATIONS, json=wish(studio), headers=studio.as_fan), 202
        )
        await world.work()
        await world.call_back(await world.finish_at_provider())
        await world.work()
        path = f"{GENERATIONS}/{accepted['id']}"
        (image,) = data_of(await studio.http.get(path, headers=studio.as_fan))["assets"]
        path = f"/api/v1/assets/{image['id']}"
        shown: dict[str, Any] = data_of(await studio.http.get(path, headers=studio.as_fan))
        return shown

    pro = await made()
    assert pro["url"] == pro["clean_url"] is not None
    clean, preview = [(await studio.http.get(pro[name])) for name in ("clean_url", "preview_url")]
    assert clean.status_code == preview.status_code == 200
    assert sha256(clean.content).hexdigest() == pro["sha256"]
    assert clean.content != preview.content

    async with studio.ports.uow() as uow:
        ended = await uow.plan_subscriptions.get(paid.id, lock=True)
        ended.status = SubscriptionStatus.CANCELED
        await uow.commit()
    free = await made()
    assert (free["clean_url"], free["url"]) == (None, free["preview_url"])


async def test_a_repeated_request_is_one_generation(studio: House) -> None:
    headers = {**studio.as_fan, "Idempotency-Key": "once"}
    first = await studio.http.post(GENERATIONS, json=wish(studio), headers=headers)
    second = await studio.http.post(GENERATIONS, json=wish(studio), headers=headers)
    assert data_of(first, 202) == data_of(second, 202)
    assert len(data_of(await studio.http.get(GENERATIONS, headers=studio.as_fan))) == 1


async def test_a_refused_licence_is_422_with_every_reason(studio: House) -> None:
    answer = await studio.http.post(
        GENERATIONS, json=wish(studio, purpose="political"), headers=studio.as_fan
    )
    assert refusal(answer) == (422, "licence_refused")
    assert answer.json()["error"]["details"] == {
        "purpose": ["The licence does not allow the purpose political."]
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": ""},
        {"mode": "video"},
        {"kind": "song"},
        {"count": 5},
        {"kind": "speech"},
        {"kind": "talking_avatar"},
        {"source_asset_id": str(uuid4())},
        {"seed": -1},
        {"aspect_ratio": "2:1"},
        {"creator_id": "x"},
        {"mode": "photo"},
    ],
)
async def test_a_malformed_wish_is_400(house: House, changes: dict[str, object]) -> None:
    answer = await house.http.post(GENERATIONS, json=wish(house, **changes), headers=house.as_fan)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]


async def test_an_unknown_creator_is_404_and_one_without_a_model_422(house: House) -> None:
    unknown = wish(house, creator_id=str(uuid4()))
    answer = await house.http.post(GENERATIONS, json=unknown, headers=house.as_fan)
    assert answer.status_code == 404
    answer = await house.http.post(GENERATIONS, json=wish(house), headers=house.as_fan)
    assert refusal(answer) == (422, "model_not_ready")


async def test_cancel_and_retry(studio: House) -> None:
    accepted = data_of(
        await studio.http.post(GENERATIONS, json=wish(studio), headers=studio.as_fan), 202
    )
    one = f"{GENERATIONS}/{accepted['id']}"
    early = await studio.http.post(f"{one}/retry", headers=studio.as_fan)
    assert refusal(early) == (409, "job_not_retryable")
    cancelled = await studio.http.post(f"{one}/cancel", headers=studio.as_fan)
    assert data_of(cancelled)["status"] == "cancelled"
    again = await studio.http.post(f"{one}/retry", headers=studio.as_fan)
    assert data_of(again, 202)["status"] == "reserved"


async def test_a_generation_is_its_owners_alone(studio: House) -> None:
    accepted = data_of(
        await studio.http.post(GENERATIONS, json=wish(studio), headers=studio.as_fan), 202
    )
    one = f"{GENERATIONS}/{accepted['id']}"
    stranger = studio.signed_in(builders.actor(Role.FAN))
    assert (await studio.http.get(one, headers=stranger)).status_code == 404
    assert (await studio.http.post(f"{one}/cancel", headers=stranger)).status_code == 404
    assert (await studio.http.post(f"{one}/retry", headers=stranger)).status_code == 404
    assert (await studio.http.get(one)).status_code == 401


async def test_generations_are_paged_newest_first(studio: House) -> None:
    ids = []
    for _ in range(3):
        answer = await studio.http.post(GENERATIONS, json=wish(studio), headers=studio.as_fan)
        ids.append(data_of(answer, 202)["id"])
        studio.world.clock.advance(timedelta(seconds=1))
    first = await studio.http.get(GENERATIONS, params={"limit": 2}, headers=studio.as_fan)
    cursor = first.json()["meta"]["pagination"]["next_cursor"]
    second = await studio.http.get(
        GENERATIONS, params={"limit": 2, "cursor": cursor}, headers=studio.as_fan
    )
    assert [one["id"] for one in data_of(first) + data_of(second)] == ids[::-1]
    assert second.json()["meta"]["pagination"]["next_cursor"] is None


async def test_a_callback_is_verified_kept_once_and_finds_its_attempt_by_the_query(
    house: House,
) -> None:
    attempt_id = uuid4()
    job = EngineJob(
        request_id="r-1", status="succeeded", outputs=(EngineOutput(url="https://x.example/1"),)
    )
    headers, body = house.fal.signed(job)
    url = f"/api/v1/webhooks/fal?attempt={attempt_id}"
    first = await house.http.post(url, content=body, headers=headers)
    assert data_of(first) == {"received": True, "duplicate": False}
    again = await house.http.post(url, content=body, headers=headers)
    assert data_of(again) == {"received": True, "duplicate": True}
    async with house.world.sessions() as session:
        (kept,) = (await session.execute(select(inbox_messages))).all()
    callback = msgspec.json.decode(kept.payload, type=VerifiedCallback)
    assert (callback.attempt_id, callback.job) == (attempt_id, job)
    message = Message(
        id=kept.id,
        box="inbox",
        topic=kept.topic,
        payload=kept.payload,
        attempts=1,
        created_at=kept.created_at,
    )
    assert await handle_provider_callbacks([message], workshop=house.world.workshop) == {}


async def test_a_forged_callback_is_refused_and_not_kept(house: House) -> None:
    headers, body = house.fal.signed(EngineJob(request_id="r-1", status="queued"))
    answer = await house.http.post("/api/v1/webhooks/fal", content=body + b" ", headers=headers)
    assert refusal(answer) == (400, "signature_refused")
    async with house.world.sessions() as session:
        assert (await session.execute(select(inbox_messages))).all() == []


async def test_a_provider_that_is_not_set_up_has_no_webhook(house: House) -> None:
    answer = await house.http.post("/api/v1/webhooks/replicate", content=b"{}")
    assert answer.status_code == 404


async def test_a_character_says_whose_likeness_it_is_before_anything_is_judged(
    clean_database: str, tmp_path: Path
) -> None:
    """The creator's blocked words, dressed up, and the language model need to know it."""
    async with open_house(clean_database, tmp_path, licence=NO_CASINO) as house:
        await house.world.with_model()
        fan = house.world.fan.user_id
        creator_id = house.world.market.creator.id
        character = builders.character_of(fan, creator_id=creator_id, style="")
        async with (uow := house.world.uow()):
            uow.characters.add(character)
            await uow.commit()
        asked: dict[str, object] = {"character_id": str(character.id), "enhance_prompt": True}

        refused = await house.http.post(
            GENERATIONS, json={**asked, "prompt": "in a c-a-s-i-n-o"}, headers=house.as_fan
        )
        assert refusal(refused) == (422, "text_refused")
        accepted = data_of(
            await house.http.post(
                GENERATIONS, json={**asked, "prompt": "at sea"}, headers=house.as_fan
            ),
            202,
        )
        made = data_of(
            await house.http.get(f"{GENERATIONS}/{accepted['id']}", headers=house.as_fan)
        )
    assert ADDED in made["prompt"]
