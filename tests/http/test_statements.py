"""Statements of payees: what they add up to, in every format, and what they do not tell."""

import csv
import io
from typing import Any

from tests.http import estate
from tests.http.shop import Shop, data_of, refusal
from tests.http.test_orders import bought

STATES = ("pending", "available", "reserved", "disputed")


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


async def test_a_sale_is_told_by_line_and_rule(shop: Shop) -> None:
    order_id = await bought(shop)

    told = data_of(await shop.get("/creators/statements", by=shop.owner))

    assert told["payee_id"] == str(estate.CREATOR)
    assert told["opening"]["total_cents"] == 0
    (sale,) = told["entries"]
    assert (sale["kind"], sale["state"], sale["amount_cents"]) == ("sale", "pending", 500)
    assert sale["order_id"] == order_id
    assert sale["source"].startswith("sale:")
    assert [part["reason"] for part in sale["parts"]] == ["10% royalty of $50.00"]
    assert sum(part["amount_cents"] for part in sale["parts"]) == sale["amount_cents"]
    assert told["closing"] == told["opening"] | {"pending_cents": 500, "total_cents": 500}


async def test_pages_join_and_add_up_to_the_closing_balance(shop: Shop) -> None:
    for _ in range(3):
        await bought(shop, quantity=1)
    path = f"/stores/{estate.STORE}/statements?limit=2"
    seen: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = (await shop.get(path + cursor, by=shop.owner)).json()
        seen += answer["data"]["entries"]
        if (following := answer["meta"]["pagination"]["next_cursor"]) is None:
            break
        cursor = f"&cursor={following}"

    assert len(seen) == len({entry["transaction_id"] for entry in seen}) == 3
    closing = answer["data"]["closing"]
    assert sum(entry["amount_cents"] for entry in seen) == closing["total_cents"] > 0
    assert [(t["kind"], t["amount_cents"]) for t in answer["data"]["totals"]] == [
        ("sale", closing["total_cents"])
    ]


async def test_csv_has_all_postings_between_balances_that_add_up(shop: Shop) -> None:
    for _ in range(2):
        await bought(shop, quantity=1)

    answer = await shop.get(f"/stores/{estate.STORE}/statements?format=csv", by=shop.owner)

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="statement-2000-01-01-' in answer.headers["content-disposition"]
    rows = rows_of(answer.content)
    for state in STATES:
        own = [row for row in rows if row["state"] == state]
        moved = [int(row["amount_cents"]) for row in own if row["kind"] != "closing_balance"]
        assert sum(moved) == int(own[-1]["amount_cents"])
    postings = [row["kind"] for row in rows if row["transaction_id"]]
    assert postings == ["sale"] * 2
    assert str(shop.fan.user_id) not in answer.text
    assert "@example.com" not in answer.text


async def test_json_and_csv_tell_what_it_comes_to(shop: Shop) -> None:
    await bought(shop)

    told = data_of(await shop.get("/creators/statements", by=shop.owner))["reckoning"]
    as_csv = await shop.get("/creators/statements?format=csv", by=shop.owner)

    assert {name: cents for name, cents in told.items() if cents} == {
        "earned_cents": 500,
        "balance_cents": 500,
    }
    sums = {
        row["kind"].removeprefix("sum_"): int(row["amount_cents"])
        for row in rows_of(as_csv.content)
        if not row["state"]
    }
    minus = {"refunded", "disputed", "paid", "fees"}
    assert sums == {
        name: -cents if name in minus else cents
        for name, cents in ((key.removesuffix("_cents"), told[key]) for key in told)
    }
    parts = {name: cents for name, cents in sums.items() if name not in ("balance", "held")}
    assert sum(parts.values()) == sums["balance"]


async def test_pdf_is_what_accept_asks_for(shop: Shop) -> None:
    await bought(shop)
    headers = shop.as_(shop.owner, Accept="application/pdf;q=0.9, */*")
    answer = await shop.http.get("/api/v1/creators/statements", headers=headers)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.content.startswith(b"%PDF-")


async def test_a_period_that_ends_before_it_begins_is_refused(shop: Shop) -> None:
    answer = await shop.get("/creators/statements?from=2026-03-02&to=2026-03-02", by=shop.owner)
    assert refusal(answer) == (400, "period_invalid")


async def test_what_was_before_the_period_is_its_opening_balance(shop: Shop) -> None:
    await bought(shop)
    later = data_of(
        await shop.get("/creators/statements?from=2099-01-01&to=2099-02-01", by=shop.owner)
    )
    assert later["entries"] == later["totals"] == []
    assert later["opening"] == later["closing"]
    assert later["opening"]["pending_cents"] == 500


async def test_an_unknown_format_and_a_foreign_cursor_are_refused(shop: Shop) -> None:
    assert (await shop.get("/creators/statements?format=xls", by=shop.owner)).status_code == 400
    answer = await shop.get("/creators/statements?cursor=abc", by=shop.owner)
    assert refusal(answer) == (400, "cursor_invalid")


def test_releases_are_named_in_words() -> None:
    from domain.reporting.words import movement

    assert movement("release", "available", order="7") == "the hold of order 7 is over"
    assert movement("refund", "available", order="7").endswith("after its release")
    assert movement("something_new", "pending", order=None) == "something new"


async def test_an_orders_statement_is_a_file_too(shop: Shop) -> None:
    order_id = await bought(shop)
    told = data_of(await shop.get(f"/orders/{order_id}/statement", by=shop.fan))

    as_csv = await shop.get(f"/orders/{order_id}/statement?format=csv", by=shop.fan)
    as_pdf = await shop.get(f"/orders/{order_id}/statement?format=pdf", by=shop.fan)

    rows = rows_of(as_csv.content)
    assert sum(int(row["amount_cents"]) for row in rows) == told["total_cents"] == 5000
    assert [row["reason"] for row in rows] == [leg["reason"] for leg in told["legs"]]
    assert f'filename="order-{order_id}.pdf"' in as_pdf.headers["content-disposition"]
    assert as_pdf.content.startswith(b"%PDF-")
    again = await shop.get(f"/orders/{order_id}/statement?format=pdf", by=shop.fan)
    assert again.content == as_pdf.content
