"""Consent and licence terms: signed, published, and asked what they would say."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, post
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, JSONBody

from application.licensing import consents, decisions, odrl, terms, trial
from application.licensing.consents import ConsentRecord, SignConsent
from application.licensing.decisions import DecisionDetails
from application.licensing.terms import PublishTerms
from application.licensing.terms_view import TermsView
from application.licensing.trial import ProposedUse
from domain.licensing.consent import ConsentInvalid
from domain.licensing.decision import Decision
from domain.licensing.terms import TermsInvalid
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.paging import CursorInvalid, PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import (
    TheClock,
    TheDecisionViews,
    TheIds,
    TheUnitOfWork,
)

LD_JSON = "application/ld+json"


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


@get(
    "/{creator_id:uuid}/licence-terms/{version:int}/odrl",
    media_type=LD_JSON,
    responses={
        200: ResponseSpec(dict[str, Any], media_type=LD_JSON, description="An Offer of ODRL 2.2."),
        **errors(NotFound),
    },
)
async def terms_in_odrl(
    creator_id: FromPath[UUID], version: FromPath[int], uow: TheUnitOfWork
) -> Response[bytes]:
    """One version of the terms in ODRL 2.2 (JSON-LD), for everybody."""
    offer = await odrl.show_odrl(creator_id, version, uow=uow)
    return Response(msgspec.json.encode(offer), media_type=LD_JSON)


@post("/{terms_id:uuid}/evaluate", status_code=200, responses=errors(NotFound))
async def evaluate(
    terms_id: FromPath[UUID],
    data: JSONBody[ProposedUse],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
) -> Data[Decision]:
    """Try out a use: the decision with every reason. Nothing is recorded."""
    return Data(await trial.evaluate_use(terms_id, data, uow=uow, clock=clock))


@get("/{creator_id:uuid}/decisions", responses=errors(NotFound, CursorInvalid))
async def list_decisions(
    creator_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    decision_views: TheDecisionViews,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[DecisionDetails]:
    """What was asked of the caller's licence and what it answered, newest first."""
    found = await decisions.list_decisions(
        creator_id,
        actor=actor,
        uow=uow,
        views=decision_views,
        before=read_cursor(cursor, tuple[datetime, UUID]),
        limit=limit + 1,
    )
    return page_of(found, limit=limit, key=lambda each: (each.decided_at, each.id))


ROUTER = Router(
    "/api/v1/creators",
    route_handlers=[
        sign_consent,
        list_consents,
        withdraw_consent,
        publish_terms,
        current_terms,
        terms_version,
        terms_in_odrl,
        list_decisions,
    ],
    tags=["Licensing"],
)
TERMS_ROUTER = Router("/api/v1/licence-terms", route_handlers=[evaluate], tags=["Licensing"])
