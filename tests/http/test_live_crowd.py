"""Two hundred people watch twenty jobs over real servers, and Redis dies in the middle."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from adapters.memory.storage import MemoryStorage
from adapters.memory.system import ManualClock
from adapters.postgres.engine import sessions_of
from adapters.postgres.live_records import PostgresLiveRecords
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.redis.live import RedisLiveEvents, RedisLiveFeed, live_client
from adapters.system.ids import UuidV7Ids
from application.ports.live import JobProgress, generations_channel, job_channel
from application.studio.news import Newsroom
from application.studio.telling import Change, commit_and_tell
from domain.identity.actor import Actor, Role
from domain.identity.team import Member, Team, TeamRole
from domain.shared.errors import NotFound
from domain.studio.job import Job, JobStatus
from domain.studio.pipelines import JobKind
from domain.studio.project import Project
from entrypoints.http.settings import Pace
from entrypoints.local.redis import EmbeddedRedis
from tests import builders
from tests.builders import NOON
from tests.http.asgi import Socket, socket_to
from tests.http.platform.conftest import ADA, BEN, Api, Ports, serving

JOBS = 20
WATCHERS = 200
CHANGES = 12
LIVE = "/api/v1/live"


@dataclass
class House:
    """The API over a real database and a Redis of its own, which may be stopped."""

    api: Api
    redis: EmbeddedRedis
    events: RedisLiveEvents
    feed: RedisLiveFeed
    records: PostgresLiveRecords
    sessions: async_sessionmaker[AsyncSession]

    def uow(self) -> PostgresUnitOfWork:
        return PostgresUnitOfWork(self.sessions, clock=ManualClock(NOON), ids=UuidV7Ids())

    async def new_job(self, owner_id: UUID = ADA.user_id) -> UUID:
        job = Job(
            id=uuid4(),
            kind=next(kind for kind in JobKind if kind is not JobKind.TRAINING),
            owner_id=owner_id,
            status=JobStatus.RUNNING,
            current_step="image_generation",
            created_at=NOON,
            expires_at=NOON + timedelta(hours=1),
        )
        async with (uow := self.uow()):
            uow.jobs.add(job)
            await uow.commit()
        return job.id

    async def go_on(self, job_id: UUID, *, last: bool = False) -> None:
        async with (uow := self.uow()):
            job = await uow.jobs.get(job_id, lock=True)
            before = job.face
            if last:
                job.fail("out_of_time", "It is over.", at=NOON)
            else:
                job.progress += 1
            change = Change(job=job, before=before)
            await commit_and_tell(uow, [change], live=self.events, at=NOON)

    async def until_connected(self, connected: bool) -> None:
        for _ in range(500):
            if self.feed.connected is connected:
                return
            await asyncio.sleep(0.02)
        raise TimeoutError


@pytest.fixture
async def house(clean_database: str, tmp_path: Path) -> AsyncIterator[House]:
    redis = EmbeddedRedis(tmp_path)
    await asyncio.to_thread(redis.start)
    client = live_client(redis.url)
    feed = RedisLiveFeed(client)
    engine = create_async_engine(clean_database, pool_size=4)
    sessions = sessions_of(engine)
    records = PostgresLiveRecords(sessions)
    storage = MemoryStorage(clock=ManualClock())
    ports = Ports(newsroom=Newsroom(feed=feed, records=records, storage=storage))
    try:
        async with serving(ports=ports, live=Pace(poll_s=0.2, tick_s=0.1)) as api:
            yield House(api, redis, RedisLiveEvents(client), feed, records, sessions)
    finally:
        await feed.close()
        await client.aclose()
        await engine.dispose()
        await asyncio.to_thread(redis.stop)


async def sit_down(
    house: House, stack: AsyncExitStack, channel: str, *, last_seq: int = 0, user: str = "ada"
) -> Socket:
    headers = {"Authorization": f"Bearer {user}"}
    socket = await stack.enter_async_context(socket_to(house.api.app, LIVE, headers=headers))
    assert await socket.receive(within_s=30) == {"type": "authenticated"}
    await socket.send(type="subscribe", channel=channel, last_seq=last_seq)
    assert (await socket.receive(within_s=30))["type"] == "subscribed"
    return socket


async def watch(socket: Socket, *, until: int) -> list[int]:
    """The numbers of events, up to that one."""
    seqs: list[int] = []
    while not seqs or seqs[-1] < until:
        message = await socket.receive(within_s=30)
        if "seq" in message:
            seqs.append(message["seq"])
    return seqs


async def test_a_crowd_misses_nothing_though_redis_dies_in_the_middle(house: House) -> None:
    owners = {"ada": ADA.user_id, "ben": BEN.user_id}
    jobs = [(user, await house.new_job(owners[user])) for user in owners for _ in range(JOBS // 2)]
    total = CHANGES + 1  # the last change is also the end
    async with AsyncExitStack() as stack:
        sockets = [
            await sit_down(house, stack, f"job:{job}", user=user)
            for user, job in jobs * (WATCHERS // JOBS)
        ]
        watching = [asyncio.create_task(watch(socket, until=total)) for socket in sockets]
        for change in range(1, CHANGES + 1):
            if change == 4:
                await asyncio.to_thread(house.redis.stop)
                await house.until_connected(False)
            if change == 8:
                await asyncio.to_thread(house.redis.start)
                await house.until_connected(True)
            await asyncio.gather(*(house.go_on(job, last=change == CHANGES) for _, job in jobs))
        heard = await asyncio.gather(*watching)

        assert heard == [list(range(1, total + 1))] * WATCHERS


async def test_who_returns_to_another_process_goes_on_where_it_was(house: House) -> None:
    job = await house.new_job()
    await house.go_on(job)
    async with AsyncExitStack() as stack:
        assert await watch(await sit_down(house, stack, f"job:{job}"), until=1) == [1]
    await house.go_on(job)
    async with AsyncExitStack() as stack:
        socket = await sit_down(house, stack, f"job:{job}", last_seq=1)
        await house.go_on(job)
        assert await watch(socket, until=3) == [2, 3]


async def test_lists_are_replayed_from_the_database_too(house: House) -> None:
    job = await house.new_job()
    await house.go_on(job, last=True)
    async with AsyncExitStack() as stack:
        socket = await sit_down(house, stack, "generations")
        told = await socket.receive()

    assert told == {
        "type": "generation.changed",
        "generation_id": str(job),
        "status": "failed",
        "seq": 1,
    }


async def test_the_records_of_many_channels_are_one_answer(house: House) -> None:
    one, other = await house.new_job(), await house.new_job()
    for _ in range(3):
        await house.go_on(one)
    wanted = {job_channel(one): 1, job_channel(other): 0, generations_channel(ADA.user_id): 0}
    found = await house.records.read(wanted, limit=1)

    assert found[job_channel(one)].events == [
        JobProgress(
            job_id=one, progress=2, current_step="image_generation", status="running", seq=2
        )
    ]
    assert found[job_channel(one)].last_seq == 3
    assert (list(found[job_channel(other)].events), found[job_channel(other)].last_seq) == ([], 0)
    assert found[generations_channel(ADA.user_id)].last_seq == 0


@pytest.mark.parametrize(
    ("viewer", "may"),
    [
        (ADA, True),
        (Actor(uuid4(), frozenset({Role.FAN})), False),
        (Actor(uuid4(), frozenset({Role.ADMIN})), True),
    ],
)
async def test_a_job_is_its_owners_and_administrators(
    house: House, viewer: Actor, may: bool
) -> None:
    channel = job_channel(await house.new_job())
    if may:
        await house.records.require_viewer(channel, viewer)
        return
    with pytest.raises(NotFound):
        await house.records.require_viewer(channel, viewer)


async def test_a_job_in_a_teams_project_is_the_teams_too(house: House) -> None:
    market = await builders.market(house.uow())
    made = await builders.generation(house.uow(), market)
    mate, team_id = builders.user(), uuid4()
    project = Project(
        id=uuid4(),
        owner_id=made.owner_id,
        team_id=team_id,
        name="Spring",
        description="",
        created_at=NOON,
        updated_at=NOON,
    )
    async with (uow := house.uow()):
        uow.users.add(mate)
        await uow.commit()
    async with (uow := house.uow()):
        member = Member(
            id=uuid4(), team_id=team_id, user_id=mate.id, role=TeamRole.VIEWER, joined_at=NOON
        )
        uow.teams.add(Team(id=team_id, name="T", created_at=NOON, members=[member]))
        await uow.commit()
    async with (uow := house.uow()):
        uow.projects.add(project)
        (await uow.generations.get(made.id)).project_id = project.id
        await uow.commit()
    channel, viewer = job_channel(made.id), Actor(mate.id, frozenset({Role.FAN}))
    await house.records.require_viewer(channel, viewer)

    async with (uow := house.uow()):
        (await uow.projects.get(project.id)).team_id = None
        await uow.commit()
    with pytest.raises(NotFound):
        await house.records.require_viewer(channel, viewer)
