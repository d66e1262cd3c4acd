"""Idempotent requests in PostgreSQL: the row is the lock, and a claim is one statement."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Uuid,
    and_,
    delete,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.metadata import instant, metadata, text
from application.ports.idempotency import (
    KEPT_FOR,
    LEASE,
    Claim,
    Claimed,
    InProgress,
    RequestKey,
    Reused,
    StoredAnswer,
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    text("owner"),
    text("operation"),
    text("key"),
    Column("request_hash", LargeBinary, nullable=False),
    Column("claim_id", Uuid, nullable=False),
    instant("leased_until"),
    instant("expires_at"),
    Column("status", SmallInteger),
    Column("headers", JSONB),
    Column("body", LargeBinary),
    PrimaryKeyConstraint("owner", "operation", "key"),
    Index("ix_idempotency_keys_expires_at", "expires_at"),
)
_keys = idempotency_keys.c


class PostgresIdempotency:
    """See `application.ports.idempotency.Idempotency`. Each call is a transaction of its own."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def claim(
        self, key: RequestKey, *, request_hash: bytes, claim_id: UUID, now: datetime
    ) -> Claim:
        new = insert(idempotency_keys).values(
            owner=key.owner,
            operation=key.operation,
            key=key.key,
            request_hash=request_hash,
            claim_id=claim_id,
            leased_until=now + LEASE,
            expires_at=now + KEPT_FOR,
        )
        void = or_(
            _keys.expires_at <= now,
            and_(
                _keys.status.is_(None),
                _keys.leased_until <= now,
                _keys.request_hash == new.excluded.request_hash,
            ),
        )
        statement = new.on_conflict_do_update(
            index_elements=[_keys.owner, _keys.operation, _keys.key],
            set_={
                "request_hash": new.excluded.request_hash,
                "claim_id": new.excluded.claim_id,
                "leased_until": new.excluded.leased_until,
                "expires_at": new.excluded.expires_at,
                "status": None,
                "headers": None,
                "body": None,
            },
            where=void,
        ).returning(_keys.claim_id)
        async with self._engine.begin() as connection:
            if (await connection.execute(statement)).first() is not None:
                return Claimed()
            standing = (
                await connection.execute(
                    select(_keys.request_hash, _keys.status, _keys.headers, _keys.body).where(
                        _is(key)
                    )
                )
            ).first()
        if standing is None:
            return InProgress()  # released in between: the next claim will get it
        if standing.request_hash != request_hash:
            return Reused()
        if standing.status is None:
            return InProgress()
        headers = tuple((str(name), str(value)) for name, value in standing.headers)
        return StoredAnswer(standing.status, headers, standing.body)

    async def store(
        self, key: RequestKey, *, claim_id: UUID, answer: StoredAnswer, now: datetime
    ) -> None:
        statement = (
            update(idempotency_keys)
            .where(_is(key), _keys.claim_id == claim_id)
            .values(
                status=answer.status,
                headers=[list(header) for header in answer.headers],
                body=answer.body,
                expires_at=now + KEPT_FOR,
            )
        )
        async with self._engine.begin() as connection:
            await connection.execute(statement)

    async def release(self, key: RequestKey, *, claim_id: UUID) -> None:
        statement = delete(idempotency_keys).where(
            _is(key), _keys.claim_id == claim_id, _keys.status.is_(None)
        )
        async with self._engine.begin() as connection:
            await connection.execute(statement)

    async def purge(self, *, now: datetime) -> int:
        statement = delete(idempotency_keys).where(_keys.expires_at <= now)
        async with self._engine.begin() as connection:
            return (await connection.execute(statement)).rowcount


def _is(key: RequestKey) -> ColumnElement[bool]:
    return and_(_keys.owner == key.owner, _keys.operation == key.operation, _keys.key == key.key)
