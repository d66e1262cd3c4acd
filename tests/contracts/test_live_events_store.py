"""Keeping events: numbered without gaps, each number once, and what is old is swept."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.memory.live import MemoryLive
from adapters.memory.system import ManualClock
from adapters.postgres.live_events import PostgresEventPurge, job_events, user_events
from application.ports.live import (
    GenerationChanged,
    JobCompleted,
    JobEvent,
    JobFailed,
    JobProgress,
    LiveEvent,
    OrderChanged,
    StepCompleted,
    generations_channel,
    orders_channel,
)
from application.studio.telling import Change, DoneStep, commit_and_tell, purge_live_events
from domain.shared.errors import Conflict
from domain.studio.job import Job, JobStatus
from domain.studio.pipelines import JobKind
from tests.builders import NOON
from tests.contracts.units_of_work import NewUnitOfWork

A_PICTURE = next(kind for kind in JobKind if kind is not JobKind.TRAINING)


def job_of(owner_id: UUID, *, status: JobStatus = JobStatus.INGESTING) -> Job:
    return Job(
        id=uuid4(),
        kind=A_PICTURE,
        owner_id=owner_id,
        status=status,
        current_step="image_generation",
        created_at=NOON,
        expires_at=NOON + timedelta(hours=1),
    )


async def kept_job(new_uow: NewUnitOfWork, owner_id: UUID | None = None) -> Job:
    async with (uow := new_uow()):
        uow.jobs.add(job := job_of(owner_id or uuid4()))
        await uow.commit()
    return job


async def test_a_number_of_a_job_is_given_once(new_uow: NewUnitOfWork) -> None:
    job = await kept_job(new_uow)
    async with (uow := new_uow()):
        await uow.jobs.log(JobCompleted(job_id=job.id, seq=1), at=NOON)
        await uow.commit()
    with pytest.raises((Conflict, IntegrityError)):
        async with (uow := new_uow()):
            await uow.jobs.log(JobCompleted(job_id=job.id, seq=1), at=NOON)
            await uow.commit()


async def test_channels_of_users_are_numbered_from_one_each(new_uow: NewUnitOfWork) -> None:
    ada, ben, thing = uuid4(), uuid4(), uuid4()
    async with (uow := new_uow()):
        await uow.user_events.log([(ada, OrderChanged(order_id=thing, status="paid"))], at=NOON)
        await uow.commit()
    async with (uow := new_uow()):
        told = await uow.user_events.log(
            [
                (ben, GenerationChanged(generation_id=thing, status="queued")),
                (ada, OrderChanged(order_id=thing, status="shipped")),
                (ada, GenerationChanged(generation_id=thing, status="queued")),
                (ada, OrderChanged(order_id=thing, status="delivered")),
            ],
            at=NOON,
        )
        await uow.commit()
    assert [(one.channel, one.event.seq) for one in told] == [
        (generations_channel(ben), 1),
        (orders_channel(ada), 2),
        (generations_channel(ada), 1),
        (orders_channel(ada), 3),
    ]
    assert told[1].event == OrderChanged(order_id=thing, status="shipped", seq=2)


async def test_what_is_not_committed_takes_no_number(new_uow: NewUnitOfWork) -> None:
    ada, event = uuid4(), OrderChanged(order_id=uuid4(), status="paid")
    async with (uow := new_uow()):
        await uow.user_events.log([(ada, event)], at=NOON)
    async with (uow := new_uow()):
        ((_, kept),) = await uow.user_events.log([(ada, event)], at=NOON)
        await uow.commit()
    assert kept.seq == 1


async def test_nothing_to_tell_is_fine(new_uow: NewUnitOfWork) -> None:
    async with (uow := new_uow()):
        assert list(await uow.user_events.log([], at=NOON)) == []


async def test_a_job_tells_of_its_steps_its_progress_and_its_end(
    new_uow: NewUnitOfWork,
) -> None:
    ada, step, asset, live = uuid4(), uuid4(), uuid4(), MemoryLive()
    job = await kept_job(new_uow, ada)
    async with (uow := new_uow()):
        job = await uow.jobs.get(job.id, lock=True)
        before = job.face
        job.succeed(at=NOON)
        done = DoneStep(step_id=step, step_type="post_processing", result_asset_id=asset)
        heard: list[LiveEvent] = []
        await live.listen(generations_channel(ada), heard.append)
        change = Change(job=job, before=before, done=[done])
        await commit_and_tell(uow, [change], live=live, at=NOON)
    assert heard == [GenerationChanged(generation_id=job.id, status="succeeded", seq=1)]
    assert job.seq == 3


async def test_a_job_that_looks_the_same_tells_nothing(new_uow: NewUnitOfWork) -> None:
    job = await kept_job(new_uow)
    async with (uow := new_uow()):
        job = await uow.jobs.get(job.id, lock=True)
        change = Change(job=job, before=job.face)
        await commit_and_tell(uow, [change], live=MemoryLive(), at=NOON)
    assert job.seq == 0


async def events_of(sessions: async_sessionmaker[AsyncSession], job_id: UUID) -> list[JobEvent]:
    async with sessions() as session:
        return list(
            await session.scalars(
                select(job_events.c.event)
                .where(job_events.c.job_id == job_id)
                .order_by(job_events.c.seq)
            )
        )


async def test_every_kind_of_event_is_read_as_it_was_written(
    postgres_uow: NewUnitOfWork, sessions: async_sessionmaker[AsyncSession]
) -> None:
    job = await kept_job(postgres_uow)
    async with (uow := postgres_uow()):
        job = await uow.jobs.get(job.id, lock=True)
        before = job.face
        job.fail("content_refused", "The provider refused it.", at=NOON)
        done = DoneStep(step_id=UUID(int=5), step_type="image_generation")
        change = Change(job=job, before=before, done=[done])
        await commit_and_tell(uow, [change], live=MemoryLive(), at=NOON)
    assert await events_of(sessions, job.id) == [
        StepCompleted(
            job_id=job.id,
            step_id=UUID(int=5),
            step_type="image_generation",
            result_asset_id=None,
            seq=1,
        ),
        JobProgress(
            job_id=job.id,
            progress=0,
            current_step="image_generation",
            status="failed",
            seq=2,
        ),
        JobFailed(
            job_id=job.id,
            error_code="content_refused",
            error_message="The provider refused it.",
            seq=3,
        ),
    ]


async def test_events_told_at_once_get_numbers_of_their_own_in_the_order_of_commits(
    postgres_uow: NewUnitOfWork, sessions: async_sessionmaker[AsyncSession]
) -> None:
    users = [uuid4() for _ in range(3)]

    async def tell(number: int) -> None:
        async with (uow := postgres_uow()):
            event = OrderChanged(order_id=UUID(int=number), status="paid")
            turned = users[number % 3 :] + users[: number % 3]
            await uow.user_events.log([(user, event) for user in turned], at=NOON)
            await uow.commit()

    await asyncio.gather(*(tell(number) for number in range(20)))
    async with sessions() as session:
        rows = (await session.execute(select(user_events.c.user_id, user_events.c.seq))).all()
    assert sorted(rows) == sorted((user, seq) for user in users for seq in range(1, 21))


@pytest.mark.parametrize("table", ["job_events", "user_events"])
async def test_an_event_is_never_changed(
    postgres_uow: NewUnitOfWork, sessions: async_sessionmaker[AsyncSession], table: str
) -> None:
    async with sessions() as session:
        with pytest.raises(IntegrityError, match="never changed"):
            await session.execute(text(f"UPDATE {table} SET seq = seq + 1"))


async def test_old_events_are_swept_and_numbers_go_on(
    postgres_uow: NewUnitOfWork, sessions: async_sessionmaker[AsyncSession]
) -> None:
    ada, event = uuid4(), OrderChanged(order_id=uuid4(), status="paid")
    job = await kept_job(postgres_uow)
    for at in (NOON, NOON + timedelta(days=1)):
        async with (uow := postgres_uow()):
            await uow.jobs.log(JobCompleted(job_id=job.id, seq=at.day), at=at)
            await uow.user_events.log([(ada, event)], at=at)
            await uow.commit()
    clock = ManualClock(NOON + timedelta(days=7, hours=1))
    purged = await purge_live_events(
        retention=timedelta(days=7), events=PostgresEventPurge(sessions), clock=clock, chunk=1
    )
    assert purged == 2
    assert [one.seq for one in await events_of(sessions, job.id)] == [NOON.day + 1]
    async with (uow := postgres_uow()):
        ((_, kept),) = await uow.user_events.log([(ada, event)], at=NOON)
    assert kept.seq == 3
