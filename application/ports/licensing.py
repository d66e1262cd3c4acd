"""Keeping what a licence has given away beside its terms: counted, granted, approved, revoked."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from application.ports.repository import Repository
from domain.licensing.approval import ApprovalRequest, ApprovalState
from domain.licensing.grant import LicenceGrant
from domain.licensing.revocation import LicenceRevocation
from domain.licensing.usage import Claim, Counter


class Usage(Protocol):
    """Counters, each a row that only those lock who count with it."""

    async def values(self, counters: Collection[Counter]) -> Mapping[Counter, int]:
        """Where they stand, without a lock; what was never counted is zero."""
        ...

    async def claim(
        self, claims: Sequence[Claim], *, order_id: UUID | None
    ) -> Mapping[Counter, int]:
        """Count all of it or nothing, one conditional update each, in the order given.

        Answers each counter as it was before. What an order claims can be freed; what is claimed
        for none stays. Raises QuotaExhausted.
        """
        ...

    async def take(self, claim: Claim, *, order_id: UUID) -> int:
        """Count as much of it as the limit leaves, under lock; answers how much that was."""
        ...

    async def free(self, order_id: UUID) -> None:
        """Give back what the order has claimed, once."""
        ...


class Grants(Repository[LicenceGrant], Protocol):
    """Adding a sole or exclusive grant that overlaps another raises GrantOverlaps at commit."""

    async def active(self, creator_ids: Collection[UUID], *, at: datetime) -> list[LicenceGrant]:
        """All grants of these creators that are in force, by id."""
        ...

    async def shutting_out(self, creator_id: UUID) -> list[LicenceGrant]:
        """The creator's sole and exclusive grants that have not been ended."""
        ...

    async def below(self, grant_id: UUID) -> list[LicenceGrant]:
        """The sublicences handed on from a grant, at any depth, that are not ended; locked."""
        ...

    async def of_creator(
        self, creator_id: UUID, *, before: UUID | None, limit: int
    ) -> list[LicenceGrant]:
        """Newest first."""
        ...

    async def of_store(
        self, store_id: UUID, *, before: UUID | None, limit: int
    ) -> list[LicenceGrant]:
        """What the store was granted, newest first."""
        ...


class Approvals(Repository[ApprovalRequest], Protocol):
    """There is one request of a creator for a subject that is pending or answered with a yes."""

    async def latest(
        self, questions: Collection[tuple[UUID, str]]
    ) -> Mapping[tuple[UUID, str], ApprovalRequest]:
        """The newest request for each (creator, subject) that has one."""
        ...

    async def of_creator(
        self,
        creator_id: UUID,
        *,
        state: ApprovalState | None,
        now: datetime,
        before: UUID | None,
        limit: int,
    ) -> list[ApprovalRequest]:
        """Newest first; a state is that at `now`."""
        ...

    async def of_requester(
        self, requester_id: UUID, *, before: UUID | None, limit: int
    ) -> list[ApprovalRequest]: ...

    async def expire(self, *, now: datetime, limit: int) -> int:
        """End those whose deadline has passed; answers how many."""
        ...


class Revocations(Repository[LicenceRevocation], Protocol):
    """A version of terms is revoked once."""

    async def of_creators(self, creator_ids: Collection[UUID]) -> list[LicenceRevocation]:
        """Newest first."""
        ...


class Sold(Protocol):
    """What was sold under a creator's licence, for when it is revoked."""

    async def call_in(self, creator_id: UUID, *, up_to_version: int, at: datetime) -> list[UUID]:
        """End the time of unpaid orders with a line under terms up to a version; answers them."""
        ...

    async def paid(
        self, creator_id: UUID, *, up_to_version: int, after: UUID | None, limit: int
    ) -> list[UUID]:
        """Paid orders with such a line, by id, from after the last one."""
        ...
