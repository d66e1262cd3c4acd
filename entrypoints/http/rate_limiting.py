"""How often each address and each user may call, by group of routes.

A route names its group, `opt=limited("login", account_field="email")`; all others are in
`default`. Signed-in users are counted by user, strangers by address. Sign-in attempts count by
address *and* by the account that they try, so that neither many guesses from one place nor
guesses from many places get through. When the counters cannot be reached everything is allowed:
an outage of Redis must not be an outage of the API.
"""

import hashlib
from time import monotonic
from typing import Any

import msgspec
import structlog
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from application.ports.errors import Unavailable
from application.ports.rate_limits import Allowance, RateLimit, RateLimits
from domain.shared.errors import TooManyRequests
from entrypoints import metrics
from entrypoints.http.exchange import Exchange, exchange_of
from entrypoints.http.text import ApiRequest

log = structlog.get_logger(__name__)

GROUPS = {
    limit.name: limit
    for limit in (
        RateLimit("default", permits=600, window_s=60),
        RateLimit("login", permits=5, window_s=5 * 60),
        RateLimit("register", permits=3, window_s=60 * 60),
        RateLimit("recovery", permits=5, window_s=60 * 60),
        RateLimit("tips", permits=10, window_s=60),
        RateLimit("verify", permits=30, window_s=60),
        RateLimit("reports", permits=20, window_s=60 * 60),
    )
}
BY_ADDRESS_ONLY = {"login", "register", "recovery"}
UNLIMITED: dict[str, Any] = {"rate_limit": None}
RETRY_COUNTERS_AFTER_S = 5.0
WARN_EVERY_S = 60.0


class RateLimited(TooManyRequests):
    code = "rate_limited"


def limited(group: str, *, account_field: str | None = None) -> dict[str, Any]:
    """The `opt` of a route in `group`; `account_field` is the body's field that names an account.

    Raises KeyError for a group that does not exist.
    """
    return {"rate_limit": GROUPS[group].name, "rate_limit_account_field": account_field}


def rate_limited(app: ASGIApp, *, counters: RateLimits) -> ASGIApp:
    """`app`, refusing with a 429 whoever calls too often."""
    gate = _Gate(counters)

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        handler = scope["route_handler"]
        group = handler.opt.get("rate_limit", "default")
        if group is None or not isinstance(handler, HTTPRouteHandler):
            await app(scope, receive, send)
            return
        exchange = exchange_of(scope)
        await gate.admit(GROUPS[group], _caller(exchange, group), exchange)
        if field := handler.opt.get("rate_limit_account_field"):
            account = await _account(ApiRequest(scope, receive, send), field)
            if account is not None:
                await gate.admit(GROUPS[group], account, exchange)
        await app(scope, receive, send)

    return wrapped


class _Gate:
    def __init__(self, counters: RateLimits) -> None:
        self._counters = counters
        self._closed_until_s = 0.0
        self._warned_at_s = float("-inf")

    async def admit(self, limit: RateLimit, subject: str, exchange: Exchange) -> None:
        if monotonic() < self._closed_until_s:
            metrics.RATE_LIMITS_SKIPPED.inc()
            return
        try:
            allowance = await self._counters.take(limit, subject)
        except Unavailable as error:
            self._let_through(error)
            return
        exchange.answer_headers |= _headers(limit, allowance, exchange.answer_headers)
        if not allowance.allowed:
            raise RateLimited(
                f"At most {limit.permits} such requests in {limit.window_s} seconds.",
                retry_after_s=allowance.reset_s,
            )

    def _let_through(self, error: Unavailable) -> None:
        now_s = monotonic()
        self._closed_until_s = now_s + RETRY_COUNTERS_AFTER_S
        metrics.RATE_LIMITS_SKIPPED.inc()
        if now_s - self._warned_at_s >= WARN_EVERY_S:
            self._warned_at_s = now_s
            log.warning("rate_limits_not_counted", provider=error.provider)


def _headers(limit: RateLimit, allowance: Allowance, said: dict[str, str]) -> dict[str, str]:
    """The headers of the tighter of this allowance and one already said."""
    if "RateLimit-Remaining" in said and int(said["RateLimit-Remaining"]) < allowance.remaining:
        return {}
    return {
        "RateLimit-Limit": str(limit.permits),
        "RateLimit-Remaining": str(max(0, allowance.remaining)),
        "RateLimit-Reset": str(allowance.reset_s),
    }


def _caller(exchange: Exchange, group: str) -> str:
    if exchange.actor is not None and group not in BY_ADDRESS_ONLY:
        return f"user:{exchange.actor.user_id}"
    return f"address:{exchange.client_address}"


async def _account(request: ApiRequest, field: str) -> str | None:
    """The account that the body names, hashed: Redis keeps no personal data."""
    try:
        body = msgspec.json.decode(await request.body())
    except (ValueError, RecursionError):
        return None
    name = body.get(field) if isinstance(body, dict) else None
    if not isinstance(name, str):
        return None
    digest = hashlib.sha256(name.strip().casefold().encode()).hexdigest()
    return f"account:{digest[:32]}"
