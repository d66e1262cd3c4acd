"""What every payment provider's webhooks promise: nobody else sends them, and none is lost."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec
import pytest

from application.ports.payments import (
    AccountChanged,
    CheckoutEnded,
    FeeReported,
    InboundEvent,
    PaymentCaptured,
    RefundChanged,
    RefundRequest,
)
from application.ports.webhooks import SignatureRefused
from tests.contracts.payment_providers import (
    PROVIDERS,
    Endpoint,
    Provider,
    new_id,
    provider_for,
)

Ending = Literal["completed", "payment_succeeded", "payment_failed", "expired"]


@pytest.fixture(params=PROVIDERS)
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[Provider]:
    async with provider_for(request) as provider:
        yield provider


async def some_event(provider: Provider) -> InboundEvent:
    await provider.paid_order()
    async for page in provider.webhooks.undelivered(since=provider.now() - timedelta(hours=1)):
        return page[0]
    raise AssertionError("the provider told nothing")


def moment(provider: Provider) -> datetime:
    """The fake signs by its own clock, the real one by the computer's."""
    skew = abs(provider.now() - datetime.now(UTC))
    return datetime.now(UTC) if skew < timedelta(minutes=1) else provider.now()


class TestSignature:
    @pytest.mark.parametrize("endpoint", ["platform", "connect"])
    async def test_a_signed_message_is_kept_as_it_came(
        self, provider: Provider, endpoint: Endpoint
    ) -> None:
        event = await some_event(provider)
        headers = provider.sign(
            event.payload, secret=provider.secrets[endpoint], at=moment(provider)
        )
        verified = provider.webhooks.verify(headers, event.payload, endpoint=endpoint)

        assert verified.payload == event.payload
        assert (verified.external_id, verified.kind) == (event.external_id, event.kind)
        assert (verified.source == event.source) == (endpoint == "platform")

    async def test_each_endpoint_has_a_secret_of_its_own(self, provider: Provider) -> None:
        event = await some_event(provider)
        headers = provider.sign(
            event.payload, secret=provider.secrets["platform"], at=moment(provider)
        )
        with pytest.raises(SignatureRefused):
            provider.webhooks.verify(headers, event.payload, endpoint="connect")

    async def test_a_changed_body_is_refused(self, provider: Provider) -> None:
        event = await some_event(provider)
        headers = provider.sign(
            event.payload, secret=provider.secrets["platform"], at=moment(provider)
        )
        with pytest.raises(SignatureRefused):
            provider.webhooks.verify(headers, event.payload + b" ", endpoint="platform")

    @pytest.mark.parametrize("age_s", [-301, 301])
    async def test_a_message_from_another_time_is_refused(
        self, provider: Provider, age_s: int
    ) -> None:
        event = await some_event(provider)
        at = moment(provider) - timedelta(seconds=age_s + (2 if age_s > 0 else -2))
        headers = provider.sign(event.payload, secret=provider.secrets["platform"], at=at)
        with pytest.raises(SignatureRefused):
            provider.webhooks.verify(headers, event.payload, endpoint="platform")

    @pytest.mark.parametrize("age_s", [-290, 290])
    async def test_clocks_may_differ_a_little(self, provider: Provider, age_s: int) -> None:
        event = await some_event(provider)
        at = moment(provider) - timedelta(seconds=age_s)
        headers = provider.sign(event.payload, secret=provider.secrets["platform"], at=at)
        provider.webhooks.verify(headers, event.payload, endpoint="platform")

    async def test_an_unsigned_message_is_refused(self, provider: Provider) -> None:
        event = await some_event(provider)
        with pytest.raises(SignatureRefused):
            provider.webhooks.verify({}, event.payload, endpoint="platform")


class TestReading:
    async def test_a_card_payment_tells_capture_completion_and_fee(
        self, provider: Provider
    ) -> None:
        request = provider.checkout()
        page = await provider.payments.start_checkout(request)
        await provider.pay(page.session_id)
        told = await provider.told()

        captured = (await provider.payments.checkout_state(page.session_id)).captured
        assert captured is not None
        assert PaymentCaptured(captured=captured) in told
        assert FeeReported(charge_id=captured.charge_id) in told
        assert ended(request.order_id, page.session_id, "completed") in told

    async def test_a_bank_debit_tells_completion_before_the_money(self, provider: Provider) -> None:
        request = provider.checkout()
        page = await provider.payments.start_checkout(request)
        await provider.promise(page.session_id, will_pay=True)
        before = await provider.told()
        await provider.settle()
        after = await provider.told()

        assert ended(request.order_id, page.session_id, "completed") in before
        assert not any(isinstance(event, PaymentCaptured) for event in before)
        assert ended(request.order_id, page.session_id, "payment_succeeded") in after
        assert any(isinstance(event, PaymentCaptured) for event in after)

    async def test_a_bounced_bank_debit_and_a_closed_page_are_told(
        self, provider: Provider
    ) -> None:
        bounced, closed = provider.checkout(), provider.checkout()
        first = await provider.payments.start_checkout(bounced)
        second = await provider.payments.start_checkout(closed)
        await provider.promise(first.session_id, will_pay=False)
        await provider.settle()
        await provider.payments.expire_checkout(second.session_id)
        told = await provider.told()

        assert ended(bounced.order_id, first.session_id, "payment_failed") in told
        assert ended(closed.order_id, second.session_id, "expired") in told

    async def test_a_refund_is_told_under_our_id(self, provider: Provider) -> None:
        paid = await provider.paid_order(cents=2500)
        request = RefundRequest(
            refund_id=new_id(),
            order_id=paid.order_id,
            charge_id=paid.charge_id,
            amount_cents=700,
            currency="usd",
            attempt=1,
        )
        refund = await provider.payments.refund(request)

        assert refund.refund_id == request.refund_id
        assert RefundChanged(charge_id=paid.charge_id, refund=refund) in await provider.told()

    async def test_a_payee_who_was_onboarded_is_told_to_the_connect_endpoint(
        self, provider: Provider
    ) -> None:
        account_id = await provider.payee()
        payloads = await provider.account_events(account_id)

        told = [provider.webhooks.read(payload) for payload in payloads]
        assert AccountChanged(account_id=account_id) in told
        assert AccountChanged(account_id=account_id) not in await provider.told()

    @pytest.mark.parametrize("payload", [b"", b"[]", b'{"type": "charge.succeeded"}'])
    async def test_what_cannot_be_read_is_a_decode_error(
        self, provider: Provider, payload: bytes
    ) -> None:
        with pytest.raises(msgspec.DecodeError):
            provider.webhooks.read(payload)


class TestUndelivered:
    async def test_lost_messages_are_listed_in_pages(self, provider: Provider) -> None:
        for _ in range(40):
            await provider.paid_order()
        pages = [
            list(page)
            async for page in provider.webhooks.undelivered(
                since=provider.now() - timedelta(hours=1)
            )
        ]

        ids = [event.external_id for page in pages for event in page]
        assert len(pages) > 1
        assert len(ids) == len(set(ids)) >= 120

    async def test_older_messages_than_asked_for_are_left_out(self, provider: Provider) -> None:
        await provider.paid_order()
        later = provider.now() + timedelta(minutes=1)
        assert [page async for page in provider.webhooks.undelivered(since=later)] == []


def ended(order_id: UUID, session_id: str, ending: Ending) -> CheckoutEnded:
    return CheckoutEnded(order_id=order_id, session_id=session_id, ending=ending)
