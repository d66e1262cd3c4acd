"""One step of a job: what it works from, how far it is, and what it has made.

waiting → ready (asks for its turn) → running → ingesting → succeeded, or out of any of these to
failed or cancelled. A step is known by the hash of its input: a finished one whose input is still
the same is kept when the job is started again, and nobody pays for it twice.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.studio.pipelines import LOCAL, SHARED, PlannedStep, StepType
from domain.studio.prices import settled_price


class StepStatus(StrEnum):
    """Waiting: for the stage before. Ready: for a place at an engine. Running: an attempt has the
    place, or our own work is under way. Ingesting: what was made is being brought home."""

    WAITING = "waiting"
    READY = "ready"
    RUNNING = "running"
    INGESTING = "ingesting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


STEP_TRANSITIONS: Mapping[StepStatus, frozenset[StepStatus]] = {
    StepStatus.WAITING: frozenset(
        {StepStatus.READY, StepStatus.RUNNING, StepStatus.FAILED, StepStatus.CANCELLED}
    ),
    StepStatus.READY: frozenset(
        {StepStatus.RUNNING, StepStatus.INGESTING, StepStatus.FAILED, StepStatus.CANCELLED}
    ),
    StepStatus.RUNNING: frozenset(
        {
            StepStatus.READY,
            StepStatus.INGESTING,
            StepStatus.SUCCEEDED,
            StepStatus.FAILED,
            StepStatus.CANCELLED,
        }
    ),
    StepStatus.INGESTING: frozenset(
        {StepStatus.READY, StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.CANCELLED}
    ),
    StepStatus.SUCCEEDED: frozenset({StepStatus.WAITING}),
    StepStatus.FAILED: frozenset({StepStatus.WAITING, StepStatus.SUCCEEDED}),
    StepStatus.CANCELLED: frozenset({StepStatus.WAITING, StepStatus.SUCCEEDED}),
}
"""From where to where. Back to waiting leads a new round, when the input is another or nothing was
made. What arrives after a step was given up still counts as made: it was paid for."""


WORK_LIFE = timedelta(days=30)
"""How long what the steps of a job have made is kept for it to be started again, where it was
broken off or lacks a piece."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """Something that a step has made, in our storage. `flagged`: its maker thinks it unsafe.
    `asset_id` is set aside for the asset that it is to become, so that finishing it twice writes
    the same; what lasts has a `duration_ms`."""

    key: str
    content_type: str
    size_bytes: int
    sha256: str
    flagged: bool = False
    asset_id: UUID | None = None
    duration_ms: int | None = None


@dataclass(eq=False, kw_only=True)
class Step:
    """`request` is what kind of engine it needs; a step of our own work has none.

    `result_ids` are the assets that came of it. `credits` is the most that it may cost, or what it
    has cost; it is `charged` to its owner once, whatever is retried."""

    id: UUID
    job_id: UUID
    position: int
    stage: int
    lane: int
    type: StepType
    request: str | None
    status: StepStatus = StepStatus.WAITING
    progress: int = 0
    input_hash: str | None = None
    results: tuple[StepResult, ...] = ()
    result_ids: tuple[UUID, ...] = ()
    ready_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error_code: str | None = None
    credits: int = 0
    charged: bool = False

    @property
    def is_local(self) -> bool:
        return self.type in LOCAL

    @property
    def is_done(self) -> bool:
        return self.status is StepStatus.SUCCEEDED

    @property
    def is_good(self) -> bool:
        """It has made something that can be used."""
        return self.is_done and self.input_hash is not None

    @property
    def is_lost(self) -> bool:
        """Nothing will come of it in this round."""
        return self.status in {StepStatus.FAILED, StepStatus.CANCELLED}

    @property
    def is_shared(self) -> bool:
        """Done once for all pieces, whatever its lane."""
        return self.type in SHARED

    @property
    def is_under_way(self) -> bool:
        return self.status in {StepStatus.READY, StepStatus.RUNNING}

    def open(self, input_hash: str, *, at: datetime) -> bool:
        """Its stage begins. False when what it made before is still good."""
        if self.is_done and self.input_hash == input_hash:
            return False
        if self.status is not StepStatus.WAITING:
            self._become(StepStatus.WAITING)
        self.results, self.result_ids, self.error_code = (), (), None
        self.progress, self.finished_at, self.started_at = 0, None, None
        self.charged = False
        self.input_hash = input_hash
        if self.is_local:
            self._become(StepStatus.RUNNING)
            self.started_at = at
        else:
            self.ask_for_turn(at)
        return True

    def ask_for_turn(self, due_at: datetime) -> None:
        """Wait for a place at an engine, from `due_at` on."""
        self._become(StepStatus.READY)
        self.ready_at = due_at

    def take_turn(self, *, at: datetime) -> None:
        self._become(StepStatus.RUNNING)
        self.ready_at = None
        self.started_at = self.started_at or at

    def report(self, percent: int) -> None:
        """How far an engine says it is; it never falls within a round."""
        if self.status is StepStatus.READY:  # an attempt that had been given up is at work again
            self._become(StepStatus.RUNNING)
            self.ready_at = None
        if self.status is StepStatus.RUNNING:
            self.progress = max(self.progress, min(max(percent, 0), 99))

    def begin_ingesting(self) -> None:
        self._become(StepStatus.INGESTING)
        self.ready_at, self.progress = None, 100

    def succeed(self, results: Sequence[StepResult], *, at: datetime) -> None:
        self._become(StepStatus.SUCCEEDED)
        self.results, self.progress = tuple(results), 100
        self.finished_at, self.error_code = at, None

    def fail(self, code: str, *, at: datetime) -> None:
        self._become(StepStatus.FAILED)
        self.error_code, self.finished_at, self.ready_at = code, at, None

    def age(self, *, at: datetime) -> None:
        """What it made long ago may have been erased: it is made anew."""
        if self.finished_at is not None and at - self.finished_at >= WORK_LIFE:
            self.input_hash = None

    def discard(self, code: str) -> None:
        """What it has made is no good: it is made anew when the job is started again."""
        self.input_hash, self.error_code = None, code

    def wait_again(self) -> None:
        """A new round: what was lost may be tried again."""
        if self.is_lost:
            self._become(StepStatus.WAITING)
            self.finished_at, self.progress = None, 0

    def forget(self) -> None:
        """What it made is being erased."""
        self.results, self.input_hash = (), None

    def give_up(self, *, at: datetime) -> None:
        """Its job has ended without it. What is done stays done."""
        if self.status in {StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.CANCELLED}:
            return
        self._become(StepStatus.CANCELLED)
        self.finished_at, self.ready_at = at, None

    def _become(self, status: StepStatus) -> None:
        if status not in STEP_TRANSITIONS[self.status]:
            raise ValueError(f"a step that is {self.status} does not become {status}")
        self.status = status


def new_step(
    planned: PlannedStep, *, step_id: UUID, job_id: UUID, position: int, request: str | None
) -> Step:
    return Step(
        id=step_id,
        job_id=job_id,
        position=position,
        stage=planned.stage,
        lane=planned.lane,
        type=planned.type,
        request=request,
    )


def hash_of(facts: Mapping[str, object]) -> str:
    """The same facts have the same hash, in whatever order they are named."""
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def made_before(steps: Sequence[Step], step: Step, kind: StepType) -> Step | None:
    """The step of an earlier stage whose results this one works from: of its own lane, or of the
    one lane that all share."""
    earlier = [one for one in steps if one.stage < step.stage and one.type is kind]
    own = [one for one in earlier if one.lane == step.lane]
    return (own or earlier)[-1] if earlier else None


def current_of(steps: Sequence[Step]) -> Step:
    """The first that is neither done nor lost, or the last."""
    ordered = sorted(steps, key=lambda step: step.position)
    return next((step for step in ordered if not (step.is_done or step.is_lost)), ordered[-1])


def lane_of(step: Step, steps: Sequence[Step]) -> list[Step]:
    """The steps of the same piece alone."""
    return [one for one in steps if one.lane == step.lane and not one.is_shared]


def may_do_without(step: Step, steps: Sequence[Step]) -> bool:
    """Whether something can be delivered though this step is lost: another piece."""
    if step.is_shared:
        return False
    lost = {one.lane for one in steps if one.is_lost and not one.is_shared} | {step.lane}
    return any(one.lane not in lost for one in steps if not one.is_shared)


def price_to_hold(steps: Sequence[Step]) -> int:
    """The most that a round of these steps may cost: what is kept and charged costs no more."""
    return sum(step.credits for step in steps if not (step.is_good and step.charged))


def charge_done(
    steps: Sequence[Step], *, lanes: Collection[int] | None = None, table_version: int
) -> int:
    """The price of what was done and not charged yet; from now on it is. With `lanes` only of what
    went into those pieces."""
    due = [
        step
        for step in steps
        if step.is_good
        and not step.charged
        and (lanes is None or step.is_shared or step.lane in lanes)
    ]
    for step in due:
        step.credits = _cost_of(step, table_version=table_version)
        step.charged = True
    return sum(step.credits for step in due)


def _cost_of(step: Step, *, table_version: int) -> int:
    """What lasts is paid by how long it is; never more than was held."""
    lasted = [one.duration_ms for one in step.results if one.duration_ms is not None]
    if not lasted:
        return step.credits
    return settled_price(
        step.type,
        held=step.credits,
        units=-(-sum(lasted) // 1000),
        table_version=table_version,
    )
