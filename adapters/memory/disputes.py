"""Disputes at the played provider: the bank takes amount and fee, and decides later."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

import msgspec

from adapters.memory.checkout import MemoryCheckout
from adapters.memory.provider_calls import refused
from application.ports.payments import DisputeChanged, EvidenceRequest
from domain.ledger.reconciliation import Movement
from domain.shared.disputes import DisputeStatus

DISPUTE_FEE_CENTS = 1500
EVIDENCE_WINDOW = timedelta(days=7)
_GIVEN_BACK = {DisputeStatus.WON, DisputeStatus.INQUIRY_CLOSED}


@dataclass(slots=True)
class _Held:
    """`answered` until an inquiry becomes a dispute, which may be answered anew."""

    said: DisputeChanged
    evidence: EvidenceRequest | None = None
    answered: bool = False


class MemoryDisputing(MemoryCheckout):
    _held: dict[str, _Held]

    async def submit_evidence(self, request: EvidenceRequest) -> None:
        key = f"evidence:{request.dispute_id}:{request.attempt}"
        self._calls.once(
            "submit_evidence", key=key, request=request, act=lambda: self._answer(request)
        )

    async def evidence_submitted(self, *, dispute_id: UUID, dispute_provider_id: str) -> bool:
        self._calls.read("evidence_submitted")
        evidence = self._dispute(dispute_provider_id).evidence
        return evidence is not None and evidence.dispute_id == dispute_id

    # What happens at the buyer's bank.

    def inquire(self, charge_id: str) -> str:
        """The bank asks; no money moves."""
        return self._contest(charge_id, amount_cents=None, status=DisputeStatus.INQUIRY)

    def dispute(self, charge_id: str, *, amount_cents: int | None = None) -> str:
        """The bank withdraws what was not refunded or contested, or a part of it, and the fee
        is kept. Raises ValueError where nothing is left."""
        identifier = self._contest(
            charge_id, amount_cents=amount_cents, status=DisputeStatus.NEEDS_RESPONSE
        )
        self.withdraw(identifier)
        return identifier

    def _moved(self, dispute_id: str, currency: str, amount_cents: int) -> None:
        self._balance[currency] += amount_cents
        self._books.note(Movement.DISPUTE, dispute_id, amount_cents=amount_cents, currency=currency)

    def withdraw(self, dispute_id: str) -> None:
        """Also how an inquiry becomes a dispute."""
        held = self._dispute(dispute_id)
        said, held.answered = held.said, False
        self._moved(dispute_id, said.currency, -said.amount_cents - DISPUTE_FEE_CENTS)
        self._say(
            dispute_id,
            status=DisputeStatus.NEEDS_RESPONSE,
            withdrawn_cents=said.amount_cents,
            fee_cents=DISPUTE_FEE_CENTS,
            due_by=self._clock.now() + EVIDENCE_WINDOW,
        )

    def close_inquiry(self, dispute_id: str) -> None:
        self._say(dispute_id, status=DisputeStatus.INQUIRY_CLOSED)

    def decide(
        self, dispute_id: str, outcome: Literal["won", "lost"], *, fee_returned: bool = False
    ) -> None:
        said = self._dispute(dispute_id).said
        if outcome == "lost":
            self._say(dispute_id, status=DisputeStatus.LOST)
            return
        returned_cents = DISPUTE_FEE_CENTS if fee_returned else 0
        self._moved(dispute_id, said.currency, said.withdrawn_cents + returned_cents)
        self._say(
            dispute_id,
            status=DisputeStatus.WON,
            reinstated_cents=said.withdrawn_cents,
            returned_fee_cents=returned_cents,
        )

    def dispute_said(self, dispute_id: str) -> DisputeChanged:
        return self._dispute(dispute_id).said

    def is_disputed(self, charge_id: str) -> bool:
        """While the bank holds money of it, a charge is not refunded."""
        return any(
            held.said.charge_id == charge_id
            and held.said.withdrawn_cents > held.said.reinstated_cents
            and held.said.status is not DisputeStatus.LOST
            for held in self._held.values()
        )

    def lost_cents(self, charge_id: str) -> int:
        return sum(
            held.said.withdrawn_cents
            for held in self._held.values()
            if held.said.charge_id == charge_id and held.said.status is DisputeStatus.LOST
        )

    def _contest(self, charge_id: str, *, amount_cents: int | None, status: DisputeStatus) -> str:
        charge = self._charge(charge_id)
        contested_cents = sum(
            held.said.amount_cents
            for held in self._held.values()
            if held.said.charge_id == charge_id and held.said.status not in _GIVEN_BACK
        )
        left_cents = charge.captured.amount_cents - charge.refunded_cents - contested_cents
        if not 0 < (amount_cents or left_cents) <= left_cents:
            raise ValueError("the charge cannot be disputed for that amount")
        said = DisputeChanged(
            provider_id=self._new("dp"),
            charge_id=charge_id,
            amount_cents=amount_cents or left_cents,
            currency=charge.captured.currency,
            reason="fraudulent",
            status=status,
            due_by=self._clock.now() + EVIDENCE_WINDOW,
        )
        self._held[said.provider_id] = _Held(said)
        self._webhooks.tell(said)
        return said.provider_id

    def _answer(self, request: EvidenceRequest) -> None:
        held = self._dispute(request.dispute_provider_id)
        asked = held.said.status in (DisputeStatus.INQUIRY, DisputeStatus.NEEDS_RESPONSE)
        late = held.said.due_by is not None and self._clock.now() > held.said.due_by
        if not asked or held.answered or late:
            raise refused("The bank does not take evidence any more.")
        held.evidence, held.answered = request, True
        if held.said.status is DisputeStatus.NEEDS_RESPONSE:
            self._say(request.dispute_provider_id, status=DisputeStatus.UNDER_REVIEW)

    def _say(self, dispute_id: str, **changes: object) -> None:
        held = self._dispute(dispute_id)
        held.said = msgspec.structs.replace(held.said, **changes)
        self._webhooks.tell(held.said)

    def _dispute(self, dispute_id: str) -> _Held:
        if dispute_id not in self._held:
            raise refused("There is no such dispute.", reason="resource_missing")
        return self._held[dispute_id]
