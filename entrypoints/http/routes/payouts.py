"""Withdrawals and payouts, the same for creators and stores, and what the payout provider says."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Router, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from application.ledger import payout_choices, payouts, withdrawals
from application.ledger.eligibility import CurrencyUnknown, Eligibility, PayoutBlocked
from application.ledger.payout_choices import ChoosePayouts, PayoutChoice
from application.ledger.withdrawals import TransfersAreWhole, Withdraw, Withdrawal
from application.ports.payouts import PayoutRecord
from application.ports.webhooks import SignatureRefused
from domain.ledger.payout_rules import BankPayoutsOff, InsufficientAvailable
from domain.ledger.payout_settings import MinimumTooSmall
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.idempotency import idempotent
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import (
    TheClock,
    TheIds,
    TheInbox,
    ThePayoutPolicy,
    ThePayoutRails,
    ThePayoutViews,
    ThePayoutWebhooks,
    TheUnitOfWork,
)
from entrypoints.http.rate_limiting import UNLIMITED
from entrypoints.http.routes.received import Received

CREATOR, STORE = "/creators", "/stores/{store_id:uuid}"


@post(
    [
        f"{CREATOR}/balance/withdraw",
        f"{STORE}/balance/withdraw",
        f"{CREATOR}/payouts",
        f"{STORE}/payouts",
    ],
    opt=idempotent(required=True),
    responses=errors(
        NotFound, CurrencyUnknown, PayoutBlocked, InsufficientAvailable, TransfersAreWhole, 503
    ),
)
async def withdraw(
    data: JSONBody[Withdraw],
    request: Request[Any, Any, Any],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    payout_rails: ThePayoutRails,
    payout_policy: ThePayoutPolicy,
    clock: TheClock,
    ids: TheIds,
    store_id: FromPath[UUID | None] = None,
) -> Data[Withdrawal]:
    """Ask for what is available: to a bank as a payout, to a connected account as transfers."""
    return Data(
        await withdrawals.withdraw(
            store_id,
            data,
            request_key=request.headers["idempotency-key"],
            actor=actor,
            uow=uow,
            rails=payout_rails,
            policy=payout_policy,
            clock=clock,
            ids=ids,
        )
    )


@get([f"{CREATOR}/payouts", f"{STORE}/payouts"], responses=errors(NotFound))
async def list_payouts(
    actor: CurrentActor,
    uow: TheUnitOfWork,
    payout_views: ThePayoutViews,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
    store_id: FromPath[UUID | None] = None,
) -> Page[PayoutRecord]:
    """Payouts and what became of them, newest first."""
    found = await payouts.list_payouts(
        store_id,
        before=read_cursor(cursor, UUID),
        limit=limit + 1,
        actor=actor,
        uow=uow,
        views=payout_views,
    )
    return page_of(found, limit=limit, key=lambda payout: payout.id)


@get(
    [f"{CREATOR}/payouts/eligibility", f"{STORE}/payouts/eligibility"],
    responses=errors(NotFound, CurrencyUnknown),
)
async def read_eligibility(
    actor: CurrentActor,
    uow: TheUnitOfWork,
    payout_policy: ThePayoutPolicy,
    currency: Annotated[
        str, QueryParameter(pattern="^[a-z]{3}$", description="Three small letters: usd.")
    ] = "usd",
    store_id: FromPath[UUID | None] = None,
) -> Data[Eligibility]:
    """Whether everything could be paid out now; if not, every reason."""
    return Data(
        await payout_choices.show_eligibility(
            store_id, currency=currency, actor=actor, uow=uow, policy=payout_policy
        )
    )


@get(
    [f"{CREATOR}/payouts/settings", f"{STORE}/payouts/settings"],
    responses=errors(NotFound),
)
async def read_settings(
    actor: CurrentActor, uow: TheUnitOfWork, store_id: FromPath[UUID | None] = None
) -> Data[PayoutChoice]:
    """By which way, when and from which amount on the payee is paid."""
    return Data(await payout_choices.show_choice(store_id, actor=actor, uow=uow))


@put(
    [f"{CREATOR}/payouts/settings", f"{STORE}/payouts/settings"],
    responses=errors(NotFound, BankPayoutsOff, MinimumTooSmall),
)
async def choose_settings(
    data: JSONBody[ChoosePayouts],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    payout_policy: ThePayoutPolicy,
    clock: TheClock,
    store_id: FromPath[UUID | None] = None,
) -> Data[PayoutChoice]:
    """Choose the way, the schedule and the smallest payout; what is under way goes on as it was."""
    return Data(
        await payout_choices.choose(
            store_id, data, actor=actor, uow=uow, policy=payout_policy, clock=clock
        )
    )


@get(
    [f"{CREATOR}/payouts/{{payout_id:uuid}}", f"{STORE}/payouts/{{payout_id:uuid}}"],
    responses=errors(NotFound),
)
async def read_payout(
    payout_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    store_id: FromPath[UUID | None] = None,
) -> Data[PayoutRecord]:
    """One payout: its state, and the provider's reason where it did not arrive."""
    return Data(await payouts.show_payout(store_id, payout_id, actor=actor, uow=uow))


@post("/webhooks/payout", status_code=200, opt=UNLIMITED, responses=errors(SignatureRefused))
async def receive(
    request: Request[Any, Any, Any], inbox: TheInbox, payout_webhooks: ThePayoutWebhooks
) -> Data[Received]:
    """Events of the payout provider, by Standard Webhooks."""
    event = payout_webhooks.verify(request.headers, await request.body())
    new = await inbox.receive(
        source=event.source,
        external_id=event.external_id,
        kind=event.kind,
        payload=event.payload,
    )
    return Data(Received(received=True, duplicate=not new))


ROUTER = Router(
    "/api/v1",
    route_handlers=[
        withdraw,
        list_payouts,
        read_eligibility,
        read_settings,
        choose_settings,
        read_payout,
        receive,
    ],
    tags=["Payouts"],
)
