"""Invoices, receipts and credit notes as buyer, guest and store have them."""

from uuid import UUID, uuid4

from application.ordering.completion import complete_orders
from application.ordering.invoices import issue_invoice
from domain.identity.actor import Actor, Role
from tests import builders
from tests.http import estate
from tests.http.shop import API, Shop, data_of, refusal
from tests.http.test_orders import bought, cart


async def issue(shop: Shop, order_id: object) -> None:
    ports = shop.ports
    await issue_invoice(
        UUID(str(order_id)),
        uow=ports.uow(),
        seller=ports.seller,
        clock=ports.clock,
        ids=ports.ids,
    )


async def test_a_paid_order_is_invoiced_a_moment_later(shop: Shop) -> None:
    order_id = await bought(shop)
    path = f"/orders/{order_id}/invoice"

    early = await shop.get(path, by=shop.fan)
    assert refusal(early) == (409, "not_invoiced_yet")
    assert int(early.headers["retry-after"]) > 0
    await issue(shop, order_id)

    invoice = data_of(await shop.get(path, by=shop.fan))
    assert invoice["number"].endswith("-000002")
    assert (invoice["total_cents"], invoice["extract"]) == (5000, False)
    assert invoice["seller"]["name"] == "Likeness"
    assert invoice["buyer"]["email"]
    receipt = data_of(await shop.get(f"/orders/{order_id}/receipt", by=shop.fan))
    assert (receipt["number"], receipt["paid_cents"]) == (invoice["number"], 5000)


async def test_an_unpaid_order_has_no_invoice(shop: Shop) -> None:
    answer = await shop.get(f"/orders/{estate.UNPAID_ORDER}/invoice", by=shop.owner)
    assert refusal(answer) == (409, "order_not_paid")


async def test_papers_are_files_of_the_same_bytes_named_by_their_number(shop: Shop) -> None:
    paths = ("invoice", "receipt", f"credit-notes/{estate.CREDIT_NOTE}")
    for path in paths:
        asked = f"/orders/{estate.ORDER}/{path}"
        number = data_of(await shop.get(asked, by=shop.owner))["number"]
        drawn = await shop.get(asked + "?format=pdf", by=shop.owner)
        accepted = await shop.http.get(
            API + asked, headers=shop.as_(shop.owner, Accept="application/pdf")
        )
        assert drawn.headers["content-type"] == "application/pdf"
        assert f"{number}.pdf" in drawn.headers["content-disposition"]
        assert drawn.content.startswith(b"%PDF-")
        assert drawn.content == accepted.content
    answer = await shop.get(f"/orders/{estate.ORDER}/invoice?format=csv", by=shop.owner)
    assert answer.status_code == 400


async def test_credit_notes_name_the_invoice_they_correct(shop: Shop) -> None:
    invoice = data_of(await shop.get(f"/orders/{estate.ORDER}/invoice", by=shop.owner))
    [note] = data_of(await shop.get(f"/orders/{estate.ORDER}/credit-notes", by=shop.owner))
    assert (note["corrects"], note["total_cents"]) == (invoice["number"], 100)
    assert note["dispute_id"] == str(estate.DISPUTE)
    answer = await shop.get(f"/orders/{estate.ORDER}/credit-notes/{uuid4()}", by=shop.owner)
    assert refusal(answer) == (404, "not_found")


async def test_a_guest_reads_the_invoice_by_the_orders_token(shop: Shop) -> None:
    wanted = cart((estate.PRODUCT, 1)) | {"email": "guest@example.org"}
    page = data_of(await shop.post("/checkout", wanted, key="g"), 201)
    captured = await shop.pay(page["session_id"])
    await complete_orders(
        [captured], uow=shop.ports.uow(), clock=shop.ports.clock, hold=shop.ports.hold
    )
    await issue(shop, page["order_id"])

    answer = await shop.http.get(
        f"{API}/orders/{page['order_id']}/invoice", headers={"Order-Token": page["order_token"]}
    )
    assert data_of(answer)["buyer"]["email"] == "guest@example.org"
    assert (await shop.get(f"/orders/{page['order_id']}/invoice")).status_code == 401


async def test_a_store_has_its_own_lines_and_nothing_of_the_buyer(shop: Shop) -> None:
    market = await builders.market(shop.ports.uow())
    items = cart((estate.PRODUCT, 2), (market.products[0].id, 1))
    page = data_of(await shop.post("/checkout", items, by=shop.fan, key="two"), 201)
    captured = await shop.pay(page["session_id"])
    await complete_orders(
        [captured], uow=shop.ports.uow(), clock=shop.ports.clock, hold=shop.ports.hold
    )
    await issue(shop, page["order_id"])
    path = f"/orders/{page['order_id']}/invoice"

    whole = data_of(await shop.get(path, by=shop.fan))
    part = data_of(await shop.get(path, by=Actor(market.owner.id, frozenset({Role.STORE_OWNER}))))

    assert len(whole["lines"]) == 2
    assert {line["store_id"] for line in part["lines"]} == {str(market.products[0].store_id)}
    assert part["total_cents"] == sum(line["total_cents"] for line in part["lines"]) < 7500
    assert (part["buyer"], part["extract"]) == (None, True)
    creator = Actor(market.creator_user.id, frozenset({Role.CREATOR}))
    assert refusal(await shop.get(path, by=creator)) == (404, "not_found")
