"""Transfers to connected accounts, and their reversals.

With a `source_transaction` the sum of its transfers stays within the charge, and the platform's
balance does not matter while that charge is unsettled. A reversal needs the money to be available
on the connected account. A reversal does not make room for another transfer of the same charge.
"""

from typing import Any

from entrypoints.sandbox.stripe.errors import (
    StripeProblem,
    in_words,
    invalid,
    missing_parameter,
    no_such,
)
from entrypoints.sandbox.stripe.events import emit
from entrypoints.sandbox.stripe.lists import as_list, page
from entrypoints.sandbox.stripe.metadata import initial, merged
from entrypoints.sandbox.stripe.operations import Call, operation
from entrypoints.sandbox.stripe.store import PLATFORM, World, new_id
from entrypoints.sandbox.stripe.table import Object


@operation("POST", "/v1/transfers", "TransferCreateParams")
def create_transfer(world: World, call: Call) -> Object:
    params = call.params
    if "amount" not in params:
        raise missing_parameter("amount")
    amount_cents, currency = params["amount"], params["currency"].lower()
    if amount_cents < 1:
        code = "parameter_invalid_integer"
        raise invalid("This value must be greater than or equal to 1.", param="amount", code=code)
    destination = _destination(world, params["destination"])
    source = None
    available_on = None
    if "source_transaction" in params:
        source = world.charges.get(
            call.account, params["source_transaction"], param="source_transaction"
        )
        available_on = _draw_on(world, source, amount_cents=amount_cents, currency=currency)
    if available_on is None:
        _require_platform_funds(world, amount_cents=amount_cents, currency=currency)

    transfer_id, payment_id = new_id("tr"), new_id("py")
    group = params.get("transfer_group") or (source or {}).get("transfer_group")
    out = world.balances.post(
        call.account,
        identifier=new_id("txn"),
        kind="transfer",
        amount_cents=-amount_cents,
        currency=currency,
        source=transfer_id,
        available_on=available_on,
    )
    into = world.balances.post(
        destination["id"],
        identifier=new_id("txn"),
        kind="payment",
        amount_cents=amount_cents,
        currency=currency,
        source=payment_id,
        available_on=available_on,
    )
    transfer: Object = {
        "id": transfer_id,
        "object": "transfer",
        "amount": amount_cents,
        "amount_reversed": 0,
        "balance_transaction": out["id"],
        "created": world.now(),
        "currency": currency,
        "description": params.get("description"),
        "destination": destination["id"],
        "destination_payment": payment_id,
        "livemode": False,
        "metadata": initial(params.get("metadata")),
        "reversals": as_list([], url=f"/v1/transfers/{transfer_id}/reversals"),
        "reversed": False,
        "source_transaction": source["id"] if source else None,
        "source_type": params.get("source_type", "card"),
        "transfer_group": group,
    }
    world.transfers.add(call.account, transfer)
    world.charges.add(destination["id"], _destination_payment(transfer, into["id"]))
    if source is not None:
        world.transferred_cents[source["id"]] += amount_cents
    emit(world, "transfer.created", transfer)
    return transfer


def _destination(world: World, identifier: str) -> Object:
    account = world.accounts.find(PLATFORM, identifier)
    if account is None:
        raise no_such("destination", identifier, param="destination")
    if account["capabilities"].get("transfers") != "active":
        raise StripeProblem(
            "Your destination account needs to have at least one of the following capabilities "
            "enabled: transfers, crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer",
        )
    return account


def _draw_on(world: World, charge: Object, *, amount_cents: int, currency: str) -> int | None:
    """Check against the charge; answers its settlement time, or None if that has passed."""
    if charge["status"] != "succeeded" or charge["balance_transaction"] is None:
        raise StripeProblem(
            f"The charge {charge['id']} has not succeeded: it cannot fund a transfer.",
            param="source_transaction",
        )
    if charge["currency"] != currency:
        raise StripeProblem(
            f"The currency of source_transaction's balance transaction ({charge['currency']}) "
            f"must be the same as the transfer currency ({currency})",
            param="currency",
        )
    remaining_cents = charge["amount"] - world.transferred_cents[charge["id"]]
    if amount_cents > remaining_cents:
        raise StripeProblem(
            f"Cannot use {charge['id']} as a source_transaction for "
            f"{in_words(amount_cents, currency)}: only {in_words(remaining_cents, currency)} of "
            "it has not been transferred.",
            param="amount",
            code="charge_exceeds_source_limit",
        )
    transaction = world.transactions.get(PLATFORM, charge["balance_transaction"])
    available_on = int(transaction["available_on"])
    return available_on if available_on > world.now() else None


def _require_platform_funds(world: World, *, amount_cents: int, currency: str) -> None:
    if world.balances.available_cents(PLATFORM, currency) < amount_cents:
        raise StripeProblem(
            "You have insufficient available funds in your Stripe account. One likely reason you "
            "have insufficient funds is that your funds are automatically being paid out; try "
            "enabling manual payouts by going to your dashboard.",
            code="balance_insufficient",
        )


def _destination_payment(transfer: Object, transaction_id: str) -> Object:
    """The connected account sees a transfer as a payment that it received."""
    return {
        "id": transfer["destination_payment"],
        "object": "charge",
        "amount": transfer["amount"],
        "amount_captured": transfer["amount"],
        "amount_refunded": 0,
        "balance_transaction": transaction_id,
        "captured": True,
        "created": transfer["created"],
        "currency": transfer["currency"],
        "disputed": False,
        "livemode": False,
        "metadata": {},
        "paid": True,
        "payment_intent": None,
        "refunded": False,
        "source_transfer": transfer["id"],
        "status": "succeeded",
        "transfer_group": None,
    }


@operation("GET", "/v1/transfers/{id}", "TransferRetrieveParams")
def retrieve_transfer(world: World, call: Call) -> Object:
    return world.transfers.get(call.account, call.ids[0])


@operation("POST", "/v1/transfers/{id}", "TransferUpdateParams")
def update_transfer(world: World, call: Call) -> Object:
    transfer = world.transfers.get(call.account, call.ids[0])
    previous: dict[str, Any] = {}
    if "metadata" in call.params:
        previous["metadata"] = transfer["metadata"]
        transfer["metadata"] = merged(transfer["metadata"], call.params["metadata"])
    if "description" in call.params:
        previous["description"] = transfer["description"]
        transfer["description"] = call.params["description"] or None
    emit(world, "transfer.updated", transfer, previous=previous)
    return transfer


@operation("GET", "/v1/transfers", "TransferListParams")
def list_transfers(world: World, call: Call) -> Object:
    return page(world.transfers, call, url="/v1/transfers")
