"""Likeness models by fal: FLUX LoRA fast training from an archive of images."""

import httpx

from adapters.fal.queue import QUEUE_URL, FalQueue
from adapters.fal.transport import PROVIDER
from application.ports.generation import AttemptRef, ProviderJob, TrainingRequest

APP = "fal-ai/flux-lora-fast-training"


class FalModelTrainer:
    provider = PROVIDER

    def __init__(
        self,
        *,
        api_key: str,
        app: str = APP,
        base_url: str = QUEUE_URL,
        timeout_s: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._queue = FalQueue(
            api_key=api_key, app=app, base_url=base_url, timeout_s=timeout_s, transport=transport
        )

    async def submit(self, request: TrainingRequest, attempt: AttemptRef) -> ProviderJob:
        arguments = {
            "images_data_url": request.archive_url,
            "trigger_word": request.trigger_word,
            "steps": request.steps,
            "is_style": False,
            "create_masks": True,
        }
        return await self._queue.submit(arguments, attempt)

    async def fetch(self, request_id: str) -> ProviderJob:
        return await self._queue.fetch(request_id)

    async def cancel(self, request_id: str) -> None:
        await self._queue.cancel(request_id)

    async def aclose(self) -> None:
        await self._queue.aclose()
