"""A piece of work in steps, from acceptance to its end.

`TRANSITIONS` is the whole of its life. What has ended stays as it ended, whatever a late callback
says; only its owner may start it again. Of several pieces some may be missing: then it has
succeeded in part. Progress is a percentage over all steps and never falls within a round.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.shared.errors import Conflict
from domain.studio.pipelines import LIFETIME, JobKind, StepType, pipeline_of


class JobStatus(StrEnum):
    """Accepted, moderated and reserved are passed within the request; a job waits for its turn in
    the last of them. Queued: an engine has it, or is about to. Ingesting: all engines are done."""

    ACCEPTED = "accepted"
    MODERATED = "moderated"
    RESERVED = "reserved"
    QUEUED = "queued"
    RUNNING = "running"
    INGESTING = "ingesting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


_BROKEN_OFF = frozenset({JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.EXPIRED})

OPEN = (
    JobStatus.ACCEPTED,
    JobStatus.MODERATED,
    JobStatus.RESERVED,
    JobStatus.QUEUED,
    JobStatus.RUNNING,
    JobStatus.INGESTING,
)
"""In the order in which they are passed."""

TRANSITIONS: Mapping[JobStatus, frozenset[JobStatus]] = {
    **{status: frozenset(OPEN[OPEN.index(status) + 1 :]) | _BROKEN_OFF for status in OPEN},
    JobStatus.INGESTING: frozenset({JobStatus.RUNNING, JobStatus.SUCCEEDED}) | _BROKEN_OFF,
    JobStatus.SUCCEEDED: frozenset({JobStatus.ACCEPTED}),
    **{status: frozenset({JobStatus.ACCEPTED}) for status in _BROKEN_OFF},
}
"""From where to where: forward, over what its kind does not need or nobody told us of; out of any
of them to its end; and back to the beginning when its owner starts it again, out of success only
where pieces are missing. Only an output that turns out to be no good leads back, from ingesting to
running."""

STARTED = (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.INGESTING)
"""What counts against how much a user may have under way at a time."""
RETRYABLE = _BROKEN_OFF


class JobEnded(Conflict):
    """The job has ended, and stays as it ended."""

    code = "job_ended"


class JobNotRetryable(Conflict):
    """Only what has failed, expired or been cancelled, or lacks a piece, is started again."""

    code = "job_not_retryable"


class JobOpen(Conflict):
    """The job is still under way: cancel it first."""

    code = "job_open"


@dataclass(frozen=True, slots=True)
class Face:
    """What others see of a job; a change of it is an event."""

    status: JobStatus
    progress: int
    current_step: str


@dataclass(eq=False, kw_only=True)
class Job:
    """`round` counts how often its owner started it; `seq` counts its events.

    `priority` and `concurrency` are those of its owner's plan when it was last started: who goes
    first, and how many jobs of this owner may be under way at a time. `partial`: it has succeeded
    with some of its pieces, and the others could not be made."""

    id: UUID
    kind: JobKind
    owner_id: UUID
    status: JobStatus = JobStatus.ACCEPTED
    progress: int = 0
    current_step: str
    seq: int = 0
    round: int = 1
    priority: int = 0
    concurrency: int = 1
    partial: bool = False
    error_code: str | None = None
    error_message: str | None = None
    created_at: datetime
    expires_at: datetime
    finished_at: datetime | None = None
    version: int = 1

    @classmethod
    def accepted(
        cls,
        *,
        job_id: UUID,
        kind: JobKind,
        owner_id: UUID,
        at: datetime,
        first: StepType | None = None,
    ) -> "Job":
        """`first` is the step that it begins with, where that is not the usual one."""
        return cls(
            id=job_id,
            kind=kind,
            owner_id=owner_id,
            current_step=first or pipeline_of(kind)[0].type,
            created_at=at,
            expires_at=at + LIFETIME[kind],
        )

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def awaits_engines(self) -> bool:
        return self.is_open and self.status is not JobStatus.INGESTING

    @property
    def is_started(self) -> bool:
        return self.status in STARTED

    @property
    def face(self) -> Face:
        return Face(self.status, self.progress, self.current_step)

    def reach(self, status: JobStatus) -> None:
        """Go on to a later open status. What is there already, or further on, stays."""
        if self.is_open and OPEN.index(status) > OPEN.index(self.status):
            self._become(status)

    def show(self, *, progress: int, current_step: StepType) -> None:
        """Take over how far its steps are; it is complete only when it has succeeded."""
        if self.is_open:
            self.progress = max(self.progress, min(progress, 99))
            self.current_step = current_step

    def resume_engines(self) -> None:
        """What was brought home is no good: back to waiting for another attempt."""
        if self.status is JobStatus.INGESTING:
            self._become(JobStatus.RUNNING)

    def succeed(self, *, at: datetime, partial: bool = False) -> None:
        self._end(JobStatus.SUCCEEDED, at)
        self.progress, self.partial = 100, partial

    def fail(self, code: str, message: str, *, at: datetime) -> None:
        self._end(JobStatus.FAILED, at)
        self.error_code, self.error_message = code, message

    def expire(self, *, at: datetime) -> None:
        self._end(JobStatus.EXPIRED, at)
        self.error_code, self.error_message = "expired", "It took too long and was given up."

    def cancel(self, *, at: datetime) -> None:
        """Cancelling twice is fine. Raises JobEnded."""
        if self.status is not JobStatus.CANCELLED:
            self._end(JobStatus.CANCELLED, at)

    def require_retryable(self) -> None:
        """Raises JobNotRetryable."""
        if self.status not in RETRYABLE and not self.partial:
            raise JobNotRetryable(
                "Only what has failed, expired, been cancelled or lacks a piece can be retried.",
                status=str(self.status),
            )

    def start_again(self, *, at: datetime) -> None:
        """A new round with attempts of its own. Raises JobNotRetryable."""
        self.require_retryable()
        self._become(JobStatus.ACCEPTED)
        self.partial, self.progress = False, min(self.progress, 99)
        self.round += 1
        self.error_code = self.error_message = self.finished_at = None
        self.expires_at = at + LIFETIME[self.kind]

    def _end(self, status: JobStatus, at: datetime) -> None:
        if not self.is_open:
            raise JobEnded("It has ended already.", status=str(self.status))
        self._become(status)
        self.finished_at = at

    def _become(self, status: JobStatus) -> None:
        if status not in TRANSITIONS[self.status]:
            raise ValueError(f"a job that is {self.status} does not become {status}")
        self.status = status
