"""Who is asking: `Authorization: Bearer <access token>`.

A handler that takes `actor: CurrentActor` is for signed-in users only, one that takes
`visitor: Visitor` serves both, and one that takes neither never looks at the token.
"""

import structlog
from litestar.types import ASGIApp, Receive, Scope, Send

from application.ports.clock import Clock
from application.ports.tokens import AccessTokens
from domain.identity.actor import Actor
from domain.shared.errors import Unauthenticated
from entrypoints.http.exchange import Exchange, exchange_of


class SignInRequired(Unauthenticated):
    """Sign in first."""

    code = "unauthenticated"

    def __init__(self) -> None:
        super().__init__("Sign in, and send the access token as a bearer token.")


def identified(app: ASGIApp, *, tokens: AccessTokens, clock: Clock) -> ASGIApp:
    """`app`, knowing the actor whose token was sent, or why the token does not count."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        exchange = exchange_of(scope)
        if token := bearer_token(scope):
            try:
                exchange.actor = tokens.verify(token, now=clock.now())
            except Unauthenticated as refusal:
                exchange.refusal = refusal
        if exchange.actor is None:
            await app(scope, receive, send)
            return
        with structlog.contextvars.bound_contextvars(user_id=str(exchange.actor.user_id)):
            await app(scope, receive, send)

    return wrapped


def bearer_token(scope: Scope) -> str | None:
    sent = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    scheme, _, token = sent.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def actor_of(exchange: Exchange) -> Actor:
    """The signed-in actor. Raises Unauthenticated."""
    if exchange.actor is None:
        raise exchange.refusal or SignInRequired
    return exchange.actor


def visitor_of(exchange: Exchange) -> Actor | None:
    """The actor, or None for a stranger. Raises Unauthenticated for a token that does not count:
    its owner believes to be signed in.
    """
    if exchange.refusal is not None:
        raise exchange.refusal
    return exchange.actor
