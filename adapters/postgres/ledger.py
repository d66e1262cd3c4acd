"""The books: append-only postings, and the payees' balances kept by the statement that posts.

PostgreSQL asserts again what the domain asserts: entries of a transaction sum to zero (a deferred
constraint trigger), nothing posted is ever changed or removed (triggers), an effect is posted
once (unique key), and only `available` may be below zero (check constraints).

A transaction is posted on the day it occurred, or on the first open one where that day is closed
already. Entries are partitioned by the month of that day: whoever joins them joins by both
columns, `(posted_on, transaction_id)`.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    select,
    tuple_,
)
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.errors import on_violation, translated
from adapters.postgres.metadata import cents, id_column, instant, metadata, text
from adapters.postgres.reservations import hold_available
from application.ports.ids import Ids
from application.ports.ledger import BalanceKey
from domain.ledger.earning import PayeeBalance
from domain.ledger.posting import Account, EffectMismatch, Entry, Transaction
from domain.shared.errors import Conflict
from domain.shared.money import Currency

ledger_transactions = Table(
    "ledger_transactions",
    metadata,
    id_column(),
    text("effect_key"),
    text("kind"),
    text("currency"),
    text("content_hash"),
    Column("order_id", Uuid, nullable=True),
    instant("occurred_at"),
    Column("posted_on", Date, nullable=False),
    UniqueConstraint("effect_key"),
    Index(None, "order_id"),
    Index(None, "posted_on", "id"),
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("transaction_id", Uuid, primary_key=True),
    Column("position", Integer, primary_key=True),
    text("account"),
    Column("payee_id", Uuid, nullable=True),
    cents("amount_cents", CheckConstraint("amount_cents <> 0", name="amount_not_zero")),
    text("currency"),
    Column("posted_on", Date, primary_key=True),
    CheckConstraint(
        "(account LIKE 'payable%') = (payee_id IS NOT NULL)", name="payables_have_payees"
    ),
    Index(
        "ix_ledger_entries_payee",
        "payee_id",
        "posted_on",
        "transaction_id",
        postgresql_where=sql("payee_id IS NOT NULL"),
    ),
    postgresql_partition_by="RANGE (posted_on)",
)
"""A trigger on each statement holds entries to a transaction of their day: a foreign key would ask
row by row."""

payee_balances = Table(
    "payee_balances",
    metadata,
    Column("payee_id", Uuid, primary_key=True),
    Column("currency", Text, primary_key=True),
    cents("pending_cents", CheckConstraint("pending_cents >= 0", name="pending_not_negative")),
    cents("available_cents"),
    cents("reserved_cents", CheckConstraint("reserved_cents >= 0", name="reserved_not_negative")),
    cents("disputed_cents", CheckConstraint("disputed_cents >= 0", name="disputed_not_negative")),
    cents("lifetime_cents"),
    instant("negative_since", nullable=True),
    CheckConstraint(
        "(negative_since IS NULL) = (available_cents >= 0)", name="negative_since_when"
    ),
    Index(
        "ix_payee_balances_negative",
        "negative_since",
        "payee_id",
        "currency",
        postgresql_where=sql("negative_since IS NOT NULL"),
    ),
)
_BALANCE = [payee_balances.c[name] for name in PayeeBalance.__dataclass_fields__]

for _part in ("pending", "reserved", "disputed"):
    on_violation(
        f"ck_payee_balances_{_part}_not_negative",
        lambda part=_part: Conflict(f"The payee has not that much {part}."),  # type: ignore[misc]
    )

# Checks look at the proposed row before the conflict is seen. For a balance that is there already
# the row therefore proposes nothing that a check could refuse, and the update brings the movement.
_POST = sql("""
    WITH posted AS (
        INSERT INTO ledger_transactions
            (id, effect_key, kind, currency, content_hash, order_id, occurred_at, posted_on)
        SELECT t.*, greatest(
            CAST(t.occurred_at AT TIME ZONE 'UTC' AS date),
            (SELECT max(through) + 1 FROM ledger_closings)
        )
        FROM unnest(
            CAST(:ids AS uuid[]), CAST(:keys AS text[]), CAST(:kinds AS text[]),
            CAST(:currencies AS text[]), CAST(:hashes AS text[]), CAST(:order_ids AS uuid[]),
            CAST(:instants AS timestamptz[])
        ) AS t (id, effect_key, kind, currency, content_hash, order_id, occurred_at)
        ON CONFLICT (effect_key) DO NOTHING
        RETURNING id, effect_key, kind, currency, occurred_at, posted_on
    ), entered AS (
        INSERT INTO ledger_entries
            (transaction_id, position, account, payee_id, amount_cents, currency, posted_on)
        SELECT posted.id, e.position, e.account, e.payee_id, e.amount_cents, posted.currency,
            posted.posted_on
        FROM unnest(
            CAST(:entry_ids AS uuid[]), CAST(:positions AS int[]), CAST(:accounts AS text[]),
            CAST(:payees AS uuid[]), CAST(:amounts AS bigint[])
        ) AS e (id, position, account, payee_id, amount_cents)
        JOIN posted ON posted.id = e.id
        RETURNING transaction_id, account, payee_id, amount_cents, currency
    ), moved AS (
        SELECT e.payee_id, e.currency,
            coalesce(sum(amount_cents) FILTER (WHERE account = 'payable_pending'), 0) AS pending,
            coalesce(sum(amount_cents) FILTER (WHERE account = 'payable_available'), 0)
                AS available,
            coalesce(sum(amount_cents) FILTER (WHERE account = 'payable_reserved'), 0) AS reserved,
            coalesce(sum(amount_cents) FILTER (WHERE account = 'payable_disputed'), 0) AS disputed,
            coalesce(sum(amount_cents) FILTER (
                WHERE kind IN ('sale', 'refund', 'dispute_won', 'dispute_lost')
            ), 0) AS lifetime,
            min(occurred_at) AS at
        FROM entered e JOIN posted ON posted.id = e.transaction_id
        WHERE e.payee_id IS NOT NULL
        GROUP BY e.payee_id, e.currency
    ), kept AS (
        INSERT INTO payee_balances AS b
            (payee_id, currency, pending_cents, available_cents, reserved_cents, disputed_cents,
             lifetime_cents, negative_since)
        SELECT m.payee_id, m.currency,
            CASE WHEN known THEN 0 ELSE pending END, available,
            CASE WHEN known THEN 0 ELSE reserved END,
            CASE WHEN known THEN 0 ELSE disputed END, lifetime,
            CASE WHEN available < 0 THEN at END
        FROM moved m, LATERAL (
            SELECT EXISTS (
                SELECT FROM payee_balances o
                WHERE o.payee_id = m.payee_id AND o.currency = m.currency
            ) AS known
        ) AS o
        ORDER BY m.payee_id, m.currency
        ON CONFLICT (payee_id, currency) DO UPDATE SET (
            pending_cents, available_cents, reserved_cents, disputed_cents, lifetime_cents,
            negative_since
        ) = (
            SELECT b.pending_cents + pending, b.available_cents + available,
                b.reserved_cents + reserved, b.disputed_cents + disputed,
                b.lifetime_cents + lifetime,
                CASE WHEN b.available_cents + available < 0
                    THEN coalesce(b.negative_since, at) END
            FROM moved m WHERE m.payee_id = b.payee_id AND m.currency = b.currency
        )
    )
    SELECT effect_key FROM posted
    """)

_FIND = sql("""
    SELECT t.kind, t.currency, t.occurred_at, t.order_id, e.account, e.payee_id, e.amount_cents
    FROM ledger_transactions t
    JOIN ledger_entries e ON e.posted_on = t.posted_on AND e.transaction_id = t.id
    WHERE t.effect_key = :effect_key ORDER BY e.position
    """)


class PostgresLedger:
    """See `application.ports.ledger.Ledger`."""

    def __init__(self, session: AsyncSession, *, ids: Ids) -> None:
        self._session = session
        self._ids = ids

    async def post(self, transactions: Sequence[Transaction]) -> Collection[str]:
        if not transactions:
            return frozenset()
        ordered = sorted(transactions, key=lambda transaction: transaction.effect_key)
        new_ids = [self._ids.new() for _ in ordered]
        entries = [
            (new_id, position, str(account), payee_id, amount_cents)
            for new_id, transaction in zip(new_ids, ordered, strict=True)
            for position, (account, payee_id, amount_cents) in enumerate(transaction.entries)
        ]
        with translated():
            await self._session.flush()
            posted = await self._session.scalars(
                _POST,
                {
                    "ids": new_ids,
                    "keys": [t.effect_key for t in ordered],
                    "kinds": [t.kind for t in ordered],
                    "currencies": [t.currency for t in ordered],
                    "hashes": [t.content_hash for t in ordered],
                    "order_ids": [t.order_id for t in ordered],
                    "instants": [t.occurred_at for t in ordered],
                    "entry_ids": [entry[0] for entry in entries],
                    "positions": [entry[1] for entry in entries],
                    "accounts": [entry[2] for entry in entries],
                    "payees": [entry[3] for entry in entries],
                    "amounts": [entry[4] for entry in entries],
                },
            )
        new = frozenset(posted.all())
        if len(new) < len(ordered):
            await self._check_replays(ordered)
        return new

    async def find(self, effect_key: str) -> Transaction | None:
        found = (await self._session.execute(_FIND, {"effect_key": effect_key})).all()
        if not found:
            return None
        entries = tuple(
            Entry(Account(row.account), row.payee_id, row.amount_cents) for row in found
        )
        first = found[0]
        return Transaction(
            effect_key,
            first.kind,
            Currency(first.currency),
            entries,
            first.occurred_at,
            first.order_id,
        )

    async def reserve_available(self, reservation: Transaction) -> None:
        await self._session.flush()
        await hold_available(self._session, reservation)
        await self.post([reservation])

    async def lock_balances(
        self, keys: Collection[BalanceKey]
    ) -> Mapping[BalanceKey, PayeeBalance]:
        if not keys:
            return {}
        found = await self._session.execute(
            select(*_BALANCE)
            .where(tuple_(payee_balances.c.payee_id, payee_balances.c.currency).in_(keys))
            .order_by(payee_balances.c.payee_id, payee_balances.c.currency)
            .with_for_update()
        )
        locked = {(row.payee_id, Currency(row.currency)): PayeeBalance(*row) for row in found}
        return {
            (payee_id, currency): locked.get(
                (payee_id, currency), PayeeBalance(payee_id, currency, 0, 0, 0, 0, 0)
            )
            for payee_id, currency in keys
        }

    async def _check_replays(self, transactions: Sequence[Transaction]) -> None:
        """What is posted again must be the same again; anything else is a fault to look at."""
        known = await self._session.execute(
            select(ledger_transactions.c.effect_key, ledger_transactions.c.content_hash).where(
                ledger_transactions.c.effect_key.in_([t.effect_key for t in transactions])
            )
        )
        hashes = dict(known.all())
        for transaction in transactions:
            if hashes[transaction.effect_key] != transaction.content_hash:
                raise EffectMismatch(
                    "This effect was posted before with other content.",
                    effect_key=transaction.effect_key,
                )
