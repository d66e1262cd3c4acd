"""Money is whole minor units of one currency, and rates are basis points."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.shared.money import BasisPoints, Currency, Money, currency, format_money

USD, EUR = Currency("usd"), Currency("eur")


def test_a_currency_is_known_whatever_its_case() -> None:
    assert currency("USD") == USD


@pytest.mark.parametrize("code", ["isk", "xxx", "us", "usdx", "", "us\n", "ＵＳＤ"])
def test_an_unsupported_currency_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="not a supported currency"):
        currency(code)


def test_two_currencies_never_mix() -> None:
    assert Money(250, USD) + Money(50, USD) == Money(300, USD)
    assert Money(250, USD) - Money(350, USD) == Money(-100, USD)
    with pytest.raises(ValueError, match="cannot combine"):
        Money(1, USD) + Money(1, EUR)
    with pytest.raises(ValueError, match="cannot combine"):
        Money(1, USD) - Money(1, EUR)


@pytest.mark.parametrize(
    ("cents", "code", "text"),
    [
        (2500, "usd", "$25.00"),
        (-310, "eur", "-€3.10"),
        (1200, "pln", "PLN 12.00"),
        (123456789, "gbp", "£1,234,567.89"),
        (-5, "usd", "-$0.05"),
        (1200, "jpy", "JPY 1,200"),
        (1250, "kwd", "KWD 1.250"),
    ],
)
def test_money_is_written_for_people(cents: int, code: str, text: str) -> None:
    assert format_money(cents, code) == text


@pytest.mark.parametrize(
    ("bps", "text"), [(1000, "10%"), (1250, "12.5%"), (1, "0.01%"), (0, "0%"), (10000, "100%")]
)
def test_a_rate_is_written_for_people(bps: int, text: str) -> None:
    assert str(BasisPoints(bps)) == text


@pytest.mark.parametrize("bps", [-1, 10001])
def test_a_rate_is_between_nothing_and_everything(bps: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        BasisPoints(bps)


@given(st.integers(0, 10**12), st.integers(0, 10_000))
def test_a_share_is_floored_and_never_more_than_the_amount(amount_cents: int, bps: int) -> None:
    share = BasisPoints(bps).of(amount_cents)
    assert 0 <= share <= amount_cents
    assert share * 10_000 <= amount_cents * bps < (share + 1) * 10_000
