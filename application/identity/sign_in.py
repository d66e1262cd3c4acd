"""Signing in and staying signed in.

A wrong address and a wrong password get one answer after the same work, so that nobody learns who
has an account. Whoever signs in gets an access token for a quarter of an hour and a refresh token
for 30 days; each refresh replaces both. Ending a session stops its refreshes at once, while an
access token already issued lives out its minutes: no request asks the database whose it is.
"""

from typing import Annotated

import msgspec

from application.identity.confidential import Confidential
from application.ports.clock import Clock
from application.ports.identity import PasswordHasher, UserSummary
from application.ports.ids import Ids
from application.ports.secrets import Secrets
from application.ports.tokens import AccessTokens
from application.ports.unit_of_work import UnitOfWork
from domain.identity import email as email_rules
from domain.identity import password as password_rules
from domain.identity.actor import Actor
from domain.identity.email import InvalidEmail, normalised_email
from domain.identity.password import normalised_password
from domain.identity.session import (
    Origin,
    RefreshTokenInvalid,
    RefreshTokenReused,
    Session,
    digest,
)
from domain.identity.user import User
from domain.shared.errors import Unauthenticated


class Login(Confidential, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: Annotated[str, msgspec.Meta(min_length=1, max_length=email_rules.MAX_LENGTH)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=password_rules.MAX_LENGTH)]


class Refresh(Confidential, frozen=True, kw_only=True, forbid_unknown_fields=True):
    refresh_token: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class SignedIn(Confidential, frozen=True, kw_only=True):
    """`expires_in` is the access token's lifetime in seconds."""

    user: UserSummary
    access_token: str
    refresh_token: str
    expires_in: int


class InvalidCredentials(Unauthenticated):
    """The address or the password is wrong; which one is not said."""

    code = "invalid_credentials"

    def __init__(self) -> None:
        super().__init__("The email address or the password is wrong.")


async def login(
    command: Login,
    *,
    origin: Origin,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
    secrets: Secrets,
    hasher: PasswordHasher,
    tokens: AccessTokens,
) -> SignedIn:
    """Start a session. Raises InvalidCredentials, or HashingBusy.

    The password is checked between two transactions, for it takes long; the second makes sure
    that it is still the user's.
    """
    password = normalised_password(command.password)
    async with uow:
        found = await _user_by_email(command.email, uow=uow)
    known_hash = found.password_hash if found else None
    if not await hasher.verify(password, known_hash) or found is None or known_hash is None:
        raise InvalidCredentials
    better_hash = await hasher.hash(password) if hasher.needs_rehash(known_hash) else known_hash
    async with uow:
        user = await uow.users.get(found.id, lock=True)
        if user.password_hash != known_hash:
            raise InvalidCredentials
        user.password_hash = better_hash
        signed_in = start_session(
            user, origin=origin, uow=uow, clock=clock, ids=ids, secrets=secrets, tokens=tokens
        )
        await uow.commit()
    return signed_in


async def refresh(
    command: Refresh,
    *,
    origin: Origin,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
    secrets: Secrets,
    tokens: AccessTokens,
) -> SignedIn:
    """Exchange a refresh token for new tokens, with the roles that the user has now.

    Raises RefreshTokenInvalid, or RefreshTokenReused, which ends the session for everybody.
    """
    async with uow:
        found = await uow.sessions.by_refresh_token(digest(command.refresh_token))
        if found is None:
            raise RefreshTokenInvalid
        session, token = found
        try:
            session.spend(token, origin=origin, now=clock.now())
        except RefreshTokenReused:
            await uow.commit()
            raise
        user = await uow.users.get(session.user_id)
        signed_in = _issue(
            user, session, uow=uow, clock=clock, ids=ids, secrets=secrets, tokens=tokens
        )
        await uow.commit()
    return signed_in


def start_session(
    user: User,
    *,
    origin: Origin,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
    secrets: Secrets,
    tokens: AccessTokens,
) -> SignedIn:
    """A session for a user who has just proved who they are; the caller commits."""
    session = Session.start(session_id=ids.new(), user_id=user.id, origin=origin, now=clock.now())
    uow.sessions.add(session)
    return _issue(user, session, uow=uow, clock=clock, ids=ids, secrets=secrets, tokens=tokens)


def _issue(
    user: User,
    session: Session,
    *,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
    secrets: Secrets,
    tokens: AccessTokens,
) -> SignedIn:
    refresh_token = secrets.token()
    now = clock.now()
    uow.sessions.add_token(session.issue(refresh_token, token_id=ids.new(), now=now))
    actor = Actor(user_id=user.id, roles=user.roles, session_id=session.id)
    access_token, expires_in_s = tokens.issue(actor, now=now)
    return SignedIn(
        user=UserSummary(
            id=user.id,
            email=user.email,
            display_name=user.display_name,
            roles=sorted(user.roles),
        ),
        access_token=access_token,
        refresh_token=refresh_token,
        expires_in=expires_in_s,
    )


async def _user_by_email(raw: str, *, uow: UnitOfWork) -> User | None:
    try:
        email = normalised_email(raw)
    except InvalidEmail:
        email = ""
    return await uow.users.by_email(email)
