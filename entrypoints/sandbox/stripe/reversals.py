"""Transfer reversals: money back from a connected account, in parts if need be."""

from entrypoints.sandbox.stripe.errors import StripeProblem, in_words, invalid
from entrypoints.sandbox.stripe.events import emit
from entrypoints.sandbox.stripe.lists import page
from entrypoints.sandbox.stripe.metadata import initial, merged
from entrypoints.sandbox.stripe.operations import Call, operation
from entrypoints.sandbox.stripe.store import World, new_id
from entrypoints.sandbox.stripe.table import Object


@operation("POST", "/v1/transfers/{id}/reversals", "TransferReversalCreateParams")
def create_reversal(world: World, call: Call) -> Object:
    transfer = world.transfers.get(call.account, call.ids[0])
    remaining_cents = transfer["amount"] - transfer["amount_reversed"]
    amount_cents = call.params.get("amount", remaining_cents)
    _require_room(world, transfer, amount_cents=amount_cents, remaining_cents=remaining_cents)

    reversal_id, refund_id = new_id("trr"), new_id("pyr")
    back = world.balances.post(
        call.account,
        identifier=new_id("txn"),
        kind="transfer_refund",
        amount_cents=amount_cents,
        currency=transfer["currency"],
        source=reversal_id,
    )
    world.balances.post(
        transfer["destination"],
        identifier=new_id("txn"),
        kind="payment_refund",
        amount_cents=-amount_cents,
        currency=transfer["currency"],
        source=refund_id,
    )
    reversal: Object = {
        "id": reversal_id,
        "object": "transfer_reversal",
        "amount": amount_cents,
        "balance_transaction": back["id"],
        "created": world.now(),
        "currency": transfer["currency"],
        "destination_payment_refund": refund_id,
        "metadata": initial(call.params.get("metadata")),
        "source_refund": None,
        "transfer": transfer["id"],
    }
    world.reversals.add(call.account, reversal)
    previous = {name: transfer[name] for name in ("amount_reversed", "reversed")}
    transfer["amount_reversed"] += amount_cents
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    transfer["reversals"] = {
        **transfer["reversals"],
        "data": [dict(reversal), *transfer["reversals"]["data"]],
    }
    payment = world.charges.get(transfer["destination"], transfer["destination_payment"])
    payment["amount_refunded"] += amount_cents
    payment["refunded"] = payment["amount_refunded"] == payment["amount"]
    emit(world, "transfer.reversed", transfer, previous=previous)
    return reversal


def _require_room(
    world: World, transfer: Object, *, amount_cents: int, remaining_cents: int
) -> None:
    currency = transfer["currency"]
    if remaining_cents == 0:
        raise StripeProblem(f"Transfer {transfer['id']} is already fully reversed.")
    if amount_cents < 1:
        code = "parameter_invalid_integer"
        raise invalid("This value must be greater than or equal to 1.", param="amount", code=code)
    if amount_cents > remaining_cents:
        raise StripeProblem(
            f"Reversal amount ({in_words(amount_cents, currency)}) is greater than the unreversed "
            f"amount of the transfer ({in_words(remaining_cents, currency)})",
            param="amount",
        )
    if world.balances.available_cents(transfer["destination"], currency) < amount_cents:
        raise StripeProblem(
            "The connected account has insufficient available funds for this reversal of "
            f"{in_words(amount_cents, currency)}.",
            code="balance_insufficient",
        )


@operation("GET", "/v1/transfers/{id}/reversals", "TransferReversalListParams")
def list_reversals(world: World, call: Call) -> Object:
    transfer = world.transfers.get(call.account, call.ids[0])
    url = f"/v1/transfers/{transfer['id']}/reversals"
    return page(world.reversals, call, url=url, fixed={"transfer": transfer["id"]})


@operation("GET", "/v1/transfers/{id}/reversals/{id}", "TransferReversalRetrieveParams")
def retrieve_reversal(world: World, call: Call) -> Object:
    return world.reversals.get(call.account, call.ids[1])


@operation("POST", "/v1/transfers/{id}/reversals/{id}", "TransferReversalUpdateParams")
def update_reversal(world: World, call: Call) -> Object:
    reversal = world.reversals.get(call.account, call.ids[1])
    if "metadata" in call.params:
        reversal["metadata"] = merged(reversal["metadata"], call.params["metadata"])
    return reversal
