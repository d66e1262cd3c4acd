"""The story: two creators license themselves, two stores sell, a fan buys, money goes its ways.

It knows the API and the sandbox's clickable pages, nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from entrypoints.cli.demo.client import Person, Refused, StoryStopped, browser, click
from entrypoints.cli.demo.pictures import picture, portrait

GOOD_CARD, DECLINED_CARD = "4242424242424242", "4000000000000002"
EIGHT_DAYS_S = 8 * 86_400
SHOP = "https://shop.example"

Tell = Callable[[str], None]


@dataclass
class Outcome:
    """What the story leaves: everything that the report and the tests look at."""

    order: dict[str, Any] = field(default_factory=dict)
    statement: dict[str, Any] = field(default_factory=dict)
    refunds: list[dict[str, Any]] = field(default_factory=list)
    transfers: list[dict[str, Any]] = field(default_factory=list)
    balances: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: list[dict[str, Any]] = field(default_factory=list)
    declined: bool = False


@dataclass
class Seller:
    person: Person
    store_id: str


@dataclass
class Licensor:
    person: Person
    creator_id: str


@dataclass
class Market:
    """Who trades, once all of them can be paid, and the two products that are on sale."""

    creators: list[Licensor]
    stores: list[Seller]
    fan: Person
    shirt: str
    card: str

    @property
    def people(self) -> list[Person]:
        """Those who earn, in the order of the statement."""
        return [*(one.person for one in self.creators), *(one.person for one in self.stores)]


class Story:
    def __init__(self, base_url: str, *, tell: Tell) -> None:
        self._http = httpx.Client(base_url=base_url, timeout=60, trust_env=False)
        self._browser = browser()
        self._tell = tell
        self._suffix = uuid4().hex[:8]
        self.outcome = Outcome()

    def close(self) -> None:
        self._http.close()
        self._browser.close()

    def play(self) -> Outcome:
        """Raises StoryStopped, Refused."""
        return self.trade(self.open_market())

    def open_market(self) -> Market:
        """Two creators license themselves, two stores list what a fan has made of them."""
        first = self._creator("Creator One", royalty_bps=1000)
        second = self._creator(
            "Creator Two", royalty_bps=1500, min_price_cents=800, blocked_keywords=["casino"]
        )
        shirts = self._store("Store One", "shirts")
        cards = self._store("Store Two", "cards")
        self._onboard(first.person, f"/creators/{first.creator_id}", "Creator One")
        self._onboard(shirts.person, f"/stores/{shirts.store_id}", "Store One")
        self._onboard(cards.person, f"/stores/{cards.store_id}", "Store Two")
        fan = Person(self._http, "Fan", "fan")
        portrait = self._text_image(fan, first)
        scene = self._photo_image(fan, second)
        shirt = self._list(shirts, portrait, "shirt", "Harbour shirt", 2500)
        self._publish(shirts, shirt)
        card = self._list(cards, scene, "postcard", "Greetings from the casino", 300)
        self._refused(cards, card)
        self._onboard(second.person, f"/creators/{second.creator_id}", "Creator Two")
        card = self._list(cards, scene, "postcard", "Greetings from the sea", 900)
        self._publish(cards, card)
        return Market([first, second], [shirts, cards], fan, shirt, card)

    def trade(self, market: Market) -> Outcome:
        """The fan buys from both stores; part of it comes back, before and after the payout."""
        shirts = market.stores[0]
        order_id = self._buy(market.fan, [(market.shirt, 2), (market.card, 1)])
        self._refund(shirts, order_id, {"amount_cents": 500, "reason": "a late delivery"})
        self._pass_eight_days()
        self._await_transfers(order_id, market.people)
        lines = market.fan.get(f"/orders/{order_id}")["lines"]
        line = next(line for line in lines if line["product_id"] == market.shirt)
        self._refund(
            shirts,
            order_id,
            {"lines": [{"line_id": line["id"], "quantity": 1}], "reason": "one shirt came back"},
        )
        self._await_reversals(order_id, [market.creators[0].person, shirts.person])
        self._collect(order_id, market)
        return self.outcome

    def _creator(self, name: str, **terms: Any) -> Licensor:
        person = Person(self._http, name, "creator")
        slug = f"{name.lower().replace(' ', '-')}-{self._suffix}"
        creator_id = person.post(
            "/creators", {"slug": slug, "display_name": name, "bio": "Plays in the demo."}
        )["id"]
        person.post(
            f"/creators/{creator_id}/consents",
            {
                "text_version": "2026-11",
                "uses": ["train", "image", "merchandise"],
                "signer_name": name,
                "adult": True,
            },
        )
        licence = person.post(f"/creators/{creator_id}/licence-terms", terms)
        self._tell(f"{name} consents and licenses: {terms['royalty_bps'] / 100:g} % royalty")
        images = [
            person.post(
                "/assets",
                files={"file": (f"{number}.png", portrait(number), "image/png")},
                data={"purpose": "training_image"},
            )["id"]
            for number in range(4)
        ]
        model = person.post(
            f"/creators/{creator_id}/models",
            {"trigger_word": f"demo{self._suffix[:6]}", "asset_ids": images, "steps": 500},
        )
        person.wait(
            f"/creators/{creator_id}/models/{model['id']}",
            lambda m: m["status"] == "ready",
            what="training",
        )
        self._tell(f"{name}'s likeness model is trained under licence v{licence['version']}")
        return Licensor(person, creator_id)

    def _store(self, name: str, slug: str) -> Seller:
        person = Person(self._http, name, "store_owner")
        store = person.post(
            "/stores",
            {"name": name, "slug": f"{slug}-{self._suffix}", "description": "A demo store."},
        )
        return Seller(person, store["id"])

    def _onboard(self, person: Person, path: str, name: str) -> None:
        link = person.post(
            f"{path}/payee/onboarding",
            {"refresh_url": f"{SHOP}/again", "return_url": f"{SHOP}/done"},
        )
        click(self._browser, link["url"] + "/complete", {}, expected=303)
        person.wait(f"{path}/payee", lambda p: p["status"] == "active", what="onboarding")
        self._tell(f"{name} can be paid")

    def _text_image(self, fan: Person, creator: Licensor) -> str:
        return self._generate(
            fan,
            {"mode": "text", "kind": "image", "prompt": "at a harbour at dawn", "seed": 7},
            creator,
        )

    def _photo_image(self, fan: Person, creator: Licensor) -> str:
        scene = fan.post(
            "/assets",
            files={"file": ("scene.png", picture(9), "image/png")},
            data={"purpose": "scene_image"},
        )["id"]
        return self._generate(
            fan,
            {"mode": "photo", "kind": "image", "prompt": "by the sea", "scene_asset_id": scene},
            creator,
        )

    def _generate(self, fan: Person, request: dict[str, Any], creator: Licensor) -> str:
        job = fan.post("/generations", {**request, "creator_id": creator.creator_id})
        done = fan.wait(
            f"/generations/{job['id']}",
            lambda g: g["status"] == "succeeded",
            what="the generation",
        )
        size = len(self._browser.get(done["assets"][0]["preview_url"]).content)
        self._tell(f"the fan's image from {request['mode']} is ready ({size // 1024} kB, marked)")
        return str(job["id"])

    def _list(
        self, seller: Seller, generation: str, product_type: str, title: str, price_cents: int
    ) -> str:
        product = seller.person.post(
            f"/stores/{seller.store_id}/products",
            {
                "generation_id": generation,
                "product_type": product_type,
                "title": title,
                "description": "",
                "price_cents": price_cents,
                "currency": "usd",
            },
        )
        return str(product["id"])

    def _publish(self, seller: Seller, product_id: str) -> None:
        product = seller.person.post(f"/products/{product_id}/publish")
        self._tell(f"on sale: {product['title']}, ${product['price_cents'] / 100:.2f}")

    def _refused(self, seller: Seller, product_id: str) -> None:
        try:
            seller.person.post(f"/products/{product_id}/publish")
        except Refused as refused:
            self.outcome.refused = refused.error["reasons"]
            self._tell("a listing is refused, with every reason:")
            for reason in self.outcome.refused:
                self._tell(f"    {reason['message']}")
            return
        raise StoryStopped("a listing was published that every rule forbids")

    def _buy(self, fan: Person, cart: list[tuple[str, int]]) -> str:
        checkout = fan.post(
            "/checkout",
            {
                "items": [{"product_id": p, "quantity": quantity} for p, quantity in cart],
                "success_url": f"{SHOP}/thanks",
                "cancel_url": f"{SHOP}/cart",
            },
        )
        click(self._browser, checkout["url"] + "/pay", {"card": DECLINED_CARD}, expected=402)
        self.outcome.declined = True
        self._tell("the first card is declined; the order waits")
        click(self._browser, checkout["url"] + "/pay", {"card": GOOD_CARD}, expected=303)
        order = fan.wait(
            f"/orders/{checkout['order_id']}",
            lambda o: o["payment_status"] == "paid",
            what="settlement",
        )
        self._tell(f"paid and settled: ${order['total_cents'] / 100:.2f}, two stores, one cart")
        return str(checkout["order_id"])

    def _refund(self, seller: Seller, order_id: str, request: dict[str, Any]) -> None:
        refund = seller.person.post(f"/orders/{order_id}/refunds", request)
        done = seller.person.wait(
            f"/orders/{order_id}/refunds",
            lambda refunds: any(
                r["id"] == refund["id"] and r["status"] == "succeeded" for r in refunds
            ),
            what="the refund",
        )
        amount = next(r["amount_cents"] for r in done if r["id"] == refund["id"])
        self._tell(f"refunded ${amount / 100:.2f}: {request['reason']}")

    def _pass_eight_days(self) -> None:
        answer = self._http.post("/api/v1/dev/clock", json={"advance_seconds": EIGHT_DAYS_S})
        if answer.status_code != 200:
            raise StoryStopped("time cannot be moved on this stack: LIKENESS_CLOCK_CONTROL is off")
        self._tell("eight days pass; the hold of seven is over")

    def _await_transfers(self, order_id: str, payees: list[Person]) -> None:
        for person in payees:
            person.wait(
                f"/orders/{order_id}/transfers",
                lambda found: bool(found) and all(t["status"] == "sent" for t in found),
                what="the transfer",
            )
        self._tell(f"{len(payees)} transfers are sent, one per payee")

    def _await_reversals(self, order_id: str, payees: list[Person]) -> None:
        for person in payees:
            person.wait(
                f"/orders/{order_id}/transfers",
                lambda found: any(r["status"] == "done" for t in found for r in t["reversals"]),
                what="the reversal",
            )
        self._tell("each payee has given back exactly its share of the refund")

    def _collect(self, order_id: str, market: Market) -> None:
        outcome = self.outcome
        outcome.order = market.fan.get(f"/orders/{order_id}")
        outcome.statement = market.fan.get(f"/orders/{order_id}/statement")
        outcome.refunds = market.fan.get(f"/orders/{order_id}/refunds")
        for person in market.people:
            outcome.transfers += person.get(f"/orders/{order_id}/transfers")
        for creator in market.creators:
            outcome.balances[creator.person.name] = creator.person.get("/creators/balance")
        for store in market.stores:
            balance = store.person.get(f"/stores/{store.store_id}/balance")
            outcome.balances[store.person.name] = balance
