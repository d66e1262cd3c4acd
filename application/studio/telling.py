"""Commit what has changed of jobs together with the events that tell of it, then publish those.

A job that looks different from before has moved on: one event. Each step that was completed is one
more, and so is the end, well or badly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.ports.clock import Clock
from application.ports.live import (
    EventPurge,
    GenerationChanged,
    JobCompleted,
    JobEvent,
    JobFailed,
    JobProgress,
    LiveEvents,
    StepCompleted,
    job_channel,
)
from application.ports.unit_of_work import UnitOfWork
from domain.studio.job import Face, Job, JobStatus
from domain.studio.pipelines import JobKind

_CHUNK = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneStep:
    step_id: UUID
    step_type: str
    result_asset_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """`before` is how the job looked when its lock was taken; None for a new one."""

    job: Job
    before: Face | None
    done: Sequence[DoneStep] = ()


async def commit_and_tell(
    uow: UnitOfWork, changes: Sequence[Change], *, live: LiveEvents, at: datetime
) -> None:
    """Commit, even when nothing is to be told."""
    told = [(change.job, event) for change in changes for event in _events_of(change)]
    for _, event in told:
        await uow.jobs.log(event, at=at)
    generations = await uow.user_events.log(
        [
            (
                change.job.owner_id,
                GenerationChanged(generation_id=change.job.id, status=str(change.job.status)),
            )
            for change in changes
            if _has_new_status(change) and change.job.kind is not JobKind.TRAINING
        ],
        at=at,
    )
    await uow.commit()
    for job, event in told:
        await live.publish(job_channel(job.id), event)
    for channel, changed in generations:
        await live.publish(channel, changed)


async def purge_live_events(
    *, retention: timedelta, events: EventPurge, clock: Clock, chunk: int = _CHUNK
) -> int:
    """Delete events older than `retention`, in short transactions; answers how many.

    Who asks for them later is told to read the job, or the list, anew.
    """
    before = clock.now() - retention
    purged = 0
    while deleted := await events.purge(before=before, limit=chunk):
        purged += deleted
    return purged


def _events_of(change: Change) -> list[JobEvent]:
    """In the order in which they are told; the job counts them."""
    job, events = change.job, list[JobEvent]()
    for done in change.done:
        events.append(
            StepCompleted(
                job_id=job.id,
                step_id=done.step_id,
                step_type=done.step_type,
                result_asset_id=done.result_asset_id,
                seq=_next(job),
            )
        )
    if job.face != change.before:
        events.append(
            JobProgress(
                job_id=job.id,
                progress=job.progress,
                current_step=job.current_step,
                status=str(job.status),
                seq=_next(job),
            )
        )
    if _has_new_status(change):
        match job.status:
            case JobStatus.SUCCEEDED:
                events.append(JobCompleted(job_id=job.id, seq=_next(job)))
            case JobStatus.FAILED | JobStatus.EXPIRED:
                events.append(
                    JobFailed(
                        job_id=job.id,
                        error_code=job.error_code or str(job.status),
                        error_message=job.error_message or "",
                        seq=_next(job),
                    )
                )
    return events


def _has_new_status(change: Change) -> bool:
    return change.before is None or change.before.status != change.job.status


def _next(job: Job) -> int:
    job.seq += 1
    return job.seq
