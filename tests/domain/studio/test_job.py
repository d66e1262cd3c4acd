"""A job's life, over every order of events that may befall it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.studio.attempt import retry_delay
from domain.studio.job import OPEN, Job, JobEnded, JobKind, JobNotRetryable, JobStatus

AT = datetime(2026, 3, 1, tzinfo=UTC)


def job(kind: JobKind = JobKind.GENERATION) -> Job:
    return Job.accepted(job_id=UUID(int=1), kind=kind, owner_id=UUID(int=2), at=AT)


def test_progress_spans_the_steps_by_their_weight() -> None:
    made = job()
    made.report(JobStatus.RUNNING, percent=50)
    assert made.progress == 42
    made.begin_ingesting()
    assert (made.progress, made.current_step) == (85, "post_processing")
    made.succeed(at=AT)
    assert made.progress == 100


def test_a_later_report_of_less_changes_nothing() -> None:
    made = job()
    made.report(JobStatus.RUNNING, percent=60)
    before = made.face
    made.report(JobStatus.QUEUED, percent=0)
    assert made.face == before


def test_an_ended_job_cannot_be_cancelled_and_an_open_one_not_retried() -> None:
    done = job()
    done.succeed(at=AT)
    with pytest.raises(JobEnded):
        done.cancel(at=AT)
    with pytest.raises(JobNotRetryable):
        job().start_again(at=AT)


class AnyOrder(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.job = job()
        self.progress = 0
        self.ended: JobStatus | None = None

    @rule(
        status=st.sampled_from([JobStatus.QUEUED, JobStatus.RUNNING]),
        percent=st.integers(-10, 200),
    )
    def report(self, status: JobStatus, percent: int) -> None:
        self.job.report(status, percent=percent)

    @rule()
    def ingest(self) -> None:
        if self.job.awaits_provider:
            self.job.begin_ingesting()

    @rule()
    def give_back(self) -> None:
        self.job.resume_provider()

    @rule(how=st.sampled_from(["succeed", "fail", "expire", "cancel"]))
    def end(self, how: str) -> None:
        try:
            match how:
                case "succeed":
                    self.job.succeed(at=AT)
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

    @invariant()
    def progress_never_falls(self) -> None:
        assert self.progress <= self.job.progress <= 100
        self.progress = self.job.progress

    @invariant()
    def what_has_ended_stays_so(self) -> None:
        if self.ended is not None:
            assert self.job.status is self.ended
        assert (self.job.finished_at is None) == (self.job.status in OPEN)

    @invariant()
    def only_success_is_complete(self) -> None:
        if self.job.progress == 100:
            assert self.job.status is JobStatus.SUCCEEDED


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
