"""Lets image generators and trainers of the former port stand in for engines of the present one."""

from collections.abc import Mapping

import msgspec

from application.ports import generation as former
from application.ports.engines import (
    AttemptRef,
    EngineJob,
    EngineOutput,
    PhotoToImage,
    TextToImage,
    TrainLikeness,
    VerifiedCallback,
)
from application.ports.errors import Rejected


class FormerGenerator:
    def __init__(self, generator: former.ImageGenerator, *, model: str) -> None:
        self._generator = generator
        self.provider = generator.provider
        self.model = model

    async def submit(self, request: TextToImage | PhotoToImage, attempt: AttemptRef) -> EngineJob:
        if request.weights is None:
            raise Rejected(
                "likeness weights are needed", provider=self.provider, reason="unsupported"
            )
        is_photo = isinstance(request, PhotoToImage)
        sent = former.GenerationRequest(
            mode="photo" if is_photo else "text",
            prompt=request.prompt,
            trigger_word=request.weights.trigger_word,
            weights_url=request.weights.weights_url,
            scene_image_url=request.scene_image_url if isinstance(request, PhotoToImage) else None,
            seed=request.seed,
            width=request.width,
            height=request.height,
        )
        return engine_job(await self._generator.submit(sent, _ref(attempt)))

    async def fetch(self, request_id: str) -> EngineJob:
        return engine_job(await self._generator.fetch(request_id))

    async def cancel(self, request_id: str) -> None:
        await self._generator.cancel(request_id)


class FormerTrainer:
    def __init__(self, trainer: former.ModelTrainer, *, model: str) -> None:
        self._trainer = trainer
        self.provider = trainer.provider
        self.model = model

    async def submit(self, request: TrainLikeness, attempt: AttemptRef) -> EngineJob:
        sent = former.TrainingRequest(
            trigger_word=request.trigger_word, archive_url=request.archive_url, steps=request.steps
        )
        return engine_job(await self._trainer.submit(sent, _ref(attempt)))

    async def fetch(self, request_id: str) -> EngineJob:
        return engine_job(await self._trainer.fetch(request_id))

    async def cancel(self, request_id: str) -> None:
        await self._trainer.cancel(request_id)


class FormerWebhooks:
    def __init__(self, webhooks: former.ProviderWebhooks) -> None:
        self._webhooks = webhooks
        self.provider = webhooks.provider

    async def verify(self, headers: Mapping[str, str], body: bytes) -> VerifiedCallback:
        callback = await self._webhooks.verify(headers, body)
        return VerifiedCallback(
            source=callback.source,
            external_id=callback.external_id,
            request_id=callback.request_id,
            attempt_id=callback.attempt_id,
            job=engine_job(callback.job),
        )


def engine_job(job: former.ProviderJob) -> EngineJob:
    urls = (job.weights_url,) if job.weights_url is not None else job.output_urls
    failed = job.status == "failed"
    return EngineJob(
        request_id=job.request_id,
        status=job.status,
        progress=job.progress,
        outputs=tuple(EngineOutput(url=url) for url in urls),
        error_code=job.error_code,
        error_message=job.error_message,
        failure=("retryable" if job.retryable else "permanent") if failed else None,
        seed=job.seed,
    )


def _ref(attempt: AttemptRef) -> former.AttemptRef:
    return msgspec.convert(msgspec.to_builtins(attempt), former.AttemptRef)
