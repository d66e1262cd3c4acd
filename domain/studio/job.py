"""A piece of work that a provider does for us, from acceptance to its end.

Status only moves forward: accepted → queued → running → ingesting → succeeded, or out of any of
these to failed, cancelled or expired. What has ended stays as it ended, whatever a late callback
says; only its owner may start it again. Progress is a percentage over all steps and never falls.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.shared.errors import Conflict


class JobKind(StrEnum):
    GENERATION = "generation"
    TRAINING = "training"


class JobStatus(StrEnum):
    ACCEPTED = "accepted"
    QUEUED = "queued"
    RUNNING = "running"
    INGESTING = "ingesting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


OPEN = (JobStatus.ACCEPTED, JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.INGESTING)
RETRYABLE = frozenset({JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.EXPIRED})


class JobEnded(Conflict):
    """The job has ended, and stays as it ended."""

    code = "job_ended"


class JobNotRetryable(Conflict):
    """Only what has failed, expired or been cancelled is started again."""

    code = "job_not_retryable"


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the work and the percentages of the whole that it spans."""

    name: str
    begins: int
    ends: int


_STEPS: dict[JobKind, tuple[Step, Step]] = {
    JobKind.GENERATION: (Step("image_generation", 0, 85), Step("post_processing", 85, 100)),
    JobKind.TRAINING: (Step("training", 0, 95), Step("storing", 95, 100)),
}
LIFETIME: dict[JobKind, timedelta] = {
    JobKind.GENERATION: timedelta(hours=1),
    JobKind.TRAINING: timedelta(hours=12),
}
"""What has not ended by then has expired."""


@dataclass(frozen=True, slots=True)
class Face:
    """What others see of a job; a change of it is an event."""

    status: JobStatus
    progress: int
    current_step: str


@dataclass(eq=False, kw_only=True)
class Job:
    """`round` counts how often its owner started it; `seq` counts its events."""

    id: UUID
    kind: JobKind
    owner_id: UUID
    status: JobStatus = JobStatus.ACCEPTED
    progress: int = 0
    current_step: str
    seq: int = 0
    round: int = 1
    error_code: str | None = None
    error_message: str | None = None
    created_at: datetime
    expires_at: datetime
    finished_at: datetime | None = None
    version: int = 1

    @classmethod
    def accepted(cls, *, job_id: UUID, kind: JobKind, owner_id: UUID, at: datetime) -> "Job":
        return cls(
            id=job_id,
            kind=kind,
            owner_id=owner_id,
            current_step=_STEPS[kind][0].name,
            created_at=at,
            expires_at=at + LIFETIME[kind],
        )

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def awaits_provider(self) -> bool:
        return self.is_open and self.status is not JobStatus.INGESTING

    @property
    def face(self) -> Face:
        return Face(self.status, self.progress, self.current_step)

    def report(self, status: JobStatus, *, percent: int) -> None:
        """Take over where the provider is: queued or running, `percent` of its part done."""
        if not self.awaits_provider:
            return
        work, _ = _STEPS[self.kind]
        self._forward(status)
        done = work.begins + (work.ends - work.begins) * min(max(percent, 0), 99) // 100
        self.progress = max(self.progress, done)

    def begin_ingesting(self) -> None:
        """The provider is done; what it made is being brought home."""
        _, storing = _STEPS[self.kind]
        self._forward(JobStatus.INGESTING)
        self.current_step = storing.name
        self.progress = max(self.progress, storing.begins)

    def resume_provider(self) -> None:
        """What was brought home is no good: back to waiting for another attempt."""
        if self.status is JobStatus.INGESTING:
            self.status = JobStatus.RUNNING
            self.current_step = _STEPS[self.kind][0].name

    def succeed(self, *, at: datetime) -> None:
        self._end(JobStatus.SUCCEEDED, at)
        self.progress = 100

    def fail(self, code: str, message: str, *, at: datetime) -> None:
        self._end(JobStatus.FAILED, at)
        self.error_code, self.error_message = code, message

    def expire(self, *, at: datetime) -> None:
        self._end(JobStatus.EXPIRED, at)
        self.error_code, self.error_message = "expired", "It took too long and was given up."

    def cancel(self, *, at: datetime) -> None:
        """Cancelling twice is fine. Raises JobEnded."""
        if self.status is JobStatus.CANCELLED:
            return
        self._end(JobStatus.CANCELLED, at)

    def start_again(self, *, at: datetime) -> None:
        """A new round with attempts of its own. Raises JobNotRetryable."""
        if self.status not in RETRYABLE:
            raise JobNotRetryable(
                "Only what has failed, expired or been cancelled can be retried.",
                status=str(self.status),
            )
        self.status = JobStatus.ACCEPTED
        self.current_step = _STEPS[self.kind][0].name
        self.round += 1
        self.error_code = self.error_message = self.finished_at = None
        self.expires_at = at + LIFETIME[self.kind]

    def _forward(self, status: JobStatus) -> None:
        if OPEN.index(status) > OPEN.index(self.status):
            self.status = status

    def _end(self, status: JobStatus, at: datetime) -> None:
        if not self.is_open:
            raise JobEnded("It has ended already.", status=str(self.status))
        self.status = status
        self.finished_at = at
