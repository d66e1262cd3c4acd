"""Bring encrypted columns under the newest key, row by row, beside whoever reads and writes them.

Which columns are encrypted is what the tables say: a new one is rotated with the others.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Table, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres import schema  # noqa: F401 - so that every table is known
from adapters.postgres.encrypted import Resealer, is_encrypted, sealed_in, to_store
from adapters.postgres.metadata import metadata
from application.ports.column_keys import KeyCount, RotatedBatch

Stored = Mapping[str, str | None]
"""Values of a row's encrypted columns as they are kept, by column."""


def encrypted_columns() -> dict[Table, list[Column[Any]]]:
    found = {
        table: [column for column in table.columns if is_encrypted(column)]
        for table in metadata.sorted_tables
    }
    return {table: columns for table, columns in found.items() if columns}


class PostgresColumnKeys:
    """See `application.ports.column_keys.ColumnKeys`."""

    def __init__(self, engine: AsyncEngine, *, rows_per_batch: int = 200) -> None:
        self._engine = engine
        self._rows_per_batch = rows_per_batch

    async def count(self) -> AsyncIterator[KeyCount]:
        for table, columns in encrypted_columns().items():
            rows = old = lost = 0
            async for batch in self._batches(table, columns):
                resealer = Resealer()
                for _, stored in batch:
                    keys = _keys(stored, resealer)
                    rows += 1
                    lost += None in keys
                    old += None not in keys and keys != {0}
            if rows:
                yield KeyCount(table=table.name, rows=rows, old=old, lost=lost)

    async def rotate(self) -> AsyncIterator[RotatedBatch]:
        for table, columns in encrypted_columns().items():
            async for batch in self._batches(table, columns):
                rewritten = await self._rewrite(table, _outdated(batch))
                yield RotatedBatch(
                    table=table.name,
                    read=len(batch),
                    rewritten=rewritten.count(True),
                    missed=rewritten.count(False),
                )

    async def _batches(
        self, table: Table, columns: Sequence[Column[Any]]
    ) -> AsyncIterator[Sequence[tuple[Any, Stored]]]:
        """By primary key; nothing is held between two batches."""
        [key] = table.primary_key.columns
        sealed = [sealed_in(column) for column in columns]
        raw = [value.label(column.name) for value, column in zip(sealed, columns, strict=True)]
        statement: Any = (
            select(key.label("key"), *raw)
            .where(or_(*(value.is_not(None) for value in sealed)))
            .order_by(key)
            .limit(self._rows_per_batch)
        )
        after: Any = None
        while True:
            page = statement if after is None else statement.where(key > after)
            async with self._engine.connect() as connection:
                rows = (await connection.execute(page)).all()
            if not rows:
                return
            after = rows[-1].key
            yield [
                (row.key, {column.name: getattr(row, column.name) for column in columns})
                for row in rows
            ]

    async def _rewrite(
        self, table: Table, rows: Sequence[tuple[Any, Stored, Stored]]
    ) -> list[bool]:
        """Each only if it still is what was read. Locks are taken in order of the keys."""
        if not rows:
            return []
        [key] = table.primary_key.columns
        done: list[bool] = []
        async with self._engine.begin() as connection:
            for row_key, before, after in rows:
                unchanged = and_(
                    *(
                        sealed_in(table.c[name]).is_not_distinct_from(value)
                        for name, value in before.items()
                    )
                )
                written = await connection.execute(
                    update(table)
                    .where(key == row_key, unchanged)
                    .values(
                        {
                            name: to_store(table.c[name], value)
                            for name, value in after.items()
                            if value is not None
                        }
                    )
                )
                done.append(written.rowcount == 1)
        return done


def _keys(stored: Stored, resealer: Resealer) -> set[int | None]:
    """The keys that a row needs; the newest, if nothing of it is there to be encrypted."""
    values = [value for value in stored.values() if value is not None]
    return {resealer.key_of(value) for value in values} or {0}


def _outdated(batch: Sequence[tuple[Any, Stored]]) -> list[tuple[Any, Stored, Stored]]:
    """Key, values as read and values under the newest key; rows that nobody can read are left."""
    resealer = Resealer()
    found: list[tuple[Any, Stored, Stored]] = []
    for row_key, stored in batch:
        keys = _keys(stored, resealer)
        if None not in keys and keys != {0}:
            renewed = {
                name: None if value is None else resealer.renewed(value)
                for name, value in stored.items()
            }
            found.append((row_key, stored, renewed))
    return found
