"""The one way in which a provider's word about a job takes effect.

The answer to a submission, a webhook and a poll all end here, in any order and any number of
times. The job's lock makes them one after the other, and none can take back what an earlier one
has settled. The first success of a job counts; other attempts are asked to stop.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from application.ports.generation import ProviderJob, VerifiedCallback
from application.ports.messages import Message
from application.ports.unit_of_work import UnitOfWork
from application.studio.changes import ask_to_stop, commit_job, locked_job, try_again_or_fail
from application.studio.workshop import INGEST_RESULT, AttemptMessage, Workshop
from domain.shared.errors import NotFound
from domain.studio.attempt import Attempt, AttemptStatus
from domain.studio.failures import failure_message
from domain.studio.job import Job, JobKind, JobStatus

_STATUS = {"queued": JobStatus.QUEUED, "running": JobStatus.RUNNING}


class ProviderReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of an attempt, which either id may identify."""

    provider: str
    request_id: str
    attempt_id: UUID | None
    job: ProviderJob


async def handle_provider_callbacks(
    messages: Sequence[Message], *, workshop: Workshop
) -> Mapping[UUID, Exception]:
    """Handles the inbox of every image provider (topics `fal`, `replicate`, …)."""
    failures: dict[UUID, Exception] = {}
    for message in messages:
        callback = msgspec.json.decode(message.payload, type=VerifiedCallback)
        report = ProviderReport(
            provider=callback.source,
            request_id=callback.request_id,
            attempt_id=callback.attempt_id,
            job=callback.job,
        )
        try:
            await apply_provider_job(report, workshop=workshop)
        except Exception as error:  # noqa: BLE001 - the worker retries or parks the message
            failures[message.id] = error
    return failures


async def apply_provider_job(report: ProviderReport, *, workshop: Workshop) -> bool:
    """Take it over. False when no attempt of ours is meant, or it was settled before."""
    uow, now = workshop.new_uow(), workshop.clock.now()
    async with uow:
        attempt_id = await _attempt_meant(uow, report)
        if attempt_id is None:
            return False
        job, attempt = await locked_job(uow, attempt_id)
        if not _is_about(attempt, report) or attempt.has_ended:
            return False
        before = job.face
        attempt.acknowledge(report.request_id)
        match report.job.status:
            case "queued" | "running":
                await _still_at_work(uow, job, attempt, report.job, at=now)
            case "succeeded" if _has_output(job, report.job):
                await _succeeded(uow, job, attempt, report.job, workshop=workshop)
            case "succeeded":
                await _failed(uow, job, attempt, "no_output", True, workshop=workshop, at=now)
            case "failed":
                code = report.job.error_code or "runner_failed"
                retryable = report.job.retryable
                await _failed(uow, job, attempt, code, retryable, workshop=workshop, at=now)
        await commit_job(uow, job, before=before, live=workshop.live, at=now)
    return True


async def _attempt_meant(uow: UnitOfWork, report: ProviderReport) -> UUID | None:
    known = await uow.attempts.of_request(report.provider, report.request_id)
    if known is not None:
        return known.id
    if report.attempt_id is None:
        return None
    try:
        return (await uow.attempts.get(report.attempt_id)).id
    except NotFound:
        return None


def _is_about(attempt: Attempt, report: ProviderReport) -> bool:
    return attempt.provider == report.provider and attempt.request_id in (None, report.request_id)


async def _still_at_work(
    uow: UnitOfWork, job: Job, attempt: Attempt, reported: ProviderJob, *, at: datetime
) -> None:
    if not job.awaits_provider:
        ask_to_stop(uow, _known_active(attempt, job.kind, at))
        return
    if attempt.status is AttemptStatus.ABANDONED:
        others = await _others_at_work(uow, job, attempt)
        if any(one.status is not AttemptStatus.PLANNED for one in others):
            ask_to_stop(uow, attempt)
            return
        for planned in others:
            planned.abandon()
    attempt.stay_active(job.kind, at=at)
    job.report(_STATUS[reported.status], percent=reported.progress)


def _known_active(attempt: Attempt, kind: JobKind, at: datetime) -> Attempt:
    """Watched until its end: what it still makes of a cancelled job is kept, hidden."""
    attempt.stay_active(kind, at=at)
    return attempt


async def _succeeded(
    uow: UnitOfWork, job: Job, attempt: Attempt, reported: ProviderJob, *, workshop: Workshop
) -> None:
    attempt.succeed(
        output_urls=reported.output_urls,
        weights_url=reported.weights_url,
        seed=reported.seed,
        asset_ids=tuple(workshop.ids.new() for _ in reported.output_urls),
    )
    if job.awaits_provider:
        job.begin_ingesting()
        for other in await _others_at_work(uow, job, attempt):
            ask_to_stop(uow, other)
            other.abandon()
    elif job.status in {JobStatus.INGESTING, JobStatus.SUCCEEDED} or job.kind is JobKind.TRAINING:
        return
    uow.outbox.add(INGEST_RESULT, AttemptMessage(attempt.id), key=str(attempt.id))


async def _failed(
    uow: UnitOfWork,
    job: Job,
    attempt: Attempt,
    code: str,
    retryable: bool,
    *,
    workshop: Workshop,
    at: datetime,
) -> None:
    was_abandoned = attempt.status is AttemptStatus.ABANDONED
    attempt.fail(code, failure_message(code))
    if job.awaits_provider and not was_abandoned:
        await try_again_or_fail(uow, job, attempt, ids=workshop.ids, at=at, retryable=retryable)


async def _others_at_work(uow: UnitOfWork, job: Job, attempt: Attempt) -> list[Attempt]:
    return [
        other
        for other in await uow.attempts.of_job(job.id)
        if other.id != attempt.id
        and not other.has_ended
        and other.status is not AttemptStatus.ABANDONED
    ]


def _has_output(job: Job, reported: ProviderJob) -> bool:
    if job.kind is JobKind.TRAINING:
        return reported.weights_url is not None
    return bool(reported.output_urls)
