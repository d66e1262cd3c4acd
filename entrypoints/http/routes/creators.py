"""Creators: their page, consents, licence terms, and their way to being paid."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Router, delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from application.creators import profile
from application.creators.profile import (
    CreateCreator,
    CreatorProfile,
    UpdateCreator,
)
from application.ledger import payees
from application.ledger.balances import creator_balance
from application.ledger.payees import Onboarding, PayeeView, StartOnboarding
from application.licensing import consents, terms
from application.licensing.consents import ConsentRecord, SignConsent
from application.licensing.terms import ProposedUse, PublishTerms, TermsView
from application.ports.views import Balance, PublicCreator
from domain.creators.creator import AlreadyCreator, SlugInvalid, SlugTaken, check_slug
from domain.identity.actor import RoleRequired
from domain.licensing.consent import ConsentInvalid
from domain.licensing.decision import Decision
from domain.licensing.terms import TermsInvalid
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.idempotency import idempotent
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import (
    TheBalanceViews,
    TheCatalogueViews,
    TheClock,
    TheIds,
    ThePayeeAccounts,
    TheUnitOfWork,
)

CurrencyCode = Annotated[str, msgspec.Meta(pattern="^[a-z]{3}$")]


class SlugQuestion(msgspec.Struct, frozen=True):
    slug: Annotated[str, msgspec.Meta(max_length=100)]


class SlugAnswer(msgspec.Struct, frozen=True):
    """`problem` says why the slug cannot be had."""

    available: bool
    problem: str | None = None


@post("/", responses=errors(RoleRequired, SlugInvalid, SlugTaken, AlreadyCreator))
async def create(
    data: JSONBody[CreateCreator],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
) -> Data[CreatorProfile]:
    """Become a creator."""
    return Data(await profile.create_creator(data, actor=actor, uow=uow, clock=clock, ids=ids))


@get("/profile", responses=errors(NotFound))
async def read_own(actor: CurrentActor, uow: TheUnitOfWork) -> Data[CreatorProfile]:
    """The caller's own page."""
    return Data(await profile.show_own(actor=actor, uow=uow))


@put("/profile", responses=errors(NotFound))
async def update_own(
    data: JSONBody[UpdateCreator], actor: CurrentActor, uow: TheUnitOfWork
) -> Data[CreatorProfile]:
    """Change the caller's own page; what is left out stays."""
    return Data(await profile.update_creator(data, actor=actor, uow=uow))


@post("/slug/validate", status_code=200)
async def validate_slug(
    data: JSONBody[SlugQuestion], catalogue_views: TheCatalogueViews
) -> Data[SlugAnswer]:
    """Whether a slug can be had."""
    try:
        check_slug(data.slug)
    except SlugInvalid as error:
        return Data(SlugAnswer(available=False, problem=error.message))
    if await catalogue_views.slug_taken(data.slug):
        return Data(SlugAnswer(available=False, problem="The slug is taken."))
    return Data(SlugAnswer(available=True))


@get("/balance", responses=errors(NotFound))
async def balance(
    actor: CurrentActor,
    uow: TheUnitOfWork,
    balance_views: TheBalanceViews,
    currency: FromQuery[CurrencyCode | None] = None,
) -> Data[Balance]:
    """What the caller has earned as a creator, and when it becomes available."""
    return Data(await creator_balance(actor=actor, uow=uow, views=balance_views, currency=currency))


@get("/{slug:str}", responses=errors(NotFound))
async def read_public(
    slug: FromPath[str], catalogue_views: TheCatalogueViews
) -> Data[PublicCreator]:
    """A published creator's page."""
    return Data(await catalogue_views.creator(slug))


@post("/{creator_id:uuid}/consents", responses=errors(NotFound, ConsentInvalid))
async def sign_consent(
    creator_id: FromPath[UUID],
    data: JSONBody[SignConsent],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
) -> Data[ConsentRecord]:
    """Record a signed consent."""
    return Data(
        await consents.sign_consent(creator_id, data, actor=actor, uow=uow, clock=clock, ids=ids)
    )


@get("/{creator_id:uuid}/consents", responses=errors(NotFound))
async def list_consents(
    creator_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork
) -> Data[list[ConsentRecord]]:
    """The consents of the caller's likeness, newest first."""
    return Data(await consents.list_consents(creator_id, actor=actor, uow=uow))


@delete(
    "/{creator_id:uuid}/consents/{consent_id:uuid}", status_code=200, responses=errors(NotFound)
)
async def withdraw_consent(
    creator_id: FromPath[UUID],
    consent_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
) -> Data[ConsentRecord]:
    """Withdraw a consent: nothing new is made or sold under it. The record stays."""
    return Data(
        await consents.withdraw_consent(creator_id, consent_id, actor=actor, uow=uow, clock=clock)
    )


@post("/{creator_id:uuid}/licence-terms", responses=errors(NotFound, TermsInvalid))
async def publish_terms(
    creator_id: FromPath[UUID],
    data: JSONBody[PublishTerms],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
) -> Data[TermsView]:
    """Publish a new, immutable version of the licence terms. What is left out has its default."""
    return Data(
        await terms.publish_terms(creator_id, data, actor=actor, uow=uow, clock=clock, ids=ids)
    )


@get("/{creator_id:uuid}/licence-terms", responses=errors(NotFound))
async def current_terms(creator_id: FromPath[UUID], uow: TheUnitOfWork) -> Data[TermsView]:
    """The terms in force, for everybody."""
    return Data(await terms.show_terms(creator_id, version=None, uow=uow))


@get("/{creator_id:uuid}/licence-terms/{version:int}", responses=errors(NotFound))
async def terms_version(
    creator_id: FromPath[UUID], version: FromPath[int], uow: TheUnitOfWork
) -> Data[TermsView]:
    """One version of the terms, for everybody."""
    return Data(await terms.show_terms(creator_id, version=version, uow=uow))


@post("/{terms_id:uuid}/evaluate", status_code=200, responses=errors(NotFound))
async def evaluate(
    terms_id: FromPath[UUID],
    data: JSONBody[ProposedUse],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
) -> Data[Decision]:
    """Try out a use: the decision with every reason. Nothing is recorded."""
    return Data(await terms.evaluate_use(terms_id, data, uow=uow, clock=clock))


@post(
    "/{creator_id:uuid}/payee/onboarding",
    opt=idempotent(),
    responses=errors(NotFound, 502, 503),
)
async def start_onboarding(
    creator_id: FromPath[UUID],
    data: JSONBody[StartOnboarding],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    payee_accounts: ThePayeeAccounts,
) -> Data[Onboarding]:
    """A link to where the creator proves who they are, so that they can be paid."""
    return Data(
        await payees.start_onboarding(
            creator_id, data, actor=actor, uow=uow, accounts=payee_accounts
        )
    )


@get("/{creator_id:uuid}/payee", responses=errors(NotFound, 502, 503))
async def read_payee(
    creator_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    payee_accounts: ThePayeeAccounts,
    clock: TheClock,
) -> Data[PayeeView]:
    """Whether the creator can be paid, and what is still asked of them."""
    return Data(
        await payees.show_payee(
            creator_id, actor=actor, uow=uow, accounts=payee_accounts, clock=clock
        )
    )


@get("/creators")
async def discover(
    catalogue_views: TheCatalogueViews, limit: PageLimit = 20, cursor: PageCursor = None
) -> Page[PublicCreator]:
    """Published creators, newest first."""
    found = await catalogue_views.creators(before=read_cursor(cursor, UUID), limit=limit + 1)
    return page_of(found, limit=limit, key=lambda creator: creator.id)


ROUTER = Router(
    "/api/v1/creators",
    route_handlers=[
        create,
        read_own,
        update_own,
        validate_slug,
        balance,
        read_public,
        start_onboarding,
        read_payee,
    ],
    tags=["Creators"],
)
LICENSING_ROUTER = Router(
    "/api/v1/creators",
    route_handlers=[
        sign_consent,
        list_consents,
        withdraw_consent,
        publish_terms,
        current_terms,
        terms_version,
    ],
    tags=["Licensing"],
)
TERMS_ROUTER = Router("/api/v1/licence-terms", route_handlers=[evaluate], tags=["Licensing"])
PUBLIC_ROUTER = Router("/api/v1/public", route_handlers=[discover], tags=["Creators"])
