"""One try at a step with one engine, written down before its provider is called.

planned → submitting → active → succeeded | failed. A call whose answer was lost is `unknown`: it
may run, so it is looked for at the provider, or its callback is waited for. What we no longer wait
for is `abandoned`; should it show up it is cancelled, or used if nothing better came.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.studio.failures import FailureClass
from domain.studio.pipelines import StepType

MAX_ATTEMPTS = 3
"""Per step and round, across providers."""
SEND_WITHIN = timedelta(seconds=20)
"""Whoever has not sent it by then leaves it: somebody may be looking for it already."""
LOOK_AFTER = timedelta(seconds=90)
"""When a call whose answer we do not have is surely over, so that its job can be looked for."""
UNKNOWN_WAIT: Mapping[StepType, timedelta] = {
    StepType.TRAINING: timedelta(hours=2),
    StepType.IMAGE_GENERATION: timedelta(minutes=10),
    StepType.UPSCALING: timedelta(minutes=10),
    StepType.SPEECH_SYNTHESIS: LOOK_AFTER,
    StepType.VIDEO_SYNTHESIS: timedelta(minutes=30),
    StepType.MOTION_TRANSFER: timedelta(minutes=30),
    StepType.MODEL_3D: timedelta(minutes=15),
}
"""How long a callback may take to clear up a call whose answer was lost, where nobody can be asked:
it comes when the work is done. Speech comes in the answer itself, and calls nobody back."""
CHECK_EVERY: Mapping[StepType, timedelta] = {
    StepType.TRAINING: timedelta(seconds=60),
    StepType.IMAGE_GENERATION: timedelta(seconds=15),
    StepType.UPSCALING: timedelta(seconds=15),
    StepType.SPEECH_SYNTHESIS: timedelta(seconds=15),
    StepType.VIDEO_SYNTHESIS: timedelta(seconds=30),
    StepType.MOTION_TRANSFER: timedelta(seconds=30),
    StepType.MODEL_3D: timedelta(seconds=15),
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


IN_FLIGHT = (
    AttemptStatus.PLANNED,
    AttemptStatus.SUBMITTING,
    AttemptStatus.UNKNOWN,
    AttemptStatus.ACTIVE,
)
"""What holds a place at its provider."""


@dataclass(frozen=True, slots=True)
class AttemptOutput:
    """What an engine made: at an address of its own, or, where it came in the answer, already in
    our storage. `flagged`: the provider itself thinks it unsafe."""

    url: str | None = None
    key: str | None = None
    content_type: str | None = None
    flagged: bool = False


@dataclass(eq=False, kw_only=True)
class Attempt:
    """`input_hash` is that of the step when it was planned: what comes of another input is not
    what the step is about any more."""

    id: UUID
    job_id: UUID
    step_id: UUID
    round: int
    number: int
    status: AttemptStatus = AttemptStatus.PLANNED
    provider: str
    model: str
    input_hash: str
    request_id: str | None = None
    created_at: datetime
    submitted_at: datetime | None = None
    next_check_at: datetime | None = None
    outputs: tuple[AttemptOutput, ...] = ()
    seed: int | None = None
    billed_units: float | None = None
    error_code: str | None = None
    error_message: str | None = None
    failure: FailureClass | None = None

    @property
    def may_be_running(self) -> bool:
        """Whether the provider might still be at work on it, and could be asked to stop."""
        return self.request_id is not None and self.status in {
            AttemptStatus.ACTIVE,
            AttemptStatus.ABANDONED,
        }

    @property
    def is_planned(self) -> bool:
        return self.status is AttemptStatus.PLANNED

    @property
    def is_unanswered(self) -> bool:
        """Whether it was, or may have been, sent, and nobody told us that it was taken."""
        return self.status in {AttemptStatus.SUBMITTING, AttemptStatus.UNKNOWN}

    @property
    def has_ended(self) -> bool:
        return self.status in {AttemptStatus.SUCCEEDED, AttemptStatus.FAILED}

    @property
    def is_in_flight(self) -> bool:
        return self.status in IN_FLIGHT

    def begin(self, *, at: datetime) -> None:
        if self.status is not AttemptStatus.PLANNED:
            raise ValueError(f"an attempt that is {self.status} is not begun again")
        self.status = AttemptStatus.SUBMITTING
        self.submitted_at = at
        self.next_check_at = at + LOOK_AFTER

    def lose_answer(self) -> None:
        """The call was sent, and nothing came back."""
        if self.status is AttemptStatus.SUBMITTING:
            self.status = AttemptStatus.UNKNOWN

    def acknowledge(self, request_id: str) -> None:
        """The provider's name for it. The first one counts."""
        if self.request_id is None:
            self.request_id = request_id

    def stay_active(self, step: StepType, *, at: datetime) -> None:
        """It is known to be under way: look again later."""
        self.status = AttemptStatus.ACTIVE
        self.next_check_at = at + CHECK_EVERY[step]

    def succeed(
        self,
        outputs: Sequence[AttemptOutput],
        *,
        seed: int | None = None,
        billed_units: float | None = None,
    ) -> None:
        self.status = AttemptStatus.SUCCEEDED
        self.next_check_at = None
        self.outputs = tuple(outputs)
        self.seed, self.billed_units = seed, billed_units

    def fail(self, code: str, message: str, failure: FailureClass) -> None:
        self.status = AttemptStatus.FAILED
        self.next_check_at = None
        self.error_code, self.error_message, self.failure = code, message, failure

    def forget(self) -> None:
        """What it made has been erased."""
        self.outputs = ()

    def abandon(self) -> None:
        if not self.has_ended:
            self.status = AttemptStatus.ABANDONED
            self.next_check_at = None


def attempts_left(attempts: Sequence[Attempt], *, round_number: int) -> int:
    """How often a step may still be tried in this round, given its attempts."""
    return MAX_ATTEMPTS - sum(1 for attempt in attempts if attempt.round == round_number)


def retry_delay(number: int, *, fraction: float, retry_after_s: float | None = None) -> timedelta:
    """The wait after the `number`-th attempt: full jitter below a doubling ceiling (4 s, 8 s, …,
    60 s), where `fraction` is a random number from 0 to 1, and never less than asked for."""
    ceiling_s = min(_FIRST_CEILING_S * 2 ** (number - 1), _LONGEST_CEILING_S)
    return timedelta(seconds=max(ceiling_s * fraction, retry_after_s or 0.0))
