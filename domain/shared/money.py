"""Money is an integer number of minor units of one currency; a rate is basis points."""

import re
from dataclasses import dataclass
from typing import NewType, Self

Currency = NewType("Currency", str)
"""An ISO 4217 code in lower case, as Stripe writes it: `usd`."""

BASIS_POINTS_PER_UNIT = 10_000

# Two-decimal currencies in which Stripe settles for platforms. Zero- and three-decimal currencies
# need their own minimum prices and formatting before they may be listed here.
SUPPORTED_CURRENCIES = frozenset(
    Currency(code)
    for code in ("aud", "cad", "chf", "czk", "dkk", "eur", "gbp", "nok", "nzd", "pln", "sek", "usd")
)

_CURRENCY = re.compile(r"[a-z]{3}")


def currency(code: str) -> Currency:
    """Return `code` as a supported currency, whatever its case. ValueError when it is none."""
    candidate = code.lower()
    if not _CURRENCY.fullmatch(candidate) or candidate not in SUPPORTED_CURRENCIES:
        raise ValueError(f"{code!r} is not a supported currency")
    return Currency(candidate)


@dataclass(frozen=True, slots=True)
class BasisPoints:
    """A rate in hundredths of a percent, from 0 to 10000."""

    value: int

    def __post_init__(self) -> None:
        if not 0 <= self.value <= BASIS_POINTS_PER_UNIT:
            raise ValueError(f"{self.value} basis points is outside 0 to {BASIS_POINTS_PER_UNIT}")

    def of(self, amount_cents: int) -> int:
        """The share of an amount in minor units, floored: the rest stays with the payer."""
        return amount_cents * self.value // BASIS_POINTS_PER_UNIT

    def __str__(self) -> str:
        whole, hundredths = divmod(self.value, 100)
        return f"{whole}.{hundredths:02d}".rstrip("0").rstrip(".") + "%"


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in minor units with its currency; two currencies never mix."""

    amount_cents: int
    currency: Currency

    def __add__(self, other: Self) -> "Money":
        return Money(self.amount_cents + self._same(other), self.currency)

    def __sub__(self, other: Self) -> "Money":
        return Money(self.amount_cents - self._same(other), self.currency)

    def __str__(self) -> str:
        return format_money(self.amount_cents, self.currency)

    def _same(self, other: Self) -> int:
        if other.currency != self.currency:
            raise ValueError(f"cannot combine {self.currency} with {other.currency}")
        return other.amount_cents


_SIGNS = {"usd": "$", "eur": "€", "gbp": "£"}


def format_money(amount_cents: int, currency: str) -> str:
    """`$25.00`, `-€3.10`, `PLN 12.00`: for reasons and statements, never parsed back."""
    whole, cents = divmod(abs(amount_cents), 100)
    sign = "-" if amount_cents < 0 else ""
    mark = _SIGNS.get(currency, f"{currency.upper()} ")
    return f"{sign}{mark}{whole:,}.{cents:02d}"
