"""Bring home what a provider made, at once: its addresses are public and expire.

Bytes first, rows after; written twice, they land on themselves. Only the preview and the thumbnail
of an image are shown before somebody pays. Weights are kept under a key that no answer names.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from application.media.assets import ERASE_BYTES, EraseBytes
from application.ports.images import ImageRefused, ImageTypeRefused
from application.ports.messages import Message
from application.ports.remote_files import RemoteFileRefused
from application.studio.changes import commit_job, locked_job, try_again_or_fail
from application.studio.finishing import finish_image
from application.studio.submission import archive_key
from application.studio.workshop import Workshop, for_each_attempt
from domain.media.asset import Asset, AssetState
from domain.studio.attempt import Attempt, AttemptStatus
from domain.studio.failures import failure_message
from domain.studio.job import JobKind, JobStatus

MAX_IMAGE_BYTES = 50 * 1024 * 1024
MAX_WEIGHTS_BYTES = 512 * 1024 * 1024


async def ingest_results(
    messages: Sequence[Message], *, workshop: Workshop
) -> Mapping[UUID, Exception]:
    """Handles `studio.ingest_result`."""

    async def ingest(attempt_id: UUID) -> None:
        await ingest_result(attempt_id, workshop=workshop)

    return await for_each_attempt(messages, ingest)


async def ingest_result(attempt_id: UUID, *, workshop: Workshop) -> None:
    """Idempotent. Raises Unavailable when a download or our storage fails: try again."""
    uow = workshop.new_uow()
    async with uow:
        attempt = await uow.attempts.get(attempt_id)
        job = await uow.jobs.get(attempt.job_id)
        if attempt.status is not AttemptStatus.SUCCEEDED or job.status is JobStatus.SUCCEEDED:
            return
        generation = None
        if job.kind is JobKind.GENERATION:
            generation = await uow.generations.get(job.id)
    try:
        if generation is not None:
            assets = [
                await finish_image(
                    asset_id,
                    await workshop.remote_files.fetch(url, max_bytes=MAX_IMAGE_BYTES),
                    generation,
                    workshop=workshop,
                )
                for asset_id, url in zip(attempt.asset_ids, attempt.output_urls, strict=True)
            ]
            await _finish_generation(attempt_id, assets, workshop=workshop)
        else:
            key = await _bring_weights(attempt, workshop=workshop)
            await _finish_training(attempt_id, key, workshop=workshop)
    except (RemoteFileRefused, ImageRefused, ImageTypeRefused):
        await _refuse_output(attempt_id, workshop=workshop)


async def _finish_generation(attempt_id: UUID, assets: list[Asset], *, workshop: Workshop) -> None:
    """Show the images, or hide them when the job has ended otherwise meanwhile."""
    uow, now = workshop.new_uow(), workshop.clock.now()
    async with uow:
        job, _ = await locked_job(uow, attempt_id)
        if await uow.assets.many([asset.id for asset in assets]):
            return
        before = job.face
        for asset in assets:
            asset.state = (
                AssetState.READY if job.status is JobStatus.INGESTING else AssetState.HIDDEN
            )
            uow.assets.add(asset)
        if job.status is JobStatus.INGESTING:
            job.succeed(at=now)
        await commit_job(uow, job, before=before, live=workshop.live, at=now)


async def _bring_weights(attempt: Attempt, *, workshop: Workshop) -> str:
    content = await workshop.remote_files.fetch(
        attempt.weights_url or "", max_bytes=MAX_WEIGHTS_BYTES
    )
    stored = await workshop.storage.put(
        f"models/{attempt.job_id}/{attempt.id}.safetensors",
        content,
        content_type="application/octet-stream",
    )
    return stored.key


async def _finish_training(attempt_id: UUID, key: str, *, workshop: Workshop) -> None:
    uow, now = workshop.new_uow(), workshop.clock.now()
    async with uow:
        job, _ = await locked_job(uow, attempt_id)
        if job.status is not JobStatus.INGESTING:
            return
        before = job.face
        model = await uow.models.get(job.id, lock=True)
        if model.erased_at is None:
            model.weights_key = key
            job.succeed(at=now)
        else:  # the licence was revoked meanwhile
            uow.outbox.add(ERASE_BYTES, EraseBytes([key]))
            job.cancel(at=now)
        await commit_job(uow, job, before=before, live=workshop.live, at=now)
    await workshop.storage.delete(archive_key(attempt_id))


async def _refuse_output(attempt_id: UUID, *, workshop: Workshop) -> None:
    """What was made is not there, or no image: the attempt failed after all."""
    uow, now = workshop.new_uow(), workshop.clock.now()
    async with uow:
        job, attempt = await locked_job(uow, attempt_id)
        before = job.face
        attempt.fail("output_refused", failure_message("output_refused"))
        await try_again_or_fail(uow, job, attempt, ids=workshop.ids, at=now, retryable=True)
        await commit_job(uow, job, before=before, live=workshop.live, at=now)
