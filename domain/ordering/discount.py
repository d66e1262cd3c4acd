"""A discount: what it takes off, of which lines, when, how often, and who pays for it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.shared.errors import Conflict, Invalid, RuleRefused
from domain.shared.money import BASIS_POINTS_PER_UNIT, Currency, floor_to_quantum


class DiscountScope(StrEnum):
    """LINE: of each eligible line by itself. CART: once, of all eligible lines together."""

    LINE = "line"
    CART = "cart"


class DiscountKind(StrEnum):
    """What `value` counts: basis points, or minor units (per piece for a line, once for a cart)."""

    PERCENT = "percent"
    AMOUNT = "amount"


class DiscountInvalid(Invalid):
    """The discount contradicts itself."""

    code = "discount_invalid"


class CodeTaken(Conflict):
    """Another discount of the same store, or of the platform, has this code."""

    code = "discount_code_taken"


class DiscountNotUsable(RuleRefused):
    """The code is unknown, not valid now, in another currency, or used up."""

    code = "discount_not_usable"


class DiscountUsedUp(Conflict):
    """Somebody else has had the last use, or this customer all of theirs."""

    code = "discount_used_up"


_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{2,39}")


def discount_code(text: str) -> str:
    """A code as it is compared: in capitals. Raises DiscountInvalid."""
    code = text.strip().upper()
    if not _CODE.fullmatch(code):
        message = "is 3 to 40 letters, digits and hyphens"
        raise DiscountInvalid("The code is not one.", fields={"code": [message]})
    return code


@dataclass(eq=False, kw_only=True)
class Discount:
    """`store_id` None means that the platform gives it, out of its fee. `code` None means that it
    applies by itself. No `product_ids` means all lines: of the store, or of the whole order.

    `used` counts the orders that hold a use of a discount with a limit, paid or still to be paid;
    `ends_at` is the first moment at which it no longer applies.
    """

    id: UUID
    store_id: UUID | None
    code: str | None
    title: str
    scope: DiscountScope
    kind: DiscountKind
    value: int
    currency: Currency | None
    product_ids: tuple[UUID, ...] = ()
    starts_at: datetime
    ends_at: datetime | None = None
    usage_limit: int | None = None
    per_customer_limit: int | None = None
    used: int = 0
    active: bool = True
    archived: bool = False
    created_at: datetime
    version: int = 1

    @property
    def is_limited(self) -> bool:
        return self.usage_limit is not None or self.per_customer_limit is not None

    def check(self) -> None:
        """Raises DiscountInvalid with every contradiction."""
        fields: dict[str, list[str]] = {}
        if self.kind is DiscountKind.PERCENT and not 0 < self.value <= BASIS_POINTS_PER_UNIT:
            fields["value"] = [f"is 1 to {BASIS_POINTS_PER_UNIT} basis points"]
        if self.value <= 0:
            fields["value"] = ["is above zero"]
        if (self.kind is DiscountKind.AMOUNT) != (self.currency is not None):
            fields["currency"] = ["belongs to an amount, and only there"]
        elif self.currency is not None and floor_to_quantum(self.value, self.currency) < self.value:
            fields["value"] = [f"cannot be charged in {self.currency.upper()}"]
        if self.ends_at is not None and self.ends_at <= self.starts_at:
            fields["ends_at"] = ["is after starts_at"]
        if fields:
            raise DiscountInvalid("The discount contradicts itself.", fields=fields)

    def applies(self, *, at: datetime, currency: Currency) -> bool:
        """Whether it can be used at all now; what it is worth is for pricing to say."""
        return (
            self.active
            and not self.archived
            and self.starts_at <= at
            and (self.ends_at is None or at < self.ends_at)
            and self.currency in (None, currency)
            and (self.usage_limit is None or self.used < self.usage_limit)
        )

    def covers(self, *, product_id: UUID, store_id: UUID) -> bool:
        """Whether a line is eligible: a store's discount reaches its own lines only."""
        if self.store_id is not None and self.store_id != store_id:
            return False
        return not self.product_ids or product_id in self.product_ids

    def worth_cents(self, amount_cents: int, *, quantity: int, currency: Currency) -> int:
        """What it takes off an amount: floored, and never more than there is. `quantity` is the
        pieces of a line; 1 for a cart."""
        if self.kind is DiscountKind.PERCENT:
            off = amount_cents * self.value // BASIS_POINTS_PER_UNIT
        else:
            off = self.value * quantity
        return min(amount_cents, floor_to_quantum(off, currency))


@dataclass(eq=False, kw_only=True)
class DiscountUse:
    """An order's use of a discount, from its placing on; given back when nobody pays.

    `customer` tells customers apart, without saying who they are.
    """

    discount_id: UUID
    order_id: UUID
    customer: str


def usable(
    discounts: Iterable[Discount], codes: Iterable[str], *, at: datetime, currency: Currency
) -> list[Discount]:
    """Those that apply now. Raises DiscountNotUsable for a code that none of them has."""
    applicable = [d for d in discounts if d.applies(at=at, currency=currency)]
    known = {discount.code for discount in applicable}
    for code in codes:
        if code not in known:
            raise DiscountNotUsable("The code cannot be used for this order.", discount_code=code)
    return applicable
