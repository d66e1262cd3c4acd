"""The fal part of the sandbox speaks fal's queue protocol."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from entrypoints.sandbox.failures import Failure
from tests.sandbox.image_providers import CONFIG, ImageProviders, client_of

APP = "/fal/fal-ai/flux-lora"
HOOK = {"fal_webhook": "http://shop.example/hooks?attempt=1&x=2"}


@pytest.fixture
def providers() -> ImageProviders:
    return ImageProviders()


@pytest.fixture
async def fal(providers: ImageProviders) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(providers, f"Key {CONFIG.fal_key}") as client:
        yield client


async def completed(fal: httpx.AsyncClient, links: dict[str, Any]) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while True:
            answer = await fal.get(links["status_url"], params={"logs": "true"})
            status: dict[str, Any] = answer.json()
            if status["status"] == "COMPLETED":
                assert answer.status_code == 200
                return status
            assert answer.status_code == 202
            await asyncio.sleep(0.02)


async def test_a_request_goes_through_the_queue_to_a_picture(fal: httpx.AsyncClient) -> None:
    submitted = (await fal.post(APP, json={"prompt": "a pier", "seed": 3})).json()
    assert submitted["status"] == "IN_QUEUE"
    assert submitted["queue_position"] == 0
    assert submitted["status_url"] == f"{submitted['response_url']}/status"
    early = await fal.get(submitted["response_url"])
    assert (early.status_code, early.json()) == (400, {"detail": "Request is still in progress"})

    status = await completed(fal, submitted)
    assert "error" not in status
    result = (await fal.get(submitted["response_url"])).json()
    assert (result["seed"], result["has_nsfw_concepts"]) == (3, [False])
    picture = await fal.get(result["images"][0]["url"])
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content[:2] == b"\xff\xd8"


async def test_without_the_key_there_is_no_access(providers: ImageProviders) -> None:
    async with client_of(providers, "Key wrong") as client:
        answer = await client.post(APP, json={"prompt": "a pier"})
    assert answer.status_code == 401
    assert "detail" in answer.json()


@pytest.mark.parametrize(
    ("app", "missing"),
    [
        ("fal-ai/flux-lora", ["prompt"]),
        ("fal-ai/flux-kontext-lora", ["prompt", "image_url"]),
        ("fal-ai/flux-pro/kontext", ["prompt", "image_url"]),
        ("fal-ai/flux-lora-fast-training", ["images_data_url"]),
    ],
)
async def test_each_missing_field_is_named(
    fal: httpx.AsyncClient, app: str, missing: list[str]
) -> None:
    answer = await fal.post(f"/fal/{app}", json={})
    assert answer.status_code == 422
    detail = answer.json()["detail"]
    assert [problem["loc"] for problem in detail] == [["body", name] for name in missing]
    assert {problem["type"] for problem in detail} == {"missing"}


async def test_a_value_out_of_bounds_is_named(fal: httpx.AsyncClient) -> None:
    answer = await fal.post(APP, json={"prompt": "a pier", "num_images": 9})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "num_images"]


async def test_an_unknown_app_is_not_found(fal: httpx.AsyncClient) -> None:
    assert (await fal.post("/fal/fal-ai/unheard-of", json={"prompt": "x"})).status_code == 404


async def test_a_request_is_found_under_its_app_only(fal: httpx.AsyncClient) -> None:
    links = (await fal.post(APP, json={"prompt": "a pier"})).json()
    elsewhere = links["status_url"].replace("flux-lora", "flux-pro")
    assert (await fal.get(elsewhere)).status_code == 404


async def test_the_path_below_an_app_is_left_out_of_its_requests(fal: httpx.AsyncClient) -> None:
    body = {"prompt": "a pier", "image_url": "data:,x"}
    links = (await fal.post("/fal/fal-ai/flux-pro/kontext", json=body)).json()
    assert "/fal-ai/flux-pro/requests/" in links["response_url"]


async def test_a_failed_request_is_completed_with_an_error(fal: httpx.AsyncClient) -> None:
    body = {"prompt": "a pier", "image_url": "http://127.0.0.1:9/none.png"}
    links = (await fal.post("/fal/fal-ai/flux-kontext-lora", json=body)).json()
    status = await completed(fal, links)
    assert status["error"] == "Invalid status code: 422"
    result = await fal.get(links["response_url"])
    assert result.status_code == 422
    assert result.json()["detail"][0]["loc"] == ["body", "image_url"]


async def test_the_webhook_is_signed_with_one_of_the_published_keys(
    providers: ImageProviders, fal: httpx.AsyncClient
) -> None:
    links = (await fal.post(APP, params=HOOK, json={"prompt": "a pier"})).json()
    await completed(fal, links)
    ((url, body, sign),) = providers.webhooks.kept
    assert url == HOOK["fal_webhook"]
    notice = msgspec.json.decode(body)
    assert (notice["request_id"], notice["status"]) == (links["request_id"], "OK")
    assert notice["payload"]["images"]

    headers = sign(1_800_000_000)
    message = "\n".join(
        (
            headers["X-Fal-Webhook-Request-Id"],
            headers["X-Fal-Webhook-User-Id"],
            "1800000000",
            hashlib.sha256(body).hexdigest(),
        )
    ).encode()
    signature = bytes.fromhex(headers["X-Fal-Webhook-Signature"])
    keys = (await fal.get("/fal/.well-known/jwks.json")).json()["keys"]
    fitting = 0
    for key in keys:
        public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"]))
        try:
            public.verify(signature, message)
        except InvalidSignature:
            continue
        fitting += 1
    assert (len(keys), fitting) == (2, 1)


async def test_the_webhook_of_a_failure_carries_its_detail(
    providers: ImageProviders, fal: httpx.AsyncClient
) -> None:
    links = (await fal.post(APP, params=HOOK, json={"prompt": "[refused]"})).json()
    await completed(fal, links)
    ((_, body, _),) = providers.webhooks.kept
    notice = msgspec.json.decode(body)
    assert (notice["status"], notice["error"]) == ("ERROR", "Invalid status code: 422")
    assert notice["payload"]["detail"][0]["type"] == "content_policy_violation"


async def test_a_cancelled_request_calls_nobody_back(
    providers: ImageProviders, fal: httpx.AsyncClient
) -> None:
    links = (await fal.post(APP, params=HOOK, json={"prompt": "a pier"})).json()
    assert (await fal.put(links["cancel_url"])).status_code == 202
    status = await completed(fal, links)
    assert status["error_type"] == "client_cancelled"
    again = await fal.put(links["cancel_url"])
    assert (again.status_code, again.json()) == (400, {"status": "ALREADY_COMPLETED"})
    await asyncio.sleep(CONFIG.drawing_delay_s * 2)
    assert providers.webhooks.kept == []


async def test_a_training_logs_its_progress(fal: httpx.AsyncClient) -> None:
    links = (
        await fal.post(
            "/fal/fal-ai/flux-lora-fast-training", json={"images_data_url": "data:,no-archive"}
        )
    ).json()
    status = await completed(fal, links)
    shares = [line["message"].split("%")[0][-3:].strip() for line in status["logs"]]
    assert shares == [str(share) for share in range(10, 101, 10)]


async def test_a_throttled_submission_says_when_to_return(
    providers: ImageProviders, fal: httpx.AsyncClient
) -> None:
    providers.failures.arm(
        Failure(provider="fal", kind="status", operation="POST /*", status=429, times=1)
    )
    throttled = await fal.post(APP, json={"prompt": "a pier"})
    assert (throttled.status_code, throttled.headers["retry-after"]) == (429, "1")
    assert (await fal.post(APP, json={"prompt": "a pier"})).status_code == 200
