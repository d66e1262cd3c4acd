"""What every payment provider promises: one effect per intent, and refusals that name a reason."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from application.ports.payments import (
    CapturedPayment,
    RefundChanged,
    RefundRequest,
    ReversalRequest,
    TransferRequest,
)
from tests.contracts.payment_providers import (
    PLENTY_CENTS,
    PROVIDERS,
    Provider,
    new_id,
    provider_for,
)


@pytest.fixture(params=PROVIDERS)
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[Provider]:
    async with provider_for(request) as provider:
        yield provider


def refund_of(paid: CapturedPayment, cents: int, *, attempt: int = 1) -> RefundRequest:
    return RefundRequest(
        refund_id=new_id(),
        order_id=paid.order_id,
        charge_id=paid.charge_id,
        amount_cents=cents,
        currency=paid.currency,
        attempt=attempt,
    )


def transfer_of(paid: CapturedPayment, cents: int, *, to: str) -> TransferRequest:
    return TransferRequest(
        transfer_id=new_id(),
        order_id=paid.order_id,
        destination_account_id=to,
        amount_cents=cents,
        currency=paid.currency,
        source_charge_id=paid.charge_id,
        attempt=1,
    )


def reversal_of(transfer: str, cents: int) -> ReversalRequest:
    return ReversalRequest(
        reversal_id=new_id(),
        transfer_provider_id=transfer,
        amount_cents=cents,
        currency="usd",
        attempt=1,
    )


class TestCheckout:
    async def test_an_order_has_one_page_however_often_it_is_asked_for(
        self, provider: Provider
    ) -> None:
        request = provider.checkout()
        first = await provider.payments.start_checkout(request)
        again = await provider.payments.start_checkout(request)

        assert again == first
        assert first.url.startswith("http")
        assert first.expires_at == request.expires_at

    async def test_the_same_order_with_another_price_is_refused(self, provider: Provider) -> None:
        order_id = new_id()
        await provider.payments.start_checkout(provider.checkout(order_id=order_id, cents=2500))

        with pytest.raises(Rejected) as refusal:
            await provider.payments.start_checkout(provider.checkout(order_id=order_id, cents=1))
        assert refusal.value.reason == "idempotency_error"

    async def test_a_page_open_for_less_than_half_an_hour_is_refused(
        self, provider: Provider
    ) -> None:
        soon = provider.now() + timedelta(minutes=5)
        request = msgspec.structs.replace(provider.checkout(), expires_at=soon)
        with pytest.raises(Rejected):
            await provider.payments.start_checkout(request)

    async def test_a_page_begins_open_and_unpaid(self, provider: Provider) -> None:
        page = await provider.payments.start_checkout(provider.checkout())
        state = await provider.payments.checkout_state(page.session_id)

        assert (state.status, state.payment, state.captured) == ("open", "unpaid", None)

    async def test_a_card_payment_is_captured_for_its_order(self, provider: Provider) -> None:
        request = provider.checkout(cents=2500)
        page = await provider.payments.start_checkout(request)
        await provider.pay(page.session_id)

        state = await provider.payments.checkout_state(page.session_id)
        assert (state.status, state.payment) == ("complete", "paid")
        assert state.captured is not None
        assert state.captured.order_id == request.order_id
        assert (state.captured.amount_cents, state.captured.currency) == (2500, "usd")

    async def test_a_page_that_asks_where_it_goes_tells_it_once_it_is_paid(
        self, provider: Provider
    ) -> None:
        asks = msgspec.structs.replace(provider.checkout(), allowed_countries=("DE", "FR"))
        page = await provider.payments.start_checkout(asks)
        assert (await provider.payments.checkout_state(page.session_id)).ship_to is None

        await provider.pay(page.session_id)

        told = (await provider.payments.checkout_state(page.session_id)).ship_to
        assert told is not None
        assert told.country == "DE"
        assert told.name
        assert told.line1

    async def test_a_page_that_does_not_ask_tells_no_address(self, provider: Provider) -> None:
        page = await provider.payments.start_checkout(provider.checkout())
        await provider.pay(page.session_id)
        assert (await provider.payments.checkout_state(page.session_id)).ship_to is None

    @pytest.mark.parametrize(("will_pay", "outcome"), [(True, "paid"), (False, "unpaid")])
    async def test_a_bank_debit_is_processing_until_it_arrives_or_bounces(
        self, provider: Provider, will_pay: bool, outcome: str
    ) -> None:
        page = await provider.payments.start_checkout(provider.checkout())
        await provider.promise(page.session_id, will_pay=will_pay)

        before = await provider.payments.checkout_state(page.session_id)
        await provider.settle()
        after = await provider.payments.checkout_state(page.session_id)

        assert (before.status, before.payment, before.captured) == ("complete", "processing", None)
        assert after.payment == outcome
        assert (after.captured is not None) == will_pay

    async def test_closing_a_page_twice_leaves_it_expired(self, provider: Provider) -> None:
        page = await provider.payments.start_checkout(provider.checkout())
        await provider.payments.expire_checkout(page.session_id)
        await provider.payments.expire_checkout(page.session_id)

        assert (await provider.payments.checkout_state(page.session_id)).status == "expired"

    async def test_closing_a_paid_page_leaves_it_complete(self, provider: Provider) -> None:
        page = await provider.payments.start_checkout(provider.checkout())
        await provider.pay(page.session_id)
        await provider.payments.expire_checkout(page.session_id)

        assert (await provider.payments.checkout_state(page.session_id)).status == "complete"

    async def test_a_page_that_does_not_exist_is_refused(self, provider: Provider) -> None:
        with pytest.raises(Rejected) as refusal:
            await provider.payments.checkout_state("cs_test_unheard_of")
        assert refusal.value.reason == "resource_missing"

    async def test_the_fee_of_a_charge_is_told(self, provider: Provider) -> None:
        paid = await provider.paid_order(cents=2500)
        fee = await provider.payments.processing_fee(paid.charge_id)

        assert fee is not None
        assert (fee.charge_id, fee.currency) == (paid.charge_id, "usd")
        assert 0 < fee.amount_cents < 2500


class TestRefunds:
    async def test_the_same_refund_asked_for_twice_is_made_once(self, provider: Provider) -> None:
        paid = await provider.paid_order(cents=2500)
        request = refund_of(paid, 1500)
        first = await provider.payments.refund(request)
        again = await provider.payments.refund(request)

        assert again.provider_id == first.provider_id
        assert (first.status, first.refund_id) == ("succeeded", request.refund_id)
        assert (await provider.payments.refund(refund_of(paid, 1000))).amount_cents == 1000

    async def test_no_more_is_refunded_than_remains(self, provider: Provider) -> None:
        paid = await provider.paid_order(cents=2500)
        await provider.payments.refund(refund_of(paid, 2000))

        with pytest.raises(Rejected):
            await provider.payments.refund(refund_of(paid, 501))
        await provider.payments.refund(refund_of(paid, 500))
        with pytest.raises(Rejected) as refusal:
            await provider.payments.refund(refund_of(paid, 1))
        assert refusal.value.reason == "charge_already_refunded"

    async def test_a_refusal_is_repeated_under_its_key(self, provider: Provider) -> None:
        paid = await provider.paid_order(cents=2500)
        await provider.payments.refund(refund_of(paid, 2500))
        request = refund_of(paid, 100)

        for _ in range(2):
            with pytest.raises(Rejected) as refusal:
                await provider.payments.refund(request)
            assert refusal.value.reason == "charge_already_refunded"

    async def test_a_refund_that_our_balance_cannot_pay_waits(self, provider: Provider) -> None:
        paid = await provider.paid_order(cents=2500)
        await provider.fund(amount_cents=-PLENTY_CENTS)
        request = refund_of(paid, 2500)

        assert (await provider.payments.refund(request)).status == "pending"
        await provider.fund(amount_cents=PLENTY_CENTS)
        found = await provider.payments.find_refund(
            refund_id=request.refund_id, charge_id=paid.charge_id
        )
        assert found is not None
        assert found.status == "succeeded"

    async def test_a_refund_that_the_bank_returns_can_be_tried_again(
        self, provider: Provider
    ) -> None:
        paid = await provider.paid_order(cents=2500)
        request = refund_of(paid, 2500)
        returned = await provider.payments.refund(request)
        await provider.return_refund(returned.provider_id)

        found = await provider.payments.find_refund(
            refund_id=request.refund_id, charge_id=paid.charge_id
        )
        assert found is not None
        assert (found.status, found.failure_reason) == ("failed", "expired_or_canceled_card")
        told = await provider.told()
        assert RefundChanged(charge_id=paid.charge_id, refund=found) in told
        again = await provider.payments.refund(msgspec.structs.replace(request, attempt=2))
        assert again.status == "succeeded"
        assert again.provider_id != returned.provider_id
        found = await provider.payments.find_refund(
            refund_id=request.refund_id, charge_id=paid.charge_id
        )
        assert found == again

    async def test_a_refund_whose_answer_was_lost_is_found(self, provider: Provider) -> None:
        paid = await provider.paid_order(cents=2500)
        await provider.payments.refund(refund_of(paid, 100))
        request = refund_of(paid, 1500)
        await provider.fail("refund", "lost_answer")
        with pytest.raises(OutcomeUnknown):
            await provider.payments.refund(request)
        await provider.recover()

        found = await provider.payments.find_refund(
            refund_id=request.refund_id, charge_id=paid.charge_id
        )
        assert found is not None
        assert (found.refund_id, found.amount_cents) == (request.refund_id, 1500)
        assert (await provider.payments.refund(request)).provider_id == found.provider_id

    async def test_a_refund_that_was_never_made_is_not_found(self, provider: Provider) -> None:
        paid = await provider.paid_order()
        found = await provider.payments.find_refund(refund_id=new_id(), charge_id=paid.charge_id)
        assert found is None


class TestTransfers:
    async def test_the_same_transfer_asked_for_twice_is_made_once(self, provider: Provider) -> None:
        paid, payee = await provider.paid_order(cents=2500), await provider.payee()
        request = transfer_of(paid, 2000, to=payee)

        assert await provider.payments.transfer(request) == await provider.payments.transfer(
            request
        )
        await provider.payments.transfer(transfer_of(paid, 500, to=payee))

    async def test_no_more_is_transferred_than_was_charged(self, provider: Provider) -> None:
        paid, payee = await provider.paid_order(cents=2500), await provider.payee()
        await provider.payments.transfer(transfer_of(paid, 2000, to=payee))

        with pytest.raises(Rejected):
            await provider.payments.transfer(transfer_of(paid, 501, to=payee))

    async def test_a_payee_who_is_not_onboarded_receives_nothing(self, provider: Provider) -> None:
        paid = await provider.paid_order()
        account_id = await provider.accounts.open_account(
            payee_id=new_id(), email=None, country=None
        )
        request = transfer_of(paid, 1000, to=account_id)
        with pytest.raises(Rejected) as refusal:
            await provider.payments.transfer(request)
        assert refusal.value.reason == "insufficient_capabilities_for_transfer"

    async def test_after_a_refusal_the_next_attempt_is_tried_anew(self, provider: Provider) -> None:
        paid = await provider.paid_order()
        account_id = await provider.accounts.open_account(
            payee_id=new_id(), email=None, country=None
        )
        request = transfer_of(paid, 1000, to=account_id)
        with pytest.raises(Rejected):
            await provider.payments.transfer(request)
        await provider.onboard(account_id)

        with pytest.raises(Rejected):
            await provider.payments.transfer(request)
        assert await provider.payments.transfer(msgspec.structs.replace(request, attempt=2))

    async def test_a_transfer_whose_answer_was_lost_is_found(self, provider: Provider) -> None:
        paid, payee = await provider.paid_order(cents=2500), await provider.payee()
        await provider.payments.transfer(transfer_of(paid, 300, to=payee))
        request = transfer_of(paid, 2000, to=payee)
        await provider.fail("transfer", "lost_answer")
        with pytest.raises(OutcomeUnknown):
            await provider.payments.transfer(request)
        await provider.recover()

        found = await provider.payments.find_transfer(
            transfer_id=request.transfer_id, order_id=paid.order_id
        )
        assert found is not None
        assert await provider.payments.transfer(request) == found

    async def test_a_transfer_that_was_never_made_is_not_found(self, provider: Provider) -> None:
        paid, payee = await provider.paid_order(), await provider.payee()
        await provider.payments.transfer(transfer_of(paid, 300, to=payee))

        assert await find_transfer(provider, new_id(), paid.order_id) is None
        assert await find_transfer(provider, new_id(), new_id()) is None


async def find_transfer(provider: Provider, transfer_id: UUID, order_id: UUID) -> str | None:
    return await provider.payments.find_transfer(transfer_id=transfer_id, order_id=order_id)


class TestReversals:
    async def test_the_same_reversal_asked_for_twice_is_made_once(self, provider: Provider) -> None:
        sent = await self._settled_transfer(provider, cents=2000)
        request = reversal_of(sent, 1500)

        first = await provider.payments.reverse_transfer(request)
        assert await provider.payments.reverse_transfer(request) == first
        await provider.payments.reverse_transfer(reversal_of(sent, 500))

    async def test_no_more_is_taken_back_than_was_sent(self, provider: Provider) -> None:
        sent = await self._settled_transfer(provider, cents=2000)
        await provider.payments.reverse_transfer(reversal_of(sent, 1500))

        with pytest.raises(Rejected):
            await provider.payments.reverse_transfer(reversal_of(sent, 501))

    async def test_nothing_is_taken_from_a_balance_that_is_empty(self, provider: Provider) -> None:
        """Money in transit to the payee is not on its balance yet."""
        paid, payee = await provider.paid_order(cents=2500), await provider.payee()
        sent = await provider.payments.transfer(transfer_of(paid, 2000, to=payee))

        with pytest.raises(Rejected) as refusal:
            await provider.payments.reverse_transfer(reversal_of(sent, 2000))
        assert refusal.value.reason == "balance_insufficient"

    async def test_a_reversal_whose_answer_was_lost_is_found(self, provider: Provider) -> None:
        sent = await self._settled_transfer(provider, cents=2000)
        request = reversal_of(sent, 700)
        await provider.fail("reverse_transfer", "lost_answer")
        with pytest.raises(OutcomeUnknown):
            await provider.payments.reverse_transfer(request)
        await provider.recover()

        found = await provider.payments.find_reversal(
            reversal_id=request.reversal_id, transfer_provider_id=sent
        )
        assert found is not None
        assert await provider.payments.reverse_transfer(request) == found
        missing = await provider.payments.find_reversal(
            reversal_id=new_id(), transfer_provider_id=sent
        )
        assert missing is None

    async def _settled_transfer(self, provider: Provider, *, cents: int) -> str:
        paid, payee = await provider.paid_order(cents=cents), await provider.payee()
        sent = await provider.payments.transfer(transfer_of(paid, cents, to=payee))
        await provider.days_pass(3)
        return sent


class TestProviderAway:
    async def test_a_provider_that_answers_passes_the_check(self, provider: Provider) -> None:
        await provider.payments.check()

    async def test_reading_from_a_provider_that_is_away_can_be_tried_again(
        self, provider: Provider
    ) -> None:
        page = await provider.payments.start_checkout(provider.checkout())
        for fault in ("unavailable", "lost_answer"):
            await provider.fail("checkout_state", fault)
            with pytest.raises(Unavailable):
                await provider.payments.checkout_state(page.session_id)
            await provider.recover()

    async def test_a_transfer_that_was_not_taken_is_made_by_the_next_try(
        self, provider: Provider
    ) -> None:
        paid, payee = await provider.paid_order(), await provider.payee()
        request = transfer_of(paid, 1000, to=payee)
        await provider.fail("transfer", "unavailable")
        with pytest.raises(Unavailable):
            await provider.payments.transfer(request)
        assert await find_transfer(provider, request.transfer_id, paid.order_id) is None
        await provider.recover()

        assert await provider.payments.transfer(request)
