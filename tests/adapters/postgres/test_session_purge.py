"""Expired tokens and their sessions go; spent tokens stay until they could not be used anyway."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.memory.system import ManualClock
from adapters.postgres.engine import open_engine, sessions_of
from adapters.postgres.identity import PostgresSessionPurge
from adapters.system.ids import UuidV7Ids
from application.identity.purging import purge_sessions
from domain.identity.actor import Role
from domain.identity.session import REFRESH_LIFETIME, Origin, Session
from domain.identity.user import User

IDS = UuidV7Ids()
START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
async def sessions_factory(clean_database: str) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    engine = open_engine(clean_database)
    yield sessions_of(engine)
    await engine.dispose()


async def sign_in(
    sessions_factory: async_sessionmaker[AsyncSession], *, refreshed_after: timedelta | None
) -> None:
    """A session whose first token is spent after a while, if at all."""
    user = User(
        id=IDS.new(),
        email=f"{IDS.new().hex}@example.org",
        display_name="Somebody",
        password_hash="-",
        roles=frozenset({Role.FAN}),
        created_at=START,
    )
    session = Session.start(
        session_id=IDS.new(), user_id=user.id, origin=Origin(address="192.0.2.1"), now=START
    )
    first = session.issue(IDS.new().hex, token_id=IDS.new(), now=START)
    rows: list[object] = [user, session, first]
    if refreshed_after is not None:
        now = START + refreshed_after
        session.spend(first, origin=Origin(), now=now)
        rows.append(session.issue(IDS.new().hex, token_id=IDS.new(), now=now))
    async with sessions_factory.begin() as unit:
        unit.add_all(rows)


async def kept(sessions_factory: async_sessionmaker[AsyncSession]) -> tuple[int, int]:
    """(sessions, tokens)"""
    query = "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM refresh_tokens)"
    async with sessions_factory() as unit:
        sessions, tokens = (await unit.execute(text(query))).one()
        return sessions, tokens


async def purge(sessions_factory: async_sessionmaker[AsyncSession], *, now: datetime) -> int:
    return await purge_sessions(
        sessions=PostgresSessionPurge(sessions_factory), clock=ManualClock(now), chunk=2
    )


async def test_a_spent_token_is_kept_until_its_own_end_and_a_session_while_it_lives(
    sessions_factory: async_sessionmaker[AsyncSession],
) -> None:
    day = timedelta(days=1)
    await sign_in(sessions_factory, refreshed_after=day)

    assert await purge(sessions_factory, now=START + REFRESH_LIFETIME - day) == 0
    assert await kept(sessions_factory) == (1, 2)

    assert await purge(sessions_factory, now=START + REFRESH_LIFETIME) == 1
    assert await kept(sessions_factory) == (1, 1)

    assert await purge(sessions_factory, now=START + REFRESH_LIFETIME + day) == 2
    assert await kept(sessions_factory) == (0, 0)


async def test_more_than_one_batch_is_purged_and_the_living_stay(
    sessions_factory: async_sessionmaker[AsyncSession],
) -> None:
    for _ in range(5):
        await sign_in(sessions_factory, refreshed_after=None)
    await sign_in(sessions_factory, refreshed_after=timedelta(days=20))

    assert await purge(sessions_factory, now=START + REFRESH_LIFETIME) == 11
    assert await kept(sessions_factory) == (1, 1)
