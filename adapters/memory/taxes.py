"""A tax provider in memory: one rate per country, and a record of what was reported."""

from collections.abc import Mapping
from uuid import UUID, uuid4

from application.ports.errors import OutcomeUnknown, ProviderError, Rejected
from application.ports.taxes import TaxQuote, TaxRequest
from domain.shared.money import rules_of


class MemoryTaxes:
    """`rates` in basis points by country; a country that is not there has no tax.

    `XX` cannot be placed. The next call raises `failure` when one is set; where that is
    OutcomeUnknown, a report was taken all the same.
    """

    def __init__(self, rates: Mapping[str, int] | None = None) -> None:
        self.rates = dict(rates or {})
        self.failure: ProviderError | None = None
        self.sales: dict[UUID, str] = {}
        self.refunds: dict[UUID, tuple[str, int]] = {}
        self._calculations: set[str] = set()

    async def quote(self, request: TaxRequest) -> TaxQuote:
        self._fail()
        country = request.ship_to.country
        if country == "XX":
            raise _rejected("customer_tax_location_invalid")
        rate, quantum = self.rates.get(country, 0), rules_of(request.currency).quantum
        calculation_id = f"taxcalc_{uuid4().hex}"
        self._calculations.add(calculation_id)
        whole = 10_000 * quantum
        return TaxQuote(
            tax_cents={
                line.reference: (2 * (line.amount_cents + line.shipping_cents) * rate + whole)
                // (2 * whole)
                * quantum
                for line in request.lines
            },
            calculation_id=calculation_id,
        )

    async def report_sale(self, *, order_id: UUID, calculation_id: str) -> str:
        self._fail()
        if calculation_id not in self._calculations:
            raise _rejected("resource_missing")
        return self.sales.setdefault(order_id, f"tax_{uuid4().hex}")

    async def report_refund(
        self, *, refund_id: UUID, report_id: str, amount_cents: int, currency: str
    ) -> None:
        if not isinstance(self.failure, OutcomeUnknown):
            self._fail()
        if report_id not in self.sales.values():
            raise _rejected("resource_missing")
        self.refunds.setdefault(refund_id, (report_id, amount_cents))
        self._fail()

    def _fail(self) -> None:
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure


def _rejected(reason: str) -> Rejected:
    return Rejected(f"Declined: {reason}.", provider="memory", reason=reason)
