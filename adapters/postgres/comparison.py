"""Both sides of a reconciliation, read a batch at a time.

Our side is what was posted on the clearing account, with the provider's id that our object of the
effect holds: an effect that moves the provider's balance needs a line in both statements.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import TextClause
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncEngine

from application.ports.reconciliation import BothSides, Held
from domain.ledger.reconciliation import Booked, Moved, Movement, Subject
from domain.shared.money import Currency

# Each arm answers effect key, movement, source and our id of what it is asked about: `wanted` has
# (movement, source) pairs and our ids that the provider keeps.
_OURS_OF_SUBJECTS = sql("""
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:movements AS text[]), CAST(:sources AS text[]))
            AS w (movement, source)
    ), theirs AS (
        SELECT m.* FROM wanted w
        JOIN provider_movements m ON m.movement = w.movement AND m.source = w.source
    ), ids AS (
        SELECT DISTINCT movement, our_id AS id FROM theirs WHERE our_id IS NOT NULL
    ), effects AS (
        SELECT 'sale:' || w.source AS effect_key, 'charge' AS movement, w.source, o.id AS our_id
        FROM wanted w LEFT JOIN orders o ON o.charge_id = w.source WHERE w.movement = 'charge'
        UNION
        SELECT 'sale:' || o.charge_id, 'charge', o.charge_id, o.id
        FROM ids JOIN orders o ON o.id = ids.id
        WHERE ids.movement = 'charge' AND o.charge_id IS NOT NULL
        UNION
        SELECT c.kind || ':' || c.id, 'charge', c.id, NULL
        FROM wanted w JOIN platform_charges c ON c.id = w.source WHERE w.movement = 'charge'
        UNION
        SELECT 'fee:' || w.source, 'fee', w.source, NULL FROM wanted w WHERE w.movement = 'fee'
        UNION
        SELECT 'payouts_funded:' || w.source, 'payout', w.source, NULL
        FROM wanted w WHERE w.movement = 'payout'
        UNION
        SELECT 'dispute:' || d.id || ':' || steps.step, 'dispute', d.provider_id, d.id
        FROM wanted w JOIN disputes d ON d.provider_id = w.source
        CROSS JOIN (VALUES ('opened'), ('won'), ('lost')) AS steps (step)
        WHERE w.movement = 'dispute'
        UNION
        SELECT 'dispute:' || d.id || ':' || steps.step, 'dispute', d.provider_id, d.id
        FROM wanted w JOIN charge_disputes d ON d.provider_id = w.source
        CROSS JOIN (VALUES ('opened'), ('won'), ('lost')) AS steps (step)
        WHERE w.movement = 'dispute'
        UNION
        SELECT w.movement || ':' || r.id, w.movement, r.provider_id, r.id
        FROM wanted w JOIN refunds r ON r.provider_id = w.source
        WHERE w.movement IN ('refund', 'refund_returned')
        UNION
        SELECT ids.movement || ':' || r.id, ids.movement, coalesce(r.provider_id, r.id::text), r.id
        FROM ids JOIN refunds r ON r.id = ids.id WHERE ids.movement IN ('refund', 'refund_returned')
        UNION
        SELECT 'platform_' || w.movement || ':' || r.id, w.movement, r.provider_id, r.id
        FROM wanted w JOIN charge_refunds r ON r.provider_id = w.source
        WHERE w.movement IN ('refund', 'refund_returned')
        UNION
        SELECT 'platform_' || ids.movement || ':' || r.id, ids.movement,
            coalesce(r.provider_id, r.id::text), r.id
        FROM ids JOIN charge_refunds r ON r.id = ids.id
        WHERE ids.movement IN ('refund', 'refund_returned')
        UNION
        SELECT 'transfer:' || t.order_id || ':' || t.payee_id, 'transfer', t.provider_id, t.id
        FROM wanted w JOIN transfers t ON t.provider_id = w.source WHERE w.movement = 'transfer'
        UNION
        SELECT 'transfer:' || t.order_id || ':' || t.payee_id, 'transfer',
            coalesce(t.provider_id, t.id::text), t.id
        FROM ids JOIN transfers t ON t.id = ids.id WHERE ids.movement = 'transfer'
        UNION
        SELECT 'reversal:' || v.id, 'reversal', v.provider_id, v.id
        FROM wanted w JOIN transfer_reversals v ON v.provider_id = w.source
        WHERE w.movement = 'reversal'
        UNION
        SELECT 'reversal:' || v.id, 'reversal', coalesce(v.provider_id, v.id::text), v.id
        FROM ids JOIN transfer_reversals v ON v.id = ids.id WHERE ids.movement = 'reversal'
    )
    SELECT f.effect_key, f.movement, f.source, f.our_id, t.currency, t.occurred_at,
        (SELECT -sum(e.amount_cents)::bigint FROM ledger_entries e
        WHERE e.posted_on = t.posted_on AND e.transaction_id = t.id
        AND e.account = 'stripe_clearing') AS amount_cents
    FROM effects f JOIN ledger_transactions t ON t.effect_key = f.effect_key
    """)

_THEIRS_OF_SUBJECTS = sql("""
    SELECT m.id, m.movement, m.source, m.our_id, m.amount_cents, m.currency, m.at
    FROM unnest(CAST(:movements AS text[]), CAST(:sources AS text[])) AS w (movement, source)
    JOIN provider_movements m ON m.movement = w.movement AND m.source = w.source
    """)

_THEIRS_OF_DAY = sql("""
    SELECT id, movement, source, our_id, amount_cents, currency, at FROM provider_movements
    WHERE at < :until AND (at, id, movement) > (:at, :id, :movement)
    ORDER BY at, id, movement LIMIT :size
    """)

# An object of ours that has no id of the provider's is named by our own: nothing there has it.
_OURS_OF_DAY = sql("""
    WITH batch AS MATERIALIZED (
        SELECT id, effect_key, kind, currency, occurred_at, posted_on, order_id,
            substring(effect_key FROM position(':' IN effect_key) + 1) AS about
        FROM ledger_transactions
        WHERE posted_on = :day AND id > :after ORDER BY id LIMIT :size
    ), cleared AS MATERIALIZED (
        SELECT b.*, (SELECT -sum(e.amount_cents)::bigint FROM ledger_entries e
            WHERE e.posted_on = b.posted_on AND e.transaction_id = b.id
            AND e.account = 'stripe_clearing') AS amount_cents,
            CASE WHEN kind IN ('refund', 'refund_returned') THEN about::uuid END AS refund_id,
            CASE WHEN kind IN ('platform_refund', 'platform_refund_returned')
                THEN about::uuid END AS charge_refund_id,
            CASE WHEN kind = 'reversal' THEN about::uuid END AS reversal_id,
            CASE WHEN kind = 'transfer' THEN split_part(about, ':', 2)::uuid END AS payee_id,
            CASE WHEN kind IN ('dispute_opened', 'dispute_won', 'dispute_lost')
                THEN split_part(about, ':', 1)::uuid END AS dispute_id
        FROM batch b
    )
    SELECT c.id, c.effect_key, c.currency, c.occurred_at, c.amount_cents,
        CASE c.kind WHEN 'sale' THEN 'charge' WHEN 'processing_fee' THEN 'fee'
            WHEN 'credit_sale' THEN 'charge' WHEN 'plan_sale' THEN 'charge'
            WHEN 'platform_refund' THEN 'refund'
            WHEN 'platform_refund_returned' THEN 'refund_returned'
            WHEN 'refund' THEN 'refund' WHEN 'refund_returned' THEN 'refund_returned'
            WHEN 'transfer' THEN 'transfer' WHEN 'reversal' THEN 'reversal'
            WHEN 'payouts_funded' THEN 'payout' WHEN 'dispute_opened' THEN 'dispute'
            WHEN 'dispute_won' THEN 'dispute' WHEN 'dispute_lost' THEN 'dispute'
            ELSE 'adjustment' END AS movement,
        CASE c.kind WHEN 'sale' THEN c.order_id ELSE coalesce(r.id, t.id, v.id, d.id, b.id, p.id)
            END AS our_id,
        CASE WHEN c.kind IN (
                'sale', 'processing_fee', 'payouts_funded', 'credit_sale', 'plan_sale')
            THEN c.about
            WHEN p.id IS NOT NULL THEN coalesce(p.provider_id, p.id::text)
            WHEN c.kind IN ('refund', 'refund_returned', 'transfer', 'reversal') THEN coalesce(
                r.provider_id, t.provider_id, v.provider_id, r.id::text, t.id::text, v.id::text)
            WHEN d.id IS NOT NULL THEN d.provider_id
            WHEN b.id IS NOT NULL THEN b.provider_id
            ELSE c.effect_key END AS source
    FROM cleared c
    LEFT JOIN refunds r ON r.id = c.refund_id
    LEFT JOIN charge_refunds p ON p.id = c.charge_refund_id
    LEFT JOIN transfers t ON t.order_id = c.order_id AND t.payee_id = c.payee_id
    LEFT JOIN transfer_reversals v ON v.id = c.reversal_id
    LEFT JOIN disputes d ON d.id = c.dispute_id
    LEFT JOIN charge_disputes b ON b.id = c.dispute_id
    ORDER BY c.id
    """)

# The provider takes its fee with the payout, the books learn of it as paid. What was paid to buyers
# from another bank of ours (`refund_settled`) never lay there.
_HELD = sql("""
    WITH last AS MATERIALIZED (
        SELECT coalesce(max(through), DATE '0001-01-01') AS through FROM ledger_checkpoints
    ), parts AS (
        SELECT currency, total_cents AS cents FROM ledger_checkpoints
        WHERE through = (SELECT through FROM last)
        AND account IN ('payout_clearing', 'payouts_in_transit')
        UNION ALL
        SELECT currency, amount_cents FROM ledger_entries
        WHERE posted_on > (SELECT through FROM last)
        AND account IN ('payout_clearing', 'payouts_in_transit')
        UNION ALL
        SELECT currency, provider_fee_cents FROM payouts
        WHERE state = 'sent' AND method = 'bank'
        UNION ALL
        SELECT currency, -amount_cents FROM refunds WHERE settled_at IS NOT NULL
    )
    SELECT currency, -sum(cents)::bigint AS cents FROM parts GROUP BY currency
    """)
_UNSURE = sql("""
    SELECT EXISTS (
        SELECT FROM payouts WHERE state IN ('reserved', 'unknown') AND method = 'bank'
        AND attempts > 0 AND coalesce(reason, '') <> 'provider_funds_short'
    )
    """)

DAY = timedelta(days=1)
_position = msgspec.json.Decoder(tuple[datetime, str, str]).decode


class PostgresComparison:
    """See `application.ports.reconciliation.Comparison`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def theirs_of_day(
        self, day: date, *, after: str | None, limit: int
    ) -> tuple[Sequence[Moved], str | None]:
        since = datetime.combine(day, time(), UTC)
        at, row_id, movement = _position(after) if after else (since, "", "")
        rows = await self._rows(
            _THEIRS_OF_DAY, until=since + DAY, at=at, id=row_id, movement=movement, size=limit
        )
        last = rows[-1] if len(rows) == limit else None
        cursor = last and msgspec.json.encode((last.at, last.id, last.movement)).decode()
        return [_moved(row) for row in rows], cursor

    async def ours_of_day(
        self, day: date, *, after: str | None, limit: int
    ) -> tuple[Sequence[Booked], str | None]:
        last_id = UUID(after) if after else UUID(int=0)
        rows = await self._rows(_OURS_OF_DAY, day=day, after=last_id, size=limit)
        cursor = str(rows[-1].id) if len(rows) == limit else None
        return [_booked(row) for row in rows if row.amount_cents], cursor

    async def both_sides(self, subjects: Collection[Subject]) -> BothSides:
        wanted = {
            "movements": [str(subject.movement) for subject in subjects],
            "sources": [subject.source for subject in subjects],
        }
        theirs = await self._rows(_THEIRS_OF_SUBJECTS, **wanted)
        ours = await self._rows(_OURS_OF_SUBJECTS, **wanted)
        return BothSides(
            list(dict.fromkeys(_moved(row) for row in theirs)),
            list(dict.fromkeys(_booked(row) for row in ours if row.amount_cents)),
        )

    async def held(self) -> Held:
        sums = await self._rows(_HELD)
        [unsure] = await self._rows(_UNSURE)
        return Held({Currency(row.currency): row.cents for row in sums}, bool(unsure[0]))

    async def _rows(self, statement: TextClause, **parameters: object) -> Sequence[Any]:
        async with self._engine.connect() as connection:
            return (await connection.execute(statement, parameters)).all()


def _moved(row: Any) -> Moved:
    return Moved(
        id=row.id,
        movement=Movement(row.movement),
        source=row.source,
        our_id=row.our_id,
        amount_cents=row.amount_cents,
        currency=Currency(row.currency),
        at=row.at,
    )


def _booked(row: Any) -> Booked:
    return Booked(
        effect_key=row.effect_key,
        movement=Movement(row.movement),
        source=row.source,
        our_id=row.our_id,
        amount_cents=row.amount_cents,
        currency=Currency(row.currency),
        at=row.occurred_at,
    )
