"""The outermost layer, around every request, found or not.

It gives the request its id, measures and logs it, and sets the headers that belong on every
answer. The log line names the route's template, never the address that was asked for.
"""

import re
from collections.abc import Callable
from time import perf_counter

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils import uuid4

from application.messaging import correlation
from entrypoints import metrics
from entrypoints.http.exchange import Exchange, open_exchange
from entrypoints.http.network import TrustedProxies
from entrypoints.http.settings import HttpSettings

log = structlog.get_logger(__name__)

_SANE_ID = re.compile(rb"[A-Za-z0-9._-]{8,100}")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


def security_headers(settings: HttpSettings) -> dict[str, str]:
    """Set on every answer that does not bring its own, as a page with scripts does its CSP."""
    headers = {
        "content-security-policy": API_POLICY,
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "cross-origin-opener-policy": "same-origin",
    }
    if settings.production:
        headers["strict-transport-security"] = "max-age=63072000; includeSubDomains"
    return headers


def at_the_edge(app: ASGIApp, settings: HttpSettings) -> ASGIApp:
    """`app`, with an id, a log line, metrics and security headers for every request."""
    proxies = TrustedProxies(settings.trusted_proxies)
    fixed = [(k.encode(), v.encode()) for k, v in security_headers(settings).items()]

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await app(scope, receive, send)
            return
        exchange = _exchange_for(scope, proxies)
        open_exchange(scope, exchange)
        correlation.request_id.set(exchange.request_id)
        correlation.client_address.set(exchange.client_address)
        if scope["type"] == ScopeType.HTTP:
            await _observe(app, scope, receive, send, exchange, fixed)
        else:
            await app(scope, receive, send)

    return wrapped


async def _observe(
    app: ASGIApp,
    scope: Scope,
    receive: Receive,
    send: Send,
    exchange: Exchange,
    fixed: list[tuple[bytes, bytes]],
) -> None:
    status = 500
    started = perf_counter()

    async def send_with_headers(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            message["headers"] = _completed(list(message["headers"]), exchange, fixed)
        await send(message)

    metrics.HTTP_IN_PROGRESS.inc()
    try:
        await app(scope, receive, send_with_headers)
    finally:
        metrics.HTTP_IN_PROGRESS.dec()
        _record(scope, exchange, status, perf_counter() - started)


def _completed(
    headers: list[tuple[bytes, bytes]], exchange: Exchange, fixed: list[tuple[bytes, bytes]]
) -> list[tuple[bytes, bytes]]:
    present = {name.lower() for name, _ in headers}
    headers += [header for header in fixed if header[0] not in present]
    if exchange.answer_headers:
        headers += [(k.lower().encode(), v.encode()) for k, v in exchange.answer_headers.items()]
    headers.append((b"x-request-id", exchange.request_id.encode()))
    return headers


def _record(scope: Scope, exchange: Exchange, status: int, duration_s: float) -> None:
    asked = str(scope.get("method", ""))
    method = asked if asked in _METHODS else "OTHER"
    route = str(scope.get("path_template") or "unmatched")
    metrics.record_request(method, route, status, duration_s)
    level: Callable[..., None] = log.warning if status >= 500 else log.info
    level(
        "request",
        method=method,
        route=route,
        status=status,
        duration_ms=round(duration_s * 1000, 1),
        user_id=str(exchange.actor.user_id) if exchange.actor else None,
    )


def _exchange_for(scope: Scope, proxies: TrustedProxies) -> Exchange:
    sent, forwarded = b"", b""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            sent = value
        elif name == b"x-forwarded-for":
            forwarded = forwarded + b"," + value if forwarded else value
    request_id = sent.decode() if _SANE_ID.fullmatch(sent) else str(uuid4())
    client = scope.get("client")
    address = proxies.client_address(client[0] if client else None, forwarded.decode("latin-1"))
    return Exchange(request_id=request_id, client_address=address)
