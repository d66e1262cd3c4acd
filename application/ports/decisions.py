"""Reading the decisions that were kept."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from domain.licensing.decision import Decision
from domain.licensing.record import DecisionRecord
from domain.licensing.terms import LicenceTerms


class Kept(NamedTuple):
    """A decision, the terms that it names as they are stored now, and the decision that is frozen
    with the order line that it was about, if there is one."""

    record: DecisionRecord
    terms: LicenceTerms
    frozen: Decision | None


class DecisionViews(Protocol):
    async def of_creator(
        self, creator_id: UUID, *, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[DecisionRecord]:
        """The newest first, from after the (decided_at, id) of the page before."""
        ...

    def all(self) -> AsyncIterator[Sequence[Kept]]:
        """Every decision once, as they stand at one instant, in batches of bounded size."""
        ...
