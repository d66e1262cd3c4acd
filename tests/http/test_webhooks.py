"""What the payment provider tells us: kept once when its signature is right, else not at all."""

from collections.abc import AsyncIterator

import pytest

from adapters.memory.payment_webhooks import Told
from application.ports.messages import MessageRow
from application.ports.payments import CapturedPayment, PaymentCaptured
from tests.http import estate
from tests.http.shop import API, Shop, data_of, refusal

PLATFORM, CONNECT = f"{API}/webhooks/stripe", f"{API}/webhooks/stripe-connect"


def told(shop: Shop) -> Told:
    assert shop.provider is not None
    captured = CapturedPayment(
        order_id=estate.UNPAID_ORDER,
        payment_id="pi_1",
        charge_id="ch_1",
        amount_cents=5000,
        currency="usd",
    )
    return shop.provider.webhooks.tell(PaymentCaptured(captured=captured))


async def kept(shop: Shop) -> list[MessageRow]:
    return await shop.ports.message_views.page("inbox")


async def test_a_message_is_kept_and_answered_at_once(shop: Shop) -> None:
    event = told(shop)

    answer = await shop.http.post(PLATFORM, content=event.body, headers=event.headers)

    assert data_of(answer) == {"received": True, "duplicate": False}
    [row] = await kept(shop)
    assert (row.state, row.kind) == ("pending", "PaymentCaptured")
    order = data_of(await shop.get(f"/orders/{estate.UNPAID_ORDER}", by=shop.owner))
    assert order["payment_status"] == "unpaid"


async def test_a_message_that_comes_twice_is_kept_once(shop: Shop) -> None:
    event = told(shop)
    await shop.http.post(PLATFORM, content=event.body, headers=event.headers)

    again = await shop.http.post(PLATFORM, content=event.body, headers=event.headers)

    assert data_of(again) == {"received": True, "duplicate": True}
    assert len(await kept(shop)) == 1


async def test_a_message_in_pieces_gets_the_same_answer(shop: Shop) -> None:
    event = told(shop)

    async def in_pieces() -> AsyncIterator[bytes]:
        yield event.body[:10]
        yield event.body[10:]

    pieces = await shop.http.post(PLATFORM, content=in_pieces(), headers=event.headers)
    whole = await shop.http.post(PLATFORM, content=event.body, headers=event.headers)

    assert data_of(pieces) == {"received": True, "duplicate": False}
    assert data_of(whole) == {"received": True, "duplicate": True}
    assert set(pieces.headers) == set(whole.headers)
    assert set(pieces.json()) == set(whole.json())


@pytest.mark.parametrize("fault", ["changed", "unsigned", "of the other endpoint", "not a number"])
async def test_what_is_not_signed_for_this_endpoint_is_refused_and_not_kept(
    shop: Shop, fault: str
) -> None:
    event = told(shop)
    body, headers, path = event.body, event.headers, PLATFORM
    match fault:
        case "changed":
            body += b" "
        case "unsigned":
            headers = {}
        case "of the other endpoint":
            path = CONNECT
        case "not a number":
            headers = dict.fromkeys(headers, "x")

    answer = await shop.http.post(path, content=body, headers=headers)

    assert refusal(answer) == (400, "signature_refused")
    assert await kept(shop) == []


async def test_more_than_a_megabyte_is_not_read(shop: Shop) -> None:
    answer = await shop.http.post(PLATFORM, content=b"x" * 1_000_001)

    assert refusal(answer) == (413, "body_too_large")
    assert await kept(shop) == []
