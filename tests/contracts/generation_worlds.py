"""Providers and their far side, so that one contract can be told of the fakes and the real ones."""

import asyncio
import base64
import io
import zipfile
from typing import Protocol
from uuid import UUID

from adapters.fal.images import FalImageGenerator
from adapters.fal.training import FalModelTrainer
from adapters.memory.generation import MemoryImageGenerator, MemoryModelTrainer
from adapters.replicate.images import MODEL, ReplicateImageGenerator
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from application.ports.generation import (
    AttemptRef,
    GenerationMode,
    GenerationRequest,
    ImageGenerator,
    ModelTrainer,
    ProviderJob,
    TrainingRequest,
)
from tests.pictures import picture
from tests.sandbox.server import Sandbox

FAL_KEY, REPLICATE_TOKEN = "sandbox:fal", "r8_sandbox"
PATIENCE_S = 15.0
ATTEMPT = AttemptRef(
    attempt_id=UUID(int=7),
    webhook_url=f"http://127.0.0.1:9/webhooks?attempt={UUID(int=7)}",
)


def data_url(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def archive(*, images: int = 2) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        for number in range(images):
            opened.writestr(f"{number}.png", picture(size=(32 + number, 32)))
    return packed.getvalue()


def image_request(mode: GenerationMode = "text", **changes: object) -> GenerationRequest:
    fields: dict[str, object] = {
        "mode": mode,
        "prompt": "on a bridge at dawn",
        "trigger_word": "OHWX",
        "weights_url": data_url(b"weights", "application/octet-stream"),
        "scene_image_url": data_url(picture(size=(300, 200)), "image/png")
        if mode == "photo"
        else None,
        "seed": 41,
        "width": 1024,
        "height": 768,
    }
    return GenerationRequest(**(fields | changes))  # type: ignore[arg-type]


def training_request(content: bytes | None = None) -> TrainingRequest:
    packed = archive() if content is None else content
    return TrainingRequest(
        trigger_word="OHWX", archive_url=data_url(packed, "application/zip"), steps=500
    )


class Jobs(Protocol):
    """What generators and trainers have in common."""

    async def fetch(self, request_id: str) -> ProviderJob: ...

    async def cancel(self, request_id: str) -> None: ...


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
    def __init__(self, jobs: MemoryImageGenerator | MemoryModelTrainer) -> None:
        self._jobs = jobs

    def started(self) -> int:
        return len(self._jobs.submissions)

    def next_is_throttled(self) -> None:
        self._jobs.fail_next(Unavailable("busy", provider="memory", retry_after_s=1.0))

    def next_breaks(self) -> None:
        self._jobs.fail_next(Unavailable("broken", provider="memory"))

    def next_is_refused(self) -> None:
        self._jobs.fail_next(Rejected("no", provider="memory", reason="content_refused"))

    def next_is_taken_in_silence(self) -> None:
        self._jobs.fail_next(OutcomeUnknown("no answer", provider="memory"))

    async def succeed(self, request_id: str) -> None:
        self._jobs.complete(request_id)

    async def refuse(self, request_id: str) -> None:
        self._jobs.fail(request_id, code="content_refused", retryable=False)

    async def crash(self, request_id: str) -> None:
        self._jobs.fail(request_id)


class SandboxFarSide:
    """`submission` is the sandbox's name for the call that begins a job; `RUN` is the work."""

    def __init__(self, sandbox: Sandbox, jobs: Jobs, *, provider: str, submission: str) -> None:
        self._sandbox = sandbox
        self._jobs = jobs
        self._provider = provider
        self._submission = submission

    def started(self) -> int:
        return int(self._sandbox.state()[self._provider]["accepted"])

    def next_is_throttled(self) -> None:
        self._arm("status", status=429)

    def next_breaks(self) -> None:
        self._arm("status", status=500)

    def next_is_refused(self) -> None:
        self._arm("refuse")

    def next_is_taken_in_silence(self) -> None:
        self._arm("timeout_after_acceptance", latency_ms=10)

    async def succeed(self, request_id: str) -> None:
        await self._end(request_id)

    async def refuse(self, request_id: str) -> None:
        self._arm("refuse", operation="RUN *")
        await self._end(request_id)

    async def crash(self, request_id: str) -> None:
        self._arm("status", operation="RUN *")
        await self._end(request_id)

    def _arm(self, kind: str, *, operation: str = "", **settings: object) -> None:
        self._sandbox.control(
            "failures",
            provider=self._provider,
            kind=kind,
            operation=operation or self._submission,
            times=1,
            **settings,
        )

    async def _end(self, request_id: str) -> None:
        await ended(self._jobs, request_id)


class ImageWorld:
    def __init__(self, generator: ImageGenerator, far: FarSide, mode: GenerationMode) -> None:
        self.generator = generator
        self.far = far
        self.mode = mode


class TrainingWorld:
    def __init__(self, trainer: ModelTrainer, far: FarSide) -> None:
        self.trainer = trainer
        self.far = far


def fal_images(sandbox: Sandbox, mode: GenerationMode) -> FalImageGenerator:
    return FalImageGenerator(api_key=FAL_KEY, mode=mode, base_url=f"{sandbox.url}/fal")


def fal_trainer(sandbox: Sandbox) -> FalModelTrainer:
    return FalModelTrainer(api_key=FAL_KEY, base_url=f"{sandbox.url}/fal")


def replicate_images(sandbox: Sandbox, *, model: str = MODEL) -> ReplicateImageGenerator:
    return ReplicateImageGenerator(
        api_token=REPLICATE_TOKEN, model=model, base_url=f"{sandbox.url}/replicate"
    )


async def ended(jobs: Jobs, request_id: str) -> ProviderJob:
    """Polls until the job has ended."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            job = await jobs.fetch(request_id)
            if job.status in ("succeeded", "failed"):
                return job
            await asyncio.sleep(0.05)
