"""A payment settles the order it was made for: whole, once, in its currency."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domain.ledger.effects import merge
from domain.ledger.posting import Account
from domain.ordering.order import OrderStatus, PaymentStatus, status_of
from domain.ordering.settlement import (
    Capture,
    PaymentMismatch,
    SettlementPlan,
    part_of_leg,
    settle,
)
from domain.ordering.split import LegKind
from tests.builders import NOON, USD
from tests.domain.ordering.orders import order_line

ORDER, CREATOR = uuid4(), uuid4()
STORES = (uuid4(), uuid4())
HOLD = timedelta(days=7)


def plan(
    *, status: PaymentStatus = PaymentStatus.UNPAID, charge: str | None = None
) -> SettlementPlan:
    """Two lines of one creator in two stores."""
    lines = [order_line(creator_id=CREATOR, store_id=s, unit_cost_cents=950) for s in STORES]
    parts = merge(part_of_leg(leg[0], leg[1], leg[2]) for line in lines for leg in line.legs)
    return SettlementPlan(ORDER, uuid4(), USD, 5000, status, charge, parts)


def capture(*, amount: int = 5000, currency: str = "usd", charge: str = "ch_1") -> Capture:
    return Capture(ORDER, "pi_1", charge, amount, currency)


def test_legs_are_summed_per_party_and_each_payee_has_one_earning_on_hold() -> None:
    settlement = settle(plan(), capture(), hold=HOLD, at=NOON)
    assert settlement is not None
    assert {(e.payee_id, e.amount_cents, e.release_at) for e in settlement.earnings} == {
        (CREATOR, 500, NOON + HOLD),
        (STORES[0], 1050, NOON + HOLD),
        (STORES[1], 1050, NOON + HOLD),
    }
    entries = {(e.account, e.payee_id): e.amount_cents for e in settlement.transaction.entries}
    assert entries == {
        (Account.STRIPE_CLEARING, None): -5000,
        (Account.PAYABLE_PENDING, CREATOR): 500,
        (Account.PAYABLE_PENDING, STORES[0]): 1050,
        (Account.PAYABLE_PENDING, STORES[1]): 1050,
        (Account.PLATFORM_REVENUE, None): 500,
        (Account.PRODUCTION_COST_PAYABLE, None): 1900,
    }
    assert settlement.transaction.effect_key == "sale:ch_1"


def test_the_same_payment_again_settles_nothing() -> None:
    paid = plan(status=PaymentStatus.PAID, charge="ch_1")
    assert settle(paid, capture(), hold=HOLD, at=NOON) is None


@pytest.mark.parametrize(
    ("ordered", "paid"),
    [
        (plan(status=PaymentStatus.PAID, charge="ch_0"), capture()),
        (plan(), capture(amount=4999)),
        (plan(), capture(amount=5001)),
        (plan(), capture(currency="eur")),
    ],
    ids=["another charge", "too little", "too much", "another currency"],
)
def test_a_payment_that_differs_is_left_to_a_person(ordered: SettlementPlan, paid: Capture) -> None:
    with pytest.raises(PaymentMismatch) as refused:
        settle(ordered, paid, hold=HOLD, at=NOON)
    assert refused.value.facts == {"order_id": str(ORDER)}


@pytest.mark.parametrize("ended", [PaymentStatus.EXPIRED, PaymentStatus.FAILED])
def test_money_that_arrives_after_the_end_settles_all_the_same(ended: PaymentStatus) -> None:
    assert settle(plan(status=ended), capture(), hold=HOLD, at=NOON) is not None


def test_a_party_that_gets_nothing_has_no_earning() -> None:
    line = order_line(royalty_bps=0)
    parts = merge(part_of_leg(leg[0], leg[1], leg[2]) for leg in line.legs)
    free = SettlementPlan(ORDER, uuid4(), USD, 2500, PaymentStatus.UNPAID, None, parts)
    settlement = settle(free, capture(amount=2500), hold=HOLD, at=NOON)
    assert settlement is not None
    assert [e.payee_id for e in settlement.earnings] == [line.store_id]


@pytest.mark.parametrize("kind", LegKind)
def test_every_kind_of_leg_has_an_account(kind: LegKind) -> None:
    payee: UUID | None = CREATOR if kind in (LegKind.ROYALTY, LegKind.STORE_REVENUE) else None
    assert part_of_leg(kind, payee, 5).payee_id == payee


@pytest.mark.parametrize(
    ("payment", "status"),
    [
        (PaymentStatus.UNPAID, OrderStatus.PENDING),
        (PaymentStatus.PROCESSING, OrderStatus.PENDING),
        (PaymentStatus.PAID, OrderStatus.PAID),
        (PaymentStatus.FAILED, OrderStatus.CANCELLED),
        (PaymentStatus.EXPIRED, OrderStatus.CANCELLED),
    ],
)
def test_the_status_that_people_read_is_derived(
    payment: PaymentStatus, status: OrderStatus
) -> None:
    assert status_of(payment) is status
