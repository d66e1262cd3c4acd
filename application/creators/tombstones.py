"""Delete a version of a likeness model, so that nothing brings it back.

In the transaction that decides it the version becomes a tombstone: from then on no generation
begins with it, and whatever a provider still says of it is not kept. Messages of the same
transaction erase its bytes and end the jobs that work with it; both may run twice.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from application.ports.media import ERASE_BYTES, EraseBytes
from application.ports.unit_of_work import UnitOfWork
from domain.creators.likeness_model import DeletionReason, LikenessModel, Tombstone
from domain.identity.actor import Actor

END_JOBS_OF_MODEL = "studio.end_jobs_of_model"


class ModelMessage(msgspec.Struct, frozen=True):
    """The body of outbox messages about a version of a likeness model."""

    model_id: UUID


def bury(
    model: LikenessModel,
    *,
    uow: UnitOfWork,
    actor: Actor | str,
    by: UUID,
    reason: DeletionReason,
    at: datetime,
) -> bool:
    """Leave a tombstone of a model that the caller holds locked. False when there is one."""
    if model.is_deleted:
        return False
    keys = model.bury(Tombstone(deleted_at=at, deleted_by=by, reason=reason))
    if keys:
        uow.outbox.add(ERASE_BYTES, EraseBytes(keys))
    uow.outbox.add(END_JOBS_OF_MODEL, ModelMessage(model.id), key=str(model.id))
    uow.audit.record(
        "likeness_model.deleted",
        actor=actor,
        on=("likeness_model", model.id),
        after={
            "creator_id": model.creator_id,
            "version": model.version,
            "reason": reason,
            "manifest_hash": model.manifest_hash,
            "weights_sha256": model.weights_sha256,
        },
    )
    return True
