"""Engines and their far side, so that one contract can be told of the fake and the real ones."""

import asyncio
import base64
import io
import zipfile
from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any, Protocol
from uuid import UUID

import msgspec

from adapters.fal import models as fal
from adapters.fal.engine import FalEngine
from adapters.fal.models import FalModel
from adapters.memory.engines import MemoryEngine
from adapters.replicate import models as replicate
from adapters.replicate.engine import ReplicateEngine
from adapters.replicate.models import ReplicateModel
from application.ports.engines import (
    AttemptRef,
    CharacterToImage,
    Engine,
    EngineJob,
    EngineRequest,
    ImageToMesh,
    ImageToVideo,
    LikenessWeights,
    PhotoToImage,
    TalkingPortrait,
    TextToImage,
    TextToSpeech,
    TrainLikeness,
    TransferMotion,
    UpscaleImage,
)
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from tests import movies
from tests.pictures import picture
from tests.sandbox.server import Sandbox

FAL_KEY, REPLICATE_TOKEN = "sandbox:fal", "r8_sandbox"
PATIENCE_S = 20.0
ATTEMPT = AttemptRef(
    attempt_id=UUID(int=7),
    webhook_url=f"http://127.0.0.1:9/webhooks?attempt={UUID(int=7)}",
)
OTHER_ATTEMPT = AttemptRef(
    attempt_id=UUID(int=8),
    webhook_url=f"http://127.0.0.1:9/webhooks?attempt={UUID(int=8)}",
)
NAMES = (
    "memory",
    *(f"fal {model.app}" for model in fal.MODELS),
    *(f"replicate {model.name}" for model in replicate.MODELS),
)
"""Every engine there is, apart from speech, which has no jobs."""
SEEDED = (TextToImage, PhotoToImage, CharacterToImage, ImageToVideo)


def data_url(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def archive(*, images: int = 2) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        for number in range(images):
            opened.writestr(f"{number}.png", picture(size=(32 + number, 32)))
    return packed.getvalue()


@cache
def request_of(kind: type[EngineRequest]) -> Any:
    """A good request of the kind, whose files are in its URLs."""
    weights = LikenessWeights(
        trigger_word="OHWX", weights_url=data_url(b"weights", "application/octet-stream")
    )
    image_url = data_url(picture(size=(300, 200)), "image/png")
    archive_url = data_url(archive(), "application/zip")
    drawn: dict[str, Any] = {
        "prompt": "on a bridge at dawn",
        "seed": 41,
        "width": 1024,
        "height": 768,
    }
    made: dict[type, Any] = {
        TextToImage: lambda: TextToImage(weights=weights, **drawn),
        PhotoToImage: lambda: PhotoToImage(weights=weights, scene_image_url=image_url, **drawn),
        CharacterToImage: lambda: CharacterToImage(references_url=archive_url, **drawn),
        ImageToVideo: lambda: ImageToVideo(image_url=image_url, seed=41),
        TransferMotion: lambda: TransferMotion(
            image_url=image_url, driving_video_url=data_url(movies.movie(), "video/mp4")
        ),
        TalkingPortrait: lambda: TalkingPortrait(
            image_url=image_url, audio_url=data_url(movies.sound(), "audio/wav")
        ),
        TextToSpeech: lambda: TextToSpeech(text="good morning", voice="nova"),
        ImageToMesh: lambda: ImageToMesh(image_url=image_url),
        UpscaleImage: lambda: UpscaleImage(image_url=image_url),
        TrainLikeness: lambda: TrainLikeness(
            trigger_word="OHWX", archive_url=archive_url, steps=500
        ),
    }
    return made[kind]()


def text_request(**changes: Any) -> TextToImage:
    changed: TextToImage = msgspec.structs.replace(request_of(TextToImage), **changes)
    return changed


def training_request(content: bytes) -> TrainLikeness:
    url = data_url(content, "application/zip")
    changed: TrainLikeness = msgspec.structs.replace(request_of(TrainLikeness), archive_url=url)
    return changed


class FarSide(Protocol):
    """What happens at the provider, by our command. Each `next…` concerns one submission."""

    def started(self) -> int:
        """How many jobs were begun there."""
        ...

    def next_is_throttled(self) -> None: ...

    def next_breaks(self) -> None: ...

    def next_is_refused(self) -> None: ...

    def next_is_taken_in_silence(self) -> None: ...

    async def succeed(self, request_id: str) -> None: ...

    async def refuse(self, request_id: str) -> None:
        """The content policy declines the job."""
        ...

    async def crash(self, request_id: str) -> None:
        """The machine fails at the job."""
        ...


class MemoryFarSide:
    def __init__(self, engine: MemoryEngine) -> None:
        self._engine = engine

    def started(self) -> int:
        return len(self._engine.submissions)

    def next_is_throttled(self) -> None:
        self._engine.fail_next(Unavailable("busy", provider="memory", retry_after_s=1.0))

    def next_breaks(self) -> None:
        self._engine.fail_next(Unavailable("broken", provider="memory"))

    def next_is_refused(self) -> None:
        self._engine.fail_next(Rejected("no", provider="memory", reason="content_refused"))

    def next_is_taken_in_silence(self) -> None:
        self._engine.fail_next(OutcomeUnknown("no answer", provider="memory"))

    async def succeed(self, request_id: str) -> None:
        self._engine.complete(request_id)

    async def refuse(self, request_id: str) -> None:
        self._engine.fail(request_id, code="content_refused", failure="permanent")

    async def crash(self, request_id: str) -> None:
        self._engine.fail(request_id)


class SandboxFarSide:
    """`submission` is the sandbox's name for the call that begins a job; `RUN` is the work."""

    def __init__(self, sandbox: Sandbox, engine: Engine[Any], *, submission: str) -> None:
        self._sandbox = sandbox
        self._engine = engine
        self._submission = submission

    def started(self) -> int:
        return int(self._sandbox.state()[self._engine.provider]["accepted"])

    def next_is_throttled(self) -> None:
        self.arm("status", status=429)

    def next_breaks(self) -> None:
        self.arm("status", status=500)

    def next_is_refused(self) -> None:
        self.arm("refuse")

    def next_is_taken_in_silence(self) -> None:
        self.arm("timeout_after_acceptance", latency_ms=10)

    async def succeed(self, request_id: str) -> None:
        await ended(self._engine, request_id)

    async def refuse(self, request_id: str) -> None:
        self.arm("refuse", operation="RUN *")
        await ended(self._engine, request_id)

    async def crash(self, request_id: str) -> None:
        self.arm("status", operation="RUN *")
        await ended(self._engine, request_id)

    def arm(self, kind: str, *, operation: str = "", **settings: object) -> None:
        self._sandbox.control(
            "failures",
            provider=self._engine.provider,
            kind=kind,
            operation=operation or self._submission,
            times=1,
            **settings,
        )


class EngineWorld:
    """An engine, the far side of it, and a request that it takes."""

    def __init__(self, engine: Engine[Any], far: FarSide, kind: type[EngineRequest]) -> None:
        self.engine = engine
        self.far = far
        self.kind = kind
        self.request = request_of(kind)

    async def submit(self) -> EngineJob:
        return await self.engine.submit(self.request, ATTEMPT)

    async def find(self, *, since: datetime, known: Collection[str] = ()) -> EngineJob | None:
        return await self.engine.find(self.request, ATTEMPT, since=since, known=known)

    def another_request(self, number: int = 0) -> Any:
        """Of the same kind, and made from something else."""
        name = next(
            name for name in ("seed", "image_url", "archive_url") if hasattr(self.request, name)
        )
        value = 1000 + number if name == "seed" else f"http://127.0.0.1:9/{number}"
        return msgspec.structs.replace(self.request, **{name: value})


def world_of(name: str, sandbox: Sandbox | None) -> EngineWorld:
    """By one of NAMES."""
    provider, _, model = name.partition(" ")
    if sandbox is None or provider == "memory":
        fake = MemoryEngine(takes=[TextToImage])
        return EngineWorld(fake, MemoryFarSide(fake), TextToImage)
    if provider == "fal":
        app = next(one for one in fal.MODELS if one.app == model)
        engine = fal_engine(sandbox, app)
        return EngineWorld(engine, SandboxFarSide(sandbox, engine, submission="POST /*"), app.takes)
    run = next(one for one in replicate.MODELS if one.name == model)
    other = replicate_engine(sandbox, run)
    far = SandboxFarSide(sandbox, other, submission="POST */predictions")
    return EngineWorld(other, far, run.takes)


def fal_engine(sandbox: Sandbox, served: FalModel[Any] = fal.FLUX_LORA) -> FalEngine[Any]:
    return FalEngine(served, api_key=FAL_KEY, base_url=f"{sandbox.url}/fal")


def replicate_engine(
    sandbox: Sandbox, served: ReplicateModel[Any] = replicate.FLUX_DEV_LORA
) -> ReplicateEngine[Any]:
    return ReplicateEngine(served, api_token=REPLICATE_TOKEN, base_url=f"{sandbox.url}/replicate")


async def ended(engine: Engine[Any], request_id: str) -> EngineJob:
    """Polls until the job has ended."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            job = await engine.fetch(request_id)
            if job.status in ("succeeded", "failed"):
                return job
            await asyncio.sleep(0.05)
