"""Read the whole ledger in one snapshot, a bounded batch at a time.

Batches follow the days of the transactions and the index of entries by payee, so that no
statement sorts or remembers more than its batch, however long the books have become.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import TextClause, select
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.postgres.ledger_upkeep import CHECKPOINT, ledger_seals, seal_of
from application.ports.ledger_views import (
    AccountTotal,
    BalanceDifference,
    CurrencyVolume,
    KeptSeal,
    LedgerSnapshot,
    PayableTotal,
    TransactionBatch,
    TransactionFault,
)

_FIRST = UUID(int=0)

# The hash is that of `domain.ledger.posting.Transaction.content_hash`, computed by the server; the
# leaves are those of `domain.ledger.seal.leaf`.
_TRANSACTIONS = sql("""
    WITH batch AS MATERIALIZED (
        SELECT id, effect_key, kind, currency, content_hash, order_id, occurred_at
        FROM ledger_transactions
        WHERE posted_on = :day AND id > :after ORDER BY id LIMIT :size
    ), entries AS MATERIALIZED (
        SELECT e.transaction_id, e.account, e.payee_id, e.amount_cents, e.currency
        FROM ledger_entries e
        WHERE e.posted_on = :day AND e.transaction_id > :after AND e.transaction_id <= (
            SELECT id FROM batch ORDER BY id DESC LIMIT 1
        ) AND EXISTS (SELECT FROM batch b WHERE b.id = e.transaction_id)
    ), posted AS (
        SELECT transaction_id, count(*) AS entries, sum(amount_cents) AS total_cents,
            count(DISTINCT currency) AS currencies, min(currency) AS currency,
            string_agg(
                account || '|' || coalesce(payee_id::text, 'None') || '|' || amount_cents,
                E'\\n' ORDER BY (
                    account || '|' || coalesce(payee_id::text, 'None') || '|' || amount_cents
                ) COLLATE "C"
            ) AS lines
        FROM entries GROUP BY transaction_id
    ), judged AS (
        SELECT b.effect_key, b.currency,
            coalesce(p.entries, 0) AS entries, coalesce(p.total_cents, 0)::bigint AS total_cents,
            p.entries IS NULL OR p.entries < 2 OR p.total_cents <> 0 OR p.currencies > 1
                OR p.currency <> b.currency AS unbalanced,
            p.lines IS NULL OR b.content_hash <>
                encode(sha256(convert_to(b.currency || E'\\n' || p.lines, 'UTF8')), 'hex')
                AS altered
        FROM batch b LEFT JOIN posted p ON p.transaction_id = b.id
    )
    SELECT
        (SELECT id FROM batch ORDER BY id DESC LIMIT 1) AS last_id,
        (SELECT count(*) FROM batch) AS transactions,
        (SELECT string_agg(sha256(convert_to(concat_ws(E'\\x1f',
            id, effect_key, kind, currency, content_hash, coalesce(order_id::text, ''),
            (extract(epoch FROM occurred_at) * 1000000)::bigint
        ), 'UTF8')), ''::bytea ORDER BY id) FROM batch) AS leaves,
        (SELECT coalesce(json_agg(t), '[]')::text FROM (
            SELECT account, currency, count(*) AS entries,
                sum(amount_cents)::bigint AS total_cents
            FROM entries GROUP BY account, currency
        ) t) AS totals,
        (SELECT coalesce(json_agg(v), '[]')::text FROM (
            SELECT currency, sum(amount_cents)::bigint AS credit_cents
            FROM entries WHERE amount_cents > 0 GROUP BY currency
        ) v) AS volumes,
        (SELECT coalesce(json_agg(f), '[]')::text FROM (
            SELECT effect_key, currency, entries, total_cents,
                CASE WHEN unbalanced THEN 'unbalanced' ELSE 'altered' END AS fault
            FROM judged WHERE unbalanced OR altered
        ) f) AS faults
    """)

_NEXT_DAY = sql("SELECT min(posted_on) AS day FROM ledger_transactions WHERE posted_on > :day")

_ALL_PAYEES = """
    SELECT payee_id FROM (
        (SELECT DISTINCT payee_id FROM payee_balances
        WHERE payee_id > :after ORDER BY payee_id LIMIT :size)
        UNION
        (SELECT DISTINCT payee_id FROM ledger_entries
        WHERE payee_id > :after ORDER BY payee_id LIMIT :size)
    ) known ORDER BY payee_id LIMIT :size
    """

# One statement posts entries and moves the balance, so both rows are of one transaction (`xmin`,
# which freezing keeps). What this filter lets through needlessly, after a restore for instance, is
# compared and found the same.
_WRITTEN_APART = """
    SELECT DISTINCT b.payee_id FROM payee_balances b
    WHERE b.payee_id > :after
        AND age(b.xmin) <= (SELECT age(s.xmin) FROM ledger_seals s WHERE s.day = :sealed)
        AND NOT EXISTS (
            SELECT FROM ledger_entries e
            WHERE e.payee_id = b.payee_id AND e.currency = b.currency
                AND e.posted_on > :sealed AND e.xmin = b.xmin
        )
    ORDER BY b.payee_id LIMIT :size
    """


def _differences(payees: str) -> TextClause:
    return sql(_BALANCES.replace(":payees", payees))


_BALANCES = """
    WITH payees AS MATERIALIZED (
        :payees
    ), posted AS (
        SELECT e.payee_id, e.currency,
            coalesce(sum(amount_cents) FILTER (WHERE account = 'payable_pending'), 0) AS pending,
            coalesce(sum(amount_cents) FILTER (WHERE account = 'payable_available'), 0)
                AS available,
            coalesce(sum(amount_cents) FILTER (WHERE account = 'payable_reserved'), 0)
                AS reserved,
            coalesce(sum(amount_cents) FILTER (WHERE account = 'payable_disputed'), 0)
                AS disputed,
            coalesce(sum(amount_cents) FILTER (
                WHERE t.kind IN ('sale', 'refund', 'dispute_won', 'dispute_lost')
            ), 0)
                AS lifetime
        FROM payees JOIN ledger_entries e ON e.payee_id = payees.payee_id
        LEFT JOIN ledger_transactions t
            ON t.id = e.transaction_id AND t.posted_on = e.posted_on
        GROUP BY e.payee_id, e.currency
    ), kept AS (
        SELECT b.* FROM payees JOIN payee_balances b ON b.payee_id = payees.payee_id
    ), different AS (
        SELECT payee_id, currency, parts.part,
            parts.kept_cents::bigint AS kept_cents, parts.posted_cents::bigint AS posted_cents
        FROM kept FULL JOIN posted USING (payee_id, currency)
        CROSS JOIN LATERAL (VALUES
            ('pending', coalesce(pending_cents, 0), coalesce(pending, 0)),
            ('available', coalesce(available_cents, 0), coalesce(available, 0)),
            ('reserved', coalesce(reserved_cents, 0), coalesce(reserved, 0)),
            ('disputed', coalesce(disputed_cents, 0), coalesce(disputed, 0)),
            ('lifetime', coalesce(lifetime_cents, 0), coalesce(lifetime, 0))
        ) AS parts (part, kept_cents, posted_cents)
        WHERE parts.kept_cents <> parts.posted_cents
    )
    SELECT
        (SELECT payee_id FROM payees ORDER BY payee_id DESC LIMIT 1) AS last_id,
        (SELECT coalesce(json_agg(d), '[]')::text FROM different d) AS differences
    """
_DIFFERENCES_OF_ALL = _differences(_ALL_PAYEES)
_DIFFERENCES_WRITTEN_APART = _differences(_WRITTEN_APART)

_PAYABLE_TOTALS = sql("""
    SELECT kept.account, b.currency, sum(kept.cents)::bigint AS total_cents
    FROM payee_balances b CROSS JOIN LATERAL (VALUES
        ('payable_pending', pending_cents),
        ('payable_available', available_cents),
        ('payable_reserved', reserved_cents),
        ('payable_disputed', disputed_cents)
    ) AS kept (account, cents)
    GROUP BY kept.account, b.currency HAVING sum(kept.cents) <> 0
    ORDER BY b.currency, kept.account
    """)

# A checkpoint and its seal are written by one transaction.
_REWRITTEN = sql("""
    SELECT EXISTS (
        SELECT FROM ledger_checkpoints c LEFT JOIN ledger_seals s ON s.day = c.through
        WHERE age(c.xmin) <= (SELECT age(b.xmin) FROM ledger_seals b WHERE b.day = :sealed)
            AND (s.day IS NULL OR c.xmin <> s.xmin)
    ) AS found
    """)

_COUNT = sql("SELECT count(*) AS entries FROM ledger_entries WHERE posted_on >= :since")

_TOTALS = msgspec.json.Decoder(list[AccountTotal])
_VOLUMES = msgspec.json.Decoder(list[CurrencyVolume])
_FAULTS = msgspec.json.Decoder(list[TransactionFault])
_DIFFERENCES = msgspec.json.Decoder(list[BalanceDifference])


class PostgresLedgerViews:
    """See `application.ports.ledger_views.LedgerViews`."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        transactions_per_batch: int = 20_000,
        payees_per_batch: int = 500,
    ) -> None:
        self._engine = engine.execution_options(isolation_level="REPEATABLE READ")
        self._transactions_per_batch = transactions_per_batch
        self._payees_per_batch = payees_per_batch

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[LedgerSnapshot]:
        async with self._engine.connect() as connection:
            await connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            yield _Snapshot(connection, self._transactions_per_batch, self._payees_per_batch)


class _Snapshot:
    def __init__(
        self, connection: AsyncConnection, transactions_per_batch: int, payees_per_batch: int
    ) -> None:
        self._connection = connection
        self._transactions_per_batch = transactions_per_batch
        self._payees_per_batch = payees_per_batch

    async def transactions(
        self, *, since: date | None = None, through: date | None = None
    ) -> AsyncIterator[TransactionBatch]:
        day = since - timedelta(days=1) if since else date.min
        while True:
            day = (await self._row(_NEXT_DAY, day=day)).day
            if day is None or (through and day > through):
                return
            async for batch in self._of_day(day):
                yield batch

    async def _of_day(self, day: date) -> AsyncIterator[TransactionBatch]:
        after = _FIRST
        while True:
            row = await self._row(
                _TRANSACTIONS, day=day, after=after, size=self._transactions_per_batch
            )
            if row.last_id is None:
                return
            after = row.last_id
            yield TransactionBatch(
                day=day,
                transactions=row.transactions,
                leaves=row.leaves,
                totals=_TOTALS.decode(row.totals),
                volumes=_VOLUMES.decode(row.volumes),
                faults=_FAULTS.decode(row.faults),
            )
            if row.transactions < self._transactions_per_batch:
                return

    async def seals(self) -> list[KeptSeal]:
        rows = await self._connection.execute(select(ledger_seals).order_by(ledger_seals.c.number))
        return [KeptSeal(seal=seal_of(row), hash=row.hash) for row in rows]

    async def checkpoint(self, through: date) -> list[AccountTotal]:
        rows = await self._connection.execute(CHECKPOINT, {"through": through})
        return [AccountTotal(**row) for row in rows.mappings()]

    async def checkpoints_rewritten(self, *, since: date) -> bool:
        return bool((await self._row(_REWRITTEN, sealed=since)).found)

    async def balance_differences(
        self, *, written_apart_since: date | None = None
    ) -> AsyncIterator[Sequence[BalanceDifference]]:
        statement, given = _DIFFERENCES_OF_ALL, dict[str, Any]()
        if written_apart_since is not None:
            statement, given = _DIFFERENCES_WRITTEN_APART, {"sealed": written_apart_since}
        after = _FIRST
        while True:
            row = await self._row(statement, after=after, size=self._payees_per_batch, **given)
            if row.last_id is None:
                return
            after = row.last_id
            yield _DIFFERENCES.decode(row.differences)

    async def payable_totals(self) -> list[PayableTotal]:
        rows = await self._connection.execute(_PAYABLE_TOTALS)
        return [PayableTotal(**row) for row in rows.mappings()]

    async def count_entries(self, *, since: date | None = None) -> int:
        return int((await self._row(_COUNT, since=since or date.min)).entries)

    async def _row(self, statement: Any, **parameters: object) -> Any:
        return (await self._connection.execute(statement, parameters)).one()
