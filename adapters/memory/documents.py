"""Papers as plain text under a PDF's first bytes, tables as JSON: same content, same bytes."""

from collections.abc import Sequence

import msgspec

from application.ports.documents import PDF_ROWS_MAX, Cell, Document, DocumentTooLong, Table


class MemoryDocuments:
    """See `application.ports.documents.DocumentRenderer`. The text can be read in the bytes."""

    async def pdf(self, document: Document) -> bytes:
        if sum(len(section.rows) for section in document.sections) > PDF_ROWS_MAX:
            raise DocumentTooLong(PDF_ROWS_MAX)
        return b"%PDF-1.4\n" + msgspec.json.encode(document) + b"\n%%EOF\n"


class MemoryTables:
    """See `application.ports.documents.TableEncoder`."""

    async def parquet(self, table: Table, rows: Sequence[Sequence[Cell]]) -> bytes:
        return b"PAR1" + msgspec.json.encode([table, rows]) + b"PAR1"
