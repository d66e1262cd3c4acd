"""What the sandbox's models make is real: videos decode, meshes hold together, sounds are heard."""

import asyncio
import base64
import io
import json
import struct
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from PIL import Image

from adapters.ffmpeg.processor import FfmpegVideos
from entrypoints.sandbox.failures import Failure
from entrypoints.sandbox.replicate.moving import VERSIONS
from tests import movies
from tests.pictures import picture
from tests.sandbox.image_providers import CONFIG, ImageProviders, client_of

HOOK = {"fal_webhook": "http://shop.example/hooks?attempt=0194-a"}
VIDEOS = FfmpegVideos()


def data_url(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        opened.writestr("1.png", picture())
    return packed.getvalue()


STILL = data_url(picture(size=(90, 60)), "image/png")
SOUND = data_url(movies.sound(duration_ms=700), "audio/wav")
DRIVING = data_url(movies.movie(duration_ms=800), "video/mp4")


@pytest.fixture
def providers() -> ImageProviders:
    return ImageProviders()


@pytest.fixture
async def fal(providers: ImageProviders) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(providers, f"Key {CONFIG.fal_key}") as client:
        yield client


@pytest.fixture
async def replicate(providers: ImageProviders) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(providers, f"Bearer {CONFIG.replicate_api_token}") as client:
        yield client


async def _result(fal: httpx.AsyncClient, app: str, **arguments: Any) -> httpx.Response:
    submitted = await fal.post(f"/fal/{app}", json=arguments, params=HOOK)
    links = submitted.raise_for_status().json()
    for _ in range(500):
        status = (await fal.get(links["status_url"], params={"logs": "1"})).json()
        if status["status"] == "COMPLETED":
            return await fal.get(links["response_url"])
        await asyncio.sleep(0.02)
    raise AssertionError("it never ended")


async def _file(client: httpx.AsyncClient, file: Any) -> bytes:
    answer = await client.get(file["url"])
    assert answer.headers["content-type"] == file["content_type"]
    return answer.raise_for_status().content


@pytest.mark.parametrize(
    ("app", "arguments", "duration_ms", "sound"),
    [
        ("fal-ai/stable-video", {"image_url": STILL, "fps": 7, "seed": 3}, 2000, None),
        (
            "fal-ai/sadtalker",
            {"source_image_url": STILL, "driven_audio_url": SOUND},
            700,
            "aac",
        ),
        ("fal-ai/live-portrait", {"image_url": STILL, "video_url": DRIVING}, 800, None),
    ],
)
async def test_videos_decode(
    fal: httpx.AsyncClient,
    app: str,
    arguments: dict[str, Any],
    duration_ms: int,
    sound: str | None,
) -> None:
    result = (await _result(fal, app, **arguments)).json()
    facts = await VIDEOS.inspect(await _file(fal, result["video"]))
    assert (facts.video_codec, facts.audio_codec) == ("h264", sound)
    assert (facts.width, facts.height) == (90, 60)
    assert facts.duration_ms == pytest.approx(duration_ms, abs=150)


async def test_a_mesh_is_a_binary_gltf(fal: httpx.AsyncClient) -> None:
    result = (await _result(fal, "fal-ai/triposr", image_url=STILL)).json()
    mesh = await _file(fal, result["model_mesh"])
    magic, version, length = struct.unpack_from("<4sII", mesh)
    assert (magic, version, length) == (b"glTF", 2, len(mesh))
    size, kind = struct.unpack_from("<I4s", mesh, 12)
    assert kind == b"JSON"
    document = json.loads(mesh[20 : 20 + size])
    binary_size, kind = struct.unpack_from("<I4s", mesh, 20 + size)
    assert (kind, 28 + size + binary_size) == (b"BIN\0", len(mesh))
    assert binary_size >= document["buffers"][0]["byteLength"]
    for view in document["bufferViews"]:
        assert view["byteOffset"] % 4 == 0
        assert view["byteOffset"] + view["byteLength"] <= binary_size
    positions, corners = document["accessors"][0], document["accessors"][2]
    faces = mesh[28 + size + document["bufferViews"][2]["byteOffset"] :]
    indices = struct.unpack_from(f"<{corners['count']}H", faces)
    assert max(indices) < positions["count"]


async def test_a_picture_grows(fal: httpx.AsyncClient) -> None:
    result = (await _result(fal, "fal-ai/esrgan", image_url=STILL, scale=2)).json()
    assert Image.open(io.BytesIO(await _file(fal, result["image"]))).size == (180, 120)
    assert (result["image"]["width"], result["image"]["height"]) == (180, 120)


async def test_a_character_is_the_same_for_the_same_references(fal: httpx.AsyncClient) -> None:
    references = data_url(_archive(), "application/zip")
    drawn = [
        await _file(
            fal,
            (
                await _result(
                    fal,
                    "fal-ai/photomaker",
                    prompt="a woman img at sea",
                    image_archive_url=references,
                    seed=seed,
                )
            ).json()["images"][0],
        )
        for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


async def test_a_portrait_trainer_has_a_phrase_of_its_own(fal: httpx.AsyncClient) -> None:
    references = data_url(_archive(), "application/zip")
    result = await _result(
        fal, "fal-ai/flux-lora-portrait-trainer", images_data_url=references, trigger_phrase="OHWX"
    )
    assert b'"trigger_word": "OHWX"' in await _file(fal, result.json()["diffusers_lora_file"])
    assert result.headers["x-fal-billable-units"] == "2500"


@pytest.mark.parametrize(
    ("app", "arguments"),
    [
        ("fal-ai/stable-video", {"image_url": STILL, "motion_bucket_id": 256}),
        ("fal-ai/sadtalker", {"source_image_url": STILL}),
        ("fal-ai/triposr", {"image_url": STILL, "output_format": "stl"}),
        ("fal-ai/esrgan", {"image_url": STILL, "scale": 9}),
    ],
)
async def test_what_an_app_cannot_take_is_refused_at_once(
    fal: httpx.AsyncClient, app: str, arguments: dict[str, Any]
) -> None:
    assert (await fal.post(f"/fal/{app}", json=arguments)).status_code == 422


@pytest.mark.parametrize(
    ("app", "arguments", "field"),
    [
        ("fal-ai/stable-video", {"image_url": DRIVING}, "image_url"),
        (
            "fal-ai/sadtalker",
            {"source_image_url": STILL, "driven_audio_url": STILL},
            "driven_audio_url",
        ),
        ("fal-ai/triposr", {"image_url": "http://127.0.0.1:9/gone.png"}, "image_url"),
    ],
)
async def test_what_cannot_be_read_fails_the_work(
    fal: httpx.AsyncClient, app: str, arguments: dict[str, Any], field: str
) -> None:
    failed = await _result(fal, app, **arguments)
    assert failed.status_code == 422
    assert failed.json()["detail"][0]["type"] == "file_download_error"
    assert failed.json()["detail"][0]["loc"] == ["body", field]


async def test_what_takes_long_tells_its_progress(fal: httpx.AsyncClient) -> None:
    links = (await fal.post("/fal/fal-ai/triposr", json={"image_url": STILL})).json()
    for _ in range(500):
        status = (await fal.get(links["status_url"], params={"logs": "1"})).json()
        if status["status"] == "COMPLETED":
            break
        await asyncio.sleep(0.01)
    assert [" 25%" in line["message"] for line in status["logs"]].count(True) == 1
    assert "100%" in status["logs"][-1]["message"]


async def test_switches_of_work_under_way(
    providers: ImageProviders, fal: httpx.AsyncClient
) -> None:
    def arm(kind: Any, message: str = "") -> None:
        operation = "RUN /fal-ai/esrgan"
        providers.failures.arm(
            Failure(provider="fal", kind=kind, operation=operation, message=message, times=1)
        )

    arm("status", "runner_scheduling_failure")
    failed = await _result(fal, "fal-ai/esrgan", image_url=STILL)
    assert (failed.status_code, failed.json()["error_type"]) == (500, "runner_scheduling_failure")
    arm("flag")
    flagged = await _result(fal, "fal-ai/esrgan", image_url=STILL)
    assert flagged.json()["has_nsfw_concepts"] == [True]
    notices = len(providers.webhooks.kept)
    arm("silence")
    assert (await _result(fal, "fal-ai/esrgan", image_url=STILL)).status_code == 200
    assert len(providers.webhooks.kept) == notices


@pytest.mark.parametrize(
    "kind", ["html", "wrong_type", "truncated", "missing", "nothing", "shape", "oversized"]
)
async def test_garbage(providers: ImageProviders, fal: httpx.AsyncClient, kind: str) -> None:
    providers.failures.arm(Failure(provider="fal", kind="garbage", operation="RUN *", message=kind))
    result = (await _result(fal, "fal-ai/triposr", image_url=STILL)).json()
    if kind in ("nothing", "shape"):
        assert "model_mesh" not in result
        return
    url = result["model_mesh"]["url"]
    if kind == "oversized":
        assert url.endswith("/oversized.glb")
        return
    answer = await fal.get(url)
    if kind == "missing":
        assert answer.status_code == 404
    else:
        mesh = answer.content
        assert mesh[:4] != b"glTF" or struct.unpack_from("<I", mesh, 8)[0] != len(mesh)


@pytest.mark.parametrize(
    ("model", "given"),
    [
        ("christophy/stable-video-diffusion", {"input_image": STILL, "seed": 5}),
        ("cjwbw/sadtalker", {"source_image": STILL, "driven_audio": SOUND}),
        ("fofr/live-portrait", {"face_image": STILL, "driving_video": DRIVING}),
        ("daanelson/real-esrgan-a100", {"image": STILL, "scale": 2}),
    ],
)
async def test_models_of_replicate(
    replicate: httpx.AsyncClient, model: str, given: dict[str, str]
) -> None:
    version = next(v for v, (name, _) in VERSIONS.items() if name == model)
    body = {"version": version, "input": given}
    created = (await replicate.post("/replicate/v1/predictions", json=body)).json()
    assert created["model"] == model
    for _ in range(500):
        run = (await replicate.get(f"/replicate/v1/predictions/{created['id']}")).json()
        if run["status"] not in ("starting", "processing"):
            break
        await asyncio.sleep(0.02)
    assert (run["status"], run["error"]) == ("succeeded", None)
    url = run["output"][0] if isinstance(run["output"], list) else run["output"]
    content = (await replicate.get(url)).content
    if "esrgan" in model:
        assert Image.open(io.BytesIO(content)).size == (180, 120)
    else:
        assert (await VIDEOS.inspect(content)).video_codec == "h264"
    assert ("Using seed: 5" in run["logs"]) == ("seed" in given)
