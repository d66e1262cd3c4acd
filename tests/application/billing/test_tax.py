"""Tax on packs of credits: computed before payment, on top, booked and reported once."""

from uuid import UUID

import pytest

from application.billing.payments import link_document
from application.billing.purchases import BillingPlace
from application.billing.tax_reports import report_credit_refund, report_credit_sale
from application.ports.errors import Rejected
from application.ports.messages import RetryLater
from domain.identity.actor import Role
from domain.ledger.posting import Account
from domain.shared.errors import NotFound
from domain.studio.purchases import PlaceRequired
from tests.application.billing.counter import Counter
from tests.application.billing.test_disputes import effects_of, hear
from tests.builders import actor

DE = BillingPlace(country="DE")


async def paid_in_germany(counter: Counter) -> UUID:
    counter.taxes.rates["DE"] = 1900
    opened = await counter.order(place=DE)
    await counter.pay(opened)
    await counter.settle(opened.id)
    return opened.id


async def report(counter: Counter, purchase_id: UUID) -> None:
    await report_credit_sale(purchase_id, uow=counter.new_uow(), taxes=counter.taxes)


async def test_tax_comes_on_top_and_is_owed(counter: Counter) -> None:
    purchase_id = await paid_in_germany(counter)
    purchase = await counter.purchase(purchase_id)
    assert (purchase.amount_cents, purchase.tax_cents, purchase.total_cents) == (500, 95, 595)
    assert counter.billing.charged[0].amount_cents == 595
    assert await counter.posted(f"credits:{purchase.charge_id}") == {
        Account.STRIPE_CLEARING: -595,
        Account.PLATFORM_REVENUE: 500,
        Account.TAX_PAYABLE: 95,
    }
    for _ in range(2):
        await report(counter, purchase_id)
    assert list(counter.taxes.sales) == [purchase_id]


async def test_a_repeated_request_keeps_its_tax(counter: Counter) -> None:
    counter.taxes.rates["DE"] = 1900
    first = await counter.order(place=DE)
    counter.taxes.rates["DE"] = 2500
    assert await counter.order(place=DE) == first
    assert (await counter.purchase(first.id)).tax_cents == 95


async def test_without_a_place_there_is_no_tax_unless_it_is_required(counter: Counter) -> None:
    assert (await counter.purchase((await counter.order()).id)).tax_cents == 0
    counter.address_required = True
    with pytest.raises(PlaceRequired):
        await counter.order(key="other")
    with pytest.raises(Rejected):
        await counter.order(key="third", place=BillingPlace(country="XX"))


async def test_refunds_give_their_part_of_the_tax_back(counter: Counter) -> None:
    purchase_id = await paid_in_germany(counter)
    await counter.spend(200)
    refund = await counter.refund(purchase_id)
    assert (refund.credits, refund.amount_cents) == (300, 357)
    await counter.send(refund.id)
    assert await counter.posted(f"platform_refund:{refund.id}") == {
        Account.STRIPE_CLEARING: 357,
        Account.PLATFORM_REVENUE: -300,
        Account.TAX_PAYABLE: -57,
    }
    with pytest.raises(RetryLater):
        await report_credit_refund(refund.id, uow=counter.new_uow(), taxes=counter.taxes)
    await report(counter, purchase_id)
    for _ in range(2):
        await report_credit_refund(refund.id, uow=counter.new_uow(), taxes=counter.taxes)
    assert [amount for _, amount in counter.taxes.refunds.values()] == [357]


async def test_who_paid_gets_the_document(counter: Counter) -> None:
    await paid_in_germany(counter)
    charge_id = counter.billing.charged[0].charge_id
    for who in (counter.ada, actor(Role.ADMIN)):
        link = await link_document(
            charge_id, actor=who, uow=counter.new_uow(), billing=counter.billing
        )
        assert link.url.endswith(charge_id)
    for who, asked in ((actor(Role.FAN), charge_id), (counter.ada, "ch_other")):
        with pytest.raises(NotFound):
            await link_document(asked, actor=who, uow=counter.new_uow(), billing=counter.billing)


async def test_a_dispute_takes_the_tax_along_and_brings_it_back(counter: Counter) -> None:
    purchase = await counter.purchase(await paid_in_germany(counter))
    assert purchase.charge_id is not None
    dispute_id = counter.provider.payments.dispute(purchase.charge_id, amount_cents=297)
    await hear(counter, dispute_id)
    assert (await counter.wallet()).frozen == 249
    booked = await effects_of(counter, dispute_id)
    assert (booked[Account.PLATFORM_REVENUE], booked[Account.TAX_PAYABLE]) == (-250, -47)
    counter.provider.payments.decide(dispute_id, "won")
    await hear(counter, dispute_id)
    booked = await effects_of(counter, dispute_id)
    assert (booked[Account.PLATFORM_REVENUE], booked[Account.TAX_PAYABLE]) == (0, 0)
