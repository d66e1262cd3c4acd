"""What we need from whoever computes tax on sales: an amount for each line, before payment.

The embedded default is a table of fixed rates; Stripe Tax is the other adapter. Tax comes on top
of prices. Errors: `application.ports.errors`.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol
from uuid import UUID

import msgspec


class TaxAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where the goods go. `country` is ISO 3166-1 alpha-2, `state` the code of its subdivision."""

    country: str
    state: str | None = None
    postal_code: str | None = None
    city: str | None = None
    line1: str | None = None
    line2: str | None = None


class TaxableLine(msgspec.Struct, frozen=True, kw_only=True):
    """`reference` is ours; `amount_cents` the price of the goods after discounts, before tax."""

    reference: str
    amount_cents: int
    shipping_cents: int
    kind: Literal["physical", "digital"]


class TaxRequest(msgspec.Struct, frozen=True, kw_only=True):
    currency: str
    lines: Sequence[TaxableLine]
    ship_to: TaxAddress


class TaxQuote(msgspec.Struct, frozen=True, kw_only=True):
    """Tax on top, by line, that on the line's shipping included: a multiple of the quantum.

    `calculation_id` is the provider's, by which the sale is reported once it is paid; None where
    nothing has to be reported.
    """

    tax_cents: Mapping[str, int]
    calculation_id: str | None = None


class Taxes(Protocol):
    async def quote(self, request: TaxRequest) -> TaxQuote:
        """Raises Rejected for an address that cannot be placed, Unavailable."""
        ...

    async def report_sale(self, *, order_id: UUID, calculation_id: str) -> str:
        """The sale was paid; answers the provider's id of its report. Once per order, however
        often it is asked."""
        ...

    async def report_refund(
        self, *, refund_id: UUID, report_id: str, amount_cents: int, currency: str
    ) -> None:
        """So much, tax included, of a reported sale was given back. Once per refund."""
        ...
