"""Credits: what there is, what became of them, what things cost, and buying more."""

from typing import Any
from uuid import UUID

from litestar import Request, Router, get, post
from litestar.params import FromPath, JSONBody

from application.billing import purchases, refunds
from application.billing.purchases import BuyCredits, PageOpened
from application.billing.refunds import PurchaseRefunded, RefundPurchase
from application.ports.credits import EntryRow
from application.ports.idempotency import KeyReused
from application.studio import credit_accounts
from application.studio.credit_accounts import AdjustCredits, CreditsView, PricesView
from domain.identity.actor import RoleRequired
from domain.shared.errors import NotFound
from domain.studio.contested import ChargeContested
from domain.studio.credits import CreditsExhausted
from domain.studio.purchases import (
    NothingToGiveBack,
    PackUnknown,
    PlaceRequired,
    PurchaseNotPaid,
)
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.idempotency import idempotent
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import (
    TheAddressRule,
    TheBilling,
    TheClock,
    TheCreditViews,
    TheIds,
    TheTaxes,
    TheUnitOfWork,
)


@get("/")
async def read_credits(
    actor: CurrentActor, uow: TheUnitOfWork, clock: TheClock
) -> Data[CreditsView]:
    """What can be used now, what work under way holds, and when today's grant lapses."""
    return Data(await credit_accounts.read_credits(actor=actor, uow=uow, clock=clock))


@get("/transactions")
async def list_transactions(
    actor: CurrentActor,
    credit_views: TheCreditViews,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[EntryRow]:
    """Every change of the balance, newest first, each with the balance after it."""
    rows = await credit_accounts.list_entries(
        actor=actor, before=read_cursor(cursor, int), limit=limit + 1, views=credit_views
    )
    return page_of(rows, limit=limit, key=lambda row: row.number)


@get("/prices")
async def read_prices() -> Data[PricesView]:
    """What each type of step costs, and the packs that are sold."""
    return Data(credit_accounts.read_prices())


@post(
    "/purchases",
    opt=idempotent(required=True),
    responses=errors(PackUnknown, KeyReused, PlaceRequired, 502, 503),
)
async def buy_credits(
    data: JSONBody[BuyCredits],
    request: Request[Any, Any, Any],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    billing: TheBilling,
    taxes: TheTaxes,
    address_required: TheAddressRule,
    clock: TheClock,
    ids: TheIds,
) -> Data[PageOpened]:
    """The page where a pack is paid, tax on top. The credits come when the money has come."""
    return Data(
        await purchases.buy_credits(
            data,
            request_key=request.headers["idempotency-key"],
            actor=actor,
            uow=uow,
            billing=billing,
            taxes=taxes,
            address_required=address_required,
            clock=clock,
            ids=ids,
        )
    )


@post(
    "/users/{user_id:uuid}/credits",
    status_code=200,
    opt=idempotent(required=True),
    responses=errors(RoleRequired, NotFound, CreditsExhausted),
)
async def adjust_credits(
    user_id: FromPath[UUID],
    data: JSONBody[AdjustCredits],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
) -> Data[CreditsView]:
    """Give credits that do not lapse, or take some. Goes into the audit log."""
    return Data(
        await credit_accounts.adjust_credits(user_id, data, actor=actor, uow=uow, clock=clock)
    )


@post(
    "/credit-purchases/{purchase_id:uuid}/refund",
    opt=idempotent(required=True),
    responses=errors(RoleRequired, NotFound, PurchaseNotPaid, NothingToGiveBack, ChargeContested),
)
async def refund_purchase(
    purchase_id: FromPath[UUID],
    data: JSONBody[RefundPurchase],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
) -> Data[PurchaseRefunded]:
    """Take back what of a purchase is not spent, and give its price back."""
    return Data(
        await refunds.refund_purchase(purchase_id, data, actor=actor, uow=uow, clock=clock, ids=ids)
    )


ROUTER = Router(
    "/api/v1/credits",
    route_handlers=[read_credits, list_transactions, read_prices, buy_credits],
    tags=["Credits"],
)
ADMIN_ROUTER = Router(
    "/api/v1/admin", route_handlers=[adjust_credits, refund_purchase], tags=["Credits"]
)
