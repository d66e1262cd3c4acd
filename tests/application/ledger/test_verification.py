"""The proof of the books passes over honest books, and finds whatever went around the guards."""

import io
from uuid import uuid4

import pytest
from rich.console import Console

from adapters.postgres.verification import PostgresLedgerViews
from application.ledger.verification import MAX_LISTED, verify_ledger
from entrypoints.cli.ledger import show
from tests.application.ledger.books import CREATOR, EUR, STORE, Books, release, sale


async def test_empty_books_are_sound(books: Books) -> None:
    report = await books.verify()
    assert (report.sound, report.transactions, report.trial_balance) == (True, 0, [])


async def test_honest_books_are_sound_and_their_trial_balance_is_told(books: Books) -> None:
    sales = [sale(n) for n in range(3)] + [sale(3, currency=EUR), sale(4, payee_id=CREATOR)]
    await books.post(*sales, release(uuid4(), cents=400))
    report = await books.verify()
    assert report.sound
    assert (report.transactions, report.entries) == (6, 17)
    assert [(t.currency, t.account, t.entries, t.total_cents) for t in report.trial_balance] == [
        ("eur", "payable_pending", 1, 900),
        ("eur", "platform_revenue", 1, 100),
        ("eur", "stripe_clearing", 1, -1000),
        ("usd", "payable_available", 1, 400),
        ("usd", "payable_pending", 5, 3200),
        ("usd", "platform_revenue", 4, 400),
        ("usd", "stripe_clearing", 4, -4000),
    ]


async def test_an_amount_that_was_changed_is_found(books: Books) -> None:
    await books.post(*(sale(n) for n in range(5)))
    await books.tamper(
        "UPDATE ledger_entries SET amount_cents = 901 WHERE account = 'payable_pending' AND "
        "transaction_id = (SELECT id FROM ledger_transactions WHERE effect_key = 'sale:ch_2')"
    )
    assert await books.breaches() == [
        ("balances", "sale:ch_2"),
        ("kept_balance", f"{STORE} usd pending"),
        ("kept_balance", f"{STORE} usd lifetime"),
        ("sums_to_zero", "usd"),
    ]


async def test_a_change_that_balances_is_found_by_its_hash(books: Books) -> None:
    await books.post(*(sale(n) for n in range(3)))
    await books.tamper(
        "UPDATE ledger_entries SET amount_cents = amount_cents + CASE account "
        "WHEN 'platform_revenue' THEN 50 ELSE -50 END WHERE account <> 'payable_pending' AND "
        "transaction_id = (SELECT id FROM ledger_transactions WHERE effect_key = 'sale:ch_1')"
    )
    assert await books.breaches() == [("unaltered", "sale:ch_1")]


@pytest.mark.parametrize(
    "change",
    [
        f"UPDATE ledger_entries SET payee_id = '{CREATOR}' WHERE payee_id IS NOT NULL",
        "UPDATE ledger_entries SET account = 'processing_fees' WHERE account = 'platform_revenue'",
        "UPDATE ledger_transactions SET content_hash = md5('x')",
    ],
    ids=["payee", "account", "hash"],
)
async def test_any_part_that_was_changed_is_found(books: Books, change: str) -> None:
    await books.post(sale(1))
    await books.tamper(change)
    assert ("unaltered", "sale:ch_1") in await books.breaches()


async def test_another_currency_is_found(books: Books) -> None:
    await books.post(sale(1))
    await books.tamper("UPDATE ledger_entries SET currency = 'eur'")
    assert ("balances", "sale:ch_1") in await books.breaches()


async def test_entries_that_were_removed_are_found(books: Books) -> None:
    await books.post(sale(1), sale(2, payee_id=CREATOR))
    await books.tamper("DELETE FROM ledger_entries WHERE payee_id IS NULL")
    assert [rule for rule, _ in await books.breaches()] == ["balances", "balances", "sums_to_zero"]
    await books.tamper("DELETE FROM ledger_entries")
    assert ("balances", "sale:ch_1") in await books.breaches()
    assert ("kept_balance", f"{CREATOR} usd pending") in await books.breaches()


async def test_entries_without_a_transaction_are_found(books: Books) -> None:
    await books.post(sale(1))
    await books.tamper("DELETE FROM ledger_transactions")
    assert ("no_orphans", "entries") in await books.breaches()


@pytest.mark.parametrize("part", ["pending", "available", "reserved", "disputed", "lifetime"])
async def test_a_balance_that_is_not_the_sum_of_its_postings_is_found(
    books: Books, part: str
) -> None:
    await books.post(sale(1), sale(2, payee_id=CREATOR))
    await books.tamper(
        f"UPDATE payee_balances SET {part}_cents = {part}_cents + 1 WHERE payee_id = '{CREATOR}'"
    )
    assert await books.breaches() == [("kept_balance", f"{CREATOR} usd {part}")]


async def test_a_balance_that_was_made_up_or_lost_is_found(books: Books) -> None:
    await books.post(sale(1), sale(2, payee_id=CREATOR))
    await books.tamper(f"DELETE FROM payee_balances WHERE payee_id = '{STORE}'")
    await books.tamper(f"INSERT INTO payee_balances VALUES ('{uuid4()}', 'usd', 0, 7, 0, 0, 0)")
    rules = await books.breaches()
    assert ("kept_balance", f"{STORE} usd pending") in rules
    assert [subject.split()[2] for _, subject in rules] == ["pending", "lifetime", "available"]


async def test_breaches_are_all_counted_but_not_all_listed(books: Books) -> None:
    await books.post(*(sale(n) for n in range(MAX_LISTED + 5)))
    await books.tamper("UPDATE ledger_transactions SET content_hash = ''")
    report = await verify_ledger(PostgresLedgerViews(books.engine))
    assert report.breach_count == MAX_LISTED + 5
    assert len(report.breaches) == MAX_LISTED


async def test_what_is_posted_meanwhile_is_not_seen(books: Books) -> None:
    await books.post(*(sale(n) for n in range(4)))
    views = PostgresLedgerViews(books.engine, transactions_per_batch=2)
    async with views.snapshot() as snapshot:
        batches = snapshot.transactions()
        await anext(batches)
        await books.post(sale(4), sale(5))
        assert [batch.transactions async for batch in batches] == [2]
        assert await snapshot.count_entries() == 12
        assert [found async for found in snapshot.balance_differences()] == [[]]


async def test_the_report_can_be_read(books: Books) -> None:
    await books.post(sale(1))
    out = io.StringIO()
    show(await books.verify(), Console(file=out, width=100))
    assert "Sound: 1 transactions, 3 entries" in out.getvalue()
    await books.tamper("UPDATE ledger_transactions SET content_hash = ''")
    show(await books.verify(), Console(file=out, width=100))
    assert "1 breaches in 1 transactions, 3 entries:" in out.getvalue()
    assert "unaltered: sale:ch_1: the entries are not those that were posted" in out.getvalue()
