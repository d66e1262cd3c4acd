"""Settling a paid order: the frozen legs become one balanced ledger transaction and, for each
payee, an earning that is held."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from domain.ledger import effects
from domain.ledger.earning import HeldEarning
from domain.ledger.effects import Part
from domain.ledger.posting import Account, Transaction
from domain.ordering.order import PaymentStatus
from domain.ordering.split import LegKind
from domain.shared.errors import Conflict
from domain.shared.money import Currency

ACCOUNT_OF_LEG = {
    LegKind.ROYALTY: Account.PAYABLE_PENDING,
    LegKind.STORE_REVENUE: Account.PAYABLE_PENDING,
    LegKind.PLATFORM_FEE: Account.PLATFORM_REVENUE,
    LegKind.PRODUCTION_COST: Account.PRODUCTION_COST_PAYABLE,
    LegKind.SHIPPING: Account.SHIPPING,
    LegKind.TAX: Account.TAX_PAYABLE,
}


class PaymentMismatch(Conflict):
    """The payment is not the one that the order expects; a person must look at it."""

    code = "payment_mismatch"


class SettlementPlan(NamedTuple):
    """What of an order the settlement needs. `parts` are its legs, summed for each account."""

    order_id: UUID
    buyer_id: UUID | None
    currency: Currency
    total_cents: int
    payment_status: PaymentStatus
    charge_id: str | None
    parts: tuple[Part, ...]


class Capture(NamedTuple):
    order_id: UUID
    payment_id: str
    charge_id: str
    amount_cents: int
    currency: str


@dataclass(frozen=True, slots=True)
class Settlement:
    plan: SettlementPlan
    capture: Capture
    transaction: Transaction
    earnings: tuple[HeldEarning, ...]
    settled_at: datetime


def settle(
    plan: SettlementPlan, capture: Capture, *, hold: timedelta, at: datetime
) -> Settlement | None:
    """Settle an order by a payment; None when this payment has settled it already.

    Raises PaymentMismatch for a second payment, another amount or another currency.
    """
    if plan.payment_status is PaymentStatus.PAID:
        if plan.charge_id == capture.charge_id:
            return None
        raise _mismatch(plan, "The order was paid by another charge already.")
    if capture.amount_cents != plan.total_cents or capture.currency != plan.currency:
        raise _mismatch(plan, "The payment differs from the order's total.")
    transaction = effects.sale(
        charge_id=capture.charge_id,
        order_id=plan.order_id,
        currency=plan.currency,
        parts=plan.parts,
        at=at,
    )
    release_at = at + hold
    earnings = tuple(
        HeldEarning(plan.order_id, payee_id, plan.currency, amount_cents, release_at)
        for _, payee_id, amount_cents in plan.parts
        if payee_id is not None and amount_cents
    )
    return Settlement(plan, capture, transaction, earnings, at)


def part_of_leg(kind: LegKind, payee_id: UUID | None, amount_cents: int) -> Part:
    return Part(ACCOUNT_OF_LEG[kind], payee_id, amount_cents)


def _mismatch(plan: SettlementPlan, message: str) -> PaymentMismatch:
    return PaymentMismatch(message, order_id=str(plan.order_id))
