from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.engine import open_engine, sessions_of
from tests.application.studio.world import World


@pytest.fixture
async def sessions(clean_database: str) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    engine = open_engine(clean_database)
    yield sessions_of(engine)
    await engine.dispose()


@pytest.fixture
async def world(sessions: async_sessionmaker[AsyncSession]) -> World:
    return await World(sessions).opened()


@pytest.fixture
async def studio(world: World) -> World:
    """A world whose creator has a trained model."""
    return await world.with_model()
