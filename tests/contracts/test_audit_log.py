"""What every audit log promises: entries are kept with the act, and tell no personal data."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from adapters.memory.unit_of_work import MemoryDatabase, MemoryUnitOfWork
from adapters.postgres.audit import PostgresAuditViews
from application.messaging import correlation
from application.messaging.auditing import Recorded
from application.ports.audit import AuditFilter
from tests.builders import actor
from tests.contracts.units_of_work import NewUnitOfWork

THING = UUID(int=7)


class World(NamedTuple):
    new_uow: NewUnitOfWork
    entries: Callable[[], Awaitable[list[Recorded]]]
    """All that is committed, the oldest first."""


@pytest.fixture
def memory() -> World:
    database = MemoryDatabase()

    async def entries() -> list[Recorded]:
        return list(database.audit)

    return World(lambda: MemoryUnitOfWork(database), entries)


@pytest.fixture
def postgres(postgres_uow: NewUnitOfWork, sessions: async_sessionmaker[AsyncSession]) -> World:
    async def entries() -> list[Recorded]:
        views = PostgresAuditViews(sessions.kw["bind"])
        found = await views.page(AuditFilter(), before=None, limit=100)
        return [
            Recorded(*(getattr(entry, name) for name in Recorded._fields))
            for entry in reversed(found)
        ]

    return World(postgres_uow, entries)


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest) -> World:
    chosen: World = request.getfixturevalue(request.param)
    return chosen


async def test_an_entry_says_who_did_what_to_what_and_from_where(world: World) -> None:
    ada = actor()
    where = correlation.client_address.set("203.0.113.7")
    request = correlation.request_id.set("req-12345")
    async with (uow := world.new_uow()):
        uow.audit.record(
            "thing.painted",
            actor=ada,
            on=("thing", THING),
            before={"colour": "red"},
            after={"colour": "blue", "for": THING},
        )
        await uow.commit()
    correlation.client_address.reset(where)
    correlation.request_id.reset(request)

    assert await world.entries() == [
        Recorded(
            act="thing.painted",
            actor_id=ada.user_id,
            actor_name=None,
            object_kind="thing",
            object_id=str(THING),
            before={"colour": "red"},
            after={"colour": "blue", "for": str(THING)},
            address="203.0.113.7",
            request_id="req-12345",
        )
    ]


async def test_who_has_no_account_is_named(world: World) -> None:
    async with (uow := world.new_uow()):
        uow.audit.record("thing.painted", actor="the command line", on=("thing", "all"))
        await uow.commit()

    [entry] = await world.entries()
    assert (entry.actor_id, entry.actor_name) == (None, "the command line")
    assert (entry.before, entry.after, entry.address) == (None, None, None)


async def test_what_is_not_committed_was_not_done(world: World) -> None:
    async with (uow := world.new_uow()):
        uow.audit.record("thing.painted", actor=actor(), on=("thing", THING))
    async with uow:
        uow.audit.record("thing.sold", actor=actor(), on=("thing", THING))
        await uow.commit()
        await uow.commit()

    assert [entry.act for entry in await world.entries()] == ["thing.sold"]


async def test_personal_data_stays_outside(world: World) -> None:
    async with (uow := world.new_uow()):
        uow.audit.record(
            "user.changed",
            actor=actor(),
            on=("user", THING),
            after={"email": "ada@example.com", "roles": ["fan"], "bank": [{"iban": "DE00"}]},
        )
        await uow.commit()

    [entry] = await world.entries()
    assert entry.after == {
        "email": "[redacted]",
        "roles": ["fan"],
        "bank": [{"iban": "[redacted]"}],
    }


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET act = 'thing.kept'",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
    ],
)
async def test_the_database_refuses_to_change_what_is_written(
    postgres: World, sessions: async_sessionmaker[AsyncSession], statement: str
) -> None:
    async with (uow := postgres.new_uow()):
        uow.audit.record("thing.painted", actor=actor(), on=("thing", THING))
        await uow.commit()
    engine: AsyncEngine = sessions.kw["bind"]

    with pytest.raises(IntegrityError, match="audit_entries is append-only"):
        async with engine.begin() as connection:
            await connection.execute(text(statement))
    assert len(await postgres.entries()) == 1
