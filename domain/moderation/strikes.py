"""Who does it again and again may not go on. How often, within what time and for how long is data.

A strike is for one case, and void when the case ends in the owner's favour.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.shared.errors import NotAllowed

FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)


class StrikeKind(StrEnum):
    """`hard`: asked for what may never be. `block`: something shown was blocked by a moderator.
    `infringement`: of somebody else's right."""

    HARD = "hard"
    BLOCK = "block"
    INFRINGEMENT = "infringement"


class GenerationSuspended(NotAllowed):
    """The account may not generate, for what it has asked for or published before."""

    code = "generation_suspended"


@dataclass(eq=False, kw_only=True)
class Strike:
    id: UUID
    user_id: UUID
    case_id: UUID
    kind: StrikeKind
    at: datetime
    voided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """So many strikes of a kind within a time suspend for a time, or for ever (None)."""

    kind: StrikeKind
    count: int
    within: timedelta
    lasts: timedelta | None


LIMITS: tuple[Limit, ...] = (
    Limit(StrikeKind.HARD, 3, timedelta(days=90), timedelta(days=30)),
    Limit(StrikeKind.HARD, 5, timedelta(days=365), None),
    Limit(StrikeKind.BLOCK, 5, timedelta(days=30), timedelta(days=7)),
    Limit(StrikeKind.INFRINGEMENT, 3, timedelta(days=365), None),
)


def suspended_until(
    strikes: Iterable[Strike], *, limits: tuple[Limit, ...] = LIMITS
) -> datetime | None:
    """Until when the strikes suspend; None when they never did."""
    standing = sorted((s for s in strikes if s.voided_at is None), key=lambda strike: strike.at)
    ends: list[datetime] = []
    for limit in limits:
        times = [strike.at for strike in standing if strike.kind is limit.kind]
        ends += [
            FOR_EVER if limit.lasts is None else last + limit.lasts
            for first, last in zip(times, times[limit.count - 1 :], strict=False)
            if last - first <= limit.within
        ]
    return max(ends, default=None)
