"""Signing up, signing in, staying signed in, and the sessions one has."""

from typing import Any
from uuid import UUID

from litestar import Request, Router, delete, get, post
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation

from application.identity import account, registration, sign_in
from application.identity.registration import Register
from application.identity.sign_in import InvalidCredentials, Login, Refresh, SignedIn
from application.ports.clock import Clock
from application.ports.identity import (
    EmailTaken,
    HashingBusy,
    IdentityViews,
    Me,
    PasswordHasher,
    SessionSummary,
)
from application.ports.ids import Ids
from application.ports.secrets import Secrets
from application.ports.tokens import AccessTokens
from application.ports.unit_of_work import UnitOfWork
from domain.identity.email import InvalidEmail
from domain.identity.password import WeakPassword
from domain.identity.session import Origin, RefreshTokenInvalid, RefreshTokenReused
from domain.identity.user import InvalidDisplayName
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data
from entrypoints.http.errors import errors
from entrypoints.http.exchange import exchange_of
from entrypoints.http.rate_limiting import limited

NEVER_STORED = CacheControlHeader(no_store=True)
"""No cache keeps an answer that holds tokens (RFC 6749, section 5.1)."""


@post(
    "/register",
    summary="Register",
    cache_control=NEVER_STORED,
    opt=limited("register"),
    responses=errors(EmailTaken, InvalidDisplayName, InvalidEmail, WeakPassword, HashingBusy),
)
async def register(
    data: JSONBody[Register],
    request: Request[Any, Any, Any],
    uow: NamedDependency[SkipValidation[UnitOfWork]],
    clock: NamedDependency[SkipValidation[Clock]],
    ids: NamedDependency[SkipValidation[Ids]],
    secrets: NamedDependency[SkipValidation[Secrets]],
    password_hasher: NamedDependency[SkipValidation[PasswordHasher]],
    access_tokens: NamedDependency[SkipValidation[AccessTokens]],
) -> Data[SignedIn]:
    """Open an account and sign in. At most 3 times an hour from one address."""
    signed_in = await registration.register(
        data,
        origin=_origin_of(request),
        uow=uow,
        clock=clock,
        ids=ids,
        secrets=secrets,
        hasher=password_hasher,
        tokens=access_tokens,
    )
    return Data(signed_in)


@post(
    "/login",
    summary="Sign in",
    cache_control=NEVER_STORED,
    status_code=200,
    opt=limited("login", account_field="email"),
    responses=errors(InvalidCredentials, HashingBusy),
)
async def login(
    data: JSONBody[Login],
    request: Request[Any, Any, Any],
    uow: NamedDependency[SkipValidation[UnitOfWork]],
    clock: NamedDependency[SkipValidation[Clock]],
    ids: NamedDependency[SkipValidation[Ids]],
    secrets: NamedDependency[SkipValidation[Secrets]],
    password_hasher: NamedDependency[SkipValidation[PasswordHasher]],
    access_tokens: NamedDependency[SkipValidation[AccessTokens]],
) -> Data[SignedIn]:
    """Sign in. At most 5 attempts in 5 minutes from one address, and at one account."""
    signed_in = await sign_in.login(
        data,
        origin=_origin_of(request),
        uow=uow,
        clock=clock,
        ids=ids,
        secrets=secrets,
        hasher=password_hasher,
        tokens=access_tokens,
    )
    return Data(signed_in)


@post(
    "/refresh",
    summary="Refresh the tokens",
    cache_control=NEVER_STORED,
    status_code=200,
    responses=errors(RefreshTokenInvalid, RefreshTokenReused),
)
async def refresh(
    data: JSONBody[Refresh],
    request: Request[Any, Any, Any],
    uow: NamedDependency[SkipValidation[UnitOfWork]],
    clock: NamedDependency[SkipValidation[Clock]],
    ids: NamedDependency[SkipValidation[Ids]],
    secrets: NamedDependency[SkipValidation[Secrets]],
    access_tokens: NamedDependency[SkipValidation[AccessTokens]],
) -> Data[SignedIn]:
    """Exchange a refresh token for new tokens. Each works once.

    Refresh one at a time, and store the new refresh token before using it. A token that is used
    twice, be it by two requests at once or because an answer was lost, ends the session: sign in
    again.
    """
    signed_in = await sign_in.refresh(
        data,
        origin=_origin_of(request),
        uow=uow,
        clock=clock,
        ids=ids,
        secrets=secrets,
        tokens=access_tokens,
    )
    return Data(signed_in)


@post("/logout", summary="Sign out", status_code=204)
async def log_out(
    actor: CurrentActor,
    uow: NamedDependency[SkipValidation[UnitOfWork]],
    clock: NamedDependency[SkipValidation[Clock]],
) -> None:
    """End this session: refreshing stops at once, its access tokens within 15 minutes."""
    await account.log_out(actor=actor, uow=uow, clock=clock)


@get("/me", summary="Who am I?")
async def me(
    actor: CurrentActor, identity_views: NamedDependency[SkipValidation[IdentityViews]]
) -> Data[Me]:
    """The signed-in user."""
    return Data(await account.me(actor=actor, views=identity_views))


@get("/sessions", summary="List the signed-in devices")
async def list_sessions(
    actor: CurrentActor,
    identity_views: NamedDependency[SkipValidation[IdentityViews]],
    clock: NamedDependency[SkipValidation[Clock]],
) -> Data[list[SessionSummary]]:
    """The devices that are signed in, the latest seen first."""
    return Data(await account.my_sessions(actor=actor, views=identity_views, clock=clock))


@delete("/sessions/{session_id:uuid}", summary="Sign a device out", responses=errors(NotFound))
async def end_session(
    session_id: FromPath[UUID],
    actor: CurrentActor,
    uow: NamedDependency[SkipValidation[UnitOfWork]],
    clock: NamedDependency[SkipValidation[Clock]],
) -> None:
    """Sign one device out, as `logout` does for this one."""
    await account.end_session(session_id, actor=actor, uow=uow, clock=clock)


ROUTER = Router(
    "/api/v1/auth",
    route_handlers=[register, login, refresh, log_out, me, list_sessions, end_session],
    tags=["Sign-in"],
)


def _origin_of(request: Request[Any, Any, Any]) -> Origin:
    return Origin.of(
        user_agent=request.headers.get("user-agent"),
        address=exchange_of(request.scope).client_address,
    )
