"""What happens to a job and its steps, whoever tells of it; saved with the events that tell of it.

The lock of a job is taken first and guards all its steps and attempts. A `Case` is everything of
one job that is loaded under that lock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from application.ports.ids import Ids
from application.ports.live import LiveEvents
from application.ports.media import ERASE_BYTES, EraseBytes
from application.ports.unit_of_work import UnitOfWork
from application.studio.credits import release_credits, settle_credits
from application.studio.telling import Change, DoneStep, commit_and_tell
from application.studio.workshop import (
    CANCEL_ATTEMPT,
    GIVE_TURNS,
    RUN_STEP,
    AttemptMessage,
    StepMessage,
    TurnsMessage,
)
from domain.creators.likeness_model import LikenessModel
from domain.shared.errors import NotFound
from domain.studio.attempt import Attempt, AttemptStatus, attempts_left, retry_delay
from domain.studio.failures import NOBODY_GOES_ON, FailureClass, failure_message
from domain.studio.generation import Generation, Mode, request_of
from domain.studio.inputs import final_steps, input_hash
from domain.studio.job import Face, Job, JobNotRetryable, JobStatus
from domain.studio.pipelines import JobKind, overall_progress, pipeline_of
from domain.studio.step import (
    WORK_LIFE,
    Step,
    StepResult,
    StepStatus,
    charge_done,
    current_of,
    lane_of,
    may_do_without,
    new_step,
)

Subject = Generation | LikenessModel
"""What a job is about: its generation, or the model that it trains."""

_DICE_SIDES = 1 << 32
_AT_WORK = {StepStatus.READY, StepStatus.RUNNING, StepStatus.INGESTING}


@dataclass(kw_only=True)
class Case:
    job: Job
    steps: list[Step]
    attempts: list[Attempt]
    before: Face | None
    done: list[DoneStep] = field(default_factory=list)
    goes_on: bool = False
    """A piece was lost, and the others are to be carried on with."""

    def step_of(self, attempt: Attempt) -> Step:
        return next(step for step in self.steps if step.id == attempt.step_id)

    def complete(
        self,
        step: Step,
        results: Sequence[StepResult],
        *,
        at: datetime,
        assets: Sequence[UUID] = (),
    ) -> None:
        """The step has made something; that is told with the commit, unless the job has ended: then
        it was the last that is told, and what comes late is kept hidden."""
        step.succeed(results, at=at)
        if self.job.is_open:
            first = next(iter(assets), None)
            self.done.append(DoneStep(step_id=step.id, step_type=step.type, result_asset_id=first))

    def start_again(self, *, at: datetime) -> None:
        """What lacks a piece only while what the others were made of is kept. Raises
        JobNotRetryable."""
        ended = self.job.finished_at
        if self.job.partial and ended is not None and at - ended >= WORK_LIFE:
            raise JobNotRetryable("What it was made of is not kept any more: ask for it anew.")
        self.job.start_again(at=at)
        for step in self.steps:
            step.age(at=at)
            step.wait_again()

    @property
    def delivered(self) -> list[Step]:
        """The last steps of the pieces that there are."""
        return [step for step in final_steps(self.steps) if step.is_good]

    @property
    def is_partial(self) -> bool:
        return len(self.delivered) < len(final_steps(self.steps))

    @property
    def may_still_come(self) -> bool:
        """Whether an attempt may be running at its provider, or its success is on its way home."""
        if any(one.is_in_flight for one in self.attempts):
            return True
        if self.job.kind is JobKind.TRAINING or self.job.status is JobStatus.SUCCEEDED:
            return False
        return any(
            one.status is AttemptStatus.SUCCEEDED
            and not (step := self.step_of(one)).is_done
            and one.input_hash == step.input_hash
            for one in self.attempts
        )

    def in_flight(self, step: Step, *, but: Attempt | None = None) -> list[Attempt]:
        """Attempts of the step that hold a place at a provider."""
        return [
            one
            for one in self.attempts
            if one.step_id == step.id and one.is_in_flight and one is not but
        ]


async def locked_case(uow: UnitOfWork, job_id: UUID) -> Case:
    job = await uow.jobs.get(job_id, lock=True)
    steps = await uow.steps.of_job(job_id)
    attempts = await uow.attempts.of_job(job_id)
    return Case(job=job, steps=steps, attempts=attempts, before=job.face)


async def case_of(uow: UnitOfWork, attempt_id: UUID) -> tuple[Case, Attempt]:
    """The attempt, and the case that it belongs to. Raises NotFound."""
    job_id = (await uow.attempts.get(attempt_id)).job_id
    case = await locked_case(uow, job_id)
    found = next((one for one in case.attempts if one.id == attempt_id), None)
    if found is None:
        raise NotFound("attempt", attempt_id)
    return case, found


async def subject_of(uow: UnitOfWork, job: Job) -> Subject:
    """What the job is about."""
    if job.kind is JobKind.TRAINING:
        return await uow.models.get(job.id)
    return await uow.generations.get(job.id)


def new_case(subject: Subject, *, owner_id: UUID, ids: Ids, at: datetime) -> Case:
    """A job about `subject`, with the steps of its kind; kept and begun by `begin`."""
    if isinstance(subject, Generation):
        kind, planned, mode = subject.kind, subject.plan, subject.mode
        invented = subject.is_invented
    else:
        kind, planned, mode = JobKind.TRAINING, pipeline_of(JobKind.TRAINING), Mode.TEXT
        invented = False
    job = Job.accepted(
        job_id=subject.id, kind=kind, owner_id=owner_id, at=at, first=planned[0].type
    )
    steps = [
        new_step(
            one,
            step_id=ids.new(),
            job_id=job.id,
            position=position,
            request=request_of(one.type, kind=kind, mode=mode, invented=invented),
        )
        for position, one in enumerate(planned)
    ]
    return Case(job=job, steps=steps, attempts=[], before=None)


def begin(uow: UnitOfWork, case: Case, subject: Subject, *, at: datetime) -> None:
    """Keep what is new, as it is when its price is held: each row is written once."""
    uow.jobs.add(case.job)
    for step in case.steps:
        uow.steps.add(step)
    carry_on(uow, case, subject, at=at)


def carry_on(uow: UnitOfWork, case: Case, subject: Subject, *, at: datetime) -> None:
    """Begin the first stage that is not done, unless it is under way; pieces that were lost are
    left out. A finished step whose input is still the same stays finished. Where nothing is left
    to begin, the job has succeeded with the pieces that there are."""
    for stage in sorted({step.stage for step in case.steps}):
        steps = [step for step in case.steps if step.stage == stage and not step.is_lost]
        if any(step.status in _AT_WORK for step in steps):
            return
        opened = [step for step in steps if step.open(input_hash(step, subject, case.steps), at=at)]
        for step in opened:
            if step.is_local:
                key = f"{step.id}/{case.job.round}"
                uow.outbox.add(RUN_STEP, StepMessage(step.id), key=key)
        if any(not step.is_local for step in opened):
            uow.outbox.add(GIVE_TURNS, TurnsMessage())
        if opened:
            break
    else:
        case.job.reach(JobStatus.INGESTING)
        case.job.succeed(at=at, partial=case.is_partial)
    reflect(case)


def reflect(case: Case) -> None:
    """Show in the job how far its steps are."""
    engines = [step for step in case.steps if not step.is_local]
    home = [step for step in engines if step.is_done or step.status is StepStatus.INGESTING]
    if home and all(step in home or step.is_lost for step in engines):
        case.job.reach(JobStatus.INGESTING)
    awaited = current_of(case.steps)
    if case.job.status is JobStatus.INGESTING and not awaited.is_local:
        awaited = case.steps[-1]
    case.job.show(progress=overall_progress(case.steps), current_step=awaited.type)


def try_again_or_fail(
    uow: UnitOfWork,
    case: Case,
    failed: Attempt,
    *,
    at: datetime,
    retry_after_s: float | None = None,
) -> None:
    """After a failed attempt: its step asks for another turn, a little later, or the job ends."""
    step = case.step_of(failed)
    uow.outbox.add(GIVE_TURNS, TurnsMessage())
    if not case.job.is_open or case.in_flight(step, but=failed) or step.is_done:
        return
    if step.status is StepStatus.READY:
        return
    of_step = [one for one in case.attempts if one.step_id == step.id]
    permanent = failed.failure is FailureClass.PERMANENT
    if permanent or attempts_left(of_step, round_number=case.job.round) <= 0:
        end_in_failure(uow, case, step, failed.error_code or "outcome_unknown", at=at)
        return
    case.job.resume_engines()
    delay = timedelta()
    if failed.failure is not FailureClass.FAIL_OVER:
        delay = retry_delay(
            failed.number, fraction=_fraction(failed.id), retry_after_s=retry_after_s
        )
    step.ask_for_turn(at + delay)
    uow.outbox.add(GIVE_TURNS, TurnsMessage(), due_at=at + delay)
    reflect(case)


def end_in_failure(uow: UnitOfWork, case: Case, step: Step, code: str, *, at: datetime) -> None:
    """The step has failed for good, and with it its piece; where that was the last one, or all need
    the step, the job."""
    step.fail(code, at=at)
    if code not in NOBODY_GOES_ON and may_do_without(step, case.steps):
        for one in lane_of(step, case.steps):
            one.give_up(at=at)
        case.goes_on = True
        return
    case.job.fail(code, failure_message(code), at=at)
    give_up_rest(uow, case, at=at)


def give_up_rest(uow: UnitOfWork, case: Case, *, at: datetime) -> None:
    """The job has ended: what has not been sent is not sent, what runs is asked to stop."""
    for step in case.steps:
        step.give_up(at=at)
    for attempt in case.attempts:
        ask_to_stop(uow, attempt)
        if attempt.is_planned:
            attempt.abandon()
    uow.outbox.add(GIVE_TURNS, TurnsMessage())


def ask_to_stop(uow: UnitOfWork, attempt: Attempt) -> None:
    """Ask its provider, after the commit, to stop working on it. Asked for once."""
    if attempt.may_be_running:
        uow.outbox.add(CANCEL_ATTEMPT, AttemptMessage(attempt.id), key=str(attempt.id))


async def commit_cases(uow: UnitOfWork, *cases: Case, live: LiveEvents, at: datetime) -> None:
    """Commit, with the events that tell how the jobs differ from before. What ended is paid."""
    for case in cases:
        if case.goes_on and case.job.is_open:
            carry_on(uow, case, await subject_of(uow, case.job), at=at)
        await _settle(uow, case, at=at)
    changes = [Change(job=case.job, before=case.before, done=case.done) for case in cases]
    await commit_and_tell(uow, changes, live=live, at=at)


async def _settle(uow: UnitOfWork, case: Case, *, at: datetime) -> None:
    """Close what was held for the round as soon as nothing more can come of it."""
    job = case.job
    if job.is_open:
        return
    if job.kind is JobKind.TRAINING and job.status is not JobStatus.SUCCEEDED:
        await _drop_training(uow, case)
    if job.status in {JobStatus.FAILED, JobStatus.EXPIRED}:
        await release_credits(uow, job_id=job.id, round=job.round, at=at)
    elif not case.may_still_come:
        hold = await uow.credits.hold(job.id, job.round)
        if hold is None or not hold.is_open:
            return
        lanes = None
        if job.status is JobStatus.SUCCEEDED:
            lanes = {step.lane for step in case.delivered}
        due = charge_done(case.steps, lanes=lanes, table_version=hold.price_table)
        await settle_credits(uow, job_id=job.id, round=job.round, credits=due, at=at)


async def _drop_training(uow: UnitOfWork, case: Case) -> None:
    """A training that did not succeed leaves no weights, and is not started again."""
    (await uow.models.get(case.job.id, lock=True)).fail()
    keys = [result.key for step in case.steps for result in step.results]
    if keys:
        uow.outbox.add(ERASE_BYTES, EraseBytes(keys))
    for step in case.steps:
        step.results = ()


def _fraction(attempt_id: UUID) -> float:
    """From 0 to 1, by the last bits of the id, which are random."""
    return (attempt_id.int % _DICE_SIDES) / _DICE_SIDES
