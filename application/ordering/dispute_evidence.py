"""Answer a dispute: an intent, one call, and its outcome. The bank reads one answer."""

from typing import Annotated
from uuid import UUID

import msgspec

from application.identity.authority import StoreAct
from application.ordering.dispute_reading import scope_of
from application.ports.clock import Clock
from application.ports.dispute_views import DisputeRecord, DisputeViews
from application.ports.errors import Rejected
from application.ports.payments import EvidenceRequest, Payments
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.ordering.dispute import EvidenceState
from domain.shared.errors import Invalid

SEND_EVIDENCE = "payments.send_evidence"

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]
Short = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class SendEvidence(msgspec.Struct, frozen=True, kw_only=True):
    dispute_id: UUID


class EvidenceEmpty(Invalid):
    """Evidence says something."""

    code = "evidence_empty"


class SubmitEvidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said to the bank; what does not apply is left out. It is read once."""

    product_description: Words | None = None
    access_activity_log: Words | None = None
    shipping_carrier: Short | None = None
    shipping_date: Short | None = None
    shipping_tracking_number: Short | None = None
    shipping_address: Short | None = None
    service_date: Short | None = None
    refund_policy_disclosure: Words | None = None
    refund_refusal_explanation: Words | None = None
    cancellation_policy_disclosure: Words | None = None
    cancellation_rebuttal: Words | None = None
    duplicate_charge_explanation: Words | None = None
    uncategorized_text: Words | None = None


async def submit_evidence(
    dispute_id: UUID,
    command: SubmitEvidence,
    *,
    actor: Actor,
    uow: UnitOfWork,
    dispute_views: DisputeViews,
    clock: Clock,
) -> DisputeRecord:
    """Commit the answer; the outbox sends it. For stores that sold of the order, and admins.

    Raises NotFound, EvidenceEmpty, EvidenceSubmitted, DisputeNotAnswerable.
    """
    fields = {name: text for name, text in msgspec.structs.asdict(command).items() if text}
    if not fields:
        raise EvidenceEmpty("Say something to the bank.")
    scope = await scope_of(actor, uow=uow, act=StoreAct.ORDERS, as_creator=False)
    await dispute_views.one(dispute_id, scope)
    async with uow:
        dispute = await uow.disputes.get(dispute_id, lock=True)
        dispute.intend_evidence(fields, by=actor.user_id, at=clock.now())
        uow.outbox.add(SEND_EVIDENCE, SendEvidence(dispute_id=dispute_id))
        uow.audit.record(
            "dispute.answered",
            actor=actor,
            on=("dispute", dispute_id),
            after={"order_id": dispute.order_id, "said": sorted(fields)},
        )
        await uow.commit()
    return await dispute_views.one(dispute_id, scope)


async def send_evidence(
    dispute_id: UUID, *, uow: UnitOfWork, payments: Payments, clock: Clock
) -> None:
    """Handles `payments.send_evidence`. Raises Unavailable and OutcomeUnknown."""
    async with uow:
        dispute = await uow.disputes.get(dispute_id)
    if dispute.evidence_state is not EvidenceState.INTENDED or dispute.evidence is None:
        return
    error: str | None = None
    try:
        if not await payments.evidence_submitted(
            dispute_id=dispute.id, dispute_provider_id=dispute.provider_id
        ):
            await payments.submit_evidence(
                EvidenceRequest(
                    dispute_id=dispute.id,
                    dispute_provider_id=dispute.provider_id,
                    fields=dispute.evidence,
                    attempt=dispute.evidence_attempt,
                )
            )
    except Rejected as refusal:
        error = refusal.reason
    async with uow:
        dispute = await uow.disputes.get(dispute_id, lock=True)
        dispute.end_evidence(error=error, at=clock.now())
        await uow.commit()
