"""Sealed days: what was posted on a day is hashed once the day is closed, and the hashes chained.

Whoever changes, adds, removes or moves a transaction of a sealed day, or a whole day, changes a
hash. Whoever holds one seal's hash elsewhere (in a mail, on paper) holds all days up to it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from domain.ledger.posting import Transaction

NO_SEAL = "0" * 64
"""What the first seal has before it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BETWEEN = "\x1f"


def leaf(transaction_id: UUID, transaction: Transaction) -> bytes:
    """SHA-256 of one transaction as it is kept: its entries by their hash, and all beside them."""
    facts = (
        str(transaction_id),
        transaction.effect_key,
        transaction.kind,
        transaction.currency,
        transaction.content_hash,
        str(transaction.order_id or ""),
        str((transaction.occurred_at - _EPOCH) // timedelta(microseconds=1)),
    )
    return hashlib.sha256(_BETWEEN.join(facts).encode()).digest()


@dataclass(slots=True)
class Day:
    """A day of the books while it is read: leaves in order of the transactions' ids.

    `volumes` are the credits of the day in minor units, by currency.
    """

    day: date
    transactions: int = 0
    entries: int = 0
    volumes: dict[str, int] = field(default_factory=dict)
    _digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def add(self, leaves: bytes, *, transactions: int) -> None:
        self._digest.update(leaves)
        self.transactions += transactions

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """`number` counts the sealed days from 1; a day on which nothing was posted has no seal."""

    number: int
    day: date
    previous_hash: str
    digest: str
    transactions: int
    entries: int
    volumes: Mapping[str, int]

    @property
    def hash(self) -> str:
        volumes = ",".join(f"{code}:{cents}" for code, cents in sorted(self.volumes.items()))
        facts = (
            str(self.number),
            self.day.isoformat(),
            self.previous_hash,
            self.digest,
            str(self.transactions),
            str(self.entries),
            volumes,
        )
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def seal(day: Day, *, after: Seal | None) -> Seal:
    """The seal of a closed day that has been read whole, `after` the one before it."""
    return Seal(
        number=after.number + 1 if after else 1,
        day=day.day,
        previous_hash=after.hash if after else NO_SEAL,
        digest=day.digest,
        transactions=day.transactions,
        entries=day.entries,
        volumes=dict(day.volumes),
    )
