"""Grants, approvals and revocations in dicts, for the tests of use cases."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from uuid import UUID

from adapters.memory.repository import MemoryRepository, UniqueKeys, already_exists
from domain.licensing.approval import ApprovalRequest, ApprovalState
from domain.licensing.grant import LicenceGrant, refuse_overlap
from domain.licensing.revocation import AlreadyRevoked, LicenceRevocation
from domain.ordering.order import Order, PaymentStatus

APPROVAL_KEYS: UniqueKeys[ApprovalRequest] = {
    lambda one: (one.creator_id, one.subject) if one.state is ApprovalState.PENDING else None: (
        already_exists
    )
}
REVOCATION_KEYS: UniqueKeys[LicenceRevocation] = {
    lambda one: (one.creator_id, one.terms_version): lambda: AlreadyRevoked(
        "The licence in force is revoked already."
    )
}


class MemoryGrants(MemoryRepository[LicenceGrant]):
    """See `application.ports.licensing.Grants`."""

    async def active(self, creator_ids: Collection[UUID], *, at: datetime) -> list[LicenceGrant]:
        found = self._where(lambda g: g.creator_id in creator_ids and g.is_active(at))
        return sorted(found, key=lambda grant: grant.id)

    async def shutting_out(self, creator_id: UUID) -> list[LicenceGrant]:
        return list(
            self._where(lambda g: g.creator_id == creator_id and g.shuts_out and g.ended_at is None)
        )

    async def below(self, grant_id: UUID) -> list[LicenceGrant]:
        found: list[LicenceGrant] = []
        parents = {grant_id}
        while parents:
            children = [
                g for g in self._where(lambda g: g.ended_at is None) if g.parent_id in parents
            ]
            found += sorted(children, key=lambda grant: grant.id)
            parents = {child.id for child in children}
        return found

    async def of_creator(
        self, creator_id: UUID, *, before: UUID | None, limit: int
    ) -> list[LicenceGrant]:
        return self._page(lambda grant: grant.creator_id == creator_id, before, limit)

    async def of_store(
        self, store_id: UUID, *, before: UUID | None, limit: int
    ) -> list[LicenceGrant]:
        return self._page(lambda grant: grant.store_id == store_id, before, limit)

    def check(self) -> None:
        super().check()
        shutting = list(self._where(lambda g: g.shuts_out and g.ended_at is None))
        for added in self._added.values():
            refuse_overlap(added, [g for g in shutting if g.creator_id == added.creator_id])

    def _page(
        self, wanted: Callable[[LicenceGrant], bool], before: UUID | None, limit: int
    ) -> list[LicenceGrant]:
        found = self._where(lambda g: wanted(g) and (before is None or g.id < before))
        return sorted(found, key=lambda grant: grant.id, reverse=True)[:limit]


class MemoryApprovals(MemoryRepository[ApprovalRequest]):
    """See `application.ports.licensing.Approvals`."""

    async def latest(
        self, questions: Collection[tuple[UUID, str]]
    ) -> Mapping[tuple[UUID, str], ApprovalRequest]:
        found = self._where(lambda one: (one.creator_id, one.subject) in questions)
        return {(one.creator_id, one.subject): one for one in sorted(found, key=lambda one: one.id)}

    async def of_creator(
        self,
        creator_id: UUID,
        *,
        state: ApprovalState | None,
        now: datetime,
        before: UUID | None,
        limit: int,
    ) -> list[ApprovalRequest]:
        return self._page(
            lambda one: one.creator_id == creator_id and state in (None, one.state_at(now)),
            before,
            limit,
        )

    async def of_requester(
        self, requester_id: UUID, *, before: UUID | None, limit: int
    ) -> list[ApprovalRequest]:
        return self._page(lambda one: one.requester_id == requester_id, before, limit)

    async def expire(self, *, now: datetime, limit: int) -> int:
        due = [
            one
            for one in self._where(lambda one: one.state is ApprovalState.PENDING)
            if one.deadline <= now
        ]
        for one in sorted(due, key=lambda one: one.deadline)[:limit]:
            one.state = ApprovalState.EXPIRED
        return min(len(due), limit)

    def _page(
        self, wanted: Callable[[ApprovalRequest], bool], before: UUID | None, limit: int
    ) -> list[ApprovalRequest]:
        found = self._where(lambda one: wanted(one) and (before is None or one.id < before))
        return sorted(found, key=lambda one: one.id, reverse=True)[:limit]


class MemoryRevocations(MemoryRepository[LicenceRevocation]):
    """See `application.ports.licensing.Revocations`."""

    async def of_creators(self, creator_ids: Collection[UUID]) -> list[LicenceRevocation]:
        found = self._where(lambda one: one.creator_id in creator_ids)
        return sorted(found, key=lambda one: one.id, reverse=True)


class MemorySold:
    """See `application.ports.licensing.Sold`."""

    def __init__(self, orders: MemoryRepository[Order]) -> None:
        self._orders = orders

    async def call_in(self, creator_id: UUID, *, up_to_version: int, at: datetime) -> list[UUID]:
        unended = {PaymentStatus.UNPAID, PaymentStatus.PROCESSING}
        found = self._under(creator_id, up_to_version, unended)
        for order in found:
            if order.expires_at > at:
                order.expires_at = order.reconcile_at = at
        return [order.id for order in found]

    async def paid(
        self, creator_id: UUID, *, up_to_version: int, after: UUID | None, limit: int
    ) -> list[UUID]:
        found = self._under(creator_id, up_to_version, {PaymentStatus.PAID})
        return [order.id for order in found if after is None or order.id > after][:limit]

    def _under(
        self, creator_id: UUID, up_to_version: int, statuses: Collection[PaymentStatus]
    ) -> list[Order]:
        found = self._orders._where(
            lambda order: (
                order.payment_status in statuses
                and any(
                    line.creator_id == creator_id and line.terms_version <= up_to_version
                    for line in order.lines
                )
            )
        )
        return sorted(found, key=lambda order: order.id)
