"""The pages a person is sent to: Checkout, onboarding, the Express dashboard, a receipt.

Every button is an ordinary form post that answers 303 to where the platform asked to return, so
that a test can press it without a browser.
"""

from typing import Any

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Redirect

from entrypoints.sandbox.stripe import checkout, markup, payments
from entrypoints.sandbox.stripe.accounts import complete_onboarding
from entrypoints.sandbox.stripe.errors import in_words
from entrypoints.sandbox.stripe.store import PLATFORM, World
from entrypoints.sandbox.stripe.table import Object

GOOD_CARDS = {"4242424242424242", "5555555555554444", "bank_debit", "bank_debit_fails"}
Page = Response[str]


def html(text: str, status: int = 200) -> Page:
    return Response(text, status_code=status, media_type="text/html")


def onward(url: str) -> Redirect:
    return Redirect(url, status_code=303)


def create_pages(world: World) -> list[HTTPRouteHandler]:
    @get("/style.css")
    async def style() -> Page:
        return Response(markup.STYLE, media_type="text/css")

    return [style, *_checkout_pages(world), *_onboarding_pages(world), *_account_pages(world)]


def _checkout_pages(world: World) -> list[HTTPRouteHandler]:
    def closed(session: Object | None) -> Page | None:
        if session is None:
            return html(markup.notice("Not found", "There is no such payment page."), 404)
        if session["status"] == "expired":
            back = session["cancel_url"]
            return html(markup.notice("Expired", "This payment page has expired.", url=back), 410)
        return None

    @get("/checkout/{session_id:str}")
    async def show(session_id: FromPath[str]) -> Response[Any]:
        checkout.expire_overdue(world)
        session = world.sessions.find(PLATFORM, session_id)
        if (page := closed(session)) is not None or session is None:
            return page or html("", 404)
        if session["status"] == "complete":
            return onward(_success_url(session))
        return html(markup.checkout_page(session, world.line_items[session_id]))

    @post("/checkout/{session_id:str}/pay")
    async def pay(session_id: FromPath[str], request: Request[Any, Any, Any]) -> Response[Any]:
        form = {name: str(value).strip() for name, value in (await request.form()).items()}
        checkout.expire_overdue(world)
        session = world.sessions.find(PLATFORM, session_id)
        if (page := closed(session)) is not None or session is None:
            return page or html("", 404)
        problem = None
        if session["status"] == "open":
            problem = _attempt(world, session, form)
        if problem is None:
            return onward(_success_url(session))
        lines = world.line_items[session_id]
        return html(markup.checkout_page(session, lines, problem=problem), 402)

    return [show, pay]


def _attempt(world: World, session: Object, form: dict[str, str]) -> str | None:
    """Try to pay; answers what to tell the customer, or None for success."""
    card = form.get("card", "").replace(" ", "")
    if card not in GOOD_CARDS and card not in payments.DECLINES:
        return "Your card number is incorrect."
    email = form.get("email") or session["customer_email"]
    name = form.get("shipping_name") or "Sandbox Customer"
    address = None
    if asked := session["shipping_address_collection"]:
        allowed = asked["allowed_countries"]
        country = form.get("shipping_country") or allowed[0]
        if country not in allowed:
            return f"We cannot ship to {country}."
        address = {
            "city": form.get("shipping_city") or "Springfield",
            "country": country,
            "line1": form.get("shipping_line1") or "1 Example Street",
            "line2": form.get("shipping_line2") or None,
            "postal_code": form.get("shipping_postal_code") or "12345",
            "state": form.get("shipping_state") or None,
        }
    shipped_to = address
    if session["automatic_tax"]["enabled"]:
        country = form.get("billing_country") or "US"
        address = {
            "city": None,
            "country": country,
            "line1": None,
            "line2": None,
            "postal_code": form.get("billing_postal_code") or "94105",
            "state": form.get("billing_state") or ("CA" if country == "US" else None),
        }
    details: Object = {
        "customer_details": {
            "address": address,
            "email": email,
            "name": name,
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        },
        "collected_information": {
            "shipping_details": {"address": shipped_to, "name": name} if shipped_to else None,
        },
    }
    if session["shipping_options"]:
        option = session["shipping_options"][0]
        cents = option["shipping_amount"]
        details["shipping_cost"] = {
            "amount_subtotal": cents,
            "amount_tax": 0,
            "amount_total": cents,
            "shipping_rate": option["shipping_rate"],
        }
    return checkout.pay(world, session, card=card, details=details)


def _success_url(session: Object) -> str:
    url: str = session["success_url"]
    for placeholder in ("{CHECKOUT_SESSION_ID}", "%7BCHECKOUT_SESSION_ID%7D"):
        url = url.replace(placeholder, session["id"])
    return url


def _onboarding_pages(world: World) -> list[HTTPRouteHandler]:
    def open_link(token: str) -> tuple[Object, Object] | None:
        """The link and its account while the link is good: until it is used or expires."""
        link = world.links.get(token)
        if link is None or link["expires_at"] <= world.now():
            return None
        account = world.accounts.find(PLATFORM, link["account"])
        return (link, account) if account is not None else None

    def unusable(token: str) -> Response[Any]:
        link = world.links.get(token)
        if link is not None:
            return onward(link["refresh_url"])
        return html(markup.notice("Not found", "There is no such link."), 404)

    @get("/onboarding/{token:str}")
    async def show(token: FromPath[str]) -> Response[Any]:
        found = open_link(token)
        if found is None or found[0]["opened"]:
            return unusable(token)
        found[0]["opened"] = True
        return html(markup.onboarding_page(found[1], token))

    @post("/onboarding/{token:str}/complete")
    async def complete(token: FromPath[str]) -> Response[Any]:
        found = open_link(token)
        if found is None:
            return unusable(token)
        link, account = found
        link["expires_at"] = 0
        complete_onboarding(world, account)
        return onward(link["return_url"])

    @post("/onboarding/{token:str}/leave")
    async def leave(token: FromPath[str]) -> Response[Any]:
        found = open_link(token)
        if found is None:
            return unusable(token)
        found[0]["expires_at"] = 0
        return onward(found[0]["return_url"])

    return [show, complete, leave]


def _account_pages(world: World) -> list[HTTPRouteHandler]:
    @get("/express/{account_id:str}")
    async def dashboard(account_id: FromPath[str]) -> Page:
        account = world.accounts.find(PLATFORM, account_id)
        if account is None:
            return html(markup.notice("Not found", "There is no such account."), 404)
        currency = account["default_currency"]
        balance = world.balances.as_object(account_id, default_currency=currency)
        return html(markup.dashboard_page(account, balance))

    @get("/receipts/{charge_id:str}")
    async def receipt(charge_id: FromPath[str]) -> Page:
        charge = world.charges.find(PLATFORM, charge_id)
        if charge is None:
            return html(markup.notice("Not found", "There is no such receipt."), 404)
        amount = in_words(charge["amount"], charge["currency"])
        return html(markup.notice("Receipt", f"{amount}, {charge['status']}."))

    return [dashboard, receipt]
