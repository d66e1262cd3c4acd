"""Refunds, cumulatively exact.

A refund divides its amount over lines, and each line's refunded total over the line's legs. Both
use Webster's method on cumulative amounts, and only the difference from what was given back
before is new. So any sequence of refunds that adds up to everything ends where one full refund
ends, no leg goes below zero or above its original, and the order of refunds does not matter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.shared.allocation import webster
from domain.shared.errors import Conflict, Invalid, NotFound, RuleRefused
from domain.shared.money import Currency


class RefundStatus(StrEnum):
    """`pending`: intended, and perhaps sent. The provider's word ends it.

    `returned`: it had succeeded, and the buyer's bank sent it back. The payees have given their
    parts; the platform owes the money to the buyer, who must be paid in another way.
    """

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    RETURNED = "returned"


class RefundTooLarge(RuleRefused):
    """More than is left to refund."""

    code = "refund_too_large"


class NothingToRefund(Conflict):
    """Everything was refunded already."""

    code = "nothing_to_refund"


class RefundInvalid(Invalid):
    """A refund is asked by amount or by lines, not by both."""

    code = "refund_invalid"


class RefundNotReturned(Conflict):
    """The refund is not one that the buyer's bank sent back."""

    code = "refund_not_returned"


class RefundSettled(Conflict):
    """It was recorded under another reference how the buyer was paid."""

    code = "refund_settled"


class RefundableLine(NamedTuple):
    """`refunded_cents` and `refunded_quantity` include refunds that are still pending."""

    id: UUID
    total_cents: int
    quantity: int
    refunded_cents: int
    refunded_quantity: int

    @property
    def refundable_cents(self) -> int:
        return self.total_cents - self.refunded_cents


@dataclass(frozen=True, slots=True)
class LineRefund:
    """One line's part of a refund. `quantity` is 0 when the refund was asked by amount."""

    line_id: UUID
    amount_cents: int
    quantity: int = 0


@dataclass(eq=False, kw_only=True)
class Refund:
    """An intent to give money back, committed before the provider is asked.

    `attempt` numbers the tries: the provider replays a refusal under its old key. A refund made
    at the provider was requested by nobody here. `settlement` says how a returned refund was paid
    in another way.
    """

    id: UUID
    order_id: UUID
    request_key: str
    amount_cents: int
    currency: Currency
    reason: str
    lines: tuple[LineRefund, ...]
    status: RefundStatus = RefundStatus.PENDING
    attempt: int = 1
    provider_id: str | None = None
    failure_reason: str | None = None
    requested_by: UUID | None
    created_at: datetime
    ended_at: datetime | None = None
    settlement: str | None = None
    settled_at: datetime | None = None

    def settle(self, reference: str, *, at: datetime) -> bool:
        """A returned refund was paid in another way; False when that was recorded before.

        Raises RefundNotReturned, RefundSettled.
        """
        if self.status is not RefundStatus.RETURNED:
            raise RefundNotReturned("Only a refund that the bank sent back is paid otherwise.")
        if self.settlement is not None:
            if self.settlement == reference:
                return False
            raise RefundSettled("The refund was paid otherwise already.", reference=self.settlement)
        self.settlement, self.settled_at = reference, at
        return True


def refund_by_amount(lines: Sequence[RefundableLine], amount_cents: int) -> tuple[LineRefund, ...]:
    """Divide an amount over the lines in proportion to their totals, going on from what each has
    had back already. Raises RefundTooLarge, NothingToRefund."""
    refundable = _refundable(lines)
    if amount_cents > refundable:
        raise RefundTooLarge(
            "The refund exceeds what is left to refund.",
            amount_cents=amount_cents,
            refundable_cents=refundable,
        )
    before = [line.refunded_cents for line in lines]
    after = webster(
        sum(before) + amount_cents, [line.total_cents for line in lines], at_least=before
    )
    return tuple(
        LineRefund(line.id, now - was)
        for line, was, now in zip(lines, before, after, strict=True)
        if now > was
    )


def refund_by_quantity(
    lines: Sequence[RefundableLine], quantities: Mapping[UUID, int]
) -> tuple[LineRefund, ...]:
    """Give back whole pieces at what each still has to give.

    A line's last piece takes the whole rest, so that earlier refunds by amount are not paid
    twice. A piece brings its share of the line's shipping and tax with it, for the line's total
    holds them. Raises RefundTooLarge, NotFound, NothingToRefund.
    """
    by_id = {line.id: line for line in lines}
    _refundable(lines)
    refunds = []
    for line_id, quantity in quantities.items():
        line = by_id.get(line_id)
        if line is None:
            raise NotFound("order line", line_id)
        left = line.quantity - line.refunded_quantity
        if quantity > left:
            raise RefundTooLarge(
                "More pieces than are left to refund.",
                line_id=str(line_id),
                quantity=quantity,
                refundable_quantity=left,
            )
        price = line.total_cents * quantity // line.quantity
        amount = line.refundable_cents if quantity == left else min(price, line.refundable_cents)
        if amount > 0:
            refunds.append(LineRefund(line_id, amount, quantity))
    if not refunds:
        raise NothingToRefund("Nothing is left to refund on these lines.")
    return tuple(refunds)


def leg_reversals(
    leg_cents: Sequence[int], *, refunded_before_cents: int, refunded_after_cents: int
) -> tuple[int, ...]:
    """What each leg gives back when a line's refunded total goes from before to after.

    Non-negative, and their sum is the difference.
    """
    if not 0 <= refunded_before_cents <= refunded_after_cents <= sum(leg_cents):
        raise ValueError("a line's refunds only grow, and never beyond the line")
    before = webster(refunded_before_cents, leg_cents)
    after = webster(refunded_after_cents, leg_cents)
    return tuple(b - a for a, b in zip(before, after, strict=True))


def _refundable(lines: Sequence[RefundableLine]) -> int:
    refundable = sum(line.refundable_cents for line in lines)
    if refundable == 0:
        raise NothingToRefund("Everything was refunded already.")
    return refundable
