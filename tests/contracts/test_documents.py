"""What everything that draws papers and writes tables promises."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from adapters.arro3.tables import Arro3Tables
from adapters.memory.documents import MemoryDocuments, MemoryTables
from adapters.reportlab.renderer import ReportLabDocuments
from application.ports.documents import (
    PDF_ROWS_MAX,
    Cell,
    CellKind,
    Column,
    Document,
    DocumentRenderer,
    DocumentTooLong,
    Section,
    TableEncoder,
)

FROZEN = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def reportlab() -> Iterator[ReportLabDocuments]:
    renderer = ReportLabDocuments()
    yield renderer
    renderer.close()


@pytest.fixture(params=["memory", "reportlab"])
def documents(request: pytest.FixtureRequest) -> DocumentRenderer:
    if request.param == "memory":
        return MemoryDocuments()
    renderer: ReportLabDocuments = request.getfixturevalue("reportlab")
    return renderer


def document(rows: int = 3, title: str = "Statement") -> Document:
    return Document(
        title=title,
        facts=[("payee", "Αθηνά Ωνάση, Дмитрий Шостакович, Łukasz Öztürk"), ("currency", "€")],
        sections=[
            Section(
                heading="Postings",
                columns=[Column(title="what", share=3), Column(title="amount", right=True)],
                rows=[[f"a long reason in words, number {n} " * 4, "€1.00"] for n in range(rows)],
                totals=1,
            )
        ],
        notes=["Checked by hand."],
        made_at=FROZEN,
    )


async def test_a_paper_is_a_pdf(documents: DocumentRenderer) -> None:
    made = await documents.pdf(document())
    assert made.startswith(b"%PDF-1.")
    assert made.rstrip().endswith(b"%%EOF")


async def test_the_same_paper_is_the_same_bytes(documents: DocumentRenderer) -> None:
    first = await documents.pdf(document())
    await documents.pdf(document(title="Another: Ж"))
    assert await documents.pdf(document()) == first


async def test_another_content_is_another_file(documents: DocumentRenderer) -> None:
    assert await documents.pdf(document()) != await documents.pdf(document(title="Invoice"))


async def test_what_is_too_long_for_paper_is_refused(documents: DocumentRenderer) -> None:
    with pytest.raises(DocumentTooLong):
        await documents.pdf(document(PDF_ROWS_MAX + 1))


async def test_a_real_paper_carries_its_typeface_and_goes_on_over_pages(
    reportlab: ReportLabDocuments,
) -> None:
    made = await reportlab.pdf(document(200))
    assert made.count(b"/Type /Page\n") > 2
    assert b"DejaVuSans" in made
    assert b"/FontFile2" in made
    assert b"D:20260302120000" in made


@pytest.fixture(params=["memory", "arro3"])
def tables(request: pytest.FixtureRequest) -> TableEncoder:
    return MemoryTables() if request.param == "memory" else Arro3Tables()


TABLE = {"id": CellKind.TEXT, "amount_cents": CellKind.INTEGER, "at": CellKind.INSTANT}
ROWS: list[list[Cell]] = [["a", 2**40, FROZEN], [None, None, None], ["ж", -1, FROZEN]]


async def test_a_table_is_a_parquet_file_and_the_same_each_time(tables: TableEncoder) -> None:
    made = await tables.parquet(TABLE, ROWS)
    assert made[:4] == made[-4:] == b"PAR1"
    assert await tables.parquet(TABLE, ROWS) == made
    assert (await tables.parquet(TABLE, []))[:4] == b"PAR1"


async def test_a_real_table_is_read_back_with_its_types() -> None:
    from arro3.io import read_parquet

    read = read_parquet(io.BytesIO(await Arro3Tables().parquet(TABLE, ROWS))).read_all()
    assert read.column_names == list(TABLE)
    assert [read[name].to_pylist() for name in TABLE] == [
        [row[position] for row in ROWS] for position in range(3)
    ]
