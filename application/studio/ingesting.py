"""Bring home what an engine made, at once: its addresses are public and expire.

Bytes first, rows after; written twice, they land on themselves. What a step has made is looked at
before it counts, so that a page of errors is an attempt that failed and not a picture. Weights are
kept under a key that no answer names.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from application.ports.images import ImageRefused, ImageTypeRefused
from application.ports.media import ERASE_BYTES, EraseBytes
from application.ports.messages import Message
from application.ports.remote_files import RemoteFileRefused
from application.ports.storage import ObjectMissing
from application.ports.video import MediaRefused, MediaTypeRefused
from application.studio.changes import (
    carry_on,
    case_of,
    commit_cases,
    subject_of,
    try_again_or_fail,
)
from application.studio.inputs import ARCHIVED, archive_key
from application.studio.local_steps import finish_late
from application.studio.workshop import Workshop, for_each_attempt
from domain.studio.attempt import Attempt, AttemptOutput, AttemptStatus
from domain.studio.failures import FailureClass, failure_message
from domain.studio.outputs import MAX_BYTES, OutputRefused, kind_of_output
from domain.studio.pipelines import StepType
from domain.studio.step import Step, StepResult, StepStatus

_REFUSALS = (
    RemoteFileRefused,
    ImageRefused,
    ImageTypeRefused,
    MediaRefused,
    MediaTypeRefused,
    OutputRefused,
    ObjectMissing,
)
"""These bytes are not what was asked for, or are not there."""


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
        step = await uow.steps.get(attempt.step_id)
    if attempt.status is not AttemptStatus.SUCCEEDED or step.status is StepStatus.SUCCEEDED:
        return
    try:
        results = [
            await _bring(output, number, step, attempt, workshop=workshop)
            for number, output in enumerate(attempt.outputs)
        ]
    except _REFUSALS:
        await _refuse_output(attempt_id, workshop=workshop)
    else:
        await _finish(attempt_id, results, workshop=workshop)
    if step.request in ARCHIVED:
        await workshop.storage.delete(archive_key(attempt_id))


async def _bring(
    output: AttemptOutput, number: int, step: Step, attempt: Attempt, *, workshop: Workshop
) -> StepResult:
    if output.key is not None:
        content = await workshop.storage.get(output.key)
    else:
        content = await workshop.remote_files.fetch(
            output.url or "", max_bytes=MAX_BYTES[step.type]
        )
    content_type, suffix = await _kind_of(content, step, workshop=workshop)
    duration_ms = None
    if content_type.startswith("video/"):
        duration_ms = (await workshop.videos.inspect(content)).duration_ms
    if step.type is StepType.TRAINING:
        key = f"models/{step.job_id}/{attempt.id}.{suffix}"
    else:
        key = f"work/{step.job_id}/{attempt.id}-{number}.{suffix}"
    stored = await workshop.storage.put(key, content, content_type=content_type)
    return StepResult(
        key=stored.key,
        content_type=content_type,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        flagged=output.flagged,
        duration_ms=duration_ms,
    )


async def _kind_of(content: bytes, step: Step, *, workshop: Workshop) -> tuple[str, str]:
    if step.type in {StepType.IMAGE_GENERATION, StepType.UPSCALING}:
        facts = await workshop.images.inspect(content)
        return facts.content_type, facts.format
    return kind_of_output(step.type, content)


async def _finish(attempt_id: UUID, results: Sequence[StepResult], *, workshop: Workshop) -> None:
    """The step has made something; on with the next, or hide it when the job has ended."""
    uow, now = workshop.new_uow(), workshop.clock.now()
    async with uow:
        case, attempt = await case_of(uow, attempt_id)
        step = case.step_of(attempt)
        if step.is_done or attempt.input_hash != step.input_hash:
            return
        if step.type is StepType.TRAINING and not case.job.is_open:
            uow.outbox.add(ERASE_BYTES, EraseBytes([one.key for one in results]))
            await uow.commit()
            return
        if case.job.is_open and step.status is not StepStatus.INGESTING:
            return
        case.complete(step, results, at=now)
        if case.job.is_open:
            carry_on(uow, case, await subject_of(uow, case.job), at=now)
        else:
            finish_late(uow, case)
        await commit_cases(uow, case, live=workshop.live, at=now)


async def _refuse_output(attempt_id: UUID, *, workshop: Workshop) -> None:
    """What was made is not there, or not what was asked for: the attempt failed after all."""
    uow, now = workshop.new_uow(), workshop.clock.now()
    async with uow:
        case, attempt = await case_of(uow, attempt_id)
        step = case.step_of(attempt)
        attempt.fail("output_refused", failure_message("output_refused"), FailureClass.RETRYABLE)
        if step.status is StepStatus.INGESTING:
            try_again_or_fail(uow, case, attempt, at=now)
        await commit_cases(uow, case, live=workshop.live, at=now)
