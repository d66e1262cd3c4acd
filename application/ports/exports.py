"""What can be exported of the books, and its columns."""

from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from typing import Protocol

from application.ports.documents import Cell, CellKind, Table
from application.ports.reporting import Span


class ExportKind(StrEnum):
    """`entries`: the whole ledger. `orders`: each line that was paid. `payouts`, `fees` and `tax`:
    the entries of payments to payees, of the platform's own accounts, and of tax collected."""

    ENTRIES = "entries"
    ORDERS = "orders"
    PAYOUTS = "payouts"
    FEES = "fees"
    TAX = "tax"


_TEXT, _INTEGER, _INSTANT = CellKind.TEXT, CellKind.INTEGER, CellKind.INSTANT

_ENTRY: Table = {
    "posted_on": _TEXT,
    "occurred_at": _INSTANT,
    "transaction_id": _TEXT,
    "position": _INTEGER,
    "effect_key": _TEXT,
    "kind": _TEXT,
    "order_id": _TEXT,
    "account": _TEXT,
    "payee_id": _TEXT,
    "currency": _TEXT,
    "debit_cents": _INTEGER,
    "credit_cents": _INTEGER,
    "amount_cents": _INTEGER,
}
_ORDER: Table = {
    "posted_on": _TEXT,
    "occurred_at": _INSTANT,
    "transaction_id": _TEXT,
    "effect_key": _TEXT,
    "order_id": _TEXT,
    "line_id": _TEXT,
    "store_id": _TEXT,
    "creator_id": _TEXT,
    "product_id": _TEXT,
    "product_type": _TEXT,
    "title": _TEXT,
    "currency": _TEXT,
    "quantity": _INTEGER,
    "unit_price_cents": _INTEGER,
    "discount_cents": _INTEGER,
    "platform_discount_cents": _INTEGER,
    "shipping_cents": _INTEGER,
    "tax_cents": _INTEGER,
    "total_cents": _INTEGER,
    "returned_cents": _INTEGER,
}
TABLES: dict[ExportKind, Table] = {
    ExportKind.ENTRIES: _ENTRY,
    ExportKind.ORDERS: _ORDER,
    ExportKind.PAYOUTS: _ENTRY,
    ExportKind.FEES: _ENTRY,
    ExportKind.TAX: _ENTRY,
}


class ExportViews(Protocol):
    def rows(self, kind: ExportKind, span: Span) -> AsyncIterator[Sequence[Sequence[Cell]]]:
        """All rows of these days in the order of the books, in batches of bounded size, with the
        cells of `TABLES[kind]`."""
        ...
