"""The part of the composition root that makes media: engines, prompts, videos."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from adapters.fal.engine import QUEUE_URL, FalEngine
from adapters.fal.models import FAST_TRAINING, PORTRAIT_TRAINING
from adapters.fal.models import MODELS as FAL_MODELS
from adapters.fal.webhooks import JWKS_URL, FalWebhooks
from adapters.ffmpeg.processor import FfmpegVideos
from adapters.openai.calls import API_URL as OPENAI_URL
from adapters.openai.calls import OpenAiCalls
from adapters.openai.prompts import OpenAiPrompts
from adapters.openai.speech import OpenAiSpeech
from adapters.replicate.engine import API_URL as REPLICATE_URL
from adapters.replicate.engine import ReplicateEngine
from adapters.replicate.models import FLUX_DEV_LORA
from adapters.replicate.models import MODELS as REPLICATE_MODELS
from adapters.replicate.webhooks import ReplicateWebhooks
from adapters.system.clock import SystemClock
from application.ports.engines import (
    Engine,
    EngineRequest,
    PromptEnhancer,
    ProviderWebhooks,
    TextToSpeech,
)
from entrypoints.providers import fal_access, openai_access, replicate_access
from entrypoints.settings import Settings

Engines = Mapping[type[EngineRequest], Sequence[Engine[Any]]]
_Collected = dict[type[EngineRequest], list[Engine[Any]]]


def studio_engines(
    settings: Settings, closing: AsyncExitStack
) -> tuple[Engines, Mapping[str, ProviderWebhooks], PromptEnhancer | None]:
    """Engines by kind of request, in order of preference. Pictures from text go to Replicate first,
    everything else to fal, and each provider stands in for the other where it can."""
    engines: _Collected = defaultdict(list)
    webhooks: dict[str, ProviderWebhooks] = {}
    if (callbacks := _fal(settings, engines, closing)) is not None:
        webhooks["fal"] = callbacks
    if (proofs := _replicate(settings, engines, closing)) is not None:
        webhooks["replicate"] = proofs
    return engines, webhooks, _openai(settings, engines, closing)


def provider_places(settings: Settings) -> dict[str, int]:
    """How many attempts each provider is given at a time."""
    return {
        "fal": settings.fal_concurrency,
        "replicate": settings.replicate_concurrency,
        "openai": settings.openai_concurrency,
    }


def video_processor(settings: Settings) -> FfmpegVideos:
    return FfmpegVideos(settings.ffmpeg_path)


def _fal(
    settings: Settings, engines: _Collected, closing: AsyncExitStack
) -> ProviderWebhooks | None:
    if (access := fal_access(settings)) is None:
        return None
    key, base_url = access.key.reveal(), access.api_base or QUEUE_URL
    trainer = FAST_TRAINING if settings.fal_trainer == "fast" else PORTRAIT_TRAINING
    others = [model for model in FAL_MODELS if model.takes is not trainer.takes]
    for model in (*others, trainer):
        engine = FalEngine(model, api_key=key, base_url=base_url)
        closing.push_async_callback(engine.aclose)
        engines[model.takes].append(engine)
    callbacks = FalWebhooks(
        user_id=access.user_id, clock=SystemClock(), jwks_url=access.jwks_url or JWKS_URL
    )
    closing.push_async_callback(callbacks.aclose)
    return callbacks


def _replicate(
    settings: Settings, engines: _Collected, closing: AsyncExitStack
) -> ProviderWebhooks | None:
    if (access := replicate_access(settings)) is None:
        return None
    for model in REPLICATE_MODELS:
        engine = ReplicateEngine(
            model,
            api_token=access.api_token.reveal(),
            base_url=access.api_base or REPLICATE_URL,
        )
        closing.push_async_callback(engine.aclose)
        engines[model.takes].insert(0 if model is FLUX_DEV_LORA else 1, engine)
    return ReplicateWebhooks(signing_secret=access.webhook_secret.reveal())


def _openai(
    settings: Settings, engines: _Collected, closing: AsyncExitStack
) -> PromptEnhancer | None:
    if (access := openai_access(settings)) is None:
        return None
    calls = OpenAiCalls(api_key=access.api_key.reveal(), base_url=access.api_base or OPENAI_URL)
    closing.push_async_callback(calls.aclose)
    engines[TextToSpeech].append(OpenAiSpeech(calls, model=settings.openai_speech_model))
    return OpenAiPrompts(calls, model=settings.openai_text_model)
