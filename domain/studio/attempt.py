"""One try at a job with one provider, written down before the provider is called.

planned → submitting → active → succeeded | failed. A call whose answer was lost is `unknown`: it
may run, so we wait for its callback, and after a while give it up for another attempt. What we no
longer wait for is `abandoned`; should it show up it is cancelled, or used if nothing better came.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.studio.job import JobKind

MAX_ATTEMPTS = 3
"""Per round, across providers."""
UNKNOWN_WAIT = timedelta(minutes=3)
"""How long a callback may take to clear up a call whose answer was lost."""
CHECK_EVERY: dict[JobKind, timedelta] = {
    JobKind.GENERATION: timedelta(seconds=15),
    JobKind.TRAINING: timedelta(seconds=60),
}
"""How often a provider is asked about work that it has not called back about."""
_FIRST_CEILING_S = 4.0
_LONGEST_CEILING_S = 60.0


class AttemptStatus(StrEnum):
    PLANNED = "planned"
    SUBMITTING = "submitting"
    UNKNOWN = "unknown"
    ACTIVE = "active"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABANDONED = "abandoned"


@dataclass(eq=False, kw_only=True)
class Attempt:
    """`asset_ids` are set aside when it succeeds, so that ingesting twice writes the same."""

    id: UUID
    job_id: UUID
    round: int
    number: int
    status: AttemptStatus = AttemptStatus.PLANNED
    provider: str | None = None
    request_id: str | None = None
    created_at: datetime
    submitted_at: datetime | None = None
    next_check_at: datetime | None = None
    output_urls: tuple[str, ...] = ()
    weights_url: str | None = None
    seed: int | None = None
    asset_ids: tuple[UUID, ...] = ()
    error_code: str | None = None
    error_message: str | None = None

    @property
    def may_be_running(self) -> bool:
        """Whether the provider might still be at work on it, and could be asked to stop."""
        return self.request_id is not None and self.status in {
            AttemptStatus.ACTIVE,
            AttemptStatus.ABANDONED,
        }

    @property
    def has_ended(self) -> bool:
        return self.status in {AttemptStatus.SUCCEEDED, AttemptStatus.FAILED}

    def begin(self, provider: str, *, at: datetime) -> None:
        if self.status is not AttemptStatus.PLANNED:
            raise ValueError(f"an attempt that is {self.status} is not begun again")
        self.status = AttemptStatus.SUBMITTING
        self.provider = provider
        self.submitted_at = at
        self.next_check_at = at + UNKNOWN_WAIT

    def lose_answer(self) -> None:
        """The call was sent, and nothing came back."""
        if self.status is AttemptStatus.SUBMITTING:
            self.status = AttemptStatus.UNKNOWN

    def acknowledge(self, request_id: str) -> None:
        """The provider's name for it. The first one counts."""
        if self.request_id is None:
            self.request_id = request_id

    def stay_active(self, kind: JobKind, *, at: datetime) -> None:
        """It is known to be under way: look again later."""
        self.status = AttemptStatus.ACTIVE
        self.next_check_at = at + CHECK_EVERY[kind]

    def succeed(
        self,
        *,
        output_urls: tuple[str, ...],
        weights_url: str | None,
        seed: int | None,
        asset_ids: tuple[UUID, ...],
    ) -> None:
        self.status = AttemptStatus.SUCCEEDED
        self.next_check_at = None
        self.output_urls, self.weights_url = output_urls, weights_url
        self.seed, self.asset_ids = seed, asset_ids

    def fail(self, code: str, message: str) -> None:
        self.status = AttemptStatus.FAILED
        self.next_check_at = None
        self.error_code, self.error_message = code, message

    def abandon(self) -> None:
        if not self.has_ended:
            self.status = AttemptStatus.ABANDONED
            self.next_check_at = None


def attempts_left(attempts: Sequence[Attempt], *, round_number: int) -> int:
    return MAX_ATTEMPTS - sum(1 for attempt in attempts if attempt.round == round_number)


def retry_delay(number: int, *, fraction: float, retry_after_s: float | None = None) -> timedelta:
    """The wait after the `number`-th attempt: full jitter below a doubling ceiling (4 s, 8 s, …,
    60 s), where `fraction` is a random number from 0 to 1, and never less than asked for."""
    ceiling_s = min(_FIRST_CEILING_S * 2 ** (number - 1), _LONGEST_CEILING_S)
    return timedelta(seconds=max(ceiling_s * fraction, retry_after_s or 0.0))
