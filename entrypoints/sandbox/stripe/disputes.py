"""Disputes: the customer's bank takes amount and fee at once, and perhaps gives the amount back.

They begin and end outside the API (`/control/stripe/…`); the platform can only send evidence, once
and in time. An inquiry (`warning_…`) takes nothing; it is closed, or becomes a dispute.
"""

from typing import Literal

from entrypoints.sandbox.stripe.errors import StripeProblem
from entrypoints.sandbox.stripe.events import emit
from entrypoints.sandbox.stripe.lists import page
from entrypoints.sandbox.stripe.metadata import merged
from entrypoints.sandbox.stripe.operations import Call, operation
from entrypoints.sandbox.stripe.store import PLATFORM, World, new_id
from entrypoints.sandbox.stripe.table import Object

DISPUTE_FEE_CENTS = 1500
EVIDENCE_WINDOW_S = 7 * 24 * 3600
ANSWERED = {"needs_response": "under_review", "warning_needs_response": "warning_under_review"}
"""What a status becomes with the evidence; in every other there is nothing to answer."""
DISPUTED = frozenset({"needs_response", "under_review"})
INQUIRED = frozenset({"warning_needs_response", "warning_under_review"})

Outcome = Literal["won", "lost", "warning_closed"]


def open_dispute(
    world: World, charge: Object, *, amount_cents: int | None, reason: str, inquiry: bool = False
) -> Object:
    """The customer contests the charge: what is left of it or less is withdrawn, plus the fee."""
    left_cents = refundable_cents(world, charge) - _sum_cents(world, charge, DISPUTED | INQUIRED)
    amount_cents = left_cents if amount_cents is None else amount_cents
    if charge["status"] != "succeeded" or not 0 < amount_cents <= left_cents:
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
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }
    world.disputes.add(PLATFORM, dispute)
    charge["disputed"] = True
    emit(world, "charge.dispute.created", dispute)
    if not inquiry:
        _withdraw(world, dispute)
    return dispute


def escalate(world: World, dispute: Object) -> Object:
    """An inquiry becomes a dispute: the bank takes the money, and reads one more answer."""
    if dispute["status"] not in INQUIRED:
        raise StripeProblem(f"Dispute {dispute['id']} is not an inquiry.")
    previous = {"status": dispute["status"]}
    dispute["status"] = "needs_response"
    dispute["is_charge_refundable"] = False
    dispute["evidence_details"] = dispute["evidence_details"] | {
        "due_by": world.now() + EVIDENCE_WINDOW_S,
        "past_due": False,
    }
    emit(world, "charge.dispute.updated", dispute, previous=previous)
    _withdraw(world, dispute)
    return dispute


def close_dispute(
    world: World, dispute: Object, *, outcome: Outcome, fee_returned: bool = False
) -> Object:
    """The bank decides. Won: the amount comes back, and the fee where that was agreed."""
    possible = INQUIRED if outcome == "warning_closed" else DISPUTED
    if dispute["status"] not in possible:
        raise StripeProblem(
            f"Dispute {dispute['id']} is {dispute['status']}: it cannot be {outcome}."
        )
    previous = {"status": dispute["status"]}
    dispute["status"] = outcome
    if outcome == "won":
        dispute["is_charge_refundable"] = True
        fee_cents = -DISPUTE_FEE_CENTS if fee_returned else 0
        _book(world, dispute, amount_cents=dispute["amount"], fee_cents=fee_cents)
        emit(world, "charge.dispute.funds_reinstated", dispute)
    emit(world, "charge.dispute.closed", dispute, previous=previous)
    return dispute


def bring_about(
    world: World,
    charge: Object,
    *,
    outcome: Literal["won", "lost"],
    amount_cents: int | None,
    reason: str,
    fee_returned: bool,
) -> Object:
    """Decide the open dispute of a charge, or one that is opened for it."""
    dispute = next((row for row in _disputes_of(world, charge) if row["status"] in DISPUTED), None)
    if dispute is None:
        dispute = open_dispute(world, charge, amount_cents=amount_cents, reason=reason)
    return close_dispute(world, dispute, outcome=outcome, fee_returned=fee_returned)


def mark_overdue(world: World) -> None:
    for dispute in world.disputes:
        details = dispute["evidence_details"]
        if dispute["status"] in ANSWERED and details["due_by"] < world.now():
            details["past_due"] = True


def is_contested(world: World, charge: Object) -> bool:
    """While a bank holds money of it, a charge is not refunded. An inquiry holds none."""
    return any(dispute["status"] in DISPUTED for dispute in _disputes_of(world, charge))


def refundable_cents(world: World, charge: Object) -> int:
    """What was neither refunded nor lost."""
    gone_cents = charge["amount_refunded"] + _sum_cents(world, charge, frozenset({"lost"}))
    return int(charge["amount"] - gone_cents)


def _sum_cents(world: World, charge: Object, statuses: frozenset[str]) -> int:
    found = (row for row in _disputes_of(world, charge) if row["status"] in statuses)
    return sum(row["amount"] for row in found)


def _disputes_of(world: World, charge: Object) -> list[Object]:
    return list(world.disputes.newest_first(PLATFORM, index=("charge", charge["id"])))


def _withdraw(world: World, dispute: Object) -> None:
    _book(world, dispute, amount_cents=-dispute["amount"], fee_cents=DISPUTE_FEE_CENTS)
    emit(world, "charge.dispute.funds_withdrawn", dispute)


def _book(world: World, dispute: Object, *, amount_cents: int, fee_cents: int) -> None:
    word = "withdrawal" if amount_cents < 0 else "reversal"
    transaction = world.balances.post(
        PLATFORM,
        identifier=new_id("txn"),
        kind="adjustment",
        amount_cents=amount_cents,
        fee_cents=fee_cents,
        currency=dispute["currency"],
        source=dispute["id"],
        description=f"Chargeback {word} for {dispute['charge']}",
    )
    if amount_cents > 0:
        transaction["reporting_category"] = "dispute_reversal"
    dispute["balance_transactions"] = [*dispute["balance_transactions"], dict(transaction)]


@operation("GET", "/v1/disputes/{id}", "DisputeRetrieveParams")
def retrieve_dispute(world: World, call: Call) -> Object:
    return world.disputes.get(call.account, call.ids[0])


@operation("GET", "/v1/disputes", "DisputeListParams")
def list_disputes(world: World, call: Call) -> Object:
    return page(world.disputes, call, url="/v1/disputes")


@operation("POST", "/v1/disputes/{id}", "DisputeUpdateParams")
def update_dispute(world: World, call: Call) -> Object:
    dispute = world.disputes.get(call.account, call.ids[0])
    if "evidence" in call.params or call.params.get("submit"):
        _require_answerable(world, dispute)
    previous: Object = {}
    if "metadata" in call.params:
        previous["metadata"] = dispute["metadata"]
        dispute["metadata"] = merged(dispute["metadata"], call.params["metadata"])
    if "evidence" in call.params:
        previous["evidence"] = dispute["evidence"]
        dispute["evidence"] = {**dispute["evidence"], **call.params["evidence"]}
        dispute["evidence_details"] = dispute["evidence_details"] | {"has_evidence": True}
    if dispute["evidence"] and call.params.get("submit", "evidence" in call.params):
        details = dispute["evidence_details"]
        dispute["evidence_details"] = details | {
            "submission_count": details["submission_count"] + 1
        }
        previous["status"] = dispute["status"]
        dispute["status"] = ANSWERED[dispute["status"]]
    emit(world, "charge.dispute.updated", dispute, previous=previous)
    return dispute


def _require_answerable(world: World, dispute: Object) -> None:
    if dispute["status"] not in ANSWERED:
        raise StripeProblem(
            f"Dispute {dispute['id']} is {dispute['status']}: evidence cannot be submitted."
        )
    if world.now() > dispute["evidence_details"]["due_by"]:
        raise StripeProblem(f"The time to submit evidence for {dispute['id']} has passed.")
