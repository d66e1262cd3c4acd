"""A worker that dies at every commit of a video, and a provider whose word comes as it likes.

Dying is an error that nobody catches, before the commit or right after it: what was not committed
is gone, and the message that was being handled comes again. However often that happens, each step
is paid for once at the provider and once by its owner, and nothing is left over.
"""

import random
from collections.abc import AsyncIterator
from datetime import timedelta
from types import TracebackType
from typing import Any, Literal, Self
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.memory.engines import MemoryEngine, Submission
from adapters.postgres.engine import open_engine, sessions_of
from adapters.postgres.messages import outbox_messages
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from application.ports.engines import EngineJob, ImageToVideo, TextToImage
from application.ports.messages import Message
from application.studio.completion import ProviderReport, apply_report
from application.studio.credits import open_wallet
from application.studio.polling import poll_stale_attempts
from domain.identity.actor import Role
from domain.licensing.conditions import SubjectRight
from domain.licensing.terms import Capability
from domain.media.asset import AssetState
from domain.studio.job import JobStatus
from tests import builders
from tests.application.studio.world import HANDLERS, MADE, World

PRICE = 2 + 4
"""Of one image, and of a second of video."""
MOST_TICKS = 40


class Death(BaseException):
    """Nobody handles this: the process is gone."""


class MortalUnitOfWork:
    def __init__(self, inner: PostgresUnitOfWork, world: "MortalWorld") -> None:
        self._inner = inner
        self._world = world

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._inner.__aexit__(kind, error, traceback)

    async def commit(self) -> None:
        self._world.commits += 1
        dies = self._world.commits == self._world.dies_at
        if dies and self._world.dies == "before":
            raise Death
        await self._inner.commit()
        if dies:
            raise Death


class MortalWorld(World):
    """`dies_at` the commit of that number, once."""

    commits = 0
    dies_at = 0
    dies: Literal["before", "after"] = "before"

    def uow(self) -> PostgresUnitOfWork:
        return MortalUnitOfWork(super().uow(), self)  # type: ignore[return-value]

    async def work(self) -> int:
        """As ever, but whoever dies leaves the message to the next."""
        handled = 0
        while messages := await self._take_due():
            for message in messages:
                try:
                    failures = await HANDLERS[message.topic]([message], workshop=self.workshop)
                except Death:
                    await self._return(message)
                else:
                    for failure in (failures or {}).values():
                        raise failure
            handled += len(messages)
        return handled

    async def _return(self, message: Message) -> None:
        async with self.sessions() as session:
            await session.execute(
                update(outbox_messages)
                .where(outbox_messages.c.id == message.id)
                .values(state="pending", finished_at=None)
            )
            await session.commit()

    async def finish_at_providers(self) -> list[tuple[MemoryEngine, Submission, EngineJob]]:
        """Everything that was ever taken is done; what is to be told of each."""
        told = []
        for engine in (self.generator, self.engine(ImageToVideo)):
            for submission in engine.submissions:
                engine.complete(submission.request_id)
                job = await engine.fetch(submission.request_id)
                for output in job.outputs:
                    url = output.url or ""
                    self.files.put(url, MADE[url.rpartition(".")[2]])
                told.append((engine, submission, job))
        return told

    async def hear(self, engine: MemoryEngine, submission: Submission, job: EngineJob) -> None:
        """A callback; one that kills its handler comes again."""
        report = ProviderReport(
            provider=engine.provider, attempt_id=submission.attempt.attempt_id, job=job
        )
        try:
            await apply_report(report, workshop=self.workshop)
        except Death:
            await apply_report(report, workshop=self.workshop)

    async def sweep(self) -> None:
        try:
            await poll_stale_attempts(workshop=self.workshop)
            await self.give_turns()
        except Death:
            return


@pytest.fixture
async def sessions(clean_database: str) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    engine = open_engine(clean_database)
    yield sessions_of(engine)
    await engine.dispose()


@pytest.fixture
async def world(sessions: async_sessionmaker[AsyncSession]) -> MortalWorld:
    everything = builders.terms(
        capabilities=frozenset(Capability), subject_rights=frozenset(SubjectRight)
    )
    world = MortalWorld(sessions)
    await world.opened(licence=everything)
    await world.with_model()
    return world


async def begin(world: MortalWorld) -> UUID:
    """A new customer asks for a video."""
    world.fan = builders.actor(Role.FAN)
    return (await world.ask(kind="video")).id


async def check_the_end(world: MortalWorld, job_id: UUID, *, taken: int) -> None:
    """`taken` submissions of each engine were there before this job."""
    seen = await world.seen(job_id)
    assert seen.status is JobStatus.SUCCEEDED
    for request in (TextToImage, ImageToVideo):
        assert len(world.engine(request).submissions) == taken + 1, request
    assert (seen.held, seen.spent) == (0, PRICE)
    async with (uow := world.uow()):
        wallet = await open_wallet(uow, world.fan.user_id, world.clock.now())
        assert (wallet.held, wallet.balance) == (0, 100 - PRICE)
        assert (await uow.turns.in_flight()).get("memory", 0) == 0
    (video,) = await world.images_of(job_id)
    assert video.state is AssetState.READY
    async with world.sessions() as session:
        left = select(func.count()).where(
            outbox_messages.c.state != "done", outbox_messages.c.topic.in_(HANDLERS)
        )
        assert await session.scalar(left) == 0


@pytest.mark.parametrize("dies", ["before", "after"])
async def test_dying_at_any_commit_costs_nobody_anything(
    world: MortalWorld, dies: Literal["before", "after"]
) -> None:
    number = 0
    while True:
        number += 1
        job_id = await begin(world)
        world.commits, world.dies_at, world.dies = 0, number, dies
        for _ in range(MOST_TICKS):
            await world.work()
            for told in await world.finish_at_providers():
                await world.hear(*told)
            await world.work()
            if (await world.seen(job_id)).status is JobStatus.SUCCEEDED:
                break
            world.clock.advance(timedelta(minutes=2))
            await world.sweep()
        happened = world.commits
        world.dies_at = 0
        world.clock.advance(timedelta(minutes=5))
        await world.sweep()
        await world.work()
        await check_the_end(world, job_id, taken=number - 1)
        if happened < number:
            break
    assert number > 8, "a whole video has more commits than that"


@pytest.mark.parametrize("seed", range(6))
async def test_reports_may_be_lost_delayed_doubled_and_in_any_order(
    world: MortalWorld, seed: int
) -> None:
    chance = random.Random(seed)
    for taken in range(4):
        job_id = await begin(world)
        for _ in range(MOST_TICKS):
            await world.work()
            told = await world.finish_at_providers()
            early = [
                (engine, submission, EngineJob(request_id=job.request_id, status="running"))
                for engine, submission, job in told
            ]
            news = [one for one in told + early for _ in range(2) if chance.random() < 0.4]
            chance.shuffle(news)
            for one in news:
                await world.hear(*one)
            if (await world.seen(job_id)).status is JobStatus.SUCCEEDED:
                break
            world.clock.advance(timedelta(seconds=chance.choice([1, 20, 40])))
            await world.sweep()
        await world.work()
        await check_the_end(world, job_id, taken=taken)
