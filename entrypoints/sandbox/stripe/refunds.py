"""Refunds: never more than what remains of the charge, none while a bank holds it; transfers are
left alone.

A refund may overdraw the platform's balance as far as its bank account covers; beyond that it stays
`pending` until money comes in. Processing fees are not returned.
"""

from entrypoints.sandbox.stripe import disputes
from entrypoints.sandbox.stripe.errors import StripeProblem, in_words, invalid, missing_parameter
from entrypoints.sandbox.stripe.events import emit
from entrypoints.sandbox.stripe.lists import page
from entrypoints.sandbox.stripe.metadata import initial, merged
from entrypoints.sandbox.stripe.operations import Call, operation
from entrypoints.sandbox.stripe.store import PLATFORM, World, new_id
from entrypoints.sandbox.stripe.table import Object


@operation("POST", "/v1/refunds", "RefundCreateParams")
def create_refund(world: World, call: Call) -> Object:
    charge = _refundable_charge(world, call)
    remaining_cents = disputes.refundable_cents(world, charge)
    amount_cents = call.params.get("amount", remaining_cents)
    _require_remaining(charge, amount_cents=amount_cents, remaining_cents=remaining_cents)
    currency = charge["currency"]
    refund: Object = {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount_cents,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": world.now(),
        "currency": currency,
        "destination_details": {"type": "card", "card": {"type": "refund"}},
        "failure_reason": None,
        "metadata": initial(call.params.get("metadata")),
        "payment_intent": charge["payment_intent"],
        "pending_reason": None,
        "reason": call.params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending",
        "transfer_reversal": None,
    }
    world.refunds.add(call.account, refund)
    previous = {name: charge[name] for name in ("amount_refunded", "refunded")}
    charge["amount_refunded"] += amount_cents
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    if _covered(world, refund):
        _pay_back(world, call.account, refund)
    else:
        refund["pending_reason"] = "insufficient_funds"
        world.unfunded_refunds.append(refund)
    emit(world, "refund.created", refund)
    emit(world, "charge.refunded", charge, previous=previous)
    return refund


def _refundable_charge(world: World, call: Call) -> Object:
    params = call.params
    if params.get("reverse_transfer") or params.get("refund_application_fee"):
        raise StripeProblem(
            "Cannot reverse transfer on this charge because it has no transfer of its own: it was "
            "not a destination charge.",
            param="reverse_transfer",
        )
    if "charge" in params:
        charge = world.charges.get(call.account, params["charge"], param="charge")
    elif "payment_intent" in params:
        intent = world.intents.get(call.account, params["payment_intent"], param="payment_intent")
        if intent["latest_charge"] is None:
            raise StripeProblem(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                param="payment_intent",
            )
        charge = world.charges.get(call.account, intent["latest_charge"])
    else:
        raise missing_parameter("charge")
    if charge["status"] != "succeeded":
        raise StripeProblem(
            f"Charge {charge['id']} did not succeed: it cannot be refunded.",
            code="charge_not_refundable",
        )
    charged_back = not charge["refunded"] and disputes.refundable_cents(world, charge) == 0
    if charged_back or disputes.is_contested(world, charge):
        raise StripeProblem(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
    return charge


def _require_remaining(charge: Object, *, amount_cents: int, remaining_cents: int) -> None:
    currency = charge["currency"]
    if remaining_cents == 0:
        raise StripeProblem(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    if amount_cents < 1:
        code = "parameter_invalid_integer"
        raise invalid("Invalid positive integer", param="amount", code=code)
    if amount_cents > remaining_cents:
        whole = remaining_cents == charge["amount"]
        what = "charge amount" if whole else "unrefunded amount on charge"
        raise StripeProblem(
            f"Refund amount ({in_words(amount_cents, currency)}) is greater than {what} "
            f"({in_words(remaining_cents, currency)})",
            param="amount",
        )


def _covered(world: World, refund: Object) -> bool:
    total_cents = world.balances.total_cents(PLATFORM, refund["currency"])
    return bool(total_cents + world.config.stripe_overdraft_cents >= refund["amount"])


def _pay_back(world: World, account: str, refund: Object) -> None:
    transaction = world.balances.post(
        account,
        identifier=new_id("txn"),
        kind="refund",
        amount_cents=-refund["amount"],
        currency=refund["currency"],
        source=refund["id"],
    )
    refund |= {
        "balance_transaction": transaction["id"],
        "pending_reason": None,
        "status": "succeeded",
    }


def fail_refund(world: World, refund: Object, *, reason: str) -> Object:
    """The customer's bank sends the refund back: the money returns and may be refunded again."""
    if refund["status"] == "failed":
        raise StripeProblem(f"Refund {refund['id']} has already failed.")
    previous = {"status": refund["status"]}
    if refund in world.unfunded_refunds:
        world.unfunded_refunds.remove(refund)
    else:
        returned = world.balances.post(
            PLATFORM,
            identifier=new_id("txn"),
            kind="refund_failure",
            amount_cents=refund["amount"],
            currency=refund["currency"],
            source=refund["id"],
        )
        refund["failure_balance_transaction"] = returned["id"]
    refund |= {"failure_reason": reason, "pending_reason": None, "status": "failed"}
    charge = world.charges.get(PLATFORM, refund["charge"])
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    emit(world, "refund.updated", refund, previous=previous)
    emit(world, "refund.failed", refund)
    return refund


def fund_pending(world: World) -> None:
    """Pay the refunds that waited for money, oldest first, as far as it reaches."""
    while world.unfunded_refunds:
        refund = world.unfunded_refunds[0]
        if not _covered(world, refund):
            return
        world.unfunded_refunds.popleft()
        previous = {
            name: refund[name] for name in ("balance_transaction", "pending_reason", "status")
        }
        _pay_back(world, PLATFORM, refund)
        emit(world, "refund.updated", refund, previous=previous)


@operation("GET", "/v1/refunds/{id}", "RefundRetrieveParams")
def retrieve_refund(world: World, call: Call) -> Object:
    return world.refunds.get(call.account, call.ids[0])


@operation("POST", "/v1/refunds/{id}", "RefundUpdateParams")
def update_refund(world: World, call: Call) -> Object:
    refund = world.refunds.get(call.account, call.ids[0])
    if "metadata" in call.params:
        previous = {"metadata": refund["metadata"]}
        refund["metadata"] = merged(refund["metadata"], call.params["metadata"])
        emit(world, "refund.updated", refund, previous=previous)
    return refund


@operation("GET", "/v1/refunds", "RefundListParams")
def list_refunds(world: World, call: Call) -> Object:
    return page(world.refunds, call, url="/v1/refunds")
