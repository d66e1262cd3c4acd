"""Figures over HTTP: whole, bounded, and money only for those who may see it."""

import pytest

from tests.http import estate
from tests.http.shop import Shop, data_of, refusal
from tests.http.test_orders import bought

DASHBOARD = f"/stores/{estate.STORE}/dashboard"


async def test_a_store_reads_its_figures_by_period(shop: Shop) -> None:
    await bought(shop)
    told = data_of(await shop.get(f"{DASHBOARD}?period=week", by=shop.owner))
    statement = data_of(await shop.get(f"/stores/{estate.STORE}/statements", by=shop.owner))

    assert told["sales"] == {
        "orders": 1,
        "pieces": 2,
        "gross_cents": 5000,
        "discounts_cents": 0,
    }
    assert told["money"]["royalties_cents"] == 500
    revenue = told["money"]["revenue"]
    assert revenue["net_cents"] == revenue["sales_cents"] == statement["closing"]["total_cents"]
    assert len(told["periods"]) in (5, 6)
    assert [p["money"]["revenue"] for p in told["periods"]][-1] == revenue
    assert told["periods"][0]["sales"]["orders"] == 0
    (top,) = told["top_products"]
    assert (top["product_id"], top["revenue_cents"]) == (
        str(estate.PRODUCT),
        revenue["net_cents"],
    )


async def test_a_viewer_reads_sales_and_no_money(shop: Shop) -> None:
    await bought(shop)
    told = data_of(await shop.get(DASHBOARD, by=shop.team_viewer))
    assert told["sales"]["gross_cents"] == 5000
    assert told["money"] is None
    assert {period["money"] for period in told["periods"]} == {None}
    assert [product["revenue_cents"] for product in told["top_products"]] == [None]


async def test_a_creator_reads_royalties_by_store_and_product(shop: Shop) -> None:
    await bought(shop)
    told = data_of(await shop.get("/creators/analytics", by=shop.owner))
    assert told["royalties"]["net_cents"] == 500
    assert [(s["id"], s["net_cents"]) for s in told["stores"]] == [(str(estate.STORE), 500)]
    assert [(p["id"], p["pieces"]) for p in told["products"]] == [(str(estate.PRODUCT), 2)]
    assert told["periods"][-1]["royalties"] == told["royalties"]


@pytest.mark.parametrize("by", ["creator", "store", "period", "kind"])
async def test_the_platform_reads_its_fees(shop: Shop, by: str) -> None:
    await bought(shop)
    told = data_of(await shop.get(f"/admin/reports/revenue?by={by}", by=shop.admin))
    (row,) = told["rows"]
    assert row | {"key": None} == told["total"]
    assert row["key"]
    assert row["platform_fees_cents"] == row["platform_fees_net_cents"] > 0
    assert row["royalties_cents"] == 500


async def test_other_currencies_have_other_figures(shop: Shop) -> None:
    await bought(shop)
    told = data_of(await shop.get(f"{DASHBOARD}?currency=eur", by=shop.owner))
    assert told["sales"]["orders"] == told["money"]["revenue"]["net_cents"] == 0
    assert told["top_products"] == []


@pytest.mark.parametrize(
    ("path", "by"),
    [
        (f"{DASHBOARD}?from=2024-01-01&to=2026-01-01", "owner"),
        ("/creators/analytics?from=2026-01-02&to=2026-01-02", "owner"),
        ("/admin/reports/revenue?from=2026-01-01&to=2026-06-01", "admin"),
    ],
)
async def test_spans_are_bounded(shop: Shop, path: str, by: str) -> None:
    assert refusal(await shop.get(path, by=getattr(shop, by))) == (400, "period_invalid")
