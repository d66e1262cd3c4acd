"""kill -9 of a worker of the studio at every commit and every answer, over real servers.

A job is made once without a death, which tells the crossings of its life; then a worker dies at
each of them, just before and just after, and whoever follows goes on. In the end every step was
paid once at the provider and once by its owner, all jobs have ended, and nothing is left over on
either side. An image and a speech show every way there is; `make faults` kills at all kinds.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from domain.studio.pipelines import JobKind, Needs, StepType, pipeline_of
from tests.faults.studio_life import Life, Place, open_place
from tests.faults.studio_world import Studio

MOST_JOBS = 12
"""A job may end before it has come to each of its crossings: where nobody can tell whether the
provider has taken it, it fails, and the next one goes on."""
OF_AN_ENGINE = 12
"""Crossings of a step: its turn, begun, called, answered, reported and brought home."""
OF_OURS = {StepType.SPEECH_SYNTHESIS: 10, StepType.POST_PROCESSING: 4, StepType.STORING: 2}
"""Nobody calls back about speech, and our own steps are not called."""


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, database_url: str, redis_url: str
) -> Iterator[Place]:
    with open_place(tmp_path_factory.mktemp("crashes"), database_url, redis_url) as place:
        yield place


@pytest.fixture
async def life(
    place: Place, clean_database: str, clean_redis: str, tmp_path: Path
) -> AsyncIterator[Life]:
    async with Life.begun(place, tmp_path) as life:
        yield life


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["image", "speech"])
async def test_dying_at_any_crossing_costs_nobody_anything(life: Life, kind: str) -> None:
    await die_everywhere(life, kind)


async def die_everywhere(life: Life, kind: str) -> None:
    studio = await Studio.opened(life.ports)
    fan = await studio.fan()
    life.start_worker()
    trained = await studio.ask("training", fan=fan)
    await life.until_ended([trained])
    once = trained if kind == "training" else await studio.ask(kind, fan=fan)
    await life.until_ended([once])
    assert await life.statuses([once]) == ["succeeded"]
    expected = life.crossings_of(kind)
    assert len(expected) >= least(kind), expected

    life.end_worker()
    life.start_worker(deadly=f"{kind}/")
    asked: list[UUID] = []
    while life.spared(expected) and len(asked) < MOST_JOBS:
        asked.append(await studio.ask(kind, fan=fan))
        await life.until_ended(asked)
    assert not life.spared(expected), life.story()
    assert life.deaths >= len(expected)

    truth = await life.truth()
    assert truth.faults == [], life.story()


def least(kind: str) -> int:
    """How many crossings a job has at least, by the steps of its kind."""
    planned = pipeline_of(JobKind(kind), Needs(motion_wanted=kind == "video"))
    return sum(OF_OURS.get(step.type, OF_AN_ENGINE) for step in planned)
