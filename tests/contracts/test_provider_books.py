"""What a provider's own books promise: every movement once, about its object, with our ids."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from application.ports.errors import Unavailable
from application.ports.payments import RefundRequest, ReversalRequest, TransferRequest
from domain.ledger.reconciliation import Moved, Movement
from tests.contracts.payment_providers import PROVIDERS, Provider, new_id, provider_for


@pytest.fixture(params=PROVIDERS)
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[Provider]:
    async with provider_for(request) as chosen:
        yield chosen


async def moved(provider: Provider, *, after: str | None = None) -> list[Moved]:
    day = timedelta(days=1)
    return [
        one
        async for page in provider.books.movements(
            since=provider.now() - 30 * day, until=provider.now() + day, after=after
        )
        for one in page.moved
    ]


def told(found: list[Moved]) -> set[tuple[Movement, str, int, UUID | None]]:
    return {(one.movement, one.source, one.amount_cents, one.our_id) for one in found}


async def test_a_charge_and_its_fee_are_two_movements(provider: Provider) -> None:
    paid = await provider.paid_order(cents=2500)

    found = await moved(provider)

    assert told(found) == {
        (Movement.CHARGE, paid.charge_id, 2500, paid.order_id),
        (Movement.FEE, paid.charge_id, -103, None),
    }
    assert len({one.id for one in found}) == 1
    assert {one.currency for one in found} == {"usd"}
    assert all(abs(one.at - provider.now()) < timedelta(minutes=1) for one in found)


async def test_money_that_goes_out_and_comes_back_carries_our_ids(provider: Provider) -> None:
    paid, account = await provider.paid_order(), await provider.payee()
    refund_id, transfer_id, reversal_id = new_id(), new_id(), new_id()
    refund = await provider.payments.refund(
        RefundRequest(
            refund_id=refund_id,
            order_id=paid.order_id,
            charge_id=paid.charge_id,
            amount_cents=500,
            currency="usd",
            attempt=1,
        )
    )
    sent = await provider.payments.transfer(
        TransferRequest(
            transfer_id=transfer_id,
            order_id=paid.order_id,
            destination_account_id=account,
            amount_cents=1000,
            currency="usd",
            source_charge_id=paid.charge_id,
            attempt=1,
        )
    )
    await provider.days_pass(3)
    reversed_ = await provider.payments.reverse_transfer(
        ReversalRequest(
            reversal_id=reversal_id,
            transfer_provider_id=sent,
            amount_cents=300,
            currency="usd",
            attempt=1,
        )
    )
    await provider.return_refund(refund.provider_id)

    assert told(await moved(provider)) >= {
        (Movement.REFUND, refund.provider_id, -500, refund_id),
        (Movement.TRANSFER, sent, -1000, transfer_id),
        (Movement.REVERSAL, reversed_, 300, reversal_id),
        (Movement.REFUND_RETURNED, refund.provider_id, 500, refund_id),
    }


async def test_a_dispute_moves_its_amount_and_its_fee_together(provider: Provider) -> None:
    paid = await provider.paid_order(cents=2500)
    dispute_id = await provider.contest(paid.charge_id)

    assert (Movement.DISPUTE, dispute_id, -4000, None) in told(await moved(provider))


async def test_what_is_about_nothing_of_ours_is_named_by_itself(provider: Provider) -> None:
    await provider.fund(amount_cents=-700)
    await provider.fund(amount_cents=900)

    found = await moved(provider)

    assert {(one.movement, one.amount_cents) for one in found} == {
        (Movement.PAYOUT, -700),
        (Movement.ADJUSTMENT, 900),
    }
    assert all(one.source == one.id and one.our_id is None for one in found)


async def test_a_span_of_time_has_its_movements_and_no_others(provider: Provider) -> None:
    before = provider.now()
    await provider.paid_order()
    await provider.days_pass(2)
    since = provider.now()
    await provider.fund(amount_cents=900)

    async def amounts(lower: int, upper: int) -> list[int]:
        pages = provider.books.movements(
            since=since + timedelta(hours=lower), until=since + timedelta(hours=upper)
        )
        return [one.amount_cents async for page in pages for one in page.moved]

    assert await amounts(-1, 1) == [900]
    assert await amounts(1, 2) == []
    assert since - before >= timedelta(days=2)


async def test_many_are_read_in_pages_that_can_be_taken_up_again(provider: Provider) -> None:
    for cents in range(1, 121):
        await provider.fund(amount_cents=cents)
    day = timedelta(days=1)
    pages = [
        page
        async for page in provider.books.movements(
            since=provider.now() - day, until=provider.now() + day
        )
    ]

    assert [len(page.moved) for page in pages] == [100, 20]
    assert {one.amount_cents for page in pages for one in page.moved} == set(range(1, 121))
    assert await moved(provider, after=pages[0].cursor) == list(pages[1].moved)


async def test_a_provider_that_does_not_answer_is_unavailable(provider: Provider) -> None:
    await provider.fail("movements", "unavailable")

    with pytest.raises(Unavailable):
        await moved(provider)
