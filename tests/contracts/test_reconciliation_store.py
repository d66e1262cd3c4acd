"""What keeping reconciliations promises, whoever keeps them."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from adapters.system.ids import UuidV7Ids
from application.ports.repository import AlreadyExists
from domain.ledger.reconciliation import (
    Difference,
    Fault,
    Finding,
    Moved,
    Movement,
    Phase,
    ReconciliationRun,
    Subject,
)
from domain.shared.errors import NotFound
from domain.shared.money import Currency
from tests.builders import NOON
from tests.contracts.units_of_work import NewUnitOfWork

DAY = date(2026, 11, 20)
USD = Currency("usd")
new_id = UuidV7Ids().new


def run_of(day: date) -> ReconciliationRun:
    return ReconciliationRun(id=new_id(), day=day, started_at=NOON)


def difference(run: ReconciliationRun, source: str) -> Difference:
    finding = Finding(
        subject=Subject(Movement.PAYOUT, source, USD),
        fault=Fault.NOT_BOOKED,
        our_id=None,
        effect_key=None,
        our_cents=None,
        their_cents=-100,
        sentence="It is not in the books.",
    )
    return Difference.of(finding, difference_id=new_id(), run_id=run.id, at=NOON)


async def keep(new_uow: NewUnitOfWork, run: ReconciliationRun, *found: Difference) -> None:
    async with (uow := new_uow()):
        uow.reconciliations.add(run)
        await uow.commit()
    async with (uow := new_uow()):
        for one in found:
            uow.differences.add(one)
        await uow.commit()


async def test_a_run_is_found_by_its_day_and_goes_on_from_its_cursor(
    new_uow: NewUnitOfWork,
) -> None:
    await keep(new_uow, run := run_of(DAY))
    async with (uow := new_uow()):
        found = await uow.reconciliations.of_day(DAY, lock=True)
        assert found is not None
        found.advance(seen=(Phase.FETCH, None), cursor="txn_9")
        await uow.commit()

    async with (uow := new_uow()):
        again = await uow.reconciliations.get(run.id)
        assert (again.phase, again.cursor) == (Phase.FETCH, "txn_9")
        assert await uow.reconciliations.of_day(DAY + timedelta(days=1)) is None


async def test_a_day_has_one_run(new_uow: NewUnitOfWork) -> None:
    await keep(new_uow, run_of(DAY))

    with pytest.raises(AlreadyExists):
        await keep(new_uow, run_of(DAY))


async def test_the_latest_run_is_that_of_the_latest_day(new_uow: NewUnitOfWork) -> None:
    async with (uow := new_uow()):
        assert await uow.reconciliations.latest() is None
    await keep(new_uow, run_of(DAY + timedelta(days=1)))
    await keep(new_uow, run_of(DAY))

    async with (uow := new_uow()):
        latest = await uow.reconciliations.latest()
    assert latest is not None
    assert latest.day == DAY + timedelta(days=1)


async def test_differences_are_found_by_what_they_are_about(new_uow: NewUnitOfWork) -> None:
    run = run_of(DAY)
    first, second = difference(run, "po_1"), difference(run, "po_2")
    await keep(new_uow, run, first, second)

    async with (uow := new_uow()):
        other = Subject(Movement.TRANSFER, "po_2", USD)
        found = await uow.differences.about([first.subject, other])
        assert [one.id for one in found] == [first.id]
        assert await uow.differences.about([]) == []
        with pytest.raises(NotFound):
            await uow.differences.get(UUID(int=1))


async def test_a_subject_has_one_difference(new_uow: NewUnitOfWork) -> None:
    await keep(new_uow, run := run_of(DAY))
    async with (uow := new_uow()):
        uow.differences.add(difference(run, "po_1"))
        uow.differences.add(difference(run, "po_1"))
        with pytest.raises(AlreadyExists):
            await uow.commit()


async def test_what_is_unresolved_is_listed_in_pages(new_uow: NewUnitOfWork) -> None:
    run = run_of(DAY)
    found = [difference(run, f"po_{number}") for number in range(4)]
    found[1].resolve(at=NOON)
    found[2].explain("Our own payout.", by=UUID(int=7), at=NOON)
    await keep(new_uow, run, *found)

    async with (uow := new_uow()):
        first = await uow.differences.unresolved(after=None, limit=2)
        rest = await uow.differences.unresolved(after=first[-1].id, limit=2)
    assert [one.id for one in first + rest] == [found[0].id, found[2].id, found[3].id]


async def test_a_movement_is_kept_as_it_was_first_seen(
    postgres_uow: NewUnitOfWork, sessions: async_sessionmaker[AsyncSession]
) -> None:
    moved = Moved(
        id="txn_1",
        movement=Movement.PAYOUT,
        source="po_1",
        our_id=None,
        amount_cents=-100,
        currency=USD,
        at=NOON,
    )
    for _ in range(2):
        async with (uow := postgres_uow()):
            await uow.provider_movements.keep([moved])
            await uow.provider_movements.keep([])
            await uow.commit()

    engine: AsyncEngine = sessions.kw["bind"]
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT id, amount_cents FROM provider_movements"))
        assert rows.all() == [("txn_1", -100)]
