"""Customers, and the cards that they keep: payment methods and the setup intents that add them."""

from typing import Any

from entrypoints.sandbox.stripe import payments
from entrypoints.sandbox.stripe.errors import StripeProblem, invalid, no_such
from entrypoints.sandbox.stripe.events import emit
from entrypoints.sandbox.stripe.lists import page
from entrypoints.sandbox.stripe.metadata import initial, merged
from entrypoints.sandbox.stripe.operations import Call, operation
from entrypoints.sandbox.stripe.store import World, new_id
from entrypoints.sandbox.stripe.table import Object

TEST_METHODS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_chargeCustomerFail": "4000000000000341",
}
FAILS_LATER = "4000000000000341"
"""A card that can be kept, and declines every charge."""


@operation("POST", "/v1/customers", "CustomerCreateParams")
def create_customer(world: World, call: Call) -> Object:
    params = call.params
    customer: Object = {
        "id": new_id("cus"),
        "object": "customer",
        "address": params.get("address"),
        "balance": 0,
        "created": world.now(),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": params.get("description"),
        "email": params.get("email"),
        "invoice_settings": {"default_payment_method": None},
        "livemode": False,
        "metadata": initial(params.get("metadata")),
        "name": params.get("name"),
        "phone": params.get("phone"),
    }
    world.customers.add(call.account, customer)
    emit(world, "customer.created", customer, account=call.account)
    return customer


@operation("GET", "/v1/customers", "CustomerListParams")
def list_customers(world: World, call: Call) -> Object:
    return page(world.customers, call, url="/v1/customers")


@operation("GET", "/v1/customers/{id}", "CustomerRetrieveParams")
def retrieve_customer(world: World, call: Call) -> Object:
    return world.customers.get(call.account, call.ids[0])


@operation("POST", "/v1/customers/{id}", "CustomerUpdateParams")
def update_customer(world: World, call: Call) -> Object:
    customer = world.customers.get(call.account, call.ids[0])
    chosen = call.params.get("invoice_settings", {}).get("default_payment_method")
    if chosen is not None:
        world.methods.get(call.account, chosen, param="invoice_settings[default_payment_method]")
        customer["invoice_settings"]["default_payment_method"] = chosen
    if "metadata" in call.params:
        customer["metadata"] = merged(customer["metadata"], call.params["metadata"])
    for name in ("email", "name", "phone", "description"):
        customer[name] = call.params.get(name, customer[name])
    emit(world, "customer.updated", customer, account=call.account)
    return customer


def keep_card(world: World, account: str, customer_id: str, card: str) -> Object:
    """The customer's card from now on."""
    method = _method(world, account, card)
    method["customer"] = customer_id
    customer = world.customers.find(account, customer_id)
    if customer is not None:
        customer["invoice_settings"]["default_payment_method"] = method["id"]
    emit(world, "payment_method.attached", method, account=account)
    return method


def card_of(world: World, customer_id: str) -> str | None:
    """The number of the card that a customer is charged on; None where there is none."""
    customer = world.customers.peek(customer_id)
    method = customer and customer["invoice_settings"]["default_payment_method"]
    return world.card_numbers.get(method) if method else None


def declines(card: str | None) -> bool:
    return card is None or card == FAILS_LATER or card in payments.DECLINES


def _method(world: World, account: str, card: str) -> Object:
    method: Object = {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {"address": None, "email": None, "name": None, "phone": None},
        "card": {
            "brand": "visa",
            "country": "US",
            "exp_month": 12,
            "exp_year": 2034,
            "last4": card[-4:],
        },
        "created": world.now(),
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }
    world.methods.add(account, method)
    world.card_numbers[method["id"]] = card
    return method


def _named(world: World, account: str, name: str) -> Object:
    """A payment method by its id, or one of Stripe's names for test cards."""
    if name in TEST_METHODS:
        return _method(world, account, TEST_METHODS[name])
    return world.methods.get(account, name, param="payment_method")


@operation("GET", "/v1/payment_methods", "PaymentMethodListParams")
def list_methods(world: World, call: Call) -> Object:
    wanted = call.params.get("customer")
    return page(
        world.methods,
        call,
        url="/v1/payment_methods",
        keep=lambda method: method["customer"] is not None and method["customer"] == wanted,
    )


@operation("GET", "/v1/payment_methods/{id}", "PaymentMethodRetrieveParams")
def retrieve_method(world: World, call: Call) -> Object:
    return world.methods.get(call.account, call.ids[0])


@operation("POST", "/v1/payment_methods/{id}/attach", "PaymentMethodAttachParams")
def attach(world: World, call: Call) -> Object:
    method = _named(world, call.account, call.ids[0])
    world.customers.get(call.account, call.params["customer"], param="customer")
    _attach(world, call.account, method, call.params["customer"])
    return method


@operation("POST", "/v1/payment_methods/{id}/detach", "PaymentMethodDetachParams")
def detach(world: World, call: Call) -> Object:
    method = world.methods.get(call.account, call.ids[0])
    if method["customer"] is None:
        raise StripeProblem("The payment method you provided is not attached to a customer.")
    customer = world.customers.get(call.account, method["customer"])
    if customer["invoice_settings"]["default_payment_method"] == method["id"]:
        customer["invoice_settings"]["default_payment_method"] = None
    method["customer"] = None
    emit(world, "payment_method.detached", method, account=call.account)
    return method


def _attach(world: World, account: str, method: Object, customer_id: str) -> None:
    if method["customer"] not in (None, customer_id):
        raise invalid(
            "The payment method you provided has already been attached to a customer.",
            param="payment_method",
        )
    method["customer"] = customer_id
    emit(world, "payment_method.attached", method, account=account)


@operation("POST", "/v1/setup_intents", "SetupIntentCreateParams")
def create_setup_intent(world: World, call: Call) -> Object:
    params = call.params
    identifier = new_id("seti")
    if "customer" in params:
        world.customers.get(call.account, params["customer"], param="customer")
    intent: Object = {
        "id": identifier,
        "object": "setup_intent",
        "cancellation_reason": None,
        "client_secret": f"{identifier}_secret_sandbox",
        "created": world.now(),
        "customer": params.get("customer"),
        "description": params.get("description"),
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "metadata": initial(params.get("metadata")),
        "next_action": None,
        "payment_method": None,
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
        "usage": params.get("usage", "off_session"),
    }
    world.setup_intents.add(call.account, intent)
    emit(world, "setup_intent.created", intent, account=call.account)
    if "payment_method" in params:
        intent["payment_method"] = _named(world, call.account, params["payment_method"])["id"]
        intent["status"] = "requires_confirmation"
    if params.get("confirm"):
        confirm(world, call.account, intent)
    return intent


@operation("GET", "/v1/setup_intents", "SetupIntentListParams")
def list_setup_intents(world: World, call: Call) -> Object:
    return page(world.setup_intents, call, url="/v1/setup_intents")


@operation("GET", "/v1/setup_intents/{id}", "SetupIntentRetrieveParams")
def retrieve_setup_intent(world: World, call: Call) -> Object:
    return world.setup_intents.get(call.account, call.ids[0])


@operation("POST", "/v1/setup_intents/{id}/confirm", "SetupIntentConfirmParams")
def confirm_setup_intent(world: World, call: Call) -> Object:
    intent = world.setup_intents.get(call.account, call.ids[0])
    if "payment_method" in call.params:
        method = _named(world, call.account, call.params["payment_method"])
        intent["payment_method"] = method["id"]
    confirm(world, call.account, intent)
    return intent


@operation("POST", "/v1/setup_intents/{id}/cancel", "SetupIntentCancelParams")
def cancel_setup_intent(world: World, call: Call) -> Object:
    intent = world.setup_intents.get(call.account, call.ids[0])
    _require_open(intent)
    intent["status"] = "canceled"
    intent["cancellation_reason"] = call.params.get("cancellation_reason")
    emit(world, "setup_intent.canceled", intent, account=call.account)
    return intent


def confirm(world: World, account: str, intent: Object) -> None:
    """Declined cards are not kept: the intent asks for another."""
    _require_open(intent)
    if intent["payment_method"] is None:
        raise invalid("You cannot confirm this SetupIntent: it is missing a payment method.")
    method = world.methods.get(account, intent["payment_method"])
    card = world.card_numbers[method["id"]]
    if card in payments.DECLINES:
        decline_code, message = payments.DECLINES[card]
        error: dict[str, Any] = {
            "code": "card_declined",
            "decline_code": decline_code,
            "message": message,
            "type": "card_error",
        }
        intent |= {
            "status": "requires_payment_method",
            "payment_method": None,
            "last_setup_error": error,
        }
        emit(world, "setup_intent.setup_failed", intent, account=account)
        raise StripeProblem(
            message,
            status=402,
            kind="card_error",
            code="card_declined",
            facts={"decline_code": decline_code},
        )
    if intent["customer"] is not None:
        _attach(world, account, method, intent["customer"])
    intent["status"] = "succeeded"
    emit(world, "setup_intent.succeeded", intent, account=account)


def _require_open(intent: Object) -> None:
    if intent["status"] in ("succeeded", "canceled"):
        raise StripeProblem(
            f"This SetupIntent has a status of {intent['status']}.",
            code="setup_intent_unexpected_state",
        )


def require_customer(world: World, account: str, identifier: str) -> Object:
    customer = world.customers.find(account, identifier)
    if customer is None:
        raise no_such("customer", identifier, param="customer")
    return customer
