"""One call, one request: the HTTP transport under everything that is said to fal.

fal's SDK repeats POSTs up to ten times on 408, 409, 429, 502-504 and on any network fault, and fal
keeps no idempotency keys: each repetition is another billed job. It can repeat only what it sees
fail, so this transport turns those failures into our own errors, which pass through its loop.
It also reads the body, for a connection may break there, and sets the deadline of the whole
exchange, for the SDK asks for two minutes when it polls.
"""

import asyncio

import httpx

from application.ports.errors import OutcomeUnknown, ProviderError, Unavailable

PROVIDER = "fal"
CONNECT_TIMEOUT_S = 5.0
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
GATEWAY_TIMEOUT = 504
TRANSIENT = frozenset({408, 409, 425, 429})


class SingleAttempt(httpx.AsyncBaseTransport):
    """Raises Unavailable when nothing was started, and OutcomeUnknown when a POST went out and no
    usable answer came back. Every other answer, 4xx included, is handed up."""

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
                f"fal cannot be reached ({_kind(error)})", provider=PROVIDER
            ) from error
        except (httpx.TransportError, TimeoutError) as error:
            raise _unanswered(request, _kind(error)) from error
        if response.status_code == GATEWAY_TIMEOUT:
            raise _unanswered(request, "gateway timeout")
        if response.status_code in TRANSIENT or response.is_server_error:
            raise Unavailable(
                f"fal answered {response.status_code}",
                provider=PROVIDER,
                retry_after_s=retry_after_s(response),
            )
        return response

    async def aclose(self) -> None:
        await self._wrapped.aclose()


def retry_after_s(response: httpx.Response) -> float | None:
    """The Retry-After header when it counts seconds."""
    value = response.headers.get("retry-after", "").strip()
    return float(value) if value.isdecimal() else None


def _unanswered(request: httpx.Request, how: str) -> ProviderError:
    """Only a POST starts something; anything else may be asked again."""
    if request.method == "POST":
        return OutcomeUnknown(f"fal took the job but did not confirm it ({how})", provider=PROVIDER)
    return Unavailable(f"fal did not answer ({how})", provider=PROVIDER)


def _kind(error: BaseException) -> str:
    return type(error).__name__
