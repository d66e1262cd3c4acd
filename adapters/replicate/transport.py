"""One call, one request: the HTTP transport under Replicate's SDK.

Four traps of the SDK (1.0.7) end here. It repeats GETs up to ten times, sleeping as long as
Retry-After asks; it drops that header from its errors; it sends creations with no timeout at all;
and a job with the status `aborted` makes it raise a validation error.
"""

import asyncio

import httpx
import msgspec

from application.ports.errors import OutcomeUnknown, ProviderError, Unavailable

PROVIDER = "replicate"
CONNECT_TIMEOUT_S = 5.0
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
GATEWAY_TIMEOUT, TOO_MANY = 504, 429
TRANSIENT = frozenset({408, 409, 425, TOO_MANY})
THROTTLED_FOR_S = 30.0


class SingleAttempt(httpx.AsyncBaseTransport):
    """Raises Unavailable when nothing was started, and OutcomeUnknown when a creation went out and
    no usable answer came back. Every other answer, 4xx included, is handed up."""

    def __init__(self, wrapped: httpx.AsyncBaseTransport, *, timeout_s: float) -> None:
        self._wrapped = wrapped
        self._timeout_s = timeout_s

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        limits = httpx.Timeout(self._timeout_s, connect=min(CONNECT_TIMEOUT_S, self._timeout_s))
        request.extensions["timeout"] = limits.as_dict()
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._wrapped.handle_async_request(request)
                await response.aread()
        except NEVER_SENT as error:
            raise Unavailable(
                f"Replicate cannot be reached ({type(error).__name__})", provider=PROVIDER
            ) from error
        except (httpx.TransportError, TimeoutError) as error:
            raise _unanswered(request, type(error).__name__) from error
        if response.status_code == GATEWAY_TIMEOUT:
            raise _unanswered(request, "gateway timeout")
        if response.status_code in TRANSIENT or response.is_server_error:
            raise Unavailable(
                f"Replicate answered {response.status_code}",
                provider=PROVIDER,
                retry_after_s=_retry_after_s(response),
            )
        return _without_aborted(response)

    async def aclose(self) -> None:
        await self._wrapped.aclose()


def _retry_after_s(response: httpx.Response) -> float | None:
    value = response.headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    return THROTTLED_FOR_S if response.status_code == TOO_MANY else None


def _unanswered(request: httpx.Request, how: str) -> ProviderError:
    """A creation may have begun; a cancellation or a question may be sent again."""
    if request.method == "POST" and not request.url.path.endswith("/cancel"):
        return OutcomeUnknown(
            f"Replicate took the job but did not confirm it ({how})", provider=PROVIDER
        )
    return Unavailable(f"Replicate did not answer ({how})", provider=PROVIDER)


def _without_aborted(response: httpx.Response) -> httpx.Response:
    """`aborted` is cancelled before it began; the SDK knows only `canceled`, so it is told that."""
    if b'"aborted"' not in response.content:
        return response
    try:
        body = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        return response
    if not isinstance(body, dict) or body.get("status") != "aborted":
        return response
    return httpx.Response(response.status_code, json={**body, "status": "canceled"})
