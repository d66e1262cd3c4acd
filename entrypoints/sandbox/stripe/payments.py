"""Payment intents and charges: what a customer's attempt to pay leaves behind.

The capture is asynchronous as with Stripe's default: `charge.succeeded` has no balance transaction
yet; the fee arrives with `charge.updated`.
"""

from typing import Any

from entrypoints.sandbox.stripe.balances import processing_fee_cents
from entrypoints.sandbox.stripe.events import emit
from entrypoints.sandbox.stripe.lists import page
from entrypoints.sandbox.stripe.metadata import merged
from entrypoints.sandbox.stripe.operations import Call, operation
from entrypoints.sandbox.stripe.store import World, new_id
from entrypoints.sandbox.stripe.table import Object

DECLINES = {
    "4000000000000002": ("generic_decline", "Your card was declined."),
    "4000000000009995": ("insufficient_funds", "Your card has insufficient funds."),
}


def create_intent(
    world: World,
    account: str,
    *,
    amount_cents: int,
    currency: str,
    metadata: dict[str, str],
    transfer_group: str | None,
    customer: str | None,
    description: str | None,
    receipt_email: str | None,
    setup_future_usage: str | None,
) -> Object:
    identifier = new_id("pi")
    intent: Object = {
        "id": identifier,
        "object": "payment_intent",
        "amount": amount_cents,
        "amount_capturable": 0,
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{identifier}_secret_sandbox",
        "confirmation_method": "automatic",
        "created": world.now(),
        "currency": currency,
        "customer": customer,
        "description": description,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": metadata,
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_types": ["card", "us_bank_account"],
        "processing": None,
        "receipt_email": receipt_email,
        "setup_future_usage": setup_future_usage,
        "shipping": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": transfer_group,
    }
    world.intents.add(account, intent)
    emit(world, "payment_intent.created", intent)
    return intent


def decline(world: World, account: str, intent: Object, *, card: str) -> str:
    """Record a refused attempt; answers the message for the customer."""
    decline_code, message = DECLINES[card]
    charge = _charge(world, intent, status="failed", method="card", last4=card[-4:])
    charge["failure_code"] = "card_declined"
    charge["failure_message"] = message
    charge["outcome"] = {
        "network_status": "declined_by_network",
        "reason": decline_code,
        "risk_level": "normal",
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    }
    world.charges.add(account, charge)
    intent["latest_charge"] = charge["id"]
    intent["status"] = "requires_payment_method"
    intent["last_payment_error"] = {
        "charge": charge["id"],
        "code": "card_declined",
        "decline_code": decline_code,
        "message": message,
        "type": "card_error",
    }
    emit(world, "charge.failed", charge)
    emit(world, "payment_intent.payment_failed", intent)
    return message


def succeed(world: World, account: str, intent: Object, *, card: str) -> Object:
    """Take the money by card."""
    charge = _charge(world, intent, status="succeeded", method="card", last4=card[-4:])
    world.charges.add(account, charge)
    _capture(world, account, intent, charge)
    return charge


def begin_bank_debit(world: World, account: str, intent: Object) -> Object:
    """A bank debit is promised, not paid: charge pending, intent processing."""
    charge = _charge(world, intent, status="pending", method="us_bank_account", last4="6789")
    world.charges.add(account, charge)
    intent |= {
        "latest_charge": charge["id"],
        "status": "processing",
        "last_payment_error": None,
        "payment_method": charge["payment_method"],
    }
    emit(world, "charge.pending", charge)
    emit(world, "payment_intent.processing", intent)
    return charge


def settle_bank_debit(world: World, account: str, intent: Object, *, paid: bool) -> None:
    """Days later at a bank: the debit arrives, or it bounces."""
    charge = world.charges.get(account, intent["latest_charge"])
    if paid:
        _capture(world, account, intent, charge)
        return
    message = "The customer's bank account could not be debited."
    charge |= {
        "status": "failed",
        "paid": False,
        "captured": False,
        "amount_captured": 0,
        "failure_code": "payment_intent_payment_attempt_failed",
        "failure_message": message,
    }
    intent["status"] = "requires_payment_method"
    intent["last_payment_error"] = {
        "charge": charge["id"],
        "code": "payment_intent_payment_attempt_failed",
        "message": message,
        "type": "invalid_request_error",
    }
    emit(world, "charge.failed", charge)
    emit(world, "payment_intent.payment_failed", intent)


def _capture(world: World, account: str, intent: Object, charge: Object) -> None:
    charge |= {
        "status": "succeeded",
        "paid": True,
        "captured": True,
        "amount_captured": charge["amount"],
    }
    intent |= {
        "amount_received": intent["amount"],
        "last_payment_error": None,
        "latest_charge": charge["id"],
        "payment_method": charge["payment_method"],
        "status": "succeeded",
    }
    emit(world, "charge.succeeded", charge)
    emit(world, "payment_intent.succeeded", intent)
    transaction = world.balances.post(
        account,
        identifier=new_id("txn"),
        kind="charge",
        amount_cents=charge["amount"],
        fee_cents=processing_fee_cents(charge["amount"]),
        currency=charge["currency"],
        source=charge["id"],
        available_on=world.now() + world.config.stripe_settlement_s,
    )
    charge["balance_transaction"] = transaction["id"]
    emit(world, "charge.updated", charge, previous={"balance_transaction": None})


def _charge(world: World, intent: Object, *, status: str, method: str, last4: str) -> Object:
    """A charge takes over the intent's metadata and transfer group."""
    identifier = new_id("ch")
    paid = status == "succeeded"
    details: Object = {"type": method, method: {"last4": last4}}
    if method == "card":
        details["card"] |= {"brand": "visa", "country": "US", "exp_month": 12, "exp_year": 2034}
    return {
        "id": identifier,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if paid else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": {
            "address": None,
            "email": intent["receipt_email"],
            "name": None,
            "phone": None,
        },
        "calculated_statement_descriptor": "SANDBOX",
        "captured": paid,
        "created": world.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": {
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": new_id("pm"),
        "payment_method_details": details,
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": f"{world.config.stripe_url}/receipts/{identifier}",
        "refunded": False,
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": status,
        "transfer_data": None,
        "transfer_group": intent["transfer_group"],
    }


@operation("GET", "/v1/payment_intents/{id}", "PaymentIntentRetrieveParams")
def retrieve_intent(world: World, call: Call) -> Object:
    return world.intents.get(call.account, call.ids[0])


@operation("GET", "/v1/payment_intents", "PaymentIntentListParams")
def list_intents(world: World, call: Call) -> Object:
    return page(world.intents, call, url="/v1/payment_intents")


@operation("GET", "/v1/charges/{id}", "ChargeRetrieveParams")
def retrieve_charge(world: World, call: Call) -> Object:
    return world.charges.get(call.account, call.ids[0])


@operation("GET", "/v1/charges", "ChargeListParams")
def list_charges(world: World, call: Call) -> Object:
    return page(world.charges, call, url="/v1/charges")


@operation("POST", "/v1/charges/{id}", "ChargeUpdateParams")
def update_charge(world: World, call: Call) -> Object:
    charge = world.charges.get(call.account, call.ids[0])
    previous: dict[str, Any] = {}
    if "metadata" in call.params:
        previous["metadata"] = charge["metadata"]
        charge["metadata"] = merged(charge["metadata"], call.params["metadata"])
    if "description" in call.params:
        previous["description"] = charge["description"]
        charge["description"] = call.params["description"]
    emit(world, "charge.updated", charge, previous=previous)
    return charge
