"""Days are closed, sealed and summed; months are there before they are needed.

Whatever a superuser does to a sealed day with all guards off, the proof of the books finds it.
"""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from application.ledger.closing import LedgerUnsound, make_months, rebuild_checkpoints
from application.ports.ledger_views import AccountTotal
from domain.ledger import effects
from domain.ledger import seal as sealing
from domain.ledger.effects import Part
from domain.ledger.posting import Account, Transaction
from domain.ledger.seal import NO_SEAL
from tests.application.ledger.books import STORE, Books, sale
from tests.builders import NOON, USD

DAY = timedelta(days=1)
TODAY = NOON.date()


@pytest.fixture
async def sealed(books: Books) -> Books:
    """Three days of sales: 1, 2 and 3 on the first, 4 and 5 on the second, 6 today. Two sealed."""
    await books.post(sale(1), sale(2), sale(3))
    await books.post(sale(4, at=NOON + DAY), sale(5, at=NOON + DAY))
    books.clock.advance(2 * DAY)
    await books.post(sale(6, at=NOON + 2 * DAY))
    closed = await books.close()
    assert closed.sealed_days == [TODAY, TODAY + DAY]
    return books


async def test_each_seal_follows_the_one_before_and_tells_its_day(sealed: Books) -> None:
    async with sealed.views.snapshot() as snapshot:
        first, second = await snapshot.seals()
    assert (first.seal.number, first.seal.previous_hash) == (1, NO_SEAL)
    assert (second.seal.number, second.seal.previous_hash) == (2, first.hash)
    assert (first.seal.transactions, first.seal.entries) == (3, 9)
    assert first.seal.volumes == {"usd": 3000}
    report = await sealed.verify()
    assert (report.sound, report.sealed_days, report.last_seal) == (True, 2, second.hash)


async def test_the_leaves_are_those_of_the_domain(books: Books) -> None:
    """The server hashes what the domain would hash."""
    posted = [sale(1), sale(2)]
    await books.post(*posted)
    rows = await books.rows("SELECT effect_key, id FROM ledger_transactions")
    ids = {str(key): UUID(str(one)) for key, one in rows}
    leaves = sorted((ids[t.effect_key], sealing.leaf(ids[t.effect_key], t)) for t in posted)
    async with books.views.snapshot() as snapshot:
        batches = [batch async for batch in snapshot.transactions()]
    assert b"".join(batch.leaves for batch in batches) == b"".join(leaf for _, leaf in leaves)


async def test_closing_again_seals_nothing_twice(sealed: Books) -> None:
    again = await sealed.close()
    assert (again.sealed_days, again.last_number) == ([], 2)
    both = await asyncio.gather(sealed.close(), sealed.close())
    assert [closed.last_number for closed in both] == [2, 2]


async def test_two_who_seal_at_once_make_one_chain(books: Books) -> None:
    await books.post(*(sale(n, at=NOON + n * DAY) for n in range(5)))
    books.clock.advance(10 * DAY)
    await asyncio.gather(books.close(), books.close())
    await books.close()
    assert (await books.verify()).sealed_days == 5
    assert await books.breaches() == []


async def test_a_day_stays_open_for_two_hours_after_its_end(books: Books) -> None:
    books.clock.advance(timedelta(hours=13))
    assert (await books.close()).closed_through == TODAY - DAY
    books.clock.advance(timedelta(hours=2))
    assert (await books.close()).closed_through == TODAY


async def test_what_comes_late_is_posted_on_the_first_open_day(sealed: Books) -> None:
    await sealed.post(sale(7, at=NOON), sale(8, at=NOON + 2 * DAY))
    days = await sealed.days()
    assert (days["sale:ch_7"], days["sale:ch_8"]) == (TODAY + 2 * DAY, TODAY + 2 * DAY)
    assert await sealed.breaches() == []


async def test_the_database_refuses_postings_on_a_closed_day(sealed: Books) -> None:
    with pytest.raises(DBAPIError, match="the day is closed"):
        async with sealed.engine.begin() as connection:
            await connection.exec_driver_sql(
                "INSERT INTO ledger_entries SELECT transaction_id, position + 10, account, "
                "payee_id, amount_cents, currency, posted_on FROM ledger_entries "
                f"WHERE posted_on = '{TODAY}'"
            )


async def test_closing_waits_for_who_is_posting(books: Books) -> None:
    """A posting that began before the day was closed is part of its seal."""
    async with books.engine.begin() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO ledger_transactions VALUES "
            f"(gen_random_uuid(), 'late', 'x', 'usd', '', NULL, now(), '{TODAY}')"
        )
        closing = asyncio.create_task(books.upkeep.close(TODAY, at=NOON))
        await asyncio.sleep(0.3)
        assert not closing.done()
        await connection.rollback()
    assert await closing == TODAY


async def test_closed_days_are_never_opened_again(sealed: Books) -> None:
    assert await sealed.upkeep.close(TODAY - 5 * DAY, at=NOON) == TODAY + DAY
    for table in ("ledger_closings", "ledger_seals"):
        for act in ("DELETE FROM {}", "TRUNCATE {}"):
            with pytest.raises(DBAPIError, match="append-only"):
                async with sealed.engine.begin() as connection:
                    await connection.exec_driver_sql(act.format(table))


async def test_an_altered_day_is_not_sealed(books: Books) -> None:
    await books.post(sale(1))
    await books.tamper("UPDATE ledger_transactions SET content_hash = ''")
    books.clock.advance(2 * DAY)
    with pytest.raises(LedgerUnsound, match="sale:ch_1"):
        await books.close()


_REHASH = (
    "UPDATE ledger_transactions t SET content_hash = encode(sha256(convert_to('usd' || E'\\n' || ("
    "SELECT string_agg(line, E'\\n' ORDER BY line COLLATE \"C\") FROM (SELECT account || '|' || "
    "coalesce(payee_id::text, 'None') || '|' || amount_cents AS line FROM ledger_entries e "
    "WHERE e.transaction_id = t.id) lines), 'UTF8')), 'hex')"
)
_ONE = "(SELECT id FROM ledger_transactions WHERE effect_key = 'sale:ch_2')"


async def test_an_edited_transaction_is_found_even_with_its_hash(sealed: Books) -> None:
    await sealed.tamper(
        "UPDATE ledger_entries SET amount_cents = amount_cents + CASE account "
        "WHEN 'platform_revenue' THEN 50 ELSE -50 END "
        f"WHERE account <> 'payable_pending' AND transaction_id = {_ONE}"
    )
    await sealed.tamper(_REHASH)
    found = await sealed.breaches()
    assert found == [
        ("sealed_day", str(TODAY)),
        ("checkpoint", str(TODAY)),
        ("checkpoint", str(TODAY + DAY)),
    ]


@pytest.mark.parametrize(
    "change",
    [
        "effect_key = 'sale:other'",
        "kind = 'refund'",
        "order_id = gen_random_uuid()",
        "occurred_at = occurred_at + interval '1 microsecond'",
    ],
)
async def test_what_stands_beside_the_entries_is_sealed_too(sealed: Books, change: str) -> None:
    await sealed.tamper(f"UPDATE ledger_transactions SET {change} WHERE id = {_ONE}")
    assert ("sealed_day", str(TODAY)) in await sealed.breaches()


async def test_a_removed_transaction_is_found(sealed: Books) -> None:
    await sealed.tamper(f"DELETE FROM ledger_entries WHERE transaction_id = {_ONE}")
    await sealed.tamper("DELETE FROM ledger_transactions WHERE effect_key = 'sale:ch_2'")
    await sealed.tamper(
        "UPDATE payee_balances SET pending_cents = pending_cents - 900, "
        "lifetime_cents = lifetime_cents - 900"
    )
    assert ("sealed_day", str(TODAY)) in await sealed.breaches()


async def test_a_day_that_is_gone_is_found(sealed: Books) -> None:
    await sealed.tamper(f"DELETE FROM ledger_entries WHERE posted_on = '{TODAY}'")
    await sealed.tamper(f"DELETE FROM ledger_transactions WHERE posted_on = '{TODAY}'")
    assert ("sealed_day", str(TODAY)) in await sealed.breaches()


async def test_an_added_transaction_is_found(sealed: Books) -> None:
    await sealed.post(sale(9, at=NOON + 2 * DAY))
    for table in ("ledger_entries", "ledger_transactions"):
        column = "transaction_id" if table == "ledger_entries" else "id"
        await sealed.tamper(
            f"UPDATE {table} SET posted_on = '{TODAY}' WHERE {column} = "
            "(SELECT id FROM ledger_transactions WHERE effect_key = 'sale:ch_9')"
        )
    assert ("sealed_day", str(TODAY)) in await sealed.breaches()


async def test_postings_on_a_day_that_had_none_are_found(sealed: Books) -> None:
    await sealed.post(sale(9, at=NOON + 2 * DAY))
    for table in ("ledger_entries", "ledger_transactions"):
        column = "transaction_id" if table == "ledger_entries" else "id"
        await sealed.tamper(
            f"UPDATE {table} SET posted_on = '{TODAY - DAY}' WHERE {column} = "
            "(SELECT id FROM ledger_transactions WHERE effect_key = 'sale:ch_9')"
        )
    assert ("sealed_day", str(TODAY - DAY)) in await sealed.breaches()


async def test_transactions_that_changed_places_are_found(sealed: Books) -> None:
    """Sales 1 and 2 have the same entries: only their order tells them apart."""
    await sealed.tamper(
        "UPDATE ledger_transactions SET effect_key = 'swap' WHERE effect_key = 'sale:ch_1'"
    )
    await sealed.tamper(
        "UPDATE ledger_transactions SET effect_key = 'sale:ch_1' WHERE effect_key = 'sale:ch_2'"
    )
    await sealed.tamper(
        "UPDATE ledger_transactions SET effect_key = 'sale:ch_2' WHERE effect_key = 'swap'"
    )
    assert await sealed.breaches() == [("sealed_day", str(TODAY))]


@pytest.mark.parametrize(
    "change",
    [
        "digest = md5('x')",
        "hash = md5('x')",
        "previous_hash = md5('x')",
        "day = day - 5",
        "transactions = transactions + 1",
        "entries = entries + 1",
        "volumes = '{\"usd\": 1}'",
    ],
)
async def test_a_seal_that_was_changed_is_found(sealed: Books, change: str) -> None:
    await sealed.tamper(f"UPDATE ledger_seals SET {change} WHERE number = 1")
    assert "seal_chain" in {rule for rule, _ in await sealed.breaches()}


async def test_a_seal_that_was_made_again_breaks_the_chain(sealed: Books) -> None:
    """Whoever reseals one day would have to reseal all that follow."""
    await sealed.tamper("DELETE FROM ledger_seals WHERE number = 1")
    assert "seal_chain" in {rule for rule, _ in await sealed.breaches()}


async def test_a_checkpoint_that_was_changed_is_found_and_made_again(sealed: Books) -> None:
    await sealed.tamper(
        "UPDATE ledger_checkpoints SET total_cents = 1 WHERE account = 'platform_revenue'"
    )
    assert await sealed.breaches() == [
        ("checkpoint", str(TODAY)),
        ("checkpoint", str(TODAY + DAY)),
    ]
    assert await rebuild_checkpoints(upkeep=sealed.upkeep, views=sealed.views) == 2
    assert await sealed.breaches() == []


async def test_checkpoints_sum_all_accounts_up_to_their_day(sealed: Books) -> None:
    assert list(await sealed.upkeep.checkpoint(TODAY + DAY)) == [
        AccountTotal(account="payable_pending", currency="usd", entries=5, total_cents=4500),
        AccountTotal(account="platform_revenue", currency="usd", entries=5, total_cents=500),
        AccountTotal(account="stripe_clearing", currency="usd", entries=5, total_cents=-5000),
    ]


# Months.


def month_of(at: datetime) -> str:
    return f"ledger_entries_{at:%Y_%m}"


async def places(books: Books) -> set[tuple[object, ...]]:
    return set(await books.rows("SELECT DISTINCT tableoid::regclass::text FROM ledger_entries"))


async def test_a_posting_far_ahead_is_taken_and_finds_its_month_later(books: Books) -> None:
    """A clock of development that was set forward by years, say."""
    far = NOON.replace(year=2041)
    await books.post(sale(1, at=far), sale(2, at=far), sale(3, at=NOON.replace(year=2019)))
    assert await places(books) == {("ledger_entries_unplaced",)}
    books.clock.advance(far - books.clock.now())
    made = await make_months(upkeep=books.upkeep, clock=books.clock)
    assert (made.months, made.unplaced) == (5, 9)
    assert await places(books) == {
        (f"ledger_entries_{far:%Y_%m}",),
        (f"ledger_entries_2019_{NOON:%m}",),
    }
    assert (await make_months(upkeep=books.upkeep, clock=books.clock)).months == 0
    await books.post(sale(4, at=far + DAY))
    assert ("ledger_entries_unplaced",) not in await places(books)
    assert await books.breaches() == []
    async with books.engine.begin() as connection:  # as the next test expects to find it
        for (name,) in await books.rows(
            "SELECT relname FROM pg_class WHERE relname LIKE 'ledger_entries_2041%%' "
            "OR relname LIKE 'ledger_entries_2042%%' OR relname LIKE 'ledger_entries_2019%%'"
        ):
            if not str(name).endswith(("_pkey", "_idx")):
                await connection.exec_driver_sql(f"DROP TABLE {name}")


@pytest.mark.parametrize(
    "act",
    [
        "UPDATE {} SET currency = 'eur'",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "INSERT INTO {} SELECT * FROM {}",
    ],
)
async def test_a_month_is_not_written_to_directly(books: Books, act: str) -> None:
    await books.post(sale(1))
    ((place,),) = await places(books)
    with pytest.raises(DBAPIError, match="is a part of ledger_entries"):
        async with books.engine.begin() as connection:
            await connection.exec_driver_sql(act.format(place, place))
    with pytest.raises(DBAPIError, match="append-only"):
        async with books.engine.begin() as connection:
            await connection.exec_driver_sql("TRUNCATE ledger_entries")


@pytest.mark.parametrize(
    "columns", [f"'{uuid4()}', posted_on", "transaction_id, posted_on + 1"], ids=["other", "day"]
)
async def test_entries_belong_to_a_transaction_of_their_day(books: Books, columns: str) -> None:
    await books.post(sale(1))
    with pytest.raises(DBAPIError, match="belong to a transaction"):
        async with books.engine.begin() as connection:
            await connection.exec_driver_sql(
                "INSERT INTO ledger_entries "
                "(transaction_id, posted_on, position, account, payee_id, amount_cents, currency) "
                f"SELECT {columns}, position, account, payee_id, amount_cents, currency "
                "FROM ledger_entries"
            )


async def test_a_negative_balance_says_since_when(books: Books) -> None:
    def taken(n: int, cents: int) -> Transaction:
        return effects.sale(
            charge_id=f"ch_back_{n}",
            order_id=STORE,
            currency=USD,
            at=NOON + n * DAY,
            parts=[Part(Account.PAYABLE_AVAILABLE, STORE, cents)],
        )

    since = "SELECT negative_since FROM payee_balances"
    await books.post(taken(1, -5))
    assert await books.rows(since) == [(NOON + DAY,)]
    await books.post(taken(2, -5))
    assert await books.rows(since) == [(NOON + DAY,)]
    await books.post(taken(3, 10))
    assert await books.rows(since) == [(None,)]
    await books.post(taken(4, -1))
    assert await books.rows(since) == [(NOON + 4 * DAY,)]
