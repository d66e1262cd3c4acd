"""What every adapter of the tax port promises."""

import abc
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from adapters.memory.taxes import MemoryTaxes
from adapters.stripe.taxes import StripeTaxes
from adapters.tax_table.taxes import TableTaxes
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from application.ports.taxes import TaxableLine, TaxAddress, Taxes, TaxRequest
from tests.contracts.conftest import Sandbox
from tests.contracts.payment_providers import stripe_over

BERLIN = TaxAddress(country="DE", postal_code="10115", city="Berlin", line1="Chausseestr. 1")
OSLO = TaxAddress(country="NO", postal_code="0150", city="Oslo", line1="Karl Johans gate 1")


class World(abc.ABC):
    """An adapter that is registered in Germany at 19 %, and what one can see behind it."""

    taxes: Taxes
    nowhere: TaxAddress

    @abc.abstractmethod
    async def reported_refunds_cents(self, report_id: str) -> int: ...

    @abc.abstractmethod
    async def fail(self, *, lost_answer: bool = False) -> None: ...


class MemoryWorld(World):
    def __init__(self) -> None:
        self._fake = MemoryTaxes({"DE": 1900})
        self.taxes = self._fake
        self.nowhere = TaxAddress(country="XX")

    async def reported_refunds_cents(self, report_id: str) -> int:
        return sum(cents for to, cents in self._fake.refunds.values() if to == report_id)

    async def fail(self, *, lost_answer: bool = False) -> None:
        kind = OutcomeUnknown if lost_answer else Unavailable
        self._fake.failure = kind("not today", provider="memory")


class StripeWorld(World):
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.api = stripe_over(sandbox)
        self.taxes = StripeTaxes(self.api)
        self.nowhere = TaxAddress(country="XX")

    async def reported_refunds_cents(self, report_id: str) -> int:
        kept = self._sandbox.state()["stripe"]["tax_reversed_cents"]
        return int(kept.get(report_id, 0))

    async def fail(self, *, lost_answer: bool = False) -> None:
        path = "transactions/create_reversal" if lost_answer else "calculations"
        self._sandbox.control(
            "failures",
            provider="stripe",
            kind="timeout_after_acceptance" if lost_answer else "status",
            operation=f"POST /v1/tax/{path}",
            status=503,
        )


@pytest.fixture(params=["memory", "stripe"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "memory":
        yield MemoryWorld()
        return
    stripe_world = StripeWorld(request.getfixturevalue("sandbox"))
    yield stripe_world
    await stripe_world.api.close()


@pytest.fixture(params=["memory", "table", "stripe"])
async def quoting(request: pytest.FixtureRequest) -> AsyncIterator[Taxes]:
    match request.param:
        case "memory":
            yield MemoryTaxes({"DE": 1900})
        case "table":
            yield TableTaxes(["DE", "US-CA"])
        case _:
            api = stripe_over(request.getfixturevalue("sandbox"))
            yield StripeTaxes(api)
            await api.close()


def line(reference: str, cents: int, *, shipping: int = 0) -> TaxableLine:
    return TaxableLine(
        reference=reference, amount_cents=cents, shipping_cents=shipping, kind="physical"
    )


def request_for(*lines: TaxableLine, to: TaxAddress = BERLIN, currency: str = "eur") -> TaxRequest:
    return TaxRequest(currency=currency, lines=lines, ship_to=to)


async def test_each_line_is_taxed_with_its_shipping(quoting: Taxes) -> None:
    quote = await quoting.quote(request_for(line("a", 2500, shipping=490), line("b", 1000)))
    assert quote.tax_cents == {"a": 568, "b": 190}


async def test_nothing_is_due_where_nobody_is_registered(quoting: Taxes) -> None:
    quote = await quoting.quote(request_for(line("a", 2500), to=OSLO))
    assert quote.tax_cents == {"a": 0}


async def test_a_gift_is_not_taxed(quoting: Taxes) -> None:
    assert (await quoting.quote(request_for(line("a", 0)))).tax_cents == {"a": 0}


async def test_tax_of_a_three_decimal_currency_can_be_charged(quoting: Taxes) -> None:
    quote = await quoting.quote(request_for(line("a", 12_340), currency="kwd"))
    assert quote.tax_cents["a"] % 10 == 0
    assert abs(quote.tax_cents["a"] - 2_344.6) < 10


async def test_an_address_that_cannot_be_placed_is_rejected(world: World) -> None:
    with pytest.raises(Rejected) as refused:
        await world.taxes.quote(request_for(line("a", 2500), to=world.nowhere))
    assert refused.value.reason == "customer_tax_location_invalid"


async def test_a_provider_that_is_away_is_unavailable(world: World) -> None:
    await world.fail()
    with pytest.raises(Unavailable):
        await world.taxes.quote(request_for(line("a", 2500)))


async def reported(world: World, order_id: UUID) -> str:
    quote = await world.taxes.quote(request_for(line("a", 2500)))
    assert quote.calculation_id is not None
    return await world.taxes.report_sale(order_id=order_id, calculation_id=quote.calculation_id)


async def test_a_sale_is_reported_once(world: World) -> None:
    quote = await world.taxes.quote(request_for(line("a", 2500)))
    assert quote.calculation_id is not None
    order_id = uuid4()
    first = await world.taxes.report_sale(order_id=order_id, calculation_id=quote.calculation_id)
    again = await world.taxes.report_sale(order_id=order_id, calculation_id=quote.calculation_id)
    assert first == again


async def test_an_unknown_calculation_cannot_be_reported(world: World) -> None:
    with pytest.raises(Rejected) as refused:
        await world.taxes.report_sale(order_id=uuid4(), calculation_id="taxcalc_none")
    assert refused.value.reason == "resource_missing"


async def test_a_refund_is_reported_once_also_when_its_answer_was_lost(world: World) -> None:
    report_id, refund_id = await reported(world, uuid4()), uuid4()
    await world.fail(lost_answer=True)
    with pytest.raises(OutcomeUnknown):
        await world.taxes.report_refund(
            refund_id=refund_id, report_id=report_id, amount_cents=1000, currency="eur"
        )
    for _ in range(2):
        await world.taxes.report_refund(
            refund_id=refund_id, report_id=report_id, amount_cents=1000, currency="eur"
        )
    assert await world.reported_refunds_cents(report_id) == 1000


async def test_the_table_needs_the_state_where_states_have_their_own_rates() -> None:
    taxes = TableTaxes(["US-CA"])
    in_california = TaxAddress(country="US", state="CA")
    assert (await taxes.quote(request_for(line("a", 10_000), to=in_california))).tax_cents == {
        "a": 725
    }
    with pytest.raises(Rejected):
        await taxes.quote(request_for(line("a", 10_000), to=TaxAddress(country="US")))


def test_a_registration_without_a_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="no tax rate is known for ATLANTIS"):
        TableTaxes(["DE", "ATLANTIS"])
