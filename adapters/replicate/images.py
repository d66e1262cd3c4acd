"""Images from text by Replicate: a FLUX model that takes LoRA weights from a URL.

The model is named as `owner/name` (its present version), `owner/name:version`, or a bare version,
and must take the inputs of `black-forest-labs/flux-dev-lora`.
"""

from typing import Any, Final

import httpx
from replicate.client import Client
from replicate.exceptions import ReplicateError
from replicate.prediction import Prediction

from adapters.replicate.outcomes import read
from adapters.replicate.transport import PROVIDER, SingleAttempt
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from application.ports.generation import AttemptRef, GenerationRequest, ProviderJob

API_URL = "https://api.replicate.com"
MODEL = "black-forest-labs/flux-dev-lora"
NOT_FOUND, UNPROCESSABLE = 404, 422
CALL_BACK_AT = ["completed"]
ASPECT_RATIOS: Final = {
    name: int(name.partition(":")[0]) / int(name.partition(":")[2])
    for name in ("1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3", "9:16", "9:21")
}


class ReplicateImageGenerator:
    provider = PROVIDER

    def __init__(
        self,
        *,
        api_token: str,
        model: str = MODEL,
        base_url: str = API_URL,
        timeout_s: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._target = _target(model)
        self._transport = SingleAttempt(
            transport or httpx.AsyncHTTPTransport(), timeout_s=timeout_s
        )
        self._client = Client(api_token, base_url=base_url, transport=self._transport)

    async def submit(self, request: GenerationRequest, attempt: AttemptRef) -> ProviderJob:
        if request.mode != "text":
            raise Rejected(
                "this generator makes images from text only",
                provider=PROVIDER,
                reason="unsupported_mode",
            )
        try:
            created = await self._client.predictions.async_create(
                input=_input(request),
                webhook=attempt.webhook_url,
                webhook_events_filter=CALL_BACK_AT,
                **self._target,
            )
            return _job(created)
        except ReplicateError as error:
            raise _rejection(error) from error
        except (ValueError, TypeError) as error:
            message = "Replicate's answer cannot be read"
            raise OutcomeUnknown(message, provider=PROVIDER) from error

    async def fetch(self, request_id: str) -> ProviderJob:
        try:
            return _job(await self._client.predictions.async_get(request_id))
        except ReplicateError as error:
            raise _rejection(error) from error
        except (ValueError, TypeError) as error:
            message = "Replicate's answer cannot be read"
            raise Unavailable(message, provider=PROVIDER) from error

    async def cancel(self, request_id: str) -> None:
        try:
            await self._client.predictions.async_cancel(request_id)
        except ReplicateError as error:
            if error.status != NOT_FOUND:
                raise _rejection(error) from error
        except (ValueError, TypeError):
            return  # it was cancelled; only the description of it cannot be read

    async def aclose(self) -> None:
        await self._transport.aclose()


def _target(model: str) -> dict[str, Any]:
    """How the SDK is told what to run: an official model has no version of its own to name."""
    if ":" in model:
        return {"version": model.rpartition(":")[2]}
    return {"model": model} if "/" in model else {"version": model}


def _input(request: GenerationRequest) -> dict[str, Any]:
    has_trigger = request.trigger_word in request.prompt
    return {
        "prompt": request.prompt if has_trigger else f"{request.trigger_word}, {request.prompt}",
        "lora_weights": request.weights_url,
        "lora_scale": 1.0,
        "aspect_ratio": nearest_aspect_ratio(request.width, request.height),
        "num_outputs": 1,
        "seed": request.seed,
        "output_format": "png",
        "disable_safety_checker": False,
    }


def nearest_aspect_ratio(width: int, height: int) -> str:
    """The model draws about one megapixel in one of these proportions."""
    wanted = width / height
    return min(ASPECT_RATIOS, key=lambda name: abs(ASPECT_RATIOS[name] / wanted - 1))


def _job(prediction: Prediction) -> ProviderJob:
    return read(prediction.dict())[1]


def _rejection(error: ReplicateError) -> Rejected:
    """The status, but none of Replicate's words: they may quote an input."""
    reasons = {NOT_FOUND: "not_found", UNPROCESSABLE: "invalid_input"}
    reason = reasons.get(error.status or 0, f"http_{error.status}")
    message = f"Replicate refused the request with {error.status}"
    return Rejected(message, provider=PROVIDER, reason=reason)
