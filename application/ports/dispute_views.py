"""Reading disputes: who may see which is decided by the caller, as a scope."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from domain.ordering.dispute import EvidenceState
from domain.shared.disputes import DisputeStatus, TimelineEntry


class DisputeScope(msgspec.Struct, frozen=True, kw_only=True):
    """Disputes of orders that hold a line of these stores, or of this user's likeness.

    `everything` is an administrator's.
    """

    everything: bool = False
    store_ids: Collection[UUID] = ()
    creator_user_id: UUID | None = None


class DisputeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`contested_cents` is what the bank holds; answer by `due_by`."""

    id: UUID
    order_id: UUID
    status: DisputeStatus
    is_open: bool
    reason: str
    amount_cents: int
    contested_cents: int
    reinstated_cents: int
    lost_cents: int
    fee_cents: int
    currency: str
    due_by: datetime | None
    evidence_state: EvidenceState
    evidence_error: str | None
    timeline: list[TimelineEntry]
    created_at: datetime
    closed_at: datetime | None


class AssetAccess(msgspec.Struct, frozen=True, kw_only=True):
    """When the buyer was given a link to the clean copy of what was bought."""

    asset_id: UUID
    at: datetime


class DisputeViews(Protocol):
    async def page(
        self, scope: DisputeScope, *, before: UUID | None, limit: int
    ) -> list[DisputeRecord]:
        """Newest first."""
        ...

    async def one(self, dispute_id: UUID, scope: DisputeScope) -> DisputeRecord:
        """Raises NotFound, also for what lies outside the scope."""
        ...

    async def of_order(self, order_id: UUID) -> list[DisputeRecord]:
        """Oldest first."""
        ...

    async def accesses(self, order_id: UUID) -> list[AssetAccess]:
        """By the order's buyer, oldest first."""
        ...
