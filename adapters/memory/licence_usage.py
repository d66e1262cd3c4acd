"""Counters of licences in dicts."""

from collections import Counter as Sums
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from domain.licensing.usage import Claim, Counter, QuotaExhausted


@dataclass
class Counted:
    """The counters, and what of them each order has claimed."""

    values: Sums[Counter] = field(default_factory=Sums)
    claims: dict[UUID, Sums[Counter]] = field(default_factory=dict)


class MemoryUsage:
    """See `application.ports.licensing.Usage`."""

    def __init__(self, committed: Counted) -> None:
        self._committed = committed
        self._values = committed.values.copy()
        self._claims = {order: claims.copy() for order, claims in committed.claims.items()}

    async def values(self, counters: Collection[Counter]) -> Mapping[Counter, int]:
        return {counter: self._values[counter] for counter in counters}

    async def claim(
        self, claims: Sequence[Claim], *, order_id: UUID | None
    ) -> Mapping[Counter, int]:
        for claim in claims:
            left = None if claim.limit is None else claim.limit - self._values[claim.counter]
            if left is not None and claim.amount > left:
                raise QuotaExhausted(claim, left=max(0, left))
        before = {claim.counter: self._values[claim.counter] for claim in claims}
        for claim in claims:
            self._count(claim.counter, claim.amount, order_id)
        return before

    async def take(self, claim: Claim, *, order_id: UUID) -> int:
        amount = claim.amount
        if claim.limit is not None:
            amount = max(0, min(amount, claim.limit - self._values[claim.counter]))
        self._count(claim.counter, amount, order_id)
        return amount

    async def free(self, order_id: UUID) -> None:
        self._values.subtract(self._claims.pop(order_id, Sums()))

    def _count(self, counter: Counter, amount: int, order_id: UUID | None) -> None:
        self._values[counter] += amount
        if order_id is not None and amount:
            self._claims.setdefault(order_id, Sums())[counter] += amount

    def flush(self) -> None:
        self._committed.values = self._values.copy()
        self._committed.claims = {o: c.copy() for o, c in self._claims.items()}
