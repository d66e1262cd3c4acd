"""How much a user may keep, by the plan. What is generated counts, and is not refused for it."""

from datetime import datetime
from uuid import UUID

from application.ports.unit_of_work import UnitOfWork
from domain.media.upload import StorageFull
from domain.studio.plans import allowance_under


async def reserve_storage(uow: UnitOfWork, *, user_id: UUID, size_bytes: int, at: datetime) -> None:
    """Hold room for an upload, in the caller's transaction. Raises StorageFull."""
    limit_bytes = allowance_under(await uow.plan_subscriptions.standing(user_id), at).storage_bytes
    if not await uow.uploads.reserve(user_id, size_bytes, limit_bytes=limit_bytes):
        usage = await uow.uploads.usage(user_id)
        raise StorageFull(
            "There is no room for this file: delete what is not needed, or take a larger plan.",
            limit_bytes=limit_bytes,
            used_bytes=usage.used_bytes,
            reserved_bytes=usage.reserved_bytes,
        )
