"""Disputes at Stripe: what their snapshots say, and the one answer that a bank reads.

Money is read from the dispute's balance transactions, which are cumulative: so a snapshot says the
same whichever event brings it, and lost events are made good by later ones.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import msgspec
import stripe

from adapters.stripe.errors import in_our_words
from adapters.stripe.metadata import our_id
from application.ports.payments import DisputeChanged, EvidenceRequest
from domain.shared.disputes import DisputeStatus

if TYPE_CHECKING:
    from stripe.params import DisputeUpdateParams

DISPUTE_ID = "dispute_id"

_STATUSES = {
    "warning_needs_response": DisputeStatus.INQUIRY,
    "warning_under_review": DisputeStatus.INQUIRY,
    "warning_closed": DisputeStatus.INQUIRY_CLOSED,
    "prevented": DisputeStatus.INQUIRY_CLOSED,
    "needs_response": DisputeStatus.NEEDS_RESPONSE,
    "under_review": DisputeStatus.UNDER_REVIEW,
    "won": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
}


class _Movement(msgspec.Struct):
    amount: int
    currency: str
    fee: int = 0


class _Details(msgspec.Struct):
    due_by: int | None = None


class _Dispute(msgspec.Struct):
    id: str
    charge: str
    amount: int
    currency: str
    status: str
    reason: str = ""
    balance_transactions: list[_Movement] = []
    evidence_details: _Details | None = None


_decode = msgspec.json.Decoder(_Dispute).decode


def read_dispute(raw: msgspec.Raw) -> DisputeChanged:
    """A status that Stripe invents later reads as under review: it holds the money and waits.

    Raises msgspec.ValidationError for money that Stripe converted: its figures are not the order's.
    """
    found = _decode(raw)
    foreign = {moved.currency for moved in found.balance_transactions} - {found.currency}
    if foreign:
        raise msgspec.ValidationError(f"{found.currency} was contested, {min(foreign)} moved")
    taken = [moved for moved in found.balance_transactions if moved.amount < 0]
    back = [moved for moved in found.balance_transactions if moved.amount > 0]
    due_by = found.evidence_details.due_by if found.evidence_details else None
    return DisputeChanged(
        provider_id=found.id,
        charge_id=found.charge,
        amount_cents=found.amount,
        currency=found.currency,
        reason=found.reason,
        status=_STATUSES.get(found.status, DisputeStatus.UNDER_REVIEW),
        withdrawn_cents=-sum(moved.amount for moved in taken),
        fee_cents=sum(moved.fee for moved in taken),
        reinstated_cents=sum(moved.amount for moved in back),
        returned_fee_cents=-sum(moved.fee for moved in back),
        due_by=datetime.fromtimestamp(due_by, UTC) if due_by else None,
    )


class StripeDisputes:
    def __init__(self, client: stripe.StripeClient) -> None:
        self._client = client

    async def submit_evidence(self, request: EvidenceRequest) -> None:
        asked: dict[str, Any] = {
            "evidence": request.fields,
            "submit": True,
            "metadata": {DISPUTE_ID: str(request.dispute_id)},
        }
        with in_our_words():
            await self._client.v1.disputes.update_async(
                request.dispute_provider_id,
                cast("DisputeUpdateParams", asked),
                {"idempotency_key": f"evidence:{request.dispute_id}:{request.attempt}"},
            )

    async def evidence_submitted(self, *, dispute_id: UUID, dispute_provider_id: str) -> bool:
        with in_our_words():
            found = await self._client.v1.disputes.retrieve_async(dispute_provider_id)
        sent = found.evidence_details.submission_count > 0
        return sent and our_id(found.metadata, DISPUTE_ID) == dispute_id
