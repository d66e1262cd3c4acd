"""The provider's own books: every movement of our balance there, in our words."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from domain.ledger.reconciliation import Moved


class MovementPage(msgspec.Struct, frozen=True):
    """`cursor` names the page's end, to go on from there later."""

    moved: Sequence[Moved]
    cursor: str


class ProviderBooks(Protocol):
    def movements(
        self, *, since: datetime, until: datetime, after: str | None = None
    ) -> AsyncIterator[MovementPage]:
        """Pages of what moved on our balance from `since` (inclusive) until `until` (exclusive),
        in an order that does not change. A charge and the fee of it are two movements.

        Raises Unavailable.
        """
        ...
