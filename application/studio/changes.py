"""What happens to a job and its attempts, whoever tells of it."""

from datetime import datetime
from uuid import UUID

from application.ports.ids import Ids
from application.ports.live import LiveEvents
from application.ports.unit_of_work import UnitOfWork
from application.studio.telling import Change, commit_and_tell
from application.studio.workshop import (
    CANCEL_ATTEMPT,
    SUBMIT_ATTEMPT,
    AttemptMessage,
)
from domain.studio.attempt import Attempt, AttemptStatus, attempts_left, retry_delay
from domain.studio.failures import failure_message
from domain.studio.job import Face, Job

_DICE_SIDES = 1 << 32


async def locked_job(uow: UnitOfWork, attempt_id: UUID) -> tuple[Job, Attempt]:
    """The attempt and its job. The job's lock is taken first and guards all its attempts."""
    attempt = await uow.attempts.get(attempt_id)
    job = await uow.jobs.get(attempt.job_id, lock=True)
    return job, await uow.attempts.get(attempt_id, lock=True)


async def commit_job(
    uow: UnitOfWork, job: Job, *, before: Face | None, live: LiveEvents, at: datetime
) -> None:
    """Commit, with the events that tell how the job differs from `before`."""
    await commit_and_tell(uow, [Change(job=job, before=before)], live=live, at=at)


def plan_attempt(
    uow: UnitOfWork, job: Job, number: int, *, ids: Ids, at: datetime, due_at: datetime
) -> Attempt:
    """Write an attempt down and ask for it to be submitted, both with the next commit."""
    attempt = Attempt(id=ids.new(), job_id=job.id, round=job.round, number=number, created_at=at)
    uow.attempts.add(attempt)
    uow.outbox.add(SUBMIT_ATTEMPT, AttemptMessage(attempt.id), due_at=due_at, key=str(attempt.id))
    return attempt


async def try_again_or_fail(
    uow: UnitOfWork,
    job: Job,
    failed: Attempt,
    *,
    ids: Ids,
    at: datetime,
    retryable: bool,
    retry_after_s: float | None = None,
) -> None:
    """After a failed attempt: the next one, a little later, or the end of the job."""
    if not job.is_open:
        return
    attempts = await uow.attempts.of_job(job.id)
    others_at_work = any(
        other.id != failed.id and other.round == job.round and not _is_over(other)
        for other in attempts
    )
    if others_at_work:
        return
    if retryable and attempts_left(attempts, round_number=job.round) > 0:
        job.resume_provider()
        delay = retry_delay(
            failed.number, fraction=_fraction(failed.id), retry_after_s=retry_after_s
        )
        number = 1 + max(one.number for one in attempts if one.round == job.round)
        plan_attempt(uow, job, number, ids=ids, at=at, due_at=at + delay)
        return
    code = failed.error_code or "outcome_unknown"
    job.fail(code, failure_message(code), at=at)


def ask_to_stop(uow: UnitOfWork, attempt: Attempt) -> None:
    """Ask its provider, after the commit, to stop working on it. Asked for once."""
    if attempt.may_be_running:
        uow.outbox.add(CANCEL_ATTEMPT, AttemptMessage(attempt.id), key=str(attempt.id))


def _is_over(attempt: Attempt) -> bool:
    return attempt.has_ended or attempt.status is AttemptStatus.ABANDONED


def _fraction(attempt_id: UUID) -> float:
    """From 0 to 1, by the last bits of the id, which are random."""
    return (attempt_id.int % _DICE_SIDES) / _DICE_SIDES
