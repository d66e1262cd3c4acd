"""The hosted pages as plain HTML: readable without a script, usable with a keyboard."""

from html import escape

from entrypoints.sandbox.stripe.errors import in_words
from entrypoints.sandbox.stripe.table import Object

STYLE = """
:root { color-scheme: light; --ink: #1a2033; --soft: #5b6478; --line: #d9dde6; --act: #3f3bd1; }
* { box-sizing: border-box; }
body { margin: 0; background: #f4f5f9; color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 34rem; margin: 3rem auto; padding: 2rem; background: #fff; border-radius: 12px;
  border: 1px solid var(--line); }
h1 { margin: 0 0 1rem; font-size: 1.4rem; }
table { width: 100%; border-collapse: collapse; margin-bottom: 1.5rem; }
td, th { padding: .4rem 0; text-align: left; border-bottom: 1px solid var(--line); }
td:last-child, th:last-child { text-align: right; font-variant-numeric: tabular-nums; }
fieldset { border: 1px solid var(--line); border-radius: 8px; margin: 0 0 1rem;
  padding: .8rem 1rem; }
legend, .soft { color: var(--soft); font-size: .9rem; }
label { display: block; padding: .2rem 0; }
input[type=text], input[type=email], select { width: 100%; padding: .5rem; font: inherit;
  border: 1px solid var(--line); border-radius: 6px; }
button { padding: .7rem 1.2rem; font: inherit; border: 1px solid var(--act); border-radius: 8px;
  background: var(--act); color: #fff; cursor: pointer; }
button.quiet { background: #fff; color: var(--act); }
:focus-visible { outline: 3px solid #9d9af0; outline-offset: 2px; }
.alert { padding: .7rem 1rem; border-radius: 8px; background: #fdecec; color: #8a1020; }
.banner { text-align: center; padding: .4rem; background: #fff3cd; font-size: .85rem; }
"""

CARDS = (
    ("4242424242424242", "Card 4242 4242 4242 4242: succeeds"),
    ("4000000000000002", "Card 4000 0000 0000 0002: declined"),
    ("4000000000009995", "Card 4000 0000 0000 9995: insufficient funds"),
    ("bank_debit", "Bank debit: pending, then paid"),
    ("bank_debit_fails", "Bank debit: pending, then fails"),
)


def document(title: str, content: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="/stripe/style.css"></head>'
        '<body><p class="banner" role="note">Sandbox: no real money moves here.</p>'
        f"<main><h1>{escape(title)}</h1>{content}</main></body></html>"
    )


def notice(title: str, text: str, *, url: str | None = None, link: str = "Continue") -> str:
    """A page that only says something, perhaps with one way on."""
    onward = f'<p><a href="{escape(url)}">{escape(link)}</a></p>' if url else ""
    return document(title, f"<p>{escape(text)}</p>{onward}")


def checkout_page(session: Object, lines: list[Object], *, problem: str | None = None) -> str:
    alert = f'<p class="alert" role="alert">{escape(problem)}</p>' if problem else ""
    back = session["cancel_url"]
    cancel = f'<p><a href="{escape(back)}">Back without paying</a></p>' if back else ""
    email = escape(session["customer_email"] or "")
    total = in_words(session["amount_total"], session["currency"])
    return document(
        "Pay",
        f"{alert}{_lines(session, lines, total)}"
        f'<form method="post" action="/stripe/checkout/{escape(session["id"])}/pay">'
        f'<label>Email <input type="email" name="email" value="{email}" required></label>'
        f"{_cards()}{_shipping(session)}{_billing(session)}"
        f'<button type="submit">Pay {escape(total)}</button></form>{cancel}',
    )


def _lines(session: Object, lines: list[Object], total: str) -> str:
    rows = [(f"{line['quantity']} × {line['description']}", line["amount_total"]) for line in lines]
    if session["shipping_options"]:
        option = session["shipping_options"][0]
        rows.append((option["display_name"], option["shipping_amount"]))
    body = "".join(
        f"<tr><td>{escape(text)}</td><td>{escape(in_words(cents, session['currency']))}</td></tr>"
        for text, cents in rows
    )
    return f"<table>{body}<tr><th>Total</th><th>{escape(total)}</th></tr></table>"


def _cards() -> str:
    choices = "".join(
        f'<label><input type="radio" name="card" value="{value}"'
        f"{' checked' if not position else ''}> {label}</label>"
        for position, (value, label) in enumerate(CARDS)
    )
    return f"<fieldset><legend>Pay with</legend>{choices}</fieldset>"


def _billing(session: Object) -> str:
    """Where automatic tax wants to know where the customer is at home."""
    if not session["automatic_tax"]["enabled"]:
        return ""
    fields = "".join(
        f'<label>{label} <input type="text" name="billing_{name}" value="{value}"></label>'
        for name, label, value in (
            ("country", "Country", "US"),
            ("state", "State", "CA"),
            ("postal_code", "Postal code", "94105"),
        )
    )
    return f"<fieldset><legend>Billing address</legend>{fields}</fieldset>"


def _shipping(session: Object) -> str:
    asked = session["shipping_address_collection"]
    if not asked:
        return ""
    fields = "".join(
        f'<label>{label} <input type="text" name="shipping_{name}" value="{value}"></label>'
        for name, label, value in (
            ("name", "Name", "Sandbox Customer"),
            ("line1", "Street", "1 Example Street"),
            ("city", "City", "Springfield"),
            ("state", "State", ""),
            ("postal_code", "Postal code", "12345"),
        )
    )
    countries = "".join(
        f"<option>{escape(country)}</option>" for country in asked["allowed_countries"]
    )
    return (
        f"<fieldset><legend>Ship to</legend>{fields}"
        f'<label>Country <select name="shipping_country">{countries}</select></label></fieldset>'
    )


def onboarding_page(account: Object, token: str) -> str:
    due = account["requirements"]["currently_due"]
    fields = "".join(
        f'<label>{escape(name)} <input type="text" name="{escape(name)}"></label>' for name in due
    )
    asked = f"<fieldset><legend>Still due</legend>{fields}</fieldset>" if due else ""
    action = f"/stripe/onboarding/{escape(token)}"
    return document(
        "Set up payouts",
        f'<p class="soft">Account {escape(account["id"])}. Anything typed here is discarded.</p>'
        f'<form method="post" action="{action}/complete">{asked}'
        '<button type="submit">Complete onboarding</button></form>'
        f'<form method="post" action="{action}/leave"><p>'
        '<button class="quiet" type="submit">Leave it unfinished</button></p></form>',
    )


def dashboard_page(account: Object, balance: Object) -> str:
    rows = "".join(
        f"<tr><td>{state} ({escape(entry['currency'])})</td>"
        f"<td>{escape(in_words(entry['amount'], entry['currency']))}</td></tr>"
        for state in ("available", "pending")
        for entry in balance[state]
    )
    return document("Express dashboard", f"<p>{escape(account['id'])}</p><table>{rows}</table>")
