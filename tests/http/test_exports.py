"""Accounting exports: rows that balance, can be found again, and are safe to open."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

from click.testing import CliRunner

from adapters.memory.system import ManualClock
from application.ports.audit import AuditFilter
from application.ports.exports import table_of
from application.reporting.export_jobs import expire_exports
from application.reporting.exports import ExportQuery
from domain.reporting.export import ExportFormat, ExportKind
from entrypoints.cli.export import export, write
from tests.http import estate
from tests.http.exporting import asked, details, files, rows, worked
from tests.http.shop import Shop, data_of, refusal
from tests.http.test_orders import bought
from tests.http.test_statements import rows_of


async def acts(shop: Shop, export_id: str) -> list[str]:
    entries = await shop.ports.audit_views.page(
        AuditFilter(object_kind="export", object_id=export_id), before=None, limit=100
    )
    return [entry.act for entry in reversed(entries)]


async def stored(shop: Shop, export_id: str) -> list[str]:
    return [one.key async for one in shop.ports.storage.listing(f"exports/{export_id}/")]


async def test_entries_balance_and_carry_their_source(shop: Shop) -> None:
    order_id = await bought(shop)

    (answer,) = await files(shop, kind="entries")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="entries-')
    found = rows_of(answer.content)
    assert list(found[0]) == list(table_of(ExportKind.ENTRIES))
    assert sum(int(row["debit_cents"]) for row in found) == 5000
    assert sum(int(row["credit_cents"]) for row in found) == 5000
    assert {row["order_id"] for row in found} == {order_id}
    assert all(row["effect_key"].startswith("sale:") for row in found)


async def test_each_kind_has_its_rows(shop: Shop) -> None:
    order_id = await bought(shop)
    found = {kind: await rows(shop, kind=kind) for kind in ("orders", "payouts", "fees", "tax")}
    assert [row["account"] for row in found["fees"]] == ["platform_revenue"]
    assert found["tax"] == found["payouts"] == []
    (line,) = found["orders"]
    assert (line["order_id"], line["total_cents"]) == (order_id, "5000")
    assert str(shop.fan.user_id) not in str(found)


async def test_what_is_about_one_payee(shop: Shop) -> None:
    await bought(shop)
    for payee_id, cents in ((estate.CREATOR, 500), (estate.STORE, 2100)):
        entries = await rows(shop, kind="entries", payee_id=str(payee_id))
        assert {UUID(row["payee_id"]) for row in entries} == {payee_id}
        assert sum(int(row["credit_cents"]) for row in entries) == cents
        assert len(await rows(shop, kind="orders", payee_id=str(payee_id))) == 1
    nobody = str(estate.OTHER_STORE)
    for kind in ("entries", "orders"):
        assert await rows(shop, kind=kind, payee_id=nobody) == []


async def test_a_title_cannot_run_as_a_formula(shop: Shop) -> None:
    async with (uow := shop.ports.uow()):
        (await uow.products.get(estate.PRODUCT)).title = '=HYPERLINK("http://x")'
        await uow.commit()
    await bought(shop)
    (line,) = await rows(shop, kind="orders")
    assert line["title"] == '\'=HYPERLINK("http://x")'


async def test_days_outside_the_span_are_left_out(shop: Shop) -> None:
    await bought(shop)
    assert await rows(shop, kind="entries", since="2001-01-01", until="2001-02-01") == []


async def test_parquet_is_a_file_of_the_same_rows(shop: Shop) -> None:
    await bought(shop)
    (answer,) = await files(shop, kind="entries", format="parquet")
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    assert answer.content[:4] == answer.content[-4:] == b"PAR1"
    year = shop.ports.clock.now().year
    (forms,) = await files(shop, kind="1099-k", year=year, format="parquet")
    assert forms.content[:4] == forms.content[-4:] == b"PAR1"


async def test_an_export_tells_how_far_it_is(shop: Shop) -> None:
    await bought(shop)
    export_id = await asked(shop, kind="entries", since="2001-01-01")
    waiting = await details(shop, export_id)
    assert (waiting["state"], waiting["files"], waiting["expires_at"]) == ("requested", [], None)
    assert (waiting["from"], waiting["created_by"]) == ("2001-01-01", str(shop.admin.user_id))

    await worked(shop, "exports.make")

    ready = await details(shop, export_id)
    (file,) = ready["files"]
    assert (ready["state"], ready["rows"], ready["size_bytes"]) == ("ready", 5, file["size_bytes"])
    assert file["rows"] == 5
    assert len(file["sha256"]) == 64
    listed = data_of(await shop.get("/admin/exports", by=shop.admin))
    ready.pop("files")
    assert listed[0] == ready
    assert await acts(shop, export_id) == ["export.requested", "export.made", "export.linked"]


async def test_exports_are_listed_in_pages(shop: Shop) -> None:
    ids = [await asked(shop, kind="entries") for _ in range(3)]
    first = await shop.get("/admin/exports?limit=2", by=shop.admin)
    cursor = first.json()["meta"]["pagination"]["next_cursor"]
    rest = await shop.get(f"/admin/exports?limit=2&cursor={cursor}", by=shop.admin)
    found = [one["id"] for one in data_of(first) + data_of(rest)]
    assert found == [*ids[::-1], str(estate.EXPORT)]


async def test_the_same_key_asks_once(shop: Shop) -> None:
    for _ in range(2):
        await shop.post("/admin/exports", {"kind": "tax"}, by=shop.admin, key="k")
    kinds = [one["kind"] for one in data_of(await shop.get("/admin/exports", by=shop.admin))]
    assert kinds.count("tax") == 1


async def test_what_is_removed_is_gone_with_its_files(shop: Shop) -> None:
    export_id = await asked(shop, kind="entries")
    await worked(shop, "exports.make")
    url = (await details(shop, export_id))["files"][0]["url"]
    assert len(await stored(shop, export_id)) == 1

    removed = await shop.send("DELETE", f"/admin/exports/{export_id}", by=shop.admin)

    assert removed.status_code == 204
    await worked(shop, "exports.erase")
    assert await stored(shop, export_id) == []
    assert (await shop.http.get(url)).status_code == 404
    gone = await shop.get(f"/admin/exports/{export_id}", by=shop.admin)
    assert refusal(gone) == (404, "not_found")
    assert (await acts(shop, export_id))[-1] == "export.removed"


async def test_its_time_is_over_after_a_week_and_that_of_forms_after_a_day(shop: Shop) -> None:
    old, books = str(estate.EXPORT), await asked(shop, kind="entries")
    forms = await asked(shop, kind="1099-k", year=shop.ports.clock.now().year)
    tax = await asked(shop, kind="tax")
    await worked(shop, "exports.make")

    later = ManualClock(shop.ports.clock.now() + timedelta(minutes=5))
    for days, left in ((0, [tax, forms, books, old]), (1, [tax, books, old]), (6, [])):
        later.advance(timedelta(days=days))
        await expire_exports(uow=shop.ports.uow(), clock=later)
        found = data_of(await shop.get("/admin/exports", by=shop.admin))
        assert [one["id"] for one in found] == left
    await worked(shop, "exports.erase")
    for export_id in (books, forms, tax):
        assert await stored(shop, export_id) == []
        assert (await acts(shop, export_id))[-1] == "export.removed"


async def test_only_what_failed_is_asked_for_again(shop: Shop) -> None:
    export_id = await asked(shop, kind="entries")
    answer = await shop.post(f"/admin/exports/{export_id}/retry", by=shop.admin)
    assert refusal(answer) == (409, "export_not_failed")


async def test_days_are_of_the_books_and_a_year_is_of_tax_forms(shop: Shop) -> None:
    for body in (
        {"kind": "entries", "year": 2026},
        {"kind": "entries", "from": "2026-02-01", "to": "2026-02-01"},
        {"kind": "1099-k"},
        {"kind": "1099-k", "year": 2026, "from": "2026-01-01"},
    ):
        answer = await shop.post("/admin/exports", body, by=shop.admin)
        assert refusal(answer) == (400, "period_invalid"), body


async def test_only_administrators_export(shop: Shop) -> None:
    refused = await shop.post("/admin/exports", {"kind": "entries"}, by=shop.owner)
    assert refusal(refused) == (403, "role_required")


async def test_the_command_writes_whole_files(shop: Shop, tmp_path: Path) -> None:
    await bought(shop)
    as_csv, as_parquet = [
        (await write(ExportQuery(kind=ExportKind.ENTRIES, format=form), tmp_path, ports=shop.ports))
        for form in ExportFormat
    ]
    assert [len(rows_of(path.read_bytes())) for path in as_csv] == [5]
    assert [path.read_bytes()[:4] for path in as_parquet] == [b"PAR1"]
    assert (as_csv[0].suffix, as_parquet[0].suffix) == (".csv", ".parquet")
    assert await acts(shop, as_csv[0].name.removesuffix(".0001.csv")) == ["export.written"] * 2
    assert CliRunner().invoke(export, ["nothing"]).exit_code == 2
