"""What keeping the place of a sweep promises."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.memory.sweeps import MemorySweepCursors
from adapters.postgres.sweeps import PostgresSweepCursors
from application.ports.sweeps import SweepCursors
from tests.builders import NOON


@pytest.fixture(params=["memory", "postgres"])
def cursors(request: pytest.FixtureRequest) -> SweepCursors:
    if request.param == "memory":
        return MemorySweepCursors()
    sessions: async_sessionmaker[AsyncSession] = request.getfixturevalue("sessions")
    return PostgresSweepCursors(sessions.kw["bind"])


async def test_each_sweep_has_a_place_of_its_own_that_moves(cursors: SweepCursors) -> None:
    assert await cursors.reached("events") is None

    await cursors.reach("events", NOON)
    await cursors.reach("others", NOON.replace(year=2020))
    await cursors.reach("events", NOON.replace(year=2030))

    assert await cursors.reached("events") == NOON.replace(year=2030)
    assert await cursors.reached("others") == NOON.replace(year=2020)
