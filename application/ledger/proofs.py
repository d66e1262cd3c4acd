"""Have the books proved by a worker: they are too long for a request."""

from datetime import datetime
from uuid import UUID

import msgspec

from application.ledger.verification import LedgerReport, verify_ledger
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.ledger_views import LedgerViews
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor, Role
from domain.ledger.proof import Proof

PROVE_BOOKS = "ledger.prove"


class ProveBooks(msgspec.Struct, frozen=True, kw_only=True):
    proof_id: UUID


class ProofView(msgspec.Struct, frozen=True, kw_only=True):
    """`report` is there once it is finished."""

    id: UUID
    requested_by: UUID
    requested_at: datetime
    finished_at: datetime | None
    report: LedgerReport | None


async def request_proof(*, actor: Actor, uow: UnitOfWork, clock: Clock, ids: Ids) -> ProofView:
    """Raises RoleRequired."""
    actor.require(Role.ADMIN)
    proof = Proof(id=ids.new(), requested_by=actor.user_id, requested_at=clock.now())
    async with uow:
        uow.proofs.add(proof)
        uow.audit.record("ledger.proof_requested", actor=actor, on=("proof", proof.id))
        uow.outbox.add(PROVE_BOOKS, ProveBooks(proof_id=proof.id), key=str(proof.id))
        await uow.commit()
    return _view(proof)


async def show_proof(proof_id: UUID, *, actor: Actor, uow: UnitOfWork) -> ProofView:
    """Raises RoleRequired, NotFound."""
    actor.require(Role.ADMIN)
    async with uow:
        return _view(await uow.proofs.get(proof_id))


async def prove_books(proof_id: UUID, *, uow: UnitOfWork, views: LedgerViews, clock: Clock) -> None:
    """Read the books and keep what was found; a proof that is finished stays as it is."""
    async with uow:
        if (await uow.proofs.get(proof_id)).report is not None:
            return
    report = await verify_ledger(views)
    async with uow:
        proof = await uow.proofs.get(proof_id, lock=True)
        proof.finish(msgspec.to_builtins(report), at=clock.now())
        await uow.commit()


def _view(proof: Proof) -> ProofView:
    report = None if proof.report is None else msgspec.convert(proof.report, LedgerReport)
    return ProofView(
        id=proof.id,
        requested_by=proof.requested_by,
        requested_at=proof.requested_at,
        finished_at=proof.finished_at,
        report=report,
    )
