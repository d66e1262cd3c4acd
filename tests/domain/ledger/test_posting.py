"""Every effect is one balanced transaction; what does not balance cannot be written down."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger.posting import PAYABLES, Account, Entry, Transaction
from domain.shared.money import Currency
from tests.builders import NOON, USD

PAYEE = UUID(int=1)
CLEARING, REVENUE, PENDING = (
    Account.STRIPE_CLEARING,
    Account.PLATFORM_REVENUE,
    Account.PAYABLE_PENDING,
)


def transaction(*entries: Entry) -> Transaction:
    return Transaction("sale:ch_1", "sale", USD, entries, NOON)


SALE = (Entry(PENDING, PAYEE, 90), Entry(REVENUE, None, 10), Entry(CLEARING, None, -100))


def test_entries_that_sum_to_zero_stand() -> None:
    assert transaction(*SALE).entries == SALE


@pytest.mark.parametrize(
    "entries",
    [
        (),
        (Entry(CLEARING, None, 0),),
        (Entry(CLEARING, None, -100), Entry(REVENUE, None, 99)),
        (Entry(CLEARING, None, 100), Entry(REVENUE, None, 100)),
    ],
    ids=["nothing", "one entry", "a cent short", "one-sided"],
)
def test_what_does_not_balance_is_refused(entries: tuple[Entry, ...]) -> None:
    with pytest.raises(ValueError, match="does not balance"):
        transaction(*entries)


@pytest.mark.parametrize(
    "entry",
    [
        Entry(CLEARING, None, 0),
        *(Entry(account, None, 5) for account in sorted(PAYABLES)),
        *(Entry(account, PAYEE, 5) for account in sorted(set(Account) - PAYABLES)),
    ],
    ids=str,
)
def test_an_entry_of_nothing_or_with_a_payee_in_the_wrong_place_is_refused(entry: Entry) -> None:
    counter = Entry(REVENUE, None, -entry.amount_cents)
    with pytest.raises(ValueError, match="malformed"):
        transaction(entry, counter, Entry(CLEARING, None, 7), Entry(REVENUE, None, -7))


@given(st.permutations(SALE))
def test_the_same_content_has_the_same_hash_in_any_order_and_at_any_time(
    entries: list[Entry],
) -> None:
    again = replace(transaction(*entries), occurred_at=NOON + timedelta(days=1))
    assert again.content_hash == transaction(*SALE).content_hash


@pytest.mark.parametrize(
    "other",
    [
        replace(transaction(*SALE), currency=Currency("eur")),
        transaction(Entry(PENDING, uuid4(), 90), *SALE[1:]),
        transaction(Entry(Account.PAYABLE_AVAILABLE, PAYEE, 90), *SALE[1:]),
        transaction(
            Entry(PENDING, PAYEE, 91), Entry(REVENUE, None, 9), Entry(CLEARING, None, -100)
        ),
    ],
    ids=["currency", "payee", "account", "amount"],
)
def test_other_content_has_another_hash(other: Transaction) -> None:
    assert other.content_hash != transaction(*SALE).content_hash
