"""What an order costs, line by line. Quotes and checkouts are priced by the same functions.

Unit price × quantity, then the stores' discounts, line before cart, then the platform's, line
before cart, then shipping, then tax on what is left. Everything belongs to a line, so the lines
always add up to the order.

Discounts stack in one way, whatever the order in which codes were entered: of each kind that can
take something off a line (a store's for lines, a store's for the cart, the platform's for lines,
the platform's for the cart) the one that takes off most applies, the lowest id where two are equal.
A store's discount reaches its own lines. The platform's comes out of its own fee of each line, and
is never more than that fee.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from domain.ordering.discount import Discount, DiscountScope
from domain.ordering.fees import FeeRate
from domain.ordering.split import platform_fee_cents
from domain.shared.allocation import largest_remainder
from domain.shared.money import Currency, floor_to_quantum, rules_of


class Item(NamedTuple):
    """What is bought; `fee` is the platform's rate of this kind of sale."""

    product_id: UUID
    store_id: UUID
    unit_price_cents: int
    quantity: int
    fee: FeeRate


class AppliedDiscount(NamedTuple):
    """What a discount took off one line. Frozen on the order line."""

    discount_id: UUID
    code: str | None
    title: str
    amount_cents: int
    by_platform: bool


class PricedLine(NamedTuple):
    """Amounts are of the whole line. `total_cents` is the sum of the legs of its split."""

    product_id: UUID
    store_id: UUID
    unit_price_cents: int
    quantity: int
    discounts: tuple[AppliedDiscount, ...] = ()
    shipping_cents: int = 0
    tax_cents: int = 0

    @property
    def subtotal_cents(self) -> int:
        return self.unit_price_cents * self.quantity

    @property
    def discount_cents(self) -> int:
        return sum(discount.amount_cents for discount in self.discounts)

    @property
    def platform_discount_cents(self) -> int:
        return sum(d.amount_cents for d in self.discounts if d.by_platform)

    @property
    def net_cents(self) -> int:
        return self.subtotal_cents - self.discount_cents

    @property
    def final_unit_price_cents(self) -> int:
        """What one piece costs after every discount, floored: what the licence looks at."""
        return self.net_cents // self.quantity

    @property
    def total_cents(self) -> int:
        return self.net_cents + self.shipping_cents + self.tax_cents


class Price(NamedTuple):
    currency: Currency
    lines: tuple[PricedLine, ...]

    @property
    def subtotal_cents(self) -> int:
        return sum(line.subtotal_cents for line in self.lines)

    @property
    def discount_cents(self) -> int:
        return sum(line.discount_cents for line in self.lines)

    @property
    def shipping_cents(self) -> int:
        return sum(line.shipping_cents for line in self.lines)

    @property
    def tax_cents(self) -> int:
        return sum(line.tax_cents for line in self.lines)

    @property
    def total_cents(self) -> int:
        return sum(line.total_cents for line in self.lines)

    def discount_ids(self) -> set[UUID]:
        """The discounts that take something off: those of which the order holds a use."""
        return {discount.discount_id for line in self.lines for discount in line.discounts}


def price(items: Sequence[Item], discounts: Iterable[Discount], *, currency: Currency) -> Price:
    """Price items, a product once each, by discounts that apply now. No shipping and no tax yet.

    Unit prices are floored to what can be charged in the currency.
    """
    lines = _Lines(items, currency)
    by_id = sorted(discounts, key=lambda discount: discount.id)
    for of_platform in (False, True):
        for scope in DiscountScope:
            lines.take_off(
                [d for d in by_id if (d.store_id is None) is of_platform and d.scope is scope],
                by_platform=of_platform,
            )
    return Price(currency, lines.priced())


def with_shipping(priced: Price, shipping_cents: Mapping[UUID, int]) -> Price:
    """By product; a product that is not there ships for nothing."""
    return priced._replace(
        lines=tuple(
            line._replace(shipping_cents=shipping_cents.get(line.product_id, 0))
            for line in priced.lines
        )
    )


def with_tax(priced: Price, tax_cents: Mapping[UUID, int]) -> Price:
    """By product, on net and shipping."""
    return priced._replace(
        lines=tuple(
            line._replace(tax_cents=tax_cents.get(line.product_id, 0)) for line in priced.lines
        )
    )


class _Lines:
    """Lines while discounts are taken off them. Divisions go by product id, so that the order in
    which the buyer chose decides nothing."""

    def __init__(self, items: Sequence[Item], currency: Currency) -> None:
        self._currency = currency
        self._items = [
            item._replace(unit_price_cents=floor_to_quantum(item.unit_price_cents, currency))
            for item in items
        ]
        self._left = [item.unit_price_cents * item.quantity for item in self._items]
        self._room: list[int] = []
        self._applied: list[list[AppliedDiscount]] = [[] for _ in items]
        self._stable = sorted(range(len(items)), key=lambda i: items[i].product_id)

    def priced(self) -> tuple[PricedLine, ...]:
        return tuple(
            PricedLine(
                item.product_id,
                item.store_id,
                item.unit_price_cents,
                item.quantity,
                tuple(applied),
            )
            for item, applied in zip(self._items, self._applied, strict=True)
        )

    def take_off(self, discounts: Sequence[Discount], *, by_platform: bool) -> None:
        """Let the best of some discounts of one payer and scope apply."""
        if not discounts:
            return
        if by_platform and not self._room:
            self._room = [self._fee_cents(i) for i in range(len(self._items))]
        if discounts[0].scope is DiscountScope.LINE:
            for i in self._stable:
                self._best(
                    [(d, {i: self._off_line(d, i)}) for d in discounts if self._covers(d, i)]
                )
        else:
            for payer in dict.fromkeys(discount.store_id for discount in discounts):
                self._best([(d, self._off_cart(d)) for d in discounts if d.store_id == payer])

    def _best(self, offers: Sequence[tuple[Discount, dict[int, int]]]) -> None:
        if not offers:
            return
        discount, parts = max(offers, key=lambda offer: sum(offer[1].values()))
        by_platform = discount.store_id is None
        for i, off in parts.items():
            if off == 0:
                continue
            self._left[i] -= off
            if by_platform:
                self._room[i] -= off
            self._applied[i].append(
                AppliedDiscount(discount.id, discount.code, discount.title, off, by_platform)
            )

    def _off_line(self, discount: Discount, i: int) -> int:
        off = discount.worth_cents(
            self._left[i], quantity=self._items[i].quantity, currency=self._currency
        )
        return off if discount.store_id is not None else min(off, self._room[i])

    def _off_cart(self, discount: Discount) -> dict[int, int]:
        eligible = [i for i in self._stable if self._covers(discount, i)]
        weights = [self._left[i] for i in eligible]
        off = discount.worth_cents(sum(weights), quantity=1, currency=self._currency)
        if discount.store_id is None:
            weights = [self._room[i] for i in eligible]
            off = min(off, sum(weights))
        quantum = rules_of(self._currency).quantum
        parts = largest_remainder(off // quantum, [weight // quantum for weight in weights])
        return {i: part * quantum for i, part in zip(eligible, parts, strict=True)}

    def _covers(self, discount: Discount, i: int) -> bool:
        item = self._items[i]
        return discount.covers(product_id=item.product_id, store_id=item.store_id)

    def _fee_cents(self, i: int) -> int:
        """The most that the platform can give away of a line."""
        fee = platform_fee_cents(self._left[i], self._items[i].fee)
        return floor_to_quantum(min(self._left[i], fee), self._currency)
