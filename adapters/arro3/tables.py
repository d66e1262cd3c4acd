"""Parquet files of tables. The library is imported with the first one."""

import asyncio
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from application.ports.documents import Cell, CellKind, Table


class Arro3Tables:
    """See `application.ports.documents.TableEncoder`."""

    async def parquet(self, table: Table, rows: Sequence[Sequence[Cell]]) -> bytes:
        return await asyncio.to_thread(_encoded, table, rows)


def _encoded(table: Table, rows: Sequence[Sequence[Cell]]) -> bytes:
    from arro3.core import Array, DataType, Field, RecordBatch, Schema
    from arro3.core import Table as ArrowTable
    from arro3.io import write_parquet

    kinds = {
        CellKind.TEXT: DataType.utf8(),
        CellKind.INTEGER: DataType.int64(),
        CellKind.INSTANT: DataType.timestamp("us", tz="UTC"),
    }
    schema = Schema([Field(name, kinds[kind], nullable=True) for name, kind in table.items()])
    columns = []
    for position, kind in enumerate(table.values()):
        cells = [row[position] for row in rows]
        if kind is CellKind.INSTANT:
            columns.append(Array(_micros(cells), DataType.int64()).cast(kinds[kind]))
        else:
            columns.append(Array(cells, kinds[kind]))
    batch = RecordBatch.from_arrays(columns, schema=schema)
    out = io.BytesIO()
    write_parquet(
        ArrowTable.from_batches([batch], schema=schema),
        out,
        compression="zstd(3)",
        created_by="Likeness",
    )
    return out.getvalue()


def _micros(cells: Sequence[Cell]) -> list[int | None]:
    """Microseconds since 1970: the library takes no datetimes."""
    start = datetime(1970, 1, 1, tzinfo=UTC)
    return [
        (cell - start) // timedelta(microseconds=1) if isinstance(cell, datetime) else None
        for cell in cells
    ]
