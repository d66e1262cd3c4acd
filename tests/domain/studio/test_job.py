"""A job's life, over every order of events that may befall it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.studio.attempt import retry_delay
from domain.studio.job import (
    OPEN,
    TRANSITIONS,
    Job,
    JobEnded,
    JobNotRetryable,
    JobStatus,
)
from domain.studio.pipelines import JobKind, StepType

AT = datetime(2026, 3, 1, tzinfo=UTC)


def job(kind: JobKind = JobKind.IMAGE) -> Job:
    return Job.accepted(job_id=UUID(int=1), kind=kind, owner_id=UUID(int=2), at=AT)


def test_a_later_report_of_less_changes_nothing() -> None:
    made = job()
    made.reach(JobStatus.RUNNING)
    made.show(progress=60, current_step=StepType.IMAGE_GENERATION)
    before = made.face
    made.reach(JobStatus.QUEUED)
    made.show(progress=0, current_step=StepType.IMAGE_GENERATION)
    assert made.face == before


def test_an_ended_job_cannot_be_cancelled_and_an_open_one_not_retried() -> None:
    done = job()
    done.reach(JobStatus.INGESTING)
    done.succeed(at=AT)
    with pytest.raises(JobEnded):
        done.cancel(at=AT)
    with pytest.raises(JobNotRetryable):
        job().start_again(at=AT)


def test_what_lacks_a_piece_is_started_again_and_what_is_whole_is_not() -> None:
    for partial in (False, True):
        made = job()
        made.reach(JobStatus.INGESTING)
        made.succeed(at=AT, partial=partial)
        if partial:
            made.start_again(at=AT)
            assert (made.partial, made.round, made.progress) == (False, 2, 99)
        else:
            with pytest.raises(JobNotRetryable):
                made.start_again(at=AT)


def test_every_status_has_its_transitions_and_success_has_one() -> None:
    assert set(TRANSITIONS) == set(JobStatus)
    assert TRANSITIONS[JobStatus.SUCCEEDED] == {JobStatus.ACCEPTED}
    into_success = {one for one, then in TRANSITIONS.items() if JobStatus.SUCCEEDED in then}
    assert into_success == {JobStatus.INGESTING}


class AnyOrder(RuleBasedStateMachine):
    """Whatever is told, in whatever order: `told` keeps each status that the job had."""

    def __init__(self) -> None:
        super().__init__()
        self.job = job()
        self.progress = 0
        self.ended: JobStatus | None = None
        self.told = self.job.status

    @rule(status=st.sampled_from(OPEN))
    def reach(self, status: JobStatus) -> None:
        self.job.reach(status)

    @rule(percent=st.integers(0, 200))
    def show(self, percent: int) -> None:
        self.job.show(progress=percent, current_step=StepType.POST_PROCESSING)

    @rule()
    def give_back(self) -> None:
        self.job.resume_engines()

    @rule(how=st.sampled_from(["succeed", "partly", "fail", "expire", "cancel"]))
    def end(self, how: str) -> None:
        try:
            match how:
                case "succeed" | "partly":
                    if self.job.is_open and self.job.status is not JobStatus.INGESTING:
                        self.job.reach(JobStatus.INGESTING)
                        self._step_by_step()
                    self.job.succeed(at=AT, partial=how == "partly")
                case "fail":
                    self.job.fail("code", "message", at=AT)
                case "expire":
                    self.job.expire(at=AT)
                case _:
                    self.job.cancel(at=AT)
        except JobEnded:
            assert self.ended is not None
        else:
            self.ended = self.job.status

    @rule()
    def retry(self) -> None:
        try:
            self.job.start_again(at=AT)
        except JobNotRetryable:
            return
        self.ended = None
        self.progress = min(self.progress, 99)

    @invariant()
    def progress_never_falls(self) -> None:
        assert self.progress <= self.job.progress <= 100
        self.progress = self.job.progress

    @invariant()
    def it_moves_by_the_table_alone(self) -> None:
        self._step_by_step()

    @invariant()
    def what_has_ended_stays_so(self) -> None:
        if self.ended is not None:
            assert self.job.status is self.ended
        assert (self.job.finished_at is None) == (self.job.status in OPEN)

    @invariant()
    def only_success_is_complete(self) -> None:
        assert (self.job.progress == 100) == (self.job.status is JobStatus.SUCCEEDED)
        assert not self.job.partial or self.job.status is JobStatus.SUCCEEDED

    def _step_by_step(self) -> None:
        if self.job.status is not self.told:
            assert self.job.status in TRANSITIONS[self.told]
        self.told = self.job.status


TestAnyOrder = AnyOrder.TestCase


@given(number=st.integers(1, 20), fraction=st.floats(0, 1), asked=st.floats(0, 3600))
def test_a_retry_waits_within_its_ceiling_but_as_long_as_asked(
    number: int, fraction: float, asked: float
) -> None:
    delay = retry_delay(number, fraction=fraction, retry_after_s=asked)
    assert timedelta(seconds=asked) <= delay + timedelta(microseconds=1)
    assert retry_delay(number, fraction=fraction) <= timedelta(
        seconds=min(4 * 2 ** (number - 1), 60)
    )
