"""What is written into Stripe's objects, so that either side can be found from the other."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import httpx

from adapters.stripe.accounts import StripePayeeAccounts
from adapters.stripe.payments import StripePayments
from application.ports.payments import (
    CheckoutLine,
    CheckoutRequest,
    RefundRequest,
    ReversalRequest,
    TransferRequest,
)
from tests.adapters.stripe.scripted import Script, api_over
from tests.contracts.payment_providers import new_id

ORDER, INTENT = new_id(), new_id()


def form(request: httpx.Request) -> dict[str, str]:
    return dict(parse_qsl(request.content.decode()))


def answer(kind: str, **body: object) -> httpx.Response:
    return httpx.Response(200, json={"object": kind, "id": "x_1", "metadata": {}, **body})


async def test_a_checkout_names_its_order_wherever_a_webhook_may_look() -> None:
    script = Script(
        [answer("checkout.session", url="https://pay.test/1", expires_at=1_800_000_000)]
    )
    page = await StripePayments(api_over(script)).start_checkout(
        CheckoutRequest(
            order_id=ORDER,
            currency="usd",
            lines=(CheckoutLine(title="Print", unit_price_cents=1250, quantity=2),),
            customer_email=None,
            success_url="https://shop.test/thanks",
            cancel_url="https://shop.test/cart",
            expires_at=datetime(2027, 1, 15, 8, tzinfo=UTC),
        )
    )

    assert form(script.requests[0]) == {
        "mode": "payment",
        "client_reference_id": str(ORDER),
        "metadata[order_id]": str(ORDER),
        "payment_intent_data[metadata][order_id]": str(ORDER),
        "payment_intent_data[transfer_group]": f"order_{ORDER}",
        "line_items[0][quantity]": "2",
        "line_items[0][price_data][currency]": "usd",
        "line_items[0][price_data][unit_amount]": "1250",
        "line_items[0][price_data][product_data][name]": "Print",
        "success_url": "https://shop.test/thanks",
        "cancel_url": "https://shop.test/cart",
        "expires_at": "1800000000",
    }
    assert script.keys == {f"checkout:{ORDER}"}
    assert page.expires_at - datetime(2027, 1, 15, 8, tzinfo=UTC) == timedelta()


async def test_a_refund_carries_its_own_id_and_the_orders() -> None:
    script = Script([answer("refund", amount=500, status="succeeded")])
    await StripePayments(api_over(script)).refund(
        RefundRequest(
            refund_id=INTENT,
            order_id=ORDER,
            charge_id="ch_1",
            amount_cents=500,
            currency="usd",
            attempt=3,
        )
    )

    assert form(script.requests[0]) == {
        "charge": "ch_1",
        "amount": "500",
        "metadata[refund_id]": str(INTENT),
        "metadata[order_id]": str(ORDER),
    }
    assert script.keys == {f"refund:{INTENT}:3"}


async def test_a_transfer_draws_on_the_orders_own_charge() -> None:
    script = Script([answer("transfer")])
    await StripePayments(api_over(script)).transfer(
        TransferRequest(
            transfer_id=INTENT,
            order_id=ORDER,
            destination_account_id="acct_1",
            amount_cents=500,
            currency="usd",
            source_charge_id="ch_1",
            attempt=2,
        )
    )

    assert form(script.requests[0]) == {
        "amount": "500",
        "currency": "usd",
        "destination": "acct_1",
        "source_transaction": "ch_1",
        "transfer_group": f"order_{ORDER}",
        "metadata[transfer_id]": str(INTENT),
        "metadata[order_id]": str(ORDER),
    }
    assert script.keys == {f"transfer:{INTENT}:2"}


async def test_a_reversal_carries_its_own_id() -> None:
    script = Script([answer("transfer_reversal")])
    await StripePayments(api_over(script)).reverse_transfer(
        ReversalRequest(
            reversal_id=INTENT,
            transfer_provider_id="tr_1",
            amount_cents=500,
            currency="usd",
            attempt=1,
        )
    )

    assert script.requests[0].url.path == "/v1/transfers/tr_1/reversals"
    assert form(script.requests[0]) == {"amount": "500", "metadata[reversal_id]": str(INTENT)}
    assert script.keys == {f"reversal:{INTENT}:1"}


async def test_we_answer_for_a_payees_losses_and_pay_its_fees() -> None:
    script = Script([answer("account")])
    await StripePayeeAccounts(api_over(script)).open_account(
        payee_id=INTENT, email=None, country="DE"
    )

    assert form(script.requests[0]) == {
        "controller[losses][payments]": "application",
        "controller[fees][payer]": "application",
        "controller[stripe_dashboard][type]": "express",
        "capabilities[transfers][requested]": "true",
        "country": "DE",
        "metadata[payee_id]": str(INTENT),
    }
    assert script.keys == {f"payee:{INTENT}"}


async def test_of_several_refunds_with_our_id_the_one_that_has_not_failed_is_found() -> None:
    def listed(identifier: str, status: str) -> dict[str, object]:
        metadata = {"refund_id": str(INTENT)}
        return {
            "object": "refund",
            "id": identifier,
            "amount": 5,
            "status": status,
            "metadata": metadata,
        }

    rows = [listed("re_3", "failed"), listed("re_2", "succeeded"), listed("re_1", "canceled")]
    page = httpx.Response(
        200, json={"object": "list", "url": "/v1/refunds", "has_more": False, "data": rows}
    )
    found = await StripePayments(api_over(Script([page]))).find_refund(
        refund_id=INTENT, charge_id="ch_1"
    )

    assert found is not None
    assert (found.provider_id, found.status) == ("re_2", "succeeded")
