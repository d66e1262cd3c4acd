"""Counters of licences: conditional updates, each of one row, in the order of their keys."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    PrimaryKeyConstraint,
    Table,
    Uuid,
    and_,
    delete,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import enum_text
from adapters.postgres.metadata import metadata, text
from domain.licensing.usage import Claim, Counter, CounterKind, QuotaExhausted

licence_counters = Table(
    "licence_counters",
    metadata,
    Column("creator_id", Uuid, nullable=False),
    enum_text("kind", CounterKind),
    text("subject"),
    text("currency"),
    Column(
        "value",
        BigInteger,
        CheckConstraint("value >= 0", name="value_not_negative"),
        nullable=False,
    ),
    PrimaryKeyConstraint("creator_id", "kind", "subject", "currency"),
)

licence_claims = Table(
    "licence_claims",
    metadata,
    Column("order_id", Uuid, nullable=False),
    Column("creator_id", Uuid, nullable=False),
    enum_text("kind", CounterKind),
    text("subject"),
    text("currency"),
    Column(
        "amount",
        BigInteger,
        CheckConstraint("amount > 0", name="amount_positive"),
        nullable=False,
    ),
    PrimaryKeyConstraint("order_id", "creator_id", "kind", "subject", "currency"),
)

_KEY = ("creator_id", "kind", "subject", "currency")


def _is(counter: Counter) -> Any:
    return and_(*(licence_counters.c[n] == v for n, v in zip(_KEY, counter, strict=True)))


class PostgresUsage:
    """See `application.ports.licensing.Usage`."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def values(self, counters: Collection[Counter]) -> Mapping[Counter, int]:
        if not counters:
            return {}
        key = tuple_(*(licence_counters.c[name] for name in _KEY))
        found = await self._session.execute(
            select(*(licence_counters.c[name] for name in (*_KEY, "value"))).where(
                key.in_([tuple(counter) for counter in counters])
            )
        )
        known = {Counter(*row[:4]): row[4] for row in found}
        return {counter: known.get(counter, 0) for counter in counters}

    async def claim(
        self, claims: Sequence[Claim], *, order_id: UUID | None
    ) -> Mapping[Counter, int]:
        before: dict[Counter, int] = {}
        for claim in claims:
            after = await self._add(claim)
            if after is None:
                left = (claim.limit or 0) - await self._value(claim.counter)
                raise QuotaExhausted(claim, left=max(0, left))
            before[claim.counter] = after - claim.amount
            await self._remember(claim.counter, claim.amount, order_id)
        return before

    async def take(self, claim: Claim, *, order_id: UUID) -> int:
        await self._session.execute(
            insert(licence_counters)
            .values(**claim.counter._asdict(), value=0)
            .on_conflict_do_nothing()
        )
        value = await self._session.scalar(
            select(licence_counters.c.value).where(_is(claim.counter)).with_for_update()
        )
        amount = claim.amount
        if claim.limit is not None:
            amount = max(0, min(amount, claim.limit - (value or 0)))
        if amount:
            await self._session.execute(
                update(licence_counters)
                .where(_is(claim.counter))
                .values(value=licence_counters.c.value + amount)
            )
            await self._remember(claim.counter, amount, order_id)
        return amount

    async def free(self, order_id: UUID) -> None:
        freed = await self._session.execute(
            delete(licence_claims)
            .where(licence_claims.c.order_id == order_id)
            .returning(*(licence_claims.c[name] for name in (*_KEY, "amount")))
        )
        for *key, amount in sorted(tuple(row) for row in freed):
            await self._session.execute(
                update(licence_counters)
                .where(_is(Counter(*key)))
                .values(value=licence_counters.c.value - amount)
            )

    async def _add(self, claim: Claim) -> int | None:
        """The counter afterwards; None, and nothing done, where the limit leaves no room."""
        if claim.limit is not None and claim.amount > claim.limit:
            return None
        room = None
        if claim.limit is not None:
            room = licence_counters.c.value + claim.amount <= literal(claim.limit, BigInteger)
        added: int | None = await self._session.scalar(
            insert(licence_counters)
            .values(**claim.counter._asdict(), value=claim.amount)
            .on_conflict_do_update(
                index_elements=list(_KEY),
                set_={"value": licence_counters.c.value + claim.amount},
                where=room,
            )
            .returning(licence_counters.c.value)
        )
        return added

    async def _value(self, counter: Counter) -> int:
        return (
            await self._session.scalar(select(licence_counters.c.value).where(_is(counter)))
        ) or 0

    async def _remember(self, counter: Counter, amount: int, order_id: UUID | None) -> None:
        if order_id is None or amount == 0:
            return
        statement = insert(licence_claims).values(
            order_id=order_id, **counter._asdict(), amount=amount
        )
        await self._session.execute(
            statement.on_conflict_do_update(
                index_elements=["order_id", *_KEY],
                set_={"amount": licence_claims.c.amount + statement.excluded.amount},
            )
        )
