"""Bytes in our storage that no row names are erased, and what a row names is kept."""

from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.memory.system import ManualClock
from adapters.memory.video import sound
from adapters.postgres.messages import outbox_messages
from adapters.postgres.studio_views import PostgresStudioViews
from application.media.orphans import Kept, sweep_orphans
from application.ports.engines import EngineOutput, TextToSpeech
from application.ports.media import ERASE_BYTES, EraseBytes
from application.studio.completion import ProviderReport, apply_report
from application.studio.generations import SpokenText, delete_generation
from domain.licensing.conditions import SubjectRight
from domain.licensing.terms import Capability
from domain.studio.job import JobStatus
from domain.studio.step import WORK_LIFE
from tests import builders
from tests.application.studio.world import World
from tests.contracts.test_multipart_storage import Store, s3_server, store

__all__ = ["s3_server", "store"]

SPEECH = SpokenText(text="Good morning, and thank you for coming.")
PREFIXES = ("work/", "models/", "answers/")


@pytest.fixture
async def studio(sessions: async_sessionmaker[AsyncSession]) -> World:
    everything = builders.terms(
        capabilities=frozenset(Capability), subject_rights=frozenset(SubjectRight)
    )
    return await (await World(sessions).opened(licence=everything)).with_model()


async def keys(world: World) -> set[str]:
    return {
        found.key
        for prefix in (*PREFIXES, "assets/")
        async for found in world.storage.listing(prefix)
    }


async def sweep(world: World) -> int:
    return await sweep_orphans(storage=world.storage, kept=kept_of(world), clock=world.clock)


def kept_of(world: World) -> dict[str, Kept]:
    """As the table of jobs has it."""
    views, long_ago = PostgresStudioViews(world.sessions), world.clock.now() - WORK_LIFE
    return {
        "work/": partial(views.work_kept, ended_after=long_ago),
        "models/": views.weights_kept,
        "answers/": partial(views.answers_kept, ended_after=long_ago),
    }


async def spoken(world: World) -> UUID:
    """A speech whose sound came in the answer itself."""
    accepted = await world.ask(kind="speech", prompt="", speech=SPEECH)
    await world.work()
    engine = world.engine(TextToSpeech)
    request_id = engine.submissions[-1].request_id
    engine.complete(request_id, outputs=[EngineOutput(content=sound("mp3"))])
    report = ProviderReport(
        provider=engine.provider, attempt_id=None, job=await engine.fetch(request_id)
    )
    await apply_report(report, workshop=world.workshop)
    await world.work()
    assert (await world.seen(accepted.id)).status is JobStatus.SUCCEEDED
    return accepted.id


async def test_what_a_dead_worker_left_behind_is_erased_and_nothing_else(studio: World) -> None:
    world, job_id = studio, await spoken(studio)
    async with world.uow() as uow:  # as if it were not finished yet: finished jobs need nothing
        job = await uow.jobs.get(job_id, lock=True)
        job.status, job.finished_at = JobStatus.INGESTING, None
        await uow.commit()
    named = await keys(world)
    assert {key.partition("/")[0] for key in named} >= {"work", "models", "answers"}
    (attempt,) = [one for one in named if one.startswith("answers/")]
    left = {
        f"work/{job_id}/{world.ids.new()}-0.mp3",
        f"models/{world.ids.new()}/{world.ids.new()}.safetensors",
        f"answers/{world.ids.new()}/0",
        f"{attempt.rpartition('/')[0]}/1",
    }
    for key in left:
        await world.storage.put(key, b"?", content_type="application/octet-stream")

    assert await sweep(world) == 0, "it may still be named"
    world.clock.advance(timedelta(days=2))
    assert await sweep(world) == len(left)
    assert await keys(world) == named


async def test_what_came_in_an_answer_is_erased_with_what_was_made_of_it(studio: World) -> None:
    job_id = await spoken(studio)
    await delete_generation(job_id, actor=studio.fan, uow=studio.uow(), clock=studio.clock)
    async with studio.sessions() as session:
        (payload,) = await session.scalars(
            select(outbox_messages.c.payload).where(outbox_messages.c.topic == ERASE_BYTES)
        )
    erased = msgspec.json.decode(payload, type=EraseBytes).keys
    assert {key.partition("/")[0] for key in erased} == {"work", "answers", "assets"}
    assert all(not attempt.outputs for attempt in await studio.attempts(job_id))


async def test_every_kind_of_store_is_swept(studio: World, store: Store) -> None:
    world, storage = studio, store.storage
    job_id = await spoken(world)
    (weights,) = [key for key in await keys(world) if key.startswith("models/")]
    strays = {
        f"models/{world.ids.new()}/a.safetensors",
        f"{weights.rpartition('/')[0]}/another.safetensors",
        f"work/{job_id}/b.mp3",
        f"answers/{world.ids.new()}/0",
    }
    for key in (weights, *strays, "models/notes.txt"):
        await storage.put(key, b"?", content_type="application/octet-stream")
    clock = ManualClock(datetime.now(UTC))

    async def swept() -> int:
        return await sweep_orphans(storage=storage, kept=kept_of(world), clock=clock)

    assert await swept() == 0
    clock.advance(timedelta(days=1, minutes=1))
    assert await swept() == len(strays)
    assert await swept() == 0
    left = {found.key for prefix in PREFIXES async for found in storage.listing(prefix)}
    assert left == {weights, "models/notes.txt"}
