"""One bounded, indexed question for each invariant, and the table of what was last found."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Column, Integer, Table, TextClause, select
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.columns import enum_text
from adapters.postgres.metadata import instant, metadata
from application.ports.invariants import MOST_COUNTED, CheckResult, Invariant, Violation

invariant_results = Table(
    "invariant_results",
    metadata,
    enum_text("name", Invariant, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("result", JSONB, nullable=False),
    instant("checked_at"),
)

_WITHIN = timedelta(days=2)
"""Orders and sales are compared while they are young: later nothing joins them any more."""


def _flows(table: str) -> str:
    """Nothing due, and nothing whose worker is lost, waits for long."""
    return f"""
        SELECT topic || ' ' || id AS subject, due_at AS since, last_error AS detail
        FROM {table} WHERE state = 'pending' AND due_at < :before
        UNION ALL
        SELECT topic || ' ' || id, lease_until, 'its worker or queue was lost'
        FROM {table} WHERE state IN ('dispatched', 'running') AND lease_until < :before
    """  # noqa: S608 - the tables are named here


_QUESTIONS: Mapping[Invariant, tuple[timedelta, str]] = {
    Invariant.INBOX_FLOWS: (timedelta(minutes=10), _flows("inbox_messages")),
    Invariant.OUTBOX_FLOWS: (timedelta(minutes=10), _flows("outbox_messages")),
    Invariant.NOTHING_PARKED: (
        timedelta(0),
        """
        SELECT 'inbox ' || topic || ' ' || id AS subject, finished_at AS since,
            last_error AS detail
        FROM inbox_messages WHERE state = 'parked' AND finished_at <= :before
        UNION ALL
        SELECT 'outbox ' || topic || ' ' || id, finished_at, last_error
        FROM outbox_messages WHERE state = 'parked' AND finished_at <= :before
        """,
    ),
    Invariant.TRANSFERS_END: (
        timedelta(hours=6),
        """
        SELECT 'transfer ' || id AS subject, created_at AS since, last_error AS detail
        FROM transfers WHERE state = 'intended' AND created_at < :before
        """,
    ),
    Invariant.REVERSALS_END: (
        timedelta(hours=6),
        """
        SELECT 'reversal ' || id AS subject, created_at AS since, last_error AS detail
        FROM transfer_reversals WHERE state = 'intended' AND created_at < :before
        """,
    ),
    Invariant.REFUNDS_END: (
        timedelta(days=1),
        """
        SELECT 'refund ' || id AS subject, created_at AS since,
            'of order ' || order_id AS detail
        FROM refunds WHERE status = 'pending' AND created_at < :before
        """,
    ),
    Invariant.PAYOUTS_END: (
        timedelta(days=1),  # what was sent is with the banks, who take some days
        """
        SELECT 'payout ' || id AS subject, created_at AS since, state || ' ' ||
            coalesce(reason, '') AS detail
        FROM payouts WHERE state IN ('reserved', 'unknown', 'sent') AND created_at < :before
        AND (state <> 'sent' OR created_at < CAST(:before AS timestamptz) - interval '4 days')
        """,
    ),
    Invariant.PAID_ORDERS_ARE_BOOKED: (
        timedelta(0),
        """
        SELECT 'order ' || o.id AS subject, o.paid_at AS since, o.charge_id AS detail
        FROM orders o WHERE o.payment_status = 'paid' AND o.paid_at > :young
        AND o.paid_at <= :before AND NOT EXISTS (
            SELECT FROM ledger_transactions t WHERE t.effect_key = 'sale:' || o.charge_id)
        """,
    ),
    Invariant.BOOKED_SALES_ARE_PAID: (
        timedelta(0),
        """
        SELECT t.effect_key AS subject, t.occurred_at AS since,
            'no paid order has this charge' AS detail
        FROM ledger_transactions t
        WHERE t.posted_on >= CAST(:young AS date) AND t.kind = 'sale'
        AND t.effect_key LIKE 'sale:%' AND t.occurred_at <= :before AND NOT EXISTS (
            SELECT FROM orders o WHERE o.charge_id = substr(t.effect_key, 6)
            AND o.payment_status = 'paid')
        """,
    ),
    Invariant.EARNINGS_ARE_PAID_FOR: (
        timedelta(0),
        """
        SELECT 'earning ' || e.order_id || ' of ' || e.payee_id AS subject,
            o.created_at AS since, 'its order is ' || coalesce(o.payment_status, 'gone') AS detail
        FROM earnings e LEFT JOIN orders o ON o.id = e.order_id
        WHERE e.state = 'pending' AND e.release_at > :young
        AND coalesce(o.payment_status, '') <> 'paid'
        """,
    ),
    Invariant.DEBTS_ARE_YOUNG: (
        timedelta(days=30),
        """
        SELECT 'payee ' || payee_id || ' ' || currency AS subject, negative_since AS since,
            available_cents || ' minor units' AS detail
        FROM payee_balances WHERE negative_since IS NOT NULL AND negative_since < :before
        """,
    ),
    Invariant.PROVIDER_AGREES: (
        timedelta(0),
        """
        SELECT 'difference ' || id AS subject, first_seen_at AS since, sentence AS detail
        FROM reconciliation_differences WHERE state <> 'resolved' AND state = 'open'
        AND first_seen_at <= :before
        """,
    ),
    Invariant.RECONCILIATIONS_END: (
        timedelta(hours=6),
        """
        SELECT 'reconciliation of ' || day AS subject, started_at AS since,
            'in phase ' || phase AS detail
        FROM reconciliation_runs WHERE phase <> 'done' AND started_at < :before
        """,
    ),
    Invariant.WALLETS_AGREE: (
        timedelta(0),
        """
        SELECT 'credits of ' || w.user_id AS subject, CAST(NULL AS timestamptz) AS since,
            'holds ' || w.held || ', open holds say ' || coalesce(h.held, 0) ||
            '; frozen are ' || w.frozen || ', disputes say ' || coalesce(f.frozen, 0) AS detail
        FROM credit_wallets w LEFT JOIN (
            SELECT user_id, sum(daily + bought) AS held FROM credit_holds
            WHERE closed_at IS NULL GROUP BY user_id
        ) h ON h.user_id = w.user_id
        LEFT JOIN (
            SELECT wallet_id, sum(frozen) AS frozen FROM credit_freezes
            WHERE ended_at IS NULL GROUP BY wallet_id
        ) f ON f.wallet_id = w.user_id
        WHERE w.held <> coalesce(h.held, 0) OR w.frozen <> coalesce(f.frozen, 0)
        """,
    ),
    Invariant.HOLDS_END: (
        timedelta(days=3),
        """
        SELECT 'credits held for ' || job_id || ' round ' || round AS subject,
            reserved_at AS since, daily + bought || ' credits' AS detail
        FROM credit_holds WHERE closed_at IS NULL AND reserved_at < :before
        """,
    ),
    Invariant.BOUGHT_CREDITS_ARE_BOOKED: (
        timedelta(0),
        """
        SELECT 'purchase ' || p.id AS subject, p.paid_at AS since, p.charge_id AS detail
        FROM credit_purchases p
        WHERE p.status = 'paid' AND p.paid_at > :young AND p.paid_at <= :before AND (
            NOT EXISTS (
                SELECT FROM ledger_transactions t WHERE t.effect_key = 'credits:' || p.charge_id)
            OR NOT EXISTS (
                SELECT FROM credit_entries e WHERE e.purchase_id = p.id AND e.kind = 'purchase'))
        """,
    ),
}
"""How old it must be to count, and what finds it."""


def _bounded(question: str) -> TextClause:
    return sql(f"SELECT * FROM ({question}) found ORDER BY since LIMIT {MOST_COUNTED}")  # noqa: S608


_STATEMENTS = {name: _bounded(question) for name, (_, question) in _QUESTIONS.items()}


class PostgresInvariantChecks:
    """See `application.ports.invariants.InvariantChecks`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def violations(self, invariant: Invariant, *, now: datetime) -> Sequence[Violation]:
        least_age, question = _QUESTIONS[invariant]
        given = {"before": now - least_age, "young": now - _WITHIN}
        used = {name: value for name, value in given.items() if f":{name}" in question}
        async with self._engine.connect() as connection:
            rows = await connection.execute(_STATEMENTS[invariant], used)
            return [
                Violation(subject=row.subject, since=row.since, detail=row.detail) for row in rows
            ]

    async def keep(self, results: Sequence[CheckResult]) -> None:
        statement = insert(invariant_results)
        fresh = {name: statement.excluded[name] for name in ("count", "result", "checked_at")}
        async with self._engine.connect() as connection:
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["name"], set_=fresh),
                [
                    {
                        "name": one.name,
                        "count": one.count,
                        "result": msgspec.to_builtins(one),
                        "checked_at": one.checked_at,
                    }
                    for one in results
                ],
            )

    async def latest(self) -> list[CheckResult]:
        statement = select(invariant_results.c.result).order_by(invariant_results.c.name)
        async with self._engine.connect() as connection:
            rows = (await connection.scalars(statement)).all()
        return [msgspec.convert(row, CheckResult) for row in rows]
