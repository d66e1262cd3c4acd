"""Money is an integer number of minor units of one currency; a rate is basis points."""

import re
from dataclasses import dataclass
from typing import NamedTuple, NewType, Self

Currency = NewType("Currency", str)
"""An ISO 4217 code in lower case, as Stripe writes it: `usd`."""

BASIS_POINTS_PER_UNIT = 10_000


class CurrencyRules(NamedTuple):
    """How amounts of a currency are written and charged.

    `decimals`: digits behind the point of one major unit. `quantum`: what every amount that
    leaves us is a multiple of, in minor units: Stripe takes three-decimal currencies with a last
    digit of zero. `minimum_charge_cents`: the smallest payment that Stripe takes, in minor units.
    """

    decimals: int
    quantum: int
    minimum_charge_cents: int


_RULES: dict[str, CurrencyRules] = {
    **dict.fromkeys(("aud", "cad", "chf", "eur", "nzd", "usd"), CurrencyRules(2, 1, 50)),
    "gbp": CurrencyRules(2, 1, 30),
    "pln": CurrencyRules(2, 1, 200),
    "dkk": CurrencyRules(2, 1, 250),
    **dict.fromkeys(("nok", "sek"), CurrencyRules(2, 1, 300)),
    "czk": CurrencyRules(2, 1, 1500),
    "jpy": CurrencyRules(0, 1, 50),
    "krw": CurrencyRules(0, 1, 700),
    "kwd": CurrencyRules(3, 10, 160),
    **dict.fromkeys(("bhd", "omr"), CurrencyRules(3, 10, 200)),
    "jod": CurrencyRules(3, 10, 360),
    "tnd": CurrencyRules(3, 10, 1600),
}
SUPPORTED_CURRENCIES = frozenset(Currency(code) for code in _RULES)

_CURRENCY = re.compile(r"[a-z]{3}")


def currency(code: str) -> Currency:
    """Return `code` as a supported currency, whatever its case. ValueError when it is none."""
    candidate = code.lower()
    if not _CURRENCY.fullmatch(candidate) or candidate not in SUPPORTED_CURRENCIES:
        raise ValueError(f"{code!r} is not a supported currency")
    return Currency(candidate)


def rules_of(currency: str) -> CurrencyRules:
    """The rules of a supported currency; KeyError for any other."""
    return _RULES[currency]


def floor_to_quantum(amount_cents: int, currency: str) -> int:
    """The largest amount that may leave us and is not above `amount_cents`."""
    return amount_cents - amount_cents % _RULES[currency].quantum


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
    """`$25.00`, `-€3.10`, `JPY 1,200`, `KWD 1.250`: for reasons and statements, never parsed."""
    known = _RULES.get(currency)
    decimals = known.decimals if known else 2
    whole, rest = divmod(abs(amount_cents), 10**decimals)
    sign = "-" if amount_cents < 0 else ""
    mark = _SIGNS.get(currency, f"{currency.upper()} ")
    fraction = f".{rest:0{decimals}d}" if decimals else ""
    return f"{sign}{mark}{whole:,}{fraction}"
