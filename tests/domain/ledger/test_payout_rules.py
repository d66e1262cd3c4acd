"""What an instant payout costs, and from which amount on there is one."""

from uuid import UUID

import pytest

from domain.ledger.payout import PayoutSpeed
from domain.ledger.payout_rules import PayoutPolicy
from domain.ledger.payout_settings import PayoutSettings

POLICY = PayoutPolicy(default_minimum_cents=1000, minimums={"jpy": 2000})


@pytest.mark.parametrize(
    ("amount_cents", "currency", "fee_cents"),
    [
        (1000, "usd", 50),
        (5000, "usd", 50),
        (5100, "usd", 51),
        (10_099, "usd", 100),
        (12_345, "kwd", 130),
    ],
)
def test_an_instant_payout_costs_a_rate_and_at_least_something(
    amount_cents: int, currency: str, fee_cents: int
) -> None:
    assert POLICY.fee_cents(amount_cents, currency, PayoutSpeed.INSTANT) == fee_cents
    assert POLICY.fee_cents(amount_cents, currency, PayoutSpeed.STANDARD) == 0


@pytest.mark.parametrize(
    ("own", "currency", "minimum"),
    [
        (None, "usd", 1000),
        (500, "usd", 1000),
        (3000, "usd", 3000),
        (None, "jpy", 2000),
        (1500, "jpy", 2000),
    ],
)
def test_a_payee_may_raise_the_smallest_payout_and_not_lower_it(
    own: int | None, currency: str, minimum: int
) -> None:
    settings = PayoutSettings(id=UUID(int=1), minimum_cents=own)

    assert POLICY.minimum_cents(currency, settings) == minimum
