"""Credits for money: packs, purchases, and what of a purchase is given back.

Whoever gets money back gives the credits back that are neither spent nor held: what was spent
stays paid.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.shared.errors import Conflict, Invalid, RuleRefused
from domain.shared.money import Currency


class CreditPack(NamedTuple):
    """So many credits for so much, before tax."""

    name: str
    credits: int
    amount_cents: int
    currency: Currency


_USD = Currency("usd")

PACKS: Mapping[str, CreditPack] = {
    pack.name: pack
    for pack in (
        CreditPack("small", 500, 500, _USD),
        CreditPack("medium", 2_200, 2_000, _USD),
        CreditPack("large", 6_000, 5_000, _USD),
    )
}
"""What is sold today; a purchase keeps what it was made of."""


class PurchaseStatus(StrEnum):
    OPEN = "open"
    PAID = "paid"
    EXPIRED = "expired"


class PackUnknown(Invalid):
    """There is no such pack of credits."""

    code = "pack_unknown"


class PlaceRequired(Invalid):
    """Tax is collected here, and depends on where the buyer is at home: send a `place`."""

    code = "place_required"


class PurchaseMismatch(Conflict):
    """The money that came does not fit the purchase: somebody must look at this."""

    code = "purchase_mismatch"


class NothingToGiveBack(RuleRefused):
    """The credits of this purchase are spent, held, or were given back before."""

    code = "credits_spent"


class PurchaseNotPaid(Conflict):
    """Only what was paid is given back."""

    code = "purchase_not_paid"


@dataclass(eq=False, kw_only=True)
class CreditPurchase:
    """`amount_cents` is its price before tax. `taken_back` of its `credits` went back against
    money, `lost_credits` with money that a bank took. `ask_at`: when the provider is asked again
    how its page stands."""

    id: UUID
    user_id: UUID
    request_key: str
    pack: str
    credits: int
    amount_cents: int
    tax_cents: int = 0
    currency: Currency
    status: PurchaseStatus = PurchaseStatus.OPEN
    session_id: str | None = None
    url: str | None = None
    charge_id: str | None = None
    taken_back: int = 0
    refunded_cents: int = 0
    lost_credits: int = 0
    lost_cents: int = 0
    tax_calculation_id: str | None = None
    tax_report_id: str | None = None
    created_at: datetime
    expires_at: datetime
    ask_at: datetime
    paid_at: datetime | None = None

    def pay(self, *, charge_id: str, amount_cents: int, currency: str, at: datetime) -> bool:
        """Whether this is new. A page that was given up may be paid at that moment all the same.
        Raises PurchaseMismatch."""
        if self.status is PurchaseStatus.PAID and self.charge_id == charge_id:
            return False
        if self.status is PurchaseStatus.PAID or (amount_cents, currency) != (
            self.total_cents,
            self.currency,
        ):
            raise PurchaseMismatch(
                "The payment does not fit its purchase of credits.",
                purchase_id=str(self.id),
                charge_id=charge_id,
            )
        self.status, self.charge_id, self.paid_at = PurchaseStatus.PAID, charge_id, at
        return True

    @property
    def total_cents(self) -> int:
        """What is paid."""
        return self.amount_cents + self.tax_cents

    @property
    def refundable_credits(self) -> int:
        return self.credits - self.taken_back - self.lost_credits

    def require_refundable(self) -> None:
        """Raises PurchaseNotPaid, NothingToGiveBack."""
        if self.status is not PurchaseStatus.PAID:
            raise PurchaseNotPaid("This purchase was not paid.", status=str(self.status))
        if not self.refundable_credits or not self.price_of(self.refundable_credits):
            raise NothingToGiveBack("This purchase was given back before.")

    def price_of(self, credits: int) -> int:
        """What more of them cost than are gone already: all of them cost all of it."""
        gone, gone_cents = (
            self.taken_back + self.lost_credits,
            self.refunded_cents + self.lost_cents,
        )
        up_to = self.total_cents * (gone + credits) // self.credits
        return max(0, min(up_to, self.total_cents) - gone_cents)

    def bought_for(self, amount_cents: int) -> int:
        """How many of the credits that no bank took so much of what was paid had bought."""
        bought = self.credits * amount_cents // self.total_cents
        return min(bought, self.credits - self.lost_credits)

    def lose(self, credits: int, amount_cents: int) -> None:
        """A bank took so much of its price for good."""
        self.lost_credits += min(credits, self.refundable_credits)
        self.lost_cents = min(self.lost_cents + amount_cents, self.total_cents)

    def give_back(self, credits: int, amount_cents: int) -> None:
        self.taken_back += credits
        self.refunded_cents += amount_cents
        if not 0 <= self.taken_back <= self.credits:
            raise ValueError(f"{self.taken_back} of {self.credits} credits taken back")
        if not 0 <= self.refunded_cents <= self.total_cents:
            raise ValueError(f"{self.refunded_cents} of {self.total_cents} given back")


class ChargeKind(StrEnum):
    CREDITS = "credits"
    PLAN = "plan"


class Share(NamedTuple):
    """Whose the money of a charge is. `lost_cents` is what left beyond the whole of it."""

    revenue_cents: int
    tax_cents: int
    lost_cents: int


@dataclass(eq=False, kw_only=True)
class PlatformCharge:
    """A payment to the platform itself; `id` is the provider's id of the charge. `refunded_cents`
    counts refunds that are under way too, `contested_cents` is what banks hold, `out_cents` what
    has left: refunded, contested or lost."""

    id: str
    kind: ChargeKind
    user_id: UUID
    amount_cents: int
    tax_cents: int
    currency: Currency
    purchase_id: UUID | None = None
    invoice_id: str | None = None
    subscription_id: UUID | None = None
    refunded_cents: int = 0
    contested_cents: int = 0
    out_cents: int = 0
    paid_at: datetime

    def move(self, cents: int) -> Share:
        """So much more of it leaves, or comes back where below zero. What is whose follows from
        what is out in all: so no order of refunds and disputes leaves other books."""
        before, self.out_cents = self._share(), self.out_cents + cents
        if self.out_cents < 0:
            raise ValueError(f"{self.out_cents} of a charge are out")
        after = self._share()
        return Share(*(now - then for now, then in zip(after, before, strict=True)))

    def _share(self) -> Share:
        within = min(self.out_cents, self.amount_cents)
        tax_cents = self.tax_cents * within // self.amount_cents
        return Share(within - tax_cents, tax_cents, self.out_cents - within)


class ChargeRefundStatus(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    RETURNED = "returned"


@dataclass(eq=False, kw_only=True)
class ChargeRefund:
    """Money of a platform's charge on its way back, with the credits that were taken for it.
    `tax_cents` of it is known once it succeeded. `requested_by` None: made at the provider."""

    id: UUID
    charge_id: str
    purchase_id: UUID | None
    amount_cents: int
    tax_cents: int = 0
    currency: Currency
    credits: int
    status: ChargeRefundStatus = ChargeRefundStatus.PENDING
    provider_id: str | None = None
    requested_by: UUID | None
    reason: str
    created_at: datetime
    ended_at: datetime | None = None
