"""The `Taxes` port over Stripe Tax: calculations before payment, transactions after it.

Shipping of a line is a line of its own in the calculation, so that both come back apart.
"""

from typing import TYPE_CHECKING
from uuid import UUID

from adapters.stripe.client import StripeApi
from adapters.stripe.errors import PROVIDER, in_our_words
from application.ports.errors import Rejected
from application.ports.taxes import TaxQuote, TaxRequest
from domain.shared.money import rules_of

if TYPE_CHECKING:
    from stripe.params.tax import CalculationCreateParams, CalculationCreateParamsLineItem

_TAX_CODES = {"physical": "txcd_99999999", "digital": "txcd_10501000"}
_SHIPPING_CODE = "txcd_92010001"
_SHIPPING = ":shipping"


class StripeTaxes:
    """Needs a Stripe account with Stripe Tax set up: an origin address and registrations."""

    def __init__(self, api: StripeApi) -> None:
        self._tax = api.client.v1.tax

    async def quote(self, request: TaxRequest) -> TaxQuote:
        with in_our_words():
            calculation = await self._tax.calculations.create_async(_parameters(request))
        tax_cents = {line.reference: 0 for line in request.lines}
        if calculation.line_items is None or calculation.id is None:
            raise Rejected(
                "Stripe Tax answered without lines.", provider=PROVIDER, reason="no_lines"
            )
        for item in calculation.line_items.data:
            tax_cents[item.reference.removesuffix(_SHIPPING)] += item.amount_tax
        quantum = rules_of(request.currency).quantum
        return TaxQuote(
            tax_cents={line: -(-cents // quantum) * quantum for line, cents in tax_cents.items()},
            calculation_id=calculation.id,
        )

    async def report_sale(self, *, order_id: UUID, calculation_id: str) -> str:
        with in_our_words():
            report = await self._tax.transactions.create_from_calculation_async(
                {"calculation": calculation_id, "reference": f"order:{order_id}"},
                {"idempotency_key": f"tax:{order_id}"},
            )
        return report.id

    async def report_refund(
        self, *, refund_id: UUID, report_id: str, amount_cents: int, currency: str
    ) -> None:
        with in_our_words():
            await self._tax.transactions.create_reversal_async(
                {
                    "mode": "partial",
                    "original_transaction": report_id,
                    "reference": f"refund:{refund_id}",
                    "flat_amount": -amount_cents,
                },
                {"idempotency_key": f"tax_refund:{refund_id}"},
            )


def _parameters(request: TaxRequest) -> "CalculationCreateParams":
    lines: list[CalculationCreateParamsLineItem] = []
    for line in request.lines:
        lines.append(
            {
                "amount": line.amount_cents,
                "reference": line.reference,
                "tax_behavior": "exclusive",
                "tax_code": _TAX_CODES[line.kind],
            }
        )
        if line.shipping_cents:
            lines.append(
                {
                    "amount": line.shipping_cents,
                    "reference": line.reference + _SHIPPING,
                    "tax_behavior": "exclusive",
                    "tax_code": _SHIPPING_CODE,
                }
            )
    place = request.ship_to
    return {
        "currency": request.currency,
        "customer_details": {
            "address": {
                "country": place.country,
                "state": place.state or "",
                "postal_code": place.postal_code or "",
                "city": place.city or "",
                "line1": place.line1 or "",
                "line2": place.line2 or "",
            },
            "address_source": "shipping",
        },
        "line_items": lines,
        "expand": ["line_items"],
    }
