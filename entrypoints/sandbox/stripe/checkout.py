"""Checkout sessions for a payment or a subscription, paid or left by the customer."""

import heapq
from typing import Any

from entrypoints.sandbox.stripe import payments, subscriptions
from entrypoints.sandbox.stripe.customers import keep_card, require_customer
from entrypoints.sandbox.stripe.errors import StripeProblem, invalid, missing_parameter
from entrypoints.sandbox.stripe.events import emit
from entrypoints.sandbox.stripe.lists import as_list, page
from entrypoints.sandbox.stripe.metadata import initial, merged
from entrypoints.sandbox.stripe.operations import Call, operation
from entrypoints.sandbox.stripe.refunds import fund_pending
from entrypoints.sandbox.stripe.session_lines import line_items, shipping_options
from entrypoints.sandbox.stripe.store import PLATFORM, World, new_id
from entrypoints.sandbox.stripe.table import Object

MINIMUM_CENTS = 50
SHORTEST_S = 30 * 60
LONGEST_S = 24 * 3600
CLOCK_SKEW_S = 120


@operation("POST", "/v1/checkout/sessions", "checkout.SessionCreateParams")
def create_session(world: World, call: Call) -> Object:
    params = call.params
    _require_playable(params)
    lines, currency = line_items(world, params)
    _require_mode(world, call.account, params, lines)
    shipping = shipping_options(params, currency)
    subtotal_cents = sum(line["amount_subtotal"] for line in lines)
    shipping_cents = shipping[0]["shipping_amount"] if shipping else 0
    total_cents = subtotal_cents + shipping_cents
    if total_cents < MINIMUM_CENTS:
        raise StripeProblem(
            f"The Checkout Session's total amount due must add up to at least $0.50 {currency}",
            code="amount_too_small",
            kept=False,
        )
    identifier = new_id("cs_test")
    session: Object = {
        "id": identifier,
        "object": "checkout.session",
        "amount_subtotal": subtotal_cents,
        "amount_total": total_cents,
        "automatic_tax": _automatic_tax(params),
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "collected_information": None,
        "created": world.now(),
        "currency": currency,
        "custom_fields": [],
        "customer": params.get("customer"),
        "customer_creation": params.get("customer_creation", "if_required"),
        "customer_details": None,
        "customer_email": params.get("customer_email"),
        "expires_at": _expiry(world, params),
        "livemode": False,
        "locale": params.get("locale"),
        "metadata": initial(params.get("metadata")),
        "mode": params["mode"],
        "payment_intent": None,
        "payment_intent_data": params.get("payment_intent_data", {}),
        "subscription_data": params.get("subscription_data", {}),
        "payment_link": None,
        "payment_method_types": ["card", "us_bank_account"],
        "payment_status": "unpaid",
        "shipping_address_collection": params.get("shipping_address_collection"),
        "shipping_cost": None,
        "shipping_options": shipping,
        "status": "open",
        "submit_type": params.get("submit_type"),
        "subscription": None,
        "success_url": params["success_url"],
        "total_details": {
            "amount_discount": 0,
            "amount_shipping": shipping_cents,
            "amount_tax": 0,
        },
        "ui_mode": "hosted_page",
        "url": f"{world.config.stripe_url}/checkout/{identifier}",
    }
    world.sessions.add(call.account, session)
    world.line_items[identifier] = lines
    heapq.heappush(world.expiring, (session["expires_at"], identifier))
    return shown(session)


def shown(session: Object) -> Object:
    """What the API tells: what is for the payment or subscription is remembered, not returned."""
    kept = ("payment_intent_data", "subscription_data")
    return {name: value for name, value in session.items() if name not in kept}


def _automatic_tax(params: dict[str, Any]) -> Object:
    """Played for subscriptions: their invoices add the tax."""
    enabled = bool(params.get("automatic_tax", {}).get("enabled"))
    if enabled and params["mode"] != "subscription":
        raise invalid("The sandbox plays automatic tax of subscriptions", param="automatic_tax")
    if enabled and params.get("customer_update", {}).get("address") != "auto":
        raise invalid(
            "Automatic tax calculation in Checkout requires a valid address on the Customer. Add a "
            "valid address to the Customer or set `customer_update[address]` to `auto`",
            param="automatic_tax",
        )
    return {"enabled": enabled, "liability": None, "status": None}


def _require_mode(world: World, account: str, params: dict[str, Any], lines: list[Object]) -> None:
    if "customer" in params:
        require_customer(world, account, params["customer"])
    recurring = [line for line in lines if line["price"]["type"] == "recurring"]
    if params["mode"] == "payment" and recurring:
        raise invalid(
            "You specified `payment` mode but passed a recurring price. Either switch to "
            "`subscription` mode or use only one-time prices.",
            param="mode",
        )
    if params["mode"] == "subscription":
        if len(recurring) != 1 or len(lines) != 1:
            raise invalid("The sandbox plays one recurring price", param="line_items")
        if "customer" not in params:
            raise invalid("The sandbox plays subscriptions of a customer", param="customer")


def _require_playable(params: dict[str, Any]) -> None:
    if "mode" not in params:
        raise missing_parameter("mode")
    if params["mode"] not in ("payment", "subscription"):
        raise invalid("The sandbox plays payments and subscriptions", param="mode")
    if params.get("ui_mode", "hosted_page") not in ("hosted", "hosted_page"):
        raise invalid("The sandbox plays the hosted page only", param="ui_mode")
    if "success_url" not in params:
        raise missing_parameter("success_url")
    for name in ("success_url", "cancel_url"):
        if name in params and not params[name].startswith(("http://", "https://")):
            raise invalid("Not a valid URL", param=name, code="url_invalid")
    if "customer" in params and "customer_email" in params:
        raise invalid(
            "You may only specify one of these parameters: customer, customer_email.",
            param="customer",
        )


def _expiry(world: World, params: dict[str, Any]) -> int:
    now = world.now()
    expires_at = int(params.get("expires_at", now + LONGEST_S))
    if expires_at < now + SHORTEST_S - CLOCK_SKEW_S:
        raise invalid(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session "
            "creation.",
            param="expires_at",
        )
    if expires_at > now + LONGEST_S + CLOCK_SKEW_S:
        raise invalid(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            param="expires_at",
        )
    return expires_at


@operation("GET", "/v1/checkout/sessions/{id}", "checkout.SessionRetrieveParams")
def retrieve_session(world: World, call: Call) -> Object:
    expire_overdue(world)
    return shown(world.sessions.get(call.account, call.ids[0]))


@operation("POST", "/v1/checkout/sessions/{id}", "checkout.SessionUpdateParams")
def update_session(world: World, call: Call) -> Object:
    session = world.sessions.get(call.account, call.ids[0])
    if "metadata" in call.params:
        session["metadata"] = merged(session["metadata"], call.params["metadata"])
    return shown(session)


@operation("GET", "/v1/checkout/sessions", "checkout.SessionListParams")
def list_sessions(world: World, call: Call) -> Object:
    expire_overdue(world)
    return page(world.sessions, call, url="/v1/checkout/sessions", render=shown)


@operation("GET", "/v1/checkout/sessions/{id}/line_items", "checkout.SessionListLineItemsParams")
def list_line_items(world: World, call: Call) -> Object:
    session = world.sessions.get(call.account, call.ids[0])
    url = f"/v1/checkout/sessions/{session['id']}/line_items"
    return as_list(world.line_items[session["id"]], url=url)


@operation("POST", "/v1/checkout/sessions/{id}/expire", "checkout.SessionExpireParams")
def expire_session(world: World, call: Call) -> Object:
    session = world.sessions.get(call.account, call.ids[0])
    if session["status"] != "open":
        raise StripeProblem(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            f"Session has a status of {session['status']}.",
        )
    _expire(world, session)
    return shown(session)


def expire_overdue(world: World) -> None:
    """Expire the open sessions whose time has passed."""
    while world.expiring and world.expiring[0][0] <= world.now():
        _, identifier = heapq.heappop(world.expiring)
        session = world.sessions.peek(identifier)
        if session is not None and session["status"] == "open":
            _expire(world, session)


def _expire(world: World, session: Object) -> None:
    session |= {"status": "expired", "url": None}
    emit(world, "checkout.session.expired", shown(session))


def pay(world: World, session: Object, *, card: str, details: Object) -> str | None:
    """The customer presses Pay; answers None when the session is complete, else what to tell them.

    `card` is a test card number, or `bank_debit` / `bank_debit_fails`. `details` are the customer
    and shipping facts that the page collected.
    """
    if session["mode"] == "subscription":
        return _subscribe(world, session, card=card, details=details)
    intent = _intent(world, session, email=details["customer_details"]["email"])
    if card in payments.DECLINES:
        return payments.decline(world, PLATFORM, intent, card=card)
    session |= details | {"status": "complete", "url": None}
    if card.startswith("bank_debit"):
        payments.begin_bank_debit(world, PLATFORM, intent)
        emit(world, "checkout.session.completed", shown(session))
        paid = card == "bank_debit"
        world.delivery.later(
            world.config.stripe_bank_debit_s,
            lambda: _settle_bank_debit(world, session, intent, paid=paid),
        )
        return None
    payments.succeed(world, PLATFORM, intent, card=card)
    session["payment_status"] = "paid"
    emit(world, "checkout.session.completed", shown(session))
    fund_pending(world)
    return None


def _subscribe(world: World, session: Object, *, card: str, details: Object) -> str | None:
    if card in payments.DECLINES:
        return payments.DECLINES[card][1]
    if card.startswith("bank_debit"):
        return "The sandbox plays subscriptions by card."
    keep_card(world, PLATFORM, session["customer"], card)
    taxed = session["automatic_tax"]["enabled"]
    if taxed:
        customer = world.customers.get(PLATFORM, session["customer"])
        customer["address"] = details["customer_details"]["address"]
    (line,) = world.line_items[session["id"]]
    subscription = subscriptions.begin(
        world,
        customer_id=session["customer"],
        price=line["price"],
        quantity=line["quantity"],
        metadata=session["subscription_data"].get("metadata", {}),
        taxed=taxed,
    )
    session |= details | {
        "status": "complete",
        "url": None,
        "payment_status": "paid",
        "subscription": subscription["id"],
        "invoice": subscription["latest_invoice"],
    }
    emit(world, "checkout.session.completed", shown(session))
    return None


def _settle_bank_debit(world: World, session: Object, intent: Object, *, paid: bool) -> None:
    payments.settle_bank_debit(world, PLATFORM, intent, paid=paid)
    if paid:
        session["payment_status"] = "paid"
        fund_pending(world)
    outcome = "succeeded" if paid else "failed"
    emit(world, f"checkout.session.async_payment_{outcome}", shown(session))


def _intent(world: World, session: Object, *, email: str | None) -> Object:
    """A session keeps one intent through all its attempts."""
    if session["payment_intent"] is not None:
        return world.intents.get(PLATFORM, session["payment_intent"])
    data = session["payment_intent_data"]
    keeps_customer = session["customer_creation"] == "always" or "setup_future_usage" in data
    if session["customer"] is None and keeps_customer:
        session["customer"] = new_id("cus")
    intent = payments.create_intent(
        world,
        PLATFORM,
        amount_cents=session["amount_total"],
        currency=session["currency"],
        metadata=initial(data.get("metadata")),
        transfer_group=data.get("transfer_group"),
        customer=session["customer"],
        description=data.get("description"),
        receipt_email=data.get("receipt_email", email),
        setup_future_usage=data.get("setup_future_usage"),
    )
    world.sessions.set_once(session, "payment_intent", intent["id"])
    return intent
