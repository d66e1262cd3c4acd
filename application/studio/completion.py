"""The one way in which a provider's word about an attempt takes effect.

The answer to a submission, a webhook and a poll all end here, in any order and any number of
times. The job's lock makes them one after the other, and none can take back what an earlier one
has settled. The first success of a step counts; other attempts at it are asked to stop.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from application.ports.engines import EngineJob, VerifiedCallback
from application.ports.messages import Message
from application.ports.unit_of_work import UnitOfWork
from application.studio.changes import (
    Case,
    ask_to_stop,
    case_of,
    commit_cases,
    reflect,
    try_again_or_fail,
)
from application.studio.health import note_failure, note_success
from application.studio.workshop import (
    GIVE_TURNS,
    INGEST_RESULT,
    AttemptMessage,
    TurnsMessage,
    Workshop,
)
from domain.shared.errors import NotFound
from domain.studio.attempt import Attempt, AttemptOutput, AttemptStatus
from domain.studio.failures import FailureClass, failure_message
from domain.studio.job import JobStatus
from domain.studio.pipelines import JobKind
from domain.studio.step import StepStatus


class ProviderReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of an attempt, which either id may identify."""

    provider: str
    attempt_id: UUID | None
    job: EngineJob


async def handle_provider_callbacks(
    messages: Sequence[Message], *, workshop: Workshop
) -> Mapping[UUID, Exception]:
    """Handles the inbox of every provider of engines (topics `fal`, `replicate`, …)."""
    failures: dict[UUID, Exception] = {}
    for message in messages:
        callback = msgspec.json.decode(message.payload, type=VerifiedCallback)
        report = ProviderReport(
            provider=callback.source, attempt_id=callback.attempt_id, job=callback.job
        )
        try:
            await apply_report(report, workshop=workshop)
        except Exception as error:  # noqa: BLE001 - the worker retries or parks the message
            failures[message.id] = error
    return failures


async def apply_report(report: ProviderReport, *, workshop: Workshop) -> bool:
    """Take it over. False when no attempt of ours is meant, or it was settled before.

    Raises Unavailable when our storage cannot take what came in the answer itself: try again.
    """
    uow, now = workshop.new_uow(), workshop.clock.now()
    async with uow:
        attempt_id = await _attempt_meant(uow, report)
    if attempt_id is None:
        return False
    outputs = await _outputs_of(report.job, attempt_id, workshop=workshop)
    async with uow:
        case, attempt = await case_of(uow, attempt_id)
        if not _is_about(attempt, report) or attempt.has_ended:
            return False
        attempt.acknowledge(report.job.request_id)
        match report.job.status:
            case "queued" | "running":
                _still_at_work(uow, case, attempt, report.job, at=now)
            case "succeeded" if outputs:
                attempt.succeed(outputs, seed=report.job.seed, billed_units=report.job.billed_units)
                _succeeded(uow, case, attempt)
                await note_success(uow, attempt)
            case "succeeded":
                failed = FailureClass.RETRYABLE
                await _failed(uow, case, attempt, "no_output", failed, workshop=workshop, at=now)
            case "failed":
                code = report.job.error_code or "runner_failed"
                failed = FailureClass(report.job.failure or FailureClass.RETRYABLE)
                await _failed(uow, case, attempt, code, failed, workshop=workshop, at=now)
        await commit_cases(uow, case, live=workshop.live, at=now)
    return True


def answer_key(attempt_id: UUID, number: int) -> str:
    """Where the output of that number is kept when it came in the answer itself."""
    return f"answers/{attempt_id}/{number}"


async def _attempt_meant(uow: UnitOfWork, report: ProviderReport) -> UUID | None:
    known = await uow.attempts.of_request(report.provider, report.job.request_id)
    if known is not None:
        return known.id
    if report.attempt_id is None:
        return None
    try:
        return (await uow.attempts.get(report.attempt_id)).id
    except NotFound:
        return None


def _is_about(attempt: Attempt, report: ProviderReport) -> bool:
    return attempt.provider == report.provider and attempt.request_id in (
        None,
        report.job.request_id,
    )


async def _outputs_of(
    job: EngineJob, attempt_id: UUID, *, workshop: Workshop
) -> tuple[AttemptOutput, ...]:
    """What came in the answer itself is kept before anything is said about it."""
    kept: list[AttemptOutput] = []
    for number, output in enumerate(job.outputs):
        key = None
        if output.content is not None:
            stored = await workshop.storage.put(
                answer_key(attempt_id, number),
                output.content,
                content_type=output.content_type or "application/octet-stream",
            )
            key = stored.key
        flagged = number in job.flagged
        kept.append(AttemptOutput(output.url, key, output.content_type, flagged))
    return tuple(kept)


def _still_at_work(
    uow: UnitOfWork, case: Case, attempt: Attempt, reported: EngineJob, *, at: datetime
) -> None:
    step = case.step_of(attempt)
    wanted = case.job.is_open and step.is_under_way and attempt.input_hash == step.input_hash
    if wanted and attempt.status is AttemptStatus.ABANDONED:
        others = case.in_flight(step)
        if any(not one.is_planned for one in others):
            ask_to_stop(uow, attempt)
            return
        for planned in others:
            planned.abandon()
    attempt.stay_active(step.type, at=at)  # also when not wanted: what it still makes is kept
    if not wanted:
        ask_to_stop(uow, attempt)
        return
    step.report(reported.progress)
    case.job.reach(JobStatus.RUNNING if reported.status == "running" else JobStatus.QUEUED)
    reflect(case)


def _succeeded(uow: UnitOfWork, case: Case, attempt: Attempt) -> None:
    step = case.step_of(attempt)
    uow.outbox.add(GIVE_TURNS, TurnsMessage())
    if case.job.kind is JobKind.TRAINING and not case.job.is_open:
        attempt.forget()  # nobody needs to know where weights are that we do not keep
        return
    if attempt.input_hash != step.input_hash:
        return
    if case.job.is_open:
        if not step.is_under_way:
            return
        step.begin_ingesting()
        for other in case.in_flight(step):
            ask_to_stop(uow, other)
            other.abandon()
        reflect(case)
    elif step.status is StepStatus.SUCCEEDED:
        return
    uow.outbox.add(INGEST_RESULT, AttemptMessage(attempt.id), key=str(attempt.id))


async def _failed(
    uow: UnitOfWork,
    case: Case,
    attempt: Attempt,
    code: str,
    failure: FailureClass,
    *,
    workshop: Workshop,
    at: datetime,
) -> None:
    was_abandoned = attempt.status is AttemptStatus.ABANDONED
    attempt.fail(code, failure_message(code), failure)
    await note_failure(uow, attempt, ids=workshop.ids, at=at)
    if not was_abandoned and case.step_of(attempt).is_under_way:
        try_again_or_fail(uow, case, attempt, at=at)
