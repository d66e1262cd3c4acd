"""The Replicate part of the sandbox satisfies Replicate's own client."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
from replicate.client import Client
from replicate.exceptions import ReplicateError
from replicate.webhook import Webhooks, WebhookSigningSecret

from entrypoints.sandbox.failures import Failure
from tests.contracts.engine_worlds import data_url
from tests.pictures import picture
from tests.sandbox.image_providers import CONFIG, ImageProviders, client_of

VERSION = "c" * 64
HOOK = "http://shop.example/hooks?attempt=1"


@pytest.fixture
def providers() -> ImageProviders:
    return ImageProviders()


@pytest.fixture
def replicate(providers: ImageProviders) -> Client:
    client = Client(
        CONFIG.replicate_api_token,
        base_url="http://sandbox/replicate",
        transport=providers.transport,
    )
    client.poll_interval = 0.02
    return client


@pytest.fixture
async def http(providers: ImageProviders) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(providers, f"Bearer {CONFIG.replicate_api_token}") as client:
        yield client


async def ended(replicate: Client, prediction: Any) -> Any:
    async with asyncio.timeout(10):
        await prediction.async_wait()
    return prediction


@pytest.mark.parametrize(
    "target", [{"version": VERSION}, {"model": "someone/flux"}, {"deployment": "someone/flux"}]
)
async def test_a_prediction_runs_from_each_of_the_three_routes(
    replicate: Client, http: httpx.AsyncClient, target: dict[str, Any]
) -> None:
    created = await replicate.predictions.async_create(
        input={"prompt": "a pier", "output_format": "png"},
        **target,
    )
    assert created.status == "starting"
    done = await ended(replicate, created)
    assert done.status == "succeeded"
    assert done.metrics["predict_time"] > 0
    assert (await http.get(done.output[0])).content.startswith(b"\x89PNG")


async def test_failures_are_told_in_prose(replicate: Client) -> None:
    created = await replicate.predictions.async_create(
        version=VERSION, input={"prompt": "a pier [flagged]"}
    )
    done = await ended(replicate, created)
    assert done.status == "failed"
    assert done.error.startswith("NSFW content detected")


async def test_a_running_prediction_can_be_cancelled(
    replicate: Client, http: httpx.AsyncClient
) -> None:
    created = await replicate.predictions.async_create(version=VERSION, input={"prompt": "x"})
    unstarted = await http.post(f"/replicate/v1/predictions/{created.id}/cancel")
    assert unstarted.json()["status"] == "aborted"

    second = await replicate.predictions.async_create(version=VERSION, input={"prompt": "x"})
    while second.status == "starting":
        await asyncio.sleep(0.005)
        await second.async_reload()
    await second.async_cancel()
    assert second.status == "canceled"


async def test_predictions_are_listed_newest_first(replicate: Client) -> None:
    made = [
        await replicate.predictions.async_create(version=VERSION, input={"prompt": str(n)})
        for n in range(3)
    ]
    listed = await replicate.predictions.async_list()
    assert [p.id for p in listed.results] == [p.id for p in reversed(made)]
    for prediction in made:
        await ended(replicate, prediction)


async def test_a_training_makes_weights(replicate: Client, http: httpx.AsyncClient) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("1.png", picture())
    training = await replicate.trainings.async_create(
        model="someone/trainer",
        version=VERSION,
        input={
            "input_images": data_url(packed.getvalue(), "application/zip"),
            "trigger_word": "OHWX",
        },
        destination="shop/model",
    )
    async with asyncio.timeout(10):
        while training.status not in ("succeeded", "failed"):
            await asyncio.sleep(0.02)
            answer = await http.get(f"/replicate/v1/trainings/{training.id}")
            training.status = answer.json()["status"]
    output = answer.json()["output"]
    assert len(output["version"]) == 64
    assert (await http.get(output["weights"])).status_code == 200


async def test_the_client_validates_the_webhooks_signature(
    providers: ImageProviders, replicate: Client
) -> None:
    created = await replicate.predictions.async_create(
        version=VERSION, input={"prompt": "x"}, webhook=HOOK, webhook_events_filter=["completed"]
    )
    await ended(replicate, created)
    ((url, body, sign),) = providers.webhooks.kept
    assert url == HOOK
    told = msgspec.json.decode(body)
    assert (told["id"], told["status"], told["webhook"]) == (created.id, "succeeded", HOOK)
    secret = WebhookSigningSecret(key=CONFIG.replicate_webhook_secret)
    Webhooks.validate(headers=sign(1_800_000_000), body=body.decode(), secret=secret)


async def test_without_a_filter_every_event_is_told(
    providers: ImageProviders, replicate: Client
) -> None:
    created = await replicate.predictions.async_create(
        version=VERSION, input={"prompt": "x"}, webhook=HOOK
    )
    await ended(replicate, created)
    statuses = [msgspec.json.decode(body)["status"] for _, body, _ in providers.webhooks.kept]
    ids = {sign(0)["webhook-id"] for *_, sign in providers.webhooks.kept}
    assert statuses[0] == "processing"
    assert statuses[-1] == "succeeded"
    assert len(ids) == len(statuses) == 7


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"prompt": "x", "num_outputs": 9},
        {"prompt": "x", "aspect_ratio": "7:5"},
        {"prompt": "x", "output_format": "bmp"},
    ],
)
async def test_input_that_does_not_fit_is_422(replicate: Client, wrong: dict[str, Any]) -> None:
    with pytest.raises(ReplicateError) as refusal:
        await replicate.predictions.async_create(version=VERSION, input=wrong)
    assert refusal.value.status == 422
    assert (refusal.value.detail or "").startswith("- input")


async def test_a_wrong_token_is_401(providers: ImageProviders) -> None:
    stranger = Client("wrong", base_url="http://sandbox/replicate", transport=providers.transport)
    with pytest.raises(ReplicateError) as refusal:
        await stranger.predictions.async_create(version=VERSION, input={"prompt": "x"})
    assert refusal.value.status == 401


async def test_a_throttled_caller_is_told_when_it_ends(
    providers: ImageProviders, replicate: Client
) -> None:
    providers.failures.arm(Failure(provider="replicate", kind="status", status=429, times=1))
    with pytest.raises(ReplicateError) as refusal:
        await replicate.predictions.async_create(version=VERSION, input={"prompt": "x"})
    assert refusal.value.status == 429
    assert "resets in ~30s" in (refusal.value.detail or "")
