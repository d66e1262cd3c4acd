"""One call to the payout provider, and its failures in the three words of our ports.

A call that moves money and is not clearly refused may have moved it: a broken connection, a
gateway's time-out, a 500 and a key that was used for another body are all `OutcomeUnknown`.
"""

import asyncio
from typing import TypeVar

import httpx
import msgspec

from application.ports.errors import OutcomeUnknown, ProviderError, Rejected, Unavailable

PROVIDER = "flowpay"
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
AWAY = frozenset({401, 403, 425, 429, 503})
CONFLICT = 409
LONGEST_CODE = 60

T = TypeVar("T")


class _Error(msgspec.Struct):
    code: str = "refused"


class _Refusal(msgspec.Struct):
    error: _Error


class FlowPayApi:
    """Create it in the process that uses it and `aclose` it in its event loop."""

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str,
        timeout_s: float = 10.0,
        network: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=httpx.Timeout(timeout_s, connect=min(3.0, timeout_s)),
            transport=network,
            trust_env=False,
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def ask(self, path: str, answer: type[T], *, query: dict[str, str] | None = None) -> T:
        """Raises Unavailable, Rejected."""
        return await self._call("GET", path, answer, query=query, moves=False)

    async def tell(
        self,
        method: str,
        path: str,
        answer: type[T],
        *,
        body: object = None,
        key: str | None = None,
    ) -> T:
        """Raises Unavailable, Rejected, OutcomeUnknown."""
        return await self._call(method, path, answer, body=body, key=key, moves=True)

    async def _call(
        self,
        method: str,
        path: str,
        answer: type[T],
        *,
        moves: bool,
        body: object = None,
        key: str | None = None,
        query: dict[str, str] | None = None,
    ) -> T:
        headers = {"Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        content = None if body is None else msgspec.json.encode(body)
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._http.request(
                    method, path, content=content, headers=headers, params=query
                )
        except NEVER_SENT as error:
            raise _away(type(error).__name__) from None
        except (httpx.TransportError, TimeoutError) as error:
            raise _unclear(type(error).__name__, moves=moves) from None
        if response.is_success:
            try:
                return msgspec.json.decode(response.content or b"{}", type=answer)
            except msgspec.DecodeError:
                raise _unclear("an answer that makes no sense", moves=moves) from None
        raise _refusal(response, moves=moves)


def _refusal(response: httpx.Response, *, moves: bool) -> ProviderError:
    status = response.status_code
    if status in AWAY:
        return _away(f"status {status}", retry_after=response.headers.get("retry-after", ""))
    if response.is_server_error or status in (CONFLICT, 408) or response.is_redirect:
        return _unclear(f"status {status}", moves=moves)
    try:
        code = msgspec.json.decode(response.content, type=_Refusal).error.code[:LONGEST_CODE]
    except msgspec.DecodeError:
        code = f"status_{status}"
    return Rejected(f"The payout provider declined: {code}.", provider=PROVIDER, reason=code)


def _away(how: str, *, retry_after: str = "") -> Unavailable:
    seconds = float(retry_after) if retry_after.isdecimal() else None
    message = f"The payout provider cannot be reached ({how})."
    return Unavailable(message, provider=PROVIDER, retry_after_s=seconds)


def _unclear(how: str, *, moves: bool) -> ProviderError:
    if not moves:
        return _away(how)
    return OutcomeUnknown(f"The payout provider did not confirm ({how}).", provider=PROVIDER)
