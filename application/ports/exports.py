"""What can be exported of the books, and its columns; and the exports that were asked for."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from application.ports.documents import Cell, CellKind, Table
from application.ports.reporting import Span
from application.ports.repository import Repository
from domain.reporting.export import Export, ExportKind

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
_FORM: Table = {
    **dict.fromkeys(("payee_id", "legal_name", "tin_reference", "tin_match"), _TEXT),
    **dict.fromkeys(("entity_type", "address", "state", "country", "certificate"), _TEXT),
    "certified_on": _TEXT,
    "year": _INTEGER,
    **dict.fromkeys(("form", "box", "due", "due_by"), _TEXT),
    **dict.fromkeys(("gross_cents", "count"), _INTEGER),
    **{f"month_{number:02d}_cents": _INTEGER for number in range(1, 13)},
    **dict.fromkeys(("tips_cents", "refunds_cents", "fees_cents"), _INTEGER),
    "backup_withholding_cents": _INTEGER,
    **dict.fromkeys(("currency", "first_source", "last_source", "content_hash"), _TEXT),
    "filed_at": _INSTANT,
    "correction": _TEXT,
}
"""`due_by` names the rules that ask for the form. `correction` is `yes` where another content was
filed before."""


def table_of(kind: ExportKind) -> Table:
    match kind:
        case ExportKind.ORDERS:
            return _ORDER
        case ExportKind.ENTRIES | ExportKind.PAYOUTS | ExportKind.FEES | ExportKind.TAX:
            return _ENTRY
        case ExportKind.FORM_K | ExportKind.FORM_MISC | ExportKind.FORM_NEC:
            return _FORM


class ExportViews(Protocol):
    def rows(
        self, kind: ExportKind, span: Span, *, payee_id: UUID | None
    ) -> AsyncIterator[Sequence[Sequence[Cell]]]:
        """All rows of these days in the order of the books, in batches of bounded size, with the
        cells of `table_of(kind)`; not for tax forms. Only a payee's: its entries, and the lines of
        orders that it sold or that show its likeness."""
        ...


class Exports(Repository[Export], Protocol):
    """Exports that were asked for."""

    async def page(self, *, before: UUID | None, limit: int) -> list[Export]:
        """The latest first; `before` is the last id of the page before."""
        ...

    async def expired(self, *, now: datetime, limit: int) -> list[Export]:
        """Those whose time is over, locked; without those that others have locked."""
        ...

    async def remove(self, export: Export) -> None: ...
