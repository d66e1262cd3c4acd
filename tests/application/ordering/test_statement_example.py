"""The order whose statement docs/statements.md shows, lived through by the real use cases.

Two stores and two creators, one of whom shares its royalty and crosses a tier with this order; a
discount of the platform, shipping and tax; a shirt given back in part, and a dispute that is lost.
"""

import dataclasses
from datetime import date
from pathlib import Path
from uuid import UUID

from adapters.postgres.order_views import PostgresOrderViews
from adapters.postgres.statements import PostgresStatementViews
from application.ordering.checkout import StartCheckout, start_checkout
from application.ordering.discounts import CreateDiscount, create_discount
from application.ordering.reading import Statement, show_statement
from application.ordering.wishes import AddressInput, CartItem, Shopper
from application.ports.reporting import Span
from application.reporting.statements import Asked
from application.reporting.statements import show_statement as statement_of
from domain.catalogue.product import Product
from domain.catalogue.shipping import ShippingOption
from domain.licensing.conditions import Collaborator
from domain.licensing.royalty import Tier
from domain.ordering.discount import DiscountKind
from domain.reporting.reckoning import Reckoning
from domain.shared.money import format_money
from tests.application.ordering.conftest import ADMIN, Desk
from tests.builders import FEES, Market, actor, terms
from tests.moderating import moderation_for

PAGE = (Path(__file__).parents[3] / "docs" / "statements.md").read_text()
TO_CALIFORNIA = AddressInput(
    name="A buyer", line1="1 Beach Road", city="Los Angeles", state="CA", postal_code="90001",
    country="US",
)  # fmt: skip
TIERS = (Tier(10_000, 1200),)


async def three_likenesses(desk: Desk) -> tuple[Market, Market, Market]:
    """Ada's; Grace's, whose royalty is 10 % to $100.00 of sales and 12 % from there, and who
    shares it 60 to 40 with Alan; Alan's."""
    ada, grace, alan = [await desk.market(prices_cents=(cents,)) for cents in (2500, 6000, 2500)]
    shared = terms(
        royalty_bps=1000,
        royalty_tiers=TIERS,
        collaborators=(Collaborator(grace.creator.id, 6000), Collaborator(alan.creator.id, 4000)),
    )
    async with desk.new_uow() as uow:
        version = dataclasses.replace(
            grace.terms, id=desk.ids.new(), version=2, terms=shared, hash=shared.hash
        )
        uow.terms.add(version)
        await uow.commit()
    async with desk.new_uow() as uow:
        (await uow.creators.get(grace.creator.id)).terms_id = version.id
        for shop in (ada, grace):
            store = await uow.stores.get(shop.store.id)
            store.shipping_options = (ShippingOption.STANDARD,)
        await uow.commit()
    return ada, grace, alan


async def buy(desk: Desk, wanted: dict[Product, int], *, codes: list[str], key: str) -> UUID:
    checkout = await start_checkout(
        StartCheckout(
            items=[CartItem(product_id=p.id, quantity=n) for p, n in wanted.items()],
            discount_codes=codes,
            shipping_address=TO_CALIFORNIA,
            success_url="https://shop.example/ok",
            cancel_url="https://shop.example/no",
        ),
        request_key=key,
        shopper=Shopper(actor=actor()),
        uow=desk.new_uow(),
        payments=desk.provider.payments,
        clock=desk.clock,
        ids=desk.ids,
        taxes=desk.taxes,
        seals=desk.seals,
        fees=FEES,
    )
    assert await desk.settle(await desk.pay(checkout)) == {}
    return checkout.order_id


async def test_the_statement_of_the_page_is_this_one(desk: Desk) -> None:
    desk.taxes.rates["US"] = 725
    ada, grace, alan = await three_likenesses(desk)
    await create_discount(
        CreateDiscount(title="Five off", kind=DiscountKind.PERCENT, value=500, code="FIVE"),
        actor=ADMIN,
        uow=desk.new_uow(),
        clock=desk.clock,
        ids=desk.ids,
        fees=FEES,
        moderation=moderation_for(desk.clock, desk.ids),
    )
    shirt, print_ = ada.products[0], grace.products[0]
    earlier_id = await buy(desk, {print_: 1}, codes=[], key="before")
    order_id = await buy(desk, {shirt: 2, print_: 1}, codes=["FIVE"], key="this one")
    await desk.pay_out()
    lines = await desk.rows(
        "SELECT id FROM order_lines WHERE order_id = :id ORDER BY position", id=order_id
    )
    await desk.refund(order_id, pieces={UUID(str(lines[0][0])): 1})
    dispute = await desk.dispute(order_id, 3000)
    await desk.send_reversals()
    await desk.decide(dispute, "lost")
    await desk.check_books()

    statement = await show_statement(
        order_id, actor=ADMIN, views=PostgresOrderViews(desk.engine), uow=desk.new_uow()
    )

    names = {
        f"creator:{ada.creator.id}": "Ada",
        f"creator:{grace.creator.id}": "Grace",
        f"creator:{alan.creator.id}": "Alan",
        f"store:{ada.store.id}": "Harbour prints",
        f"store:{grace.store.id}": "Hill prints",
        "platform": "the platform",
    }
    rows = written(statement, names)
    for leg in statement.legs:
        assert leg.net_cents == leg.amount_cents - leg.returned_cents >= 0
    assert sum(leg.amount_cents for leg in statement.legs) == statement.total_cents
    await desk.dispute(earlier_id, 2000)  # and nobody knows yet how it will end
    rows += [
        row
        for payee, name in names.items()
        if payee != "platform"
        for row in [reckoned(name, await reckoning_of(UUID(payee.split(":")[1]), desk))]
    ]
    missing = [row for row in rows if row not in PAGE]
    assert not missing, "\n".join(rows)


async def reckoning_of(payee_id: UUID, desk: Desk) -> Reckoning:
    asked = Asked(
        payee_id=payee_id, name="", currency="usd", span=Span(date(2000, 1, 1), date(2100, 1, 1))
    )
    views = PostgresStatementViews(desk.engine)
    return (await statement_of(asked, views=views, after=None, limit=1)).reckoning


def reckoned(name: str, told: Reckoning) -> str:
    assert told.opening_cents == told.fees_cents == told.other_cents == 0
    left = told.earned_cents - told.refunded_cents - told.disputed_cents - told.paid_cents
    assert left == told.balance_cents
    columns = (told.earned_cents, told.refunded_cents, told.disputed_cents, told.paid_cents,
               told.balance_cents, told.held_cents)  # fmt: skip
    return f"| {name} | {' | '.join(format_money(cents, 'usd') for cents in columns)} |"


def written(statement: Statement, names: dict[str, str]) -> list[str]:
    def money(cents: int) -> str:
        return format_money(cents, statement.currency)

    line_ids = list(dict.fromkeys(leg.line_id for leg in statement.legs))
    things = dict(zip(line_ids, ("2 shirts", "1 big shirt"), strict=True))
    rows = [
        f"| {things[leg.line_id]} | {names[leg.payee]} | {leg.reason} | {money(leg.amount_cents)} "
        f"| {money(leg.returned_cents)} | {money(leg.net_cents)} |"
        for leg in statement.legs
    ]
    sums = (statement.total_cents, statement.returned_cents, statement.net_cents)
    return [*rows, f"| | | all of it | {' | '.join(money(cents) for cents in sums)} |"]
