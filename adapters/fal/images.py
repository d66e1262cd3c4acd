"""Images by fal: in photo mode FLUX Kontext puts the person into a scene, in text mode FLUX draws.

fal names a request by app and id, so there is one generator per mode, which knows its app.
"""

from typing import Any

import httpx

from adapters.fal.queue import QUEUE_URL, FalQueue
from adapters.fal.transport import PROVIDER
from application.ports.errors import Rejected
from application.ports.generation import (
    AttemptRef,
    GenerationMode,
    GenerationRequest,
    ProviderJob,
)

APPS: dict[GenerationMode, str] = {
    "photo": "fal-ai/flux-kontext-lora",
    "text": "fal-ai/flux-lora",
}


class FalImageGenerator:
    provider = PROVIDER

    def __init__(
        self,
        *,
        api_key: str,
        mode: GenerationMode,
        app: str | None = None,
        base_url: str = QUEUE_URL,
        timeout_s: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._mode = mode
        self._queue = FalQueue(
            api_key=api_key,
            app=app or APPS[mode],
            base_url=base_url,
            timeout_s=timeout_s,
            transport=transport,
        )

    async def submit(self, request: GenerationRequest, attempt: AttemptRef) -> ProviderJob:
        if request.mode != self._mode:
            raise Rejected(
                f"this generator makes images from {self._mode} only",
                provider=PROVIDER,
                reason="unsupported_mode",
            )
        return await self._queue.submit(_arguments(request), attempt)

    async def fetch(self, request_id: str) -> ProviderJob:
        return await self._queue.fetch(request_id)

    async def cancel(self, request_id: str) -> None:
        await self._queue.cancel(request_id)

    async def aclose(self) -> None:
        await self._queue.aclose()


def _arguments(request: GenerationRequest) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "prompt": _with_trigger(request),
        "loras": [{"path": request.weights_url, "scale": 1.0}],
        "num_images": 1,
        "seed": request.seed,
        "output_format": "png",
        "enable_safety_checker": True,
    }
    if request.mode == "text":
        size = {"width": request.width, "height": request.height}
        return {**arguments, "image_size": size}
    if request.scene_image_url is None:
        raise Rejected("photo mode needs a scene", provider=PROVIDER, reason="invalid_input")
    return {**arguments, "image_url": request.scene_image_url}


def _with_trigger(request: GenerationRequest) -> str:
    """The trained weights answer to their trigger word only."""
    if request.trigger_word in request.prompt:
        return request.prompt
    return f"{request.trigger_word}, {request.prompt}"
