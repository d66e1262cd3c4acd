"""`Idempotency-Key`: the same request sent twice takes effect once and is answered the same.

A route opts in with `opt=idempotent()`, or `opt=idempotent(required=True)` where money moves or
paid work starts. Answers are kept for 24 hours. Not kept are those that promise nothing happened
and invite another try: 5xx, 429 and complaints about the request's form or its token.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from application.ports.clock import Clock
from application.ports.idempotency import (
    Claim,
    Claimed,
    Idempotency,
    InProgress,
    KeyReused,
    RequestKey,
    Reused,
    StoredAnswer,
)
from domain.shared.errors import Conflict, Invalid
from entrypoints.http.admission import NEEDS_ACTOR
from entrypoints.http.exchange import Exchange, exchange_of
from entrypoints.http.text import ApiRequest

log = structlog.get_logger(__name__)

POLL_S = 0.1
NOT_KEPT = {400, 401, 413, 415, 429}
_KEY = re.compile(r"[\x20-\x7e]{1,255}")
_KEPT_HEADERS = {"content-type", "location", "etag"}


class IdempotencyKeyInvalid(Invalid):
    """The key is not 1 to 255 printable ASCII characters."""

    code = "idempotency_key_invalid"

    def __init__(self) -> None:
        super().__init__(
            "Idempotency-Key must be 1 to 255 printable ASCII characters.",
            fields={"Idempotency-Key": ["must be 1 to 255 printable ASCII characters"]},
        )


class IdempotencyKeyRequired(Invalid):
    """This route moves money or starts paid work, and takes no request without a key."""

    code = "idempotency_key_required"

    def __init__(self) -> None:
        super().__init__(
            "Send an Idempotency-Key, so that repeating the request is safe.",
            fields={"Idempotency-Key": ["is required"]},
        )


class IdempotencyInProgress(Conflict):
    """The first request with this key is still being handled."""

    code = "idempotency_in_progress"
    retry_after_s = 1

    def __init__(self) -> None:
        super().__init__("The first request with this key is still under way: ask again shortly.")


def idempotent(*, required: bool = False) -> dict[str, Any]:
    """The `opt` of a route whose answers are kept."""
    return {"idempotent": True, "idempotency_required": required}


def answered_once(app: ASGIApp, *, requests: Idempotency, clock: Clock, wait_s: float) -> ASGIApp:
    """`app`, answering a repeated request with the first one's answer."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or not _applies(scope):
            await app(scope, receive, send)
            return
        header = _header(scope)
        if header is None:
            if scope["route_handler"].opt["idempotency_required"]:
                raise IdempotencyKeyRequired
            await app(scope, receive, send)
            return
        key = RequestKey(_owner(exchange_of(scope)), f"{scope['method']} {scope['path']}", header)
        request_hash = await _hash(ApiRequest(scope, receive, send))
        claim_id = uuid4()

        async def claim() -> Claim:
            return await requests.claim(
                key, request_hash=request_hash, claim_id=claim_id, now=clock.now()
            )

        match await _settled(claim, wait_s):
            case StoredAnswer() as answer:
                await _replay(answer, send)
            case Reused():
                raise KeyReused
            case InProgress():
                raise IdempotencyInProgress
            case Claimed():
                recorded = _RecordedAnswer()
                await app(scope, receive, recorded.send)
                await _keep_or_release(requests, key, claim_id, recorded.answer(), clock.now())
                for message in recorded.messages:
                    await send(message)

    return wrapped


async def _settled(claim: Callable[[], Awaitable[Claim]], wait_s: float) -> Claim:
    """The claim's outcome, once the first request is answered or `wait_s` seconds have passed."""
    deadline_s = monotonic() + wait_s
    outcome = await claim()
    while isinstance(outcome, InProgress) and monotonic() < deadline_s:
        await asyncio.sleep(POLL_S)
        outcome = await claim()
    return outcome


async def _keep_or_release(
    requests: Idempotency, key: RequestKey, claim_id: UUID, answer: StoredAnswer, now: datetime
) -> None:
    """A failure here is logged only: what the answer reports has happened, so it must be sent."""
    try:
        if answer.status >= 500 or answer.status in NOT_KEPT:
            await requests.release(key, claim_id=claim_id)
        else:
            await requests.store(key, claim_id=claim_id, answer=answer, now=now)
    except Exception:
        log.exception("answer_not_kept")


class _RecordedAnswer:
    """Holds an answer back until it is stored. A route that is cut short leaves its claim to
    expire: whether it took effect is not known.
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def send(self, message: Message) -> None:
        self.messages.append(message)

    def answer(self) -> StoredAnswer:
        status, body = 500, b""
        headers: tuple[tuple[str, str], ...] = ()
        for message in self.messages:
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = tuple(
                    (name.decode("latin-1"), value.decode("latin-1"))
                    for name, value in message["headers"]
                    if name.decode("latin-1").lower() in _KEPT_HEADERS
                )
            elif message["type"] == "http.response.body":
                body += message["body"]
        return StoredAnswer(status, headers, body)


async def _replay(answer: StoredAnswer, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    headers += [
        (b"content-length", str(len(answer.body)).encode()),
        (b"idempotent-replayed", b"true"),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


def _applies(scope: Scope) -> bool:
    opt = scope["route_handler"].opt
    if not opt.get("idempotent"):
        return False
    return not opt.get(NEEDS_ACTOR) or exchange_of(scope).actor is not None


def _header(scope: Scope) -> str | None:
    """The key as sent, or None. Raises IdempotencyKeyInvalid."""
    sent = dict(scope["headers"]).get(b"idempotency-key")
    if sent is None:
        return None
    key = sent.decode("latin-1")
    if not _KEY.fullmatch(key):
        raise IdempotencyKeyInvalid
    return key


def _owner(exchange: Exchange) -> str:
    if exchange.actor is not None:
        return f"user:{exchange.actor.user_id}"
    return f"address:{exchange.client_address}"


async def _hash(request: ApiRequest) -> bytes:
    query = request.scope["query_string"]
    return hashlib.sha256(query + b"\n" + await request.body()).digest()
