"""The books, for administrators: accounts, entries, seals, proofs, and what payees owe."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Router, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from application.ledger import inspection, proofs, write_offs
from application.ledger.inspection import BookedTransaction
from application.ledger.proofs import ProofView
from application.ledger.write_offs import WriteOffDebt, WriteOffView
from application.ports.idempotency import KeyReused
from application.ports.ledger_reading import (
    Accounts,
    BookedEntry,
    EntryFilter,
    EntryPlace,
    Owing,
    OwingPlace,
    SealRecord,
)
from domain.identity.actor import RoleRequired
from domain.ledger.posting import Account
from domain.ledger.write_off import WriteOffTooLarge
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.idempotency import idempotent
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import TheBooksViews, TheClock, TheIds, TheUnitOfWork

OfPayee = Annotated[UUID | None, QueryParameter(description="Only this payee's.")]
OfOrder = Annotated[UUID | None, QueryParameter(description="Only what is about this order.")]
OfKind = Annotated[
    str | None,
    QueryParameter(pattern="^[a-z_]{1,40}$", description="sale, refund, release, transfer, …"),
]
OfEffect = Annotated[
    str | None, QueryParameter(max_length=300, description="Only the effect of this key.")
]
FromDay = Annotated[
    date | None, QueryParameter(name="from", description="Posted on this day or later.")
]
ToDay = Annotated[
    date | None, QueryParameter(name="to", description="Posted on this day or before.")
]


@get("/ledger/accounts", responses=errors(RoleRequired))
async def read_accounts(actor: CurrentActor, books_views: TheBooksViews) -> Data[Accounts]:
    """The trial balance: what each account holds in each currency. A positive sum is a credit;
    the sums of a currency add up to zero."""
    return Data(await inspection.trial_balance(actor=actor, views=books_views))


@get("/ledger/entries", responses=errors(RoleRequired))
async def list_entries(
    actor: CurrentActor,
    books_views: TheBooksViews,
    payee_id: OfPayee = None,
    order_id: OfOrder = None,
    kind: OfKind = None,
    effect_key: OfEffect = None,
    since: FromDay = None,
    through: ToDay = None,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[BookedEntry]:
    """Entries of all accounts, newest first."""
    wanted = EntryFilter(
        payee_id=payee_id,
        order_id=order_id,
        kind=kind,
        effect_key=effect_key,
        since=since,
        through=through,
    )
    before = read_cursor(cursor, EntryPlace)
    found = await inspection.list_entries(
        wanted, before=before, limit=limit + 1, actor=actor, views=books_views
    )
    return page_of(found, limit=limit, key=lambda entry: entry.place)


@get("/ledger/accounts/{account:str}/entries", responses=errors(RoleRequired))
async def list_account_entries(
    account: FromPath[Account],
    actor: CurrentActor,
    books_views: TheBooksViews,
    payee_id: OfPayee = None,
    order_id: OfOrder = None,
    kind: OfKind = None,
    effect_key: OfEffect = None,
    since: FromDay = None,
    through: ToDay = None,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[BookedEntry]:
    """Entries of one account, newest first."""
    wanted = EntryFilter(
        account=account,
        payee_id=payee_id,
        order_id=order_id,
        kind=kind,
        effect_key=effect_key,
        since=since,
        through=through,
    )
    before = read_cursor(cursor, EntryPlace)
    found = await inspection.list_entries(
        wanted, before=before, limit=limit + 1, actor=actor, views=books_views
    )
    return page_of(found, limit=limit, key=lambda entry: entry.place)


@get("/ledger/transactions/{effect_key:str}", responses=errors(RoleRequired, NotFound))
async def read_transaction(
    effect_key: FromPath[str], actor: CurrentActor, books_views: TheBooksViews
) -> Data[BookedTransaction]:
    """One effect by its key, with all its entries."""
    return Data(await inspection.show_transaction(effect_key, actor=actor, views=books_views))


@get("/ledger/seals", responses=errors(RoleRequired))
async def list_seals(
    actor: CurrentActor,
    books_views: TheBooksViews,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[SealRecord]:
    """Sealed days, newest first. Keep a hash elsewhere: it vouches for all days up to its own."""
    found = await inspection.list_seals(
        before=read_cursor(cursor, Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]),
        limit=limit + 1,
        actor=actor,
        views=books_views,
    )
    return page_of(found, limit=limit, key=lambda seal: seal.number)


@post("/ledger/verify", status_code=202, opt=idempotent(), responses=errors(RoleRequired))
async def request_proof(
    actor: CurrentActor, uow: TheUnitOfWork, clock: TheClock, ids: TheIds
) -> Data[ProofView]:
    """Have the whole ledger proved. The answer comes at once; ask for the report by its id."""
    return Data(await proofs.request_proof(actor=actor, uow=uow, clock=clock, ids=ids))


@get("/ledger/verify/{proof_id:uuid}", responses=errors(RoleRequired, NotFound))
async def read_proof(
    proof_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork
) -> Data[ProofView]:
    """A proof of the ledger; without a report it is still under way."""
    return Data(await proofs.show_proof(proof_id, actor=actor, uow=uow))


@get("/payees/negative", responses=errors(RoleRequired))
async def list_owing(
    actor: CurrentActor,
    books_views: TheBooksViews,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[Owing]:
    """Payees that owe the platform, who has owed for the longest first."""
    found = await inspection.list_owing(
        after=read_cursor(cursor, OwingPlace), limit=limit + 1, actor=actor, views=books_views
    )
    return page_of(found, limit=limit, key=lambda owing: owing.place)


@post(
    "/payees/{payee_id:uuid}/write-offs",
    opt=idempotent(required=True),
    responses=errors(RoleRequired, NotFound, WriteOffTooLarge, KeyReused),
)
async def write_off_debt(
    payee_id: FromPath[UUID],
    data: JSONBody[WriteOffDebt],
    request: Request[Any, Any, Any],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
) -> Data[WriteOffView]:
    """Give up what a payee owes, or a part of it."""
    return Data(
        await write_offs.write_off_debt(
            payee_id,
            data,
            request_key=request.headers["idempotency-key"],
            actor=actor,
            uow=uow,
            clock=clock,
            ids=ids,
        )
    )


ROUTER = Router(
    "/api/v1/admin",
    route_handlers=[
        read_accounts,
        list_entries,
        list_account_entries,
        read_transaction,
        list_seals,
        request_proof,
        read_proof,
        list_owing,
        write_off_debt,
    ],
    tags=["Books"],
)
