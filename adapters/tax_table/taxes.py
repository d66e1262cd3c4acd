"""The `Taxes` port from the table: a rate where the operator is registered, nothing elsewhere."""

from collections.abc import Collection, Mapping
from uuid import UUID

from adapters.tax_table.rates import STANDARD_RATES
from application.ports.errors import Rejected
from application.ports.taxes import TaxAddress, TaxQuote, TaxRequest
from domain.shared.money import rules_of

PROVIDER = "tax table"
_UNIT = 100_000
_BY_STATE = frozenset(place.split("-")[0] for place in STANDARD_RATES if "-" in place)


class TableTaxes:
    """`registrations` are countries (`DE`) and states (`US-CA`) of the table.

    Tax of a line and its shipping is rounded half up to what can be charged. Nothing has to be
    reported to anybody: the accounting export has what a tax return needs.
    """

    def __init__(
        self,
        registrations: Collection[str],
        *,
        rates: Mapping[str, int] = STANDARD_RATES,
    ) -> None:
        unknown = sorted(place for place in registrations if place not in rates)
        if unknown:
            raise ValueError(f"no tax rate is known for {', '.join(unknown)}")
        self._rates = {place: rates[place] for place in registrations}

    async def quote(self, request: TaxRequest) -> TaxQuote:
        rate = self._rate(request.ship_to)
        quantum = rules_of(request.currency).quantum
        return TaxQuote(
            tax_cents={
                line.reference: _rounded(line.amount_cents + line.shipping_cents, rate, quantum)
                for line in request.lines
            }
        )

    async def report_sale(self, *, order_id: UUID, calculation_id: str) -> str:
        raise Rejected(
            "The table keeps no calculations.", provider=PROVIDER, reason="nothing_to_report"
        )

    async def report_refund(
        self, *, refund_id: UUID, report_id: str, amount_cents: int, currency: str
    ) -> None:
        raise Rejected("The table keeps no reports.", provider=PROVIDER, reason="nothing_to_report")

    def _rate(self, address: TaxAddress) -> int:
        country = address.country.upper()
        if country not in _BY_STATE:
            return self._rates.get(country, 0)
        if not any(place.startswith(f"{country}-") for place in self._rates):
            return 0
        if not address.state:
            raise Rejected(
                "The address does not say its state.", provider=PROVIDER, reason="state_missing"
            )
        return self._rates.get(f"{country}-{address.state.upper()}", 0)


def _rounded(amount_cents: int, rate: int, quantum: int) -> int:
    """Half up, in whole quanta."""
    whole = _UNIT * quantum
    return (2 * amount_cents * rate + whole) // (2 * whole) * quantum
