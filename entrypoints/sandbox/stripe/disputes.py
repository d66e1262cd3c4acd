"""Disputes: the customer's bank takes amount and fee at once, and perhaps gives the amount back.

They begin and end outside the API (`/control/stripe/…`); the platform can only send evidence.
"""

from typing import Literal

from entrypoints.sandbox.stripe.errors import StripeProblem
from entrypoints.sandbox.stripe.events import emit
from entrypoints.sandbox.stripe.metadata import merged
from entrypoints.sandbox.stripe.operations import Call, operation
from entrypoints.sandbox.stripe.store import PLATFORM, World, new_id
from entrypoints.sandbox.stripe.table import Object

DISPUTE_FEE_CENTS = 1500
EVIDENCE_WINDOW_S = 7 * 24 * 3600


def open_dispute(world: World, charge: Object, *, amount_cents: int | None, reason: str) -> Object:
    """The customer contests the charge: what was not refunded is withdrawn, plus the fee."""
    remaining_cents = charge["amount"] - charge["amount_refunded"]
    amount_cents = amount_cents or remaining_cents
    if charge["disputed"] or charge["status"] != "succeeded" or amount_cents > remaining_cents:
        raise StripeProblem(f"Charge {charge['id']} cannot be disputed for that amount.")
    dispute: Object = {
        "id": new_id("dp"),
        "object": "dispute",
        "amount": amount_cents,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": world.now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {
            "due_by": world.now() + EVIDENCE_WINDOW_S,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": "needs_response",
    }
    world.disputes.add(PLATFORM, dispute)
    charge["disputed"] = True
    emit(world, "charge.dispute.created", dispute)
    _book(world, dispute, amount_cents=-amount_cents, fee_cents=DISPUTE_FEE_CENTS)
    emit(world, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def close_dispute(world: World, dispute: Object, *, outcome: Literal["won", "lost"]) -> Object:
    """The bank decides. Won: the amount comes back, the fee does not."""
    if dispute["status"] in ("won", "lost"):
        raise StripeProblem(f"Dispute {dispute['id']} is already closed.")
    previous = {"status": dispute["status"]}
    dispute["status"] = outcome
    if outcome == "won":
        _book(world, dispute, amount_cents=dispute["amount"], fee_cents=0)
        emit(world, "charge.dispute.funds_reinstated", dispute)
    emit(world, "charge.dispute.closed", dispute, previous=previous)
    return dispute


def _book(world: World, dispute: Object, *, amount_cents: int, fee_cents: int) -> None:
    transaction = world.balances.post(
        PLATFORM,
        identifier=new_id("txn"),
        kind="adjustment",
        amount_cents=amount_cents,
        fee_cents=fee_cents,
        currency=dispute["currency"],
        source=dispute["id"],
    )
    dispute["balance_transactions"] = [*dispute["balance_transactions"], dict(transaction)]


@operation("POST", "/v1/disputes/{id}", "DisputeUpdateParams")
def update_dispute(world: World, call: Call) -> Object:
    dispute = world.disputes.get(call.account, call.ids[0])
    previous: Object = {}
    if "metadata" in call.params:
        previous["metadata"] = dispute["metadata"]
        dispute["metadata"] = merged(dispute["metadata"], call.params["metadata"])
    if "evidence" in call.params:
        previous["evidence"] = dispute["evidence"]
        dispute["evidence"] = {**dispute["evidence"], **call.params["evidence"]}
        details = dispute["evidence_details"]
        submitted = call.params.get("submit", True)
        dispute["evidence_details"] = details | {
            "has_evidence": True,
            "submission_count": details["submission_count"] + int(submitted),
        }
        if submitted:
            previous["status"] = dispute["status"]
            dispute["status"] = "under_review"
    emit(world, "charge.dispute.updated", dispute, previous=previous)
    return dispute
