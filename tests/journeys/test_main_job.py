"""The main job over the real stack: licence, image, order, payment, hold, payout, refund.

What each cent does is worked out in docs/money.md; here the same numbers come out of processes
that talk over HTTP, PostgreSQL and Redis.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest

from entrypoints.cli.demo.client import Person, Refused
from entrypoints.cli.demo.story import Market, Outcome, Story
from tests.journeys.stack import Stack
from tests.pictures import opened


class Told:
    """The story, played once, and how the bought image looked to the fan before the purchase."""

    def __init__(self, stack: Stack, story: Story) -> None:
        self.stack = stack
        self.market: Market = story.open_market()
        self.before: Any = self.asset_as(self.market.fan, self._asset_of(self.market.shirt))
        self.outcome: Outcome = story.trade(self.market)
        stack.settle_down()

    def asset_as(self, person: Person, asset_id: str) -> Any:
        return person.get(f"/assets/{asset_id}")

    def _asset_of(self, product_id: str) -> str:
        found = self.stack.rows("SELECT asset_id FROM products WHERE id = $1", UUID(product_id))
        return str(found[0][0])

    def line(self, product_type: str) -> Any:
        lines = self.outcome.order["lines"]
        return next(line for line in lines if line["product_type"] == product_type)


@pytest.fixture(scope="module")
def steps() -> list[str]:
    """What the story says while it goes on."""
    return []


@pytest.fixture(scope="module")
def told(stack: Stack, steps: list[str]) -> Iterator[Told]:
    with closing(Story(stack.settings.base_url, tell=steps.append)) as story:
        yield Told(stack, story)


def test_every_cent_of_the_order_has_a_payee_and_a_reason(told: Told) -> None:
    shirt, card = told.line("shirt")["id"], told.line("postcard")["id"]

    legs = told.outcome.statement["legs"]

    shown = [
        (leg["line_id"], leg["kind"], leg["amount_cents"], leg["returned_cents"], leg["reason"])
        for leg in legs
    ]
    assert shown == [
        (shirt, "royalty", 500, 300, "10% royalty of $50.00"),
        (shirt, "platform_fee", 500, 300, "10% platform fee of $50.00"),
        (shirt, "production_cost", 1900, 1140, "production, 2 × $9.50"),
        (shirt, "store_revenue", 2100, 1260, "store revenue: the rest of $50.00"),
        (card, "royalty", 135, 0, "15% royalty of $9.00"),
        (card, "platform_fee", 90, 0, "10% platform fee of $9.00"),
        (card, "production_cost", 120, 0, "production, 1 × $1.20"),
        (card, "store_revenue", 555, 0, "store revenue: the rest of $9.00"),
    ]
    assert sum(leg["amount_cents"] for leg in legs) == told.outcome.order["total_cents"] == 5900


def test_the_order_remembers_the_licence_under_which_each_line_was_sold(told: Told) -> None:
    licences = [line["licence"] for line in told.outcome.order["lines"]]

    assert [licence["version"] for licence in licences] == [1, 1]
    assert all(len(licence["hash"]) == 64 for licence in licences)


def test_both_refunds_succeed_and_the_order_shows_what_came_back(told: Told) -> None:
    assert [
        (refund["amount_cents"], refund["status"], refund["lines"][0]["quantity"])
        for refund in told.outcome.refunds
    ] == [(500, "succeeded", 0), (2500, "succeeded", 1)]
    order = told.outcome.order
    assert (order["refund_status"], order["refunded_cents"]) == ("partial", 3000)
    assert [line["refunded_quantity"] for line in order["lines"]] == [1, 0]


def test_each_payee_is_sent_its_net_in_one_transfer_and_gives_back_its_share(told: Told) -> None:
    first, second = (f"creator:{one.creator_id}" for one in told.market.creators)
    shirts, cards = (f"store:{one.store_id}" for one in told.market.stores)

    assert {
        transfer["payee"]: (
            transfer["amount_cents"],
            transfer["status"],
            [(back["amount_cents"], back["status"]) for back in transfer["reversals"]],
        )
        for transfer in told.outcome.transfers
    } == {
        first: (450, "sent", [(250, "done")]),
        second: (135, "sent", []),
        shirts: (1890, "sent", [(1050, "done")]),
        cards: (555, "sent", []),
    }
    assert len(told.outcome.transfers) == 4


def test_the_provider_has_made_exactly_these_movements(told: Told) -> None:
    stripe = told.stack.sandbox.state()["stripe"]
    group = f"order_{told.outcome.order['id']}"

    charges = [charge for charge in stripe["charges"] if charge["transfer_group"] == group]
    paid = [charge for charge in charges if charge["paid"]]
    transfers = [one for one in stripe["transfers"] if one["transfer_group"] == group]
    assert [(charge["amount"], charge["amount_refunded"]) for charge in paid] == [(5900, 3000)]
    assert [charge["status"] for charge in charges if not charge["paid"]] == ["failed"]
    assert sorted((t["amount"], t["amount_reversed"]) for t in transfers) == [
        (135, 0),
        (450, 250),
        (555, 0),
        (1890, 1050),
    ]


def test_nobody_is_left_with_money_that_was_not_sent(told: Told) -> None:
    for name, lifetime_cents in {
        "Creator One": 200,
        "Creator Two": 135,
        "Store One": 840,
        "Store Two": 555,
    }.items():
        balance = told.outcome.balances[name]
        held = {
            part: balance[f"{part}_cents"]
            for part in ("pending", "available", "reserved", "disputed")
        }
        assert held == {"pending": 0, "available": 0, "reserved": 0, "disputed": 0}, name
        assert balance["lifetime_cents"] == lifetime_cents
        assert balance["releases"] == []


def test_the_books_of_the_order_close(told: Told) -> None:
    """Production costs and fees stay with the platform; Stripe keeps 2.9 % and 30 cents."""
    by_account: dict[str, int] = {}
    for (account, _), cents in told.stack.postings([UUID(told.outcome.order["id"])]).items():
        by_account[account] = by_account.get(account, 0) + cents

    assert by_account == {
        "platform_revenue": 290,
        "production_cost_payable": 880,
        "processing_fees": -201,
        "stripe_clearing": -969,
    }
    told.stack.check_books()


def test_a_listing_is_refused_with_every_reason(told: Told) -> None:
    assert [
        (reason["code"], reason["field"], reason["limit"], reason["value"])
        for reason in told.outcome.refused
    ] == [
        ("blocked_keyword", "title", "casino", "casino"),
        ("below_minimum_price", "price_cents", 800, 300),
        ("creator_payee_not_ready", "creator_id", "active", "not_started"),
    ]


def test_a_declined_card_leaves_the_order_payable(told: Told) -> None:
    """The second card paid the same order on the same page."""
    assert told.outcome.declined
    assert told.outcome.order["payment_status"] == "paid"
    settled = told.stack.rows(
        "SELECT count(*) FROM ledger_transactions WHERE order_id = $1 AND kind = 'sale'",
        UUID(told.outcome.order["id"]),
    )
    assert settled == [(1,)]


def test_who_pays_gets_the_image_without_its_mark(told: Told) -> None:
    asset_id = told.line("shirt")["asset_id"]
    now = told.asset_as(told.market.fan, asset_id)

    assert told.before["clean_url"] is None
    assert now["clean_url"] == now["url"]
    clean, marked = fetch(now["clean_url"]), fetch(now["preview_url"])
    assert clean != marked
    assert len(clean) == now["size_bytes"]


def test_the_image_says_itself_what_it_is_and_under_which_licence(told: Told) -> None:
    """Whoever has the file can ask: it verifies, a changed one does not, a re-saved one is
    silent."""
    now = told.asset_as(told.market.fan, told.line("shirt")["asset_id"])
    clean, preview = fetch(now["clean_url"]), fetch(now["preview_url"])
    changed = bytearray(clean)
    changed[-200] ^= 1
    resaved = io.BytesIO()
    opened(clean).save(resaved, "PNG")

    checked = verified(told, clean)

    assert (checked["verdict"], checked["findings"]) == ("valid", [])
    said = checked["statement"]
    assert said["digital_source_types"] == [
        "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    ]
    assert said["licence"]["hash"] == told.line("shirt")["licence"]["hash"]
    assert said["training_allowed"] is False
    assert said["known"]["exact"]
    assert said["known"]["creator"]["display_name"] == "Creator One"
    assert verified(told, preview)["verdict"] == "valid"
    assert verified(told, bytes(changed))["verdict"] == "invalid"
    assert verified(told, resaved.getvalue())["verdict"] == "none"


def verified(told: Told, content: bytes) -> Any:
    answer = httpx.post(
        f"{told.stack.settings.base_url}/api/v1/provenance/verify", content=content, timeout=60
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


@pytest.mark.parametrize(
    "who",
    [
        pytest.param(lambda market: market.stores[0].person, id="the seller"),
        pytest.param(lambda market: market.stores[1].person, id="another seller"),
        pytest.param(lambda market: market.creators[0].person, id="the creator"),
    ],
)
def test_nobody_else_gets_the_clean_image(told: Told, who: Callable[[Market], Person]) -> None:
    with pytest.raises(Refused) as refused:
        told.asset_as(who(told.market), told.line("shirt")["asset_id"])
    assert refused.value.status == 404


def test_a_signed_link_cannot_be_turned_to_another_copy(told: Told) -> None:
    now = told.asset_as(told.market.fan, told.line("shirt")["asset_id"])
    clean, signature = urlsplit(now["clean_url"]), urlsplit(now["preview_url"]).query
    forged = clean._replace(query=signature).geturl()

    assert httpx.get(forged, trust_env=False).status_code in (403, 404)


def fetch(url: str) -> bytes:
    answer = httpx.get(url, trust_env=False)
    answer.raise_for_status()
    return answer.content


@pytest.mark.usefixtures("told")
def test_the_story_tells_its_steps_in_order(steps: list[str]) -> None:
    milestones = ("trained", "can be paid", "on sale", "refused", "declined", "settled", "are sent")

    positions = [
        next(number for number, step in enumerate(steps) if milestone in step)
        for milestone in milestones
    ]

    assert positions == sorted(positions)
