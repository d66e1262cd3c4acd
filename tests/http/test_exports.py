"""Accounting exports: rows that balance, can be found again, and are safe to open."""

from pathlib import Path

from click.testing import CliRunner

from application.ports.exports import TABLES, ExportKind
from application.reporting.exports import ExportQuery
from entrypoints.cli.export import export, write
from tests.http import estate
from tests.http.shop import Shop, refusal
from tests.http.test_orders import bought
from tests.http.test_statements import rows_of


async def test_entries_balance_and_carry_their_source(shop: Shop) -> None:
    order_id = await bought(shop)

    answer = await shop.get("/admin/exports?kind=entries", by=shop.admin)

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="entries-')
    rows = rows_of(answer.content)
    assert list(rows[0]) == list(TABLES[ExportKind.ENTRIES])
    assert sum(int(row["debit_cents"]) for row in rows) == 5000
    assert sum(int(row["credit_cents"]) for row in rows) == 5000
    assert {row["order_id"] for row in rows} == {order_id}
    assert all(row["effect_key"].startswith("sale:") for row in rows)


async def test_each_kind_has_its_rows(shop: Shop) -> None:
    order_id = await bought(shop)
    found = {
        kind: rows_of((await shop.get(f"/admin/exports?kind={kind}", by=shop.admin)).content)
        for kind in ExportKind
    }
    assert [row["account"] for row in found[ExportKind.FEES]] == ["platform_revenue"]
    assert found[ExportKind.TAX] == found[ExportKind.PAYOUTS] == []
    (line,) = found[ExportKind.ORDERS]
    assert (line["order_id"], line["total_cents"]) == (order_id, "5000")
    assert str(shop.fan.user_id) not in str(found)


async def test_a_title_cannot_run_as_a_formula(shop: Shop) -> None:
    async with (uow := shop.ports.uow()):
        (await uow.products.get(estate.PRODUCT)).title = '=HYPERLINK("http://x")'
        await uow.commit()
    await bought(shop)
    (line,) = rows_of((await shop.get("/admin/exports?kind=orders", by=shop.admin)).content)
    assert line["title"] == '\'=HYPERLINK("http://x")'


async def test_days_outside_the_span_are_left_out(shop: Shop) -> None:
    await bought(shop)
    answer = await shop.get("/admin/exports?from=2001-01-01&to=2001-02-01", by=shop.admin)
    assert rows_of(answer.content) == []


async def test_parquet_is_a_file_of_the_same_rows(shop: Shop) -> None:
    await bought(shop)
    answer = await shop.get("/admin/exports?format=parquet", by=shop.admin)
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    assert answer.content[:4] == answer.content[-4:] == b"PAR1"


async def test_only_administrators_export(shop: Shop) -> None:
    assert refusal(await shop.get("/admin/exports", by=shop.owner)) == (403, "role_required")


async def test_the_command_writes_whole_files(shop: Shop, tmp_path: Path) -> None:
    await bought(shop)
    query = ExportQuery(kind=ExportKind.ENTRIES)
    (as_csv,) = await write(query, "csv", tmp_path, ports=shop.ports)
    (as_parquet,) = await write(query, "parquet", tmp_path, ports=shop.ports)
    assert len(rows_of(as_csv.read_bytes())) == 5
    assert as_parquet.read_bytes()[:4] == b"PAR1"
    assert (as_csv.suffix, as_parquet.suffix) == (".csv", ".parquet")
    assert CliRunner().invoke(export, ["nothing"]).exit_code == 2
