"""The books as administrators read them: each list by an index, whatever the books' length."""

from datetime import date
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy import text as sql

from adapters.postgres.ledger import ledger_entries, ledger_transactions, payee_balances
from adapters.postgres.ledger_upkeep import ledger_seals
from adapters.postgres.payees import payees
from adapters.postgres.views import Reader
from application.ports.ledger_reading import (
    Accounts,
    BookedEntry,
    EntryFilter,
    EntryPlace,
    Owing,
    OwingPlace,
    SealRecord,
)
from application.ports.ledger_views import AccountTotal
from domain.shared.errors import NotFound

_LAST = sql("SELECT max(through) AS through FROM ledger_checkpoints")
_ACCOUNTS = sql("""
    SELECT account, currency, sum(entries)::bigint AS entries,
        sum(total_cents)::bigint AS total_cents
    FROM (
        SELECT account, currency, entries, total_cents
        FROM ledger_checkpoints WHERE through = :through
        UNION ALL
        SELECT account, currency, count(*), sum(amount_cents)
        FROM ledger_entries WHERE posted_on > :through
        GROUP BY account, currency
    ) AS parts
    GROUP BY account, currency ORDER BY currency, account
    """)

_e, _t, _b = ledger_entries.c, ledger_transactions.c, payee_balances.c
_PLACE = (_e.posted_on, _e.transaction_id, _e.position)
_ENTRIES: Any = select(
    _e.transaction_id,
    _e.position,
    _e.account,
    _e.payee_id,
    _e.amount_cents,
    _e.currency,
    _t.effect_key,
    _t.kind,
    _t.order_id,
    _t.occurred_at,
    _e.posted_on,
).join(
    ledger_transactions,
    (_t.id == _e.transaction_id) & (_t.posted_on == _e.posted_on),
)
_OWING_PLACE = (_b.negative_since, _b.payee_id, _b.currency)
_OWING: Any = (
    select(
        _b.payee_id,
        payees.c.kind,
        _b.currency,
        (-_b.available_cents).label("owed_cents"),
        _b.negative_since.label("owed_since"),
        _b.pending_cents,
    )
    .join(payees, payees.c.id == _b.payee_id)
    .where(_b.negative_since.is_not(None))
)


class PostgresBooksViews(Reader):
    """See `application.ports.ledger_reading.BooksViews`."""

    async def accounts(self) -> Accounts:
        async with self._engine.connect() as connection:
            through = (await connection.execute(_LAST)).scalar_one()
            rows = await connection.execute(_ACCOUNTS, {"through": through or date.min})
            return Accounts(
                summed_through=through,
                accounts=[AccountTotal(**row) for row in rows.mappings()],
            )

    async def entries(
        self, wanted: EntryFilter, *, before: EntryPlace | None, limit: int
    ) -> list[BookedEntry]:
        statement = _ENTRIES
        for column, value in (
            (_e.account, wanted.account),
            (_e.payee_id, wanted.payee_id),
            (_t.order_id, wanted.order_id),
            (_t.kind, wanted.kind),
            (_t.effect_key, wanted.effect_key),
        ):
            if value is not None:
                statement = statement.where(column == value)
        if wanted.since is not None:
            statement = statement.where(_e.posted_on >= wanted.since)
        if wanted.through is not None:
            statement = statement.where(_e.posted_on <= wanted.through)
        if before is not None:
            statement = statement.where(tuple_(*_PLACE) < before)
            statement = statement.where(_e.posted_on <= before[0])
        newest = statement.order_by(*(column.desc() for column in _PLACE)).limit(limit)
        return await self._all(newest, BookedEntry)

    async def transaction(self, effect_key: str) -> list[BookedEntry]:
        own = _ENTRIES.where(_t.effect_key == effect_key).order_by(_e.position)
        found = await self._all(own, BookedEntry)
        if not found:
            raise NotFound("ledger transaction", effect_key)
        return found

    async def seals(self, *, before: int | None, limit: int) -> list[SealRecord]:
        statement: Any = select(ledger_seals).order_by(ledger_seals.c.number.desc()).limit(limit)
        if before is not None:
            statement = statement.where(ledger_seals.c.number < before)
        return await self._all(statement, SealRecord)

    async def owing(self, *, after: OwingPlace | None, limit: int) -> list[Owing]:
        statement = _OWING.order_by(*_OWING_PLACE).limit(limit)
        if after is not None:
            statement = statement.where(tuple_(*_OWING_PLACE) > after)
        return await self._all(statement, Owing)
