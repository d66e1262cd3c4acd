"""Take every kept decision again from what was kept of it: the answer must be the same.

A licence is a pure function, so it is. Where it is not, somebody has changed terms, a decision,
what an order froze, or the rules themselves, and each of these is to be known.
"""

from collections.abc import Callable
from uuid import UUID

import msgspec

from application.ports.decisions import DecisionViews
from domain.licensing.record import DecisionPoint, faults_of

MAX_SHOWN = 100


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """`fault` is `terms_altered`, `decided_otherwise` or `frozen_otherwise`."""

    decision_id: UUID
    point: DecisionPoint
    fault: str


class ReplayReport(msgspec.Struct, frozen=True, kw_only=True):
    """`differences` has the first hundred of them."""

    replayed: int
    difference_count: int
    differences: list[Difference]

    @property
    def same(self) -> bool:
        return self.difference_count == 0


async def replay_decisions(
    views: DecisionViews, *, progress: Callable[[int], object] = lambda done: None
) -> ReplayReport:
    replayed = count = 0
    shown: list[Difference] = []
    async for batch in views.all():
        for kept in batch:
            for fault in faults_of(kept.record, kept.terms, frozen=kept.frozen):
                count += 1
                if len(shown) < MAX_SHOWN:
                    shown.append(
                        Difference(decision_id=kept.record.id, point=kept.record.point, fault=fault)
                    )
        replayed += len(batch)
        progress(replayed)
    return ReplayReport(replayed=replayed, difference_count=count, differences=shown)
