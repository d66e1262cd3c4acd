"""Payouts: from an account's available balance to its bank, which may send them back later.

A payout is `paid` after a moment; a bank can still return it (`failed`, through `/control`).
"""

from entrypoints.sandbox.stripe.errors import StripeProblem, in_words, invalid
from entrypoints.sandbox.stripe.events import emit
from entrypoints.sandbox.stripe.lists import page
from entrypoints.sandbox.stripe.metadata import initial, merged
from entrypoints.sandbox.stripe.operations import Call, operation
from entrypoints.sandbox.stripe.store import PLATFORM, World, new_id
from entrypoints.sandbox.stripe.table import Object

ARRIVAL_S = {"instant": 30 * 60, "standard": 2 * 24 * 3600}


@operation("POST", "/v1/payouts", "PayoutCreateParams")
def create_payout(world: World, call: Call) -> Object:
    params = call.params
    amount_cents, currency = params["amount"], params["currency"].lower()
    if amount_cents < 1:
        code = "parameter_invalid_integer"
        raise invalid("This value must be greater than or equal to 1.", param="amount", code=code)
    owner = world.accounts.find(PLATFORM, call.account)
    if owner is not None and not owner["payouts_enabled"]:
        raise StripeProblem(
            "Payouts are not enabled for this account until its requirements are met.",
            code="payouts_not_allowed",
        )
    if world.balances.available_cents(call.account, currency) < amount_cents:
        raise StripeProblem(
            f"You have insufficient funds in your Stripe account for a payout of "
            f"{in_words(amount_cents, currency)}.",
            code="balance_insufficient",
        )
    identifier, method = new_id("po"), params.get("method", "standard")
    transaction = world.balances.post(
        call.account,
        identifier=new_id("txn"),
        kind="payout",
        amount_cents=-amount_cents,
        currency=currency,
        source=identifier,
    )
    payout: Object = {
        "id": identifier,
        "object": "payout",
        "amount": amount_cents,
        "arrival_date": world.now() + ARRIVAL_S[method],
        "automatic": False,
        "balance_transaction": transaction["id"],
        "created": world.now(),
        "currency": currency,
        "description": params.get("description"),
        "destination": params.get("destination"),
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": initial(params.get("metadata")),
        "method": method,
        "original_payout": None,
        "reconciliation_status": "not_applicable",
        "reversed_by": None,
        "source_type": params.get("source_type", "card"),
        "statement_descriptor": params.get("statement_descriptor"),
        "status": "pending",
        "type": "bank_account",
    }
    world.payouts.add(call.account, payout)
    emit(world, "payout.created", payout, account=call.account)
    world.delivery.later(world.config.stripe_payout_s, lambda: _arrive(world, payout))
    return payout


def _arrive(world: World, payout: Object) -> None:
    if world.payouts_arrive and payout["status"] == "pending":
        pay(world, payout)


def pay(world: World, payout: Object) -> Object:
    """The bank has it; until then it can be failed, and afterwards too."""
    if payout["status"] != "pending":
        raise StripeProblem(f"Payout {payout['id']} is {payout['status']}.")
    payout["status"] = "paid"
    emit(world, "payout.paid", payout, account=world.payouts.owner(payout["id"]))
    return payout


def fail_payout(world: World, payout: Object, *, code: str) -> Object:
    """The bank returns the money, even after it was reported as paid."""
    if payout["status"] == "failed":
        raise StripeProblem(f"Payout {payout['id']} has already failed.")
    account = world.payouts.owner(payout["id"])
    transaction = world.balances.post(
        account,
        identifier=new_id("txn"),
        kind="payout_failure",
        amount_cents=payout["amount"],
        currency=payout["currency"],
        source=payout["id"],
    )
    payout |= {
        "failure_balance_transaction": transaction["id"],
        "failure_code": code,
        "failure_message": "The bank returned the payout.",
        "status": "failed",
    }
    emit(world, "payout.failed", payout, account=account)
    return payout


@operation("GET", "/v1/payouts/{id}", "PayoutRetrieveParams")
def retrieve_payout(world: World, call: Call) -> Object:
    return world.payouts.get(call.account, call.ids[0])


@operation("POST", "/v1/payouts/{id}", "PayoutUpdateParams")
def update_payout(world: World, call: Call) -> Object:
    payout = world.payouts.get(call.account, call.ids[0])
    if "metadata" in call.params:
        previous = {"metadata": payout["metadata"]}
        payout["metadata"] = merged(payout["metadata"], call.params["metadata"])
        emit(world, "payout.updated", payout, account=call.account, previous=previous)
    return payout


@operation("GET", "/v1/payouts", "PayoutListParams")
def list_payouts(world: World, call: Call) -> Object:
    return page(world.payouts, call, url="/v1/payouts")
