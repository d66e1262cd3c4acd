"""Which form, for how much, from which edge: each threshold at its last and its first amount."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.reporting.tax_forms import FormRow, Nature, Payment, form_rows
from domain.reporting.tax_profile import (
    Certificate,
    TaxNumberRefused,
    TinMatch,
    checked_reference,
)
from domain.reporting.thresholds import THRESHOLDS, TaxForm
from tests.builders import tax_profile_of

PAYEE = UUID(int=1)


def payments(
    total_cents: int, count: int, *, nature: Nature = Nature.SALE, network: bool = True
) -> list[Payment]:
    each, rest = divmod(total_cents, count)
    return [
        Payment(n % 12 + 1, each + (rest if n == 0 else 0), nature, network, f"sale:{n}")
        for n in range(count)
    ]


def only(
    total_cents: int,
    count: int = 1,
    *,
    year: int = 2026,
    state: str | None = None,
    nature: Nature = Nature.SALE,
    network: bool = True,
) -> FormRow:
    made = payments(total_cents, count, nature=nature, network=network)
    (row,) = form_rows(PAYEE, made, year=year, state=state, withheld=False)
    return row


@pytest.mark.parametrize(
    ("dollars_cents", "count", "due"),
    [
        (20_000_00, 201, False),
        (20_000_01, 200, False),
        (20_000_01, 201, True),
        (1_000_000_00, 200, False),
    ],
)
def test_the_federal_k_needs_more_than_both(dollars_cents: int, count: int, due: bool) -> None:
    assert bool(only(dollars_cents, count).due) is due


@pytest.mark.parametrize(
    ("state", "at_cents", "count"),
    [
        *((state, 600_00, 1) for state in ("DC", "MD", "MA", "MT", "VT", "VA")),
        ("NJ", 1_000_00, 1),
        ("IL", 1_000_00, 4),
        ("AR", 2_500_00, 1),
    ],
)
def test_states_ask_for_less(state: str, at_cents: int, count: int) -> None:
    assert [rule.state for rule in only(at_cents, count, state=state).due] == [state]
    assert not only(at_cents - 1, count, state=state).due
    if count > 1:
        assert not only(at_cents, count - 1, state=state).due
    assert not only(at_cents, count, state="TX").due


@pytest.mark.parametrize("nature", [Nature.SERVICE, Nature.OTHER])
@pytest.mark.parametrize(("year", "at_cents"), [(2025, 600_00), (2026, 2_000_00)])
def test_nec_and_misc_rose_with_2026(nature: Nature, year: int, at_cents: int) -> None:
    assert only(at_cents, year=year, nature=nature, network=False).due
    assert not only(at_cents - 1, year=year, nature=nature, network=False).due


@pytest.mark.parametrize("year", [2025, 2026])
def test_royalties_stay_at_ten_dollars(year: int) -> None:
    row = only(10_00, year=year, nature=Nature.ROYALTY, network=False)
    assert (row.form, row.box) == (TaxForm.MISC, "2")
    assert row.due
    assert not only(9_99, year=year, nature=Nature.ROYALTY, network=False).due


@pytest.mark.parametrize("nature", list(Nature))
def test_what_a_network_settled_is_on_k_and_on_no_other(nature: Nature) -> None:
    row = only(50_000_00, nature=nature)
    assert row.form is TaxForm.K
    assert row.due == ()


_PAYMENT = st.builds(
    Payment,
    month=st.integers(1, 12),
    gross_cents=st.integers(1, 10**9),
    nature=st.sampled_from(Nature),
    settled_by_network=st.booleans(),
    source=st.text(min_size=1, max_size=5),
)


@given(st.lists(_PAYMENT, max_size=40), st.booleans())
def test_every_payment_is_on_one_form_and_in_its_month(made: list[Payment], withheld: bool) -> None:
    rows = form_rows(PAYEE, made, year=2026, state="VT", withheld=withheld)
    assert sum(row.gross_cents for row in rows) == sum(p.gross_cents for p in made)
    assert sum(row.count for row in rows) == len(made)
    for month in range(12):
        wanted = sum(p.gross_cents for p in made if p.month == month + 1)
        assert sum(row.months[month] for row in rows) == wanted
    for row in rows:
        assert row.withholding_cents == (row.gross_cents * 24 // 100 if withheld else 0)


def test_what_is_filed_is_known_by_its_hash() -> None:
    assert only(100).content_hash == only(100).content_hash
    assert only(100).content_hash != only(101).content_hash


def test_every_rule_names_its_source_and_nobody_pays_less_than_nothing() -> None:
    assert all(rule.source for rule in THRESHOLDS)
    with pytest.raises(ValueError, match="more than nothing"):
        form_rows(
            PAYEE,
            [Payment(1, 0, Nature.SALE, True, "s")],
            year=2026,
            state=None,
            withheld=False,
        )


@pytest.mark.parametrize("number", ["123456789", "123-45-6789", "12-3456789"])
def test_a_tax_number_itself_is_refused(number: str) -> None:
    with pytest.raises(TaxNumberRefused):
        checked_reference(number)


def test_another_number_is_matched_anew() -> None:
    profile = tax_profile_of(PAYEE, tin_match=TinMatch.MATCHED)
    profile.change_number("tok_1")
    kept = profile.tin_match
    profile.change_number("tok_2")
    assert (kept, profile.tin_match) == (TinMatch.MATCHED, TinMatch.UNCHECKED)
    assert not profile.is_foreign
    assert tax_profile_of(PAYEE, certificate=Certificate.W8BEN).is_foreign
