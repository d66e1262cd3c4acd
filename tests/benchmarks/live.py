"""Five thousand people watch two hundred jobs, over WebSockets to one process of the API."""

import asyncio
import os
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psutil

from adapters.jwt.access_tokens import JwtAccessTokens
from application.studio.telling import Change, commit_and_tell
from domain.identity.actor import Actor, Role
from domain.studio.job import Job, JobStatus
from domain.studio.pipelines import JobKind
from entrypoints.bootstrap import Ports, open_ports
from tests.benchmarks.crowd import Crowd, Heard, Seat
from tests.benchmarks.figures import Figure, at_least, at_most, percentile
from tests.benchmarks.ground import Ground

WATCHERS_OPTION = "BENCH_WATCHERS"
"""How many watch; 5,000 unless it says otherwise."""
JOBS = 200
OWNERS = 100
CHANGES = 18
WITHIN_S = 300.0
MIDDLE_S = 15.0
"""Changes come over so long a time: a job tells of itself every second or so, not all at once."""

Sent = dict[tuple[str, int], float]


async def live(ground: Ground) -> list[Figure]:
    """Each of 200 jobs goes through 18 changes, committed and published as the worker does it,
    while every client follows one job from its beginning.

    `live_events_right` is the part of all events that arrived, once and in order. Latency is from
    before the commit to the client, memory that of the process that serves.
    """
    watchers = int(os.environ.get(WATCHERS_OPTION, "5000"))
    tokens = JwtAccessTokens([key.reveal() for key in ground.settings.secret_keys])
    ports = await open_ports(ground.settings)
    try:
        owners = [uuid4() for _ in range(OWNERS)]
        jobs = [await _new_job(ports, owners[number % OWNERS]) for number in range(JOBS)]
        seats = [_seat(tokens, jobs[number % JOBS]) for number in range(watchers)]
        with ground.api() as port:
            before_mb = _serving_mb()
            crowd = Crowd(port, seats, last_seq=CHANGES + 1, within_s=WITHIN_S)
            await crowd.seated(within_s=WITHIN_S)
            seated_mb = _serving_mb()
            began = time.monotonic()
            sent = await _work(ports, jobs)
            worked_s = time.monotonic() - began
            watched = await crowd.watched()
            after_mb = _serving_mb()
    finally:
        await ports.aclose()
    delays_ms = _delays_ms(watched.heard, sent)
    right = sum(one.seqs == list(range(1, CHANGES + 2)) for one in watched.heard)
    return [
        Figure(name="live_subscribers", value=watchers, unit="connections"),
        Figure(name="live_events_right", value=right / watchers, unit="of all", goal=at_least(1)),
        Figure(name="live_latency_p50_ms", value=percentile(delays_ms, 50), unit="ms"),
        Figure(
            name="live_latency_p95_ms",
            value=percentile(delays_ms, 95),
            unit="ms",
            goal=at_most(500),
        ),
        Figure(name="live_latency_p99_ms", value=percentile(delays_ms, 99), unit="ms"),
        Figure(name="live_deliveries", value=len(delays_ms) / worked_s, unit="events/s"),
        Figure(name="live_subscribing", value=watchers / watched.opened_s, unit="clients/s"),
        Figure(
            name="live_memory_kb_each",
            value=(max(seated_mb, after_mb) - before_mb) * 1024 / watchers,
            unit="KB",
            goal=at_most(256),
        ),
        Figure(name="live_memory_mb", value=after_mb, unit="MB"),
    ]


def _seat(tokens: JwtAccessTokens, job: Job) -> Seat:
    actor = Actor(job.owner_id, frozenset({Role.FAN}))
    token, _ = tokens.issue(actor, now=datetime.now(UTC))
    return Seat(token=token, job_id=str(job.id))


async def _new_job(ports: Ports, owner_id: UUID) -> Job:
    now = datetime.now(UTC)
    job = Job(
        id=uuid4(),
        kind=JobKind.TRAINING,
        owner_id=owner_id,
        status=JobStatus.RUNNING,
        current_step="training",
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    async with (uow := ports.uow()):
        uow.jobs.add(job)
        await uow.commit()
    return job


async def _work(ports: Ports, jobs: list[Job]) -> Sent:
    """All jobs go on together; answers when each event was about to be committed."""
    sent: Sent = {}
    turns = asyncio.Semaphore(4)

    async def go_on(job_id: UUID, number: int) -> None:
        await asyncio.sleep(MIDDLE_S * number / JOBS / CHANGES)
        for change in range(1, CHANGES + 1):
            async with turns:
                await _change(ports, job_id, last=change == CHANGES, sent=sent)
            await asyncio.sleep(MIDDLE_S / CHANGES)

    await asyncio.gather(*(go_on(job.id, number) for number, job in enumerate(jobs)))
    return sent


async def _change(ports: Ports, job_id: UUID, *, last: bool, sent: Sent) -> None:
    now = datetime.now(UTC)
    async with (uow := ports.uow()):
        job = await uow.jobs.get(job_id, lock=True)
        before = job.face
        if last:
            job.fail("out_of_time", "The benchmark is over.", at=now)
        else:
            job.progress += 5
        began = time.monotonic()
        change = Change(job=job, before=before)
        first = job.seq + 1
        await commit_and_tell(uow, [change], live=ports.live, at=now)
        for seq in range(first, job.seq + 1):
            sent[str(job_id), seq] = began


def _delays_ms(heard: list[Heard], sent: Sent) -> list[float]:
    return [
        1000 * (at_s - sent[one.job_id, seq])
        for one in heard
        for seq, at_s in zip(one.seqs, one.at_s, strict=True)
    ]


def _serving_mb() -> float:
    """Of the process that serves: the largest of what our API process has started."""
    return max(
        (
            child.memory_info().rss / 1024**2
            for process in psutil.Process().children()
            if "api" in process.cmdline()
            for child in process.children(recursive=True)
        ),
        default=0.0,
    )
