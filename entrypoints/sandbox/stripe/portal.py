"""The customer portal: a session of the API, and the page where a customer helps itself."""

from html import escape
from typing import Any

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Redirect

from entrypoints.sandbox.stripe import subscriptions
from entrypoints.sandbox.stripe.customers import keep_card, require_customer
from entrypoints.sandbox.stripe.errors import StripeProblem, in_words, missing_parameter
from entrypoints.sandbox.stripe.markup import document, notice
from entrypoints.sandbox.stripe.operations import Call, operation
from entrypoints.sandbox.stripe.store import PLATFORM, World, new_id
from entrypoints.sandbox.stripe.table import Object

CARDS = (
    ("4242424242424242", "Card 4242 4242 4242 4242: succeeds"),
    ("4000000000000341", "Card 4000 0000 0000 0341: kept, and declines every charge"),
)


@operation("POST", "/v1/billing_portal/sessions", "billing_portal.SessionCreateParams")
def create_portal_session(world: World, call: Call) -> Object:
    if "customer" not in call.params:
        raise missing_parameter("customer")
    require_customer(world, call.account, call.params["customer"])
    identifier = new_id("bps")
    session: Object = {
        "id": identifier,
        "object": "billing_portal.session",
        "configuration": call.params.get("configuration", "bpc_sandbox"),
        "created": world.now(),
        "customer": call.params["customer"],
        "flow": None,
        "livemode": False,
        "locale": None,
        "return_url": call.params.get("return_url"),
        "url": f"{world.config.stripe_url}/portal/{identifier}",
    }
    world.portals[identifier] = session
    return session


def create_portal_pages(world: World) -> list[HTTPRouteHandler]:
    def lost() -> Response[Any]:
        text = notice("Not found", "There is no such page.")
        return Response(text, status_code=404, media_type="text/html")

    @get("/portal/{token:str}")
    async def show(token: FromPath[str]) -> Response[Any]:
        session = world.portals.get(token)
        if session is None:
            return lost()
        return Response(_page(world, session), media_type="text/html")

    @post("/portal/{token:str}/{act:str}")
    async def press(
        token: FromPath[str], act: FromPath[str], request: Request[Any, Any, Any]
    ) -> Response[Any]:
        session = world.portals.get(token)
        if session is None:
            return lost()
        form = {name: str(value).strip() for name, value in (await request.form()).items()}
        try:
            _act(world, session, act, form)
        except StripeProblem as problem:
            text = notice("Not possible", problem.message, url=session["return_url"])
            return Response(text, status_code=409, media_type="text/html")
        return Redirect(session["return_url"] or f"/stripe/portal/{token}", status_code=303)

    return [show, press]


def _act(world: World, session: Object, act: str, form: dict[str, str]) -> None:
    customer_id = session["customer"]
    if act == "card":
        keep_card(world, PLATFORM, customer_id, form.get("card", CARDS[0][0]))
        for invoice in list(world.invoices):
            if invoice["customer"] == customer_id and invoice["status"] == "open":
                subscriptions.retry(world, invoice)
        return
    subscription = _of(world, customer_id)
    if subscription is None:
        raise StripeProblem("There is no subscription.")
    match act:
        case "cancel":
            subscriptions.change(world, subscription, cancel_at_period_end=True)
        case "resume":
            subscriptions.change(world, subscription, cancel_at_period_end=False)
        case "switch":
            price = world.prices.get(PLATFORM, form.get("price", ""), param="price")
            subscriptions.change(world, subscription, price=price)
        case _:
            raise StripeProblem("There is no such button.")


def _of(world: World, customer_id: str) -> Object | None:
    found = world.subscriptions.newest_first(PLATFORM, index=("customer", customer_id))
    return next((row for row in found if row["status"] not in subscriptions.ENDED), None)


def _page(world: World, session: Object) -> str:
    subscription = _of(world, session["customer"])
    token = escape(session["id"])
    back = session["return_url"]
    leave = f'<p><a href="{escape(back)}">Back</a></p>' if back else ""
    cards = "".join(f'<option value="{value}">{label}</option>' for value, label in CARDS)
    card = (
        f'<form method="post" action="/stripe/portal/{token}/card"><label>Card '
        f'<select name="card">{cards}</select></label>'
        '<button class="quiet" type="submit">Use this card</button></form>'
    )
    if subscription is None:
        return document("Your plan", f"<p>You have no subscription.</p>{card}{leave}")
    price = subscription["items"]["data"][0]["price"]
    others = "".join(
        f'<option value="{escape(other["id"])}">{escape(_named(other))}</option>'
        for other in world.prices
        if other["recurring"] and other["id"] != price["id"]
    )
    act = "resume" if subscription["cancel_at_period_end"] else "cancel"
    label = "Keep the plan" if act == "resume" else "Cancel at the end of the period"
    switch = (
        f'<form method="post" action="/stripe/portal/{token}/switch"><label>Another plan '
        f'<select name="price">{others}</select></label>'
        '<button class="quiet" type="submit">Switch</button></form>'
        if others
        else ""
    )
    return document(
        "Your plan",
        f"<p>{escape(_named(price))}: {escape(subscription['status'])}.</p>"
        f'<form method="post" action="/stripe/portal/{token}/{act}">'
        f'<button type="submit">{label}</button></form>{switch}{card}{leave}',
    )


def _named(price: Object) -> str:
    cents = in_words(price["unit_amount"], price["currency"])
    return f"{price['lookup_key'] or price['id']}, {cents} a {price['recurring']['interval']}"
