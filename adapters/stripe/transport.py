"""HTTP for the SDK, which remembers whether a request may have taken effect.

Every POST carries an idempotency key, so a request without an answer is sent again under the same
key: the answer that then comes settles it. While none has come, a later refused connection or a
full queue (429, 503) proves nothing, and the request ends in `NoAnswer`. The SDK's own client
forgets earlier tries, and passes form bodies in a way that httpx deprecates.
"""

import asyncio
import random
from collections.abc import Mapping
from typing import Any

import httpx
import stripe

MAX_PAUSE_S = 5.0
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_UNDECIDED = frozenset({409, 500, 502, 504})
_NOT_TAKEN = frozenset({401, 429, 503})


class NothingHappened(stripe.APIConnectionError):
    """No try reached Stripe, or the request only reads."""

    def __init__(self) -> None:
        super().__init__("Stripe could not be reached.")  # type: ignore[no-untyped-call]


class NoAnswer(stripe.APIConnectionError):
    """At least one try was sent and may have been carried out."""

    def __init__(self) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            "Stripe did not say what became of the request."
        )


class Transport(stripe.HTTPClient):
    """`timeout_s` bounds each wait for the network within one try, not the tries together."""

    name = "httpx"

    def __init__(
        self,
        *,
        timeout_s: float,
        connect_timeout_s: float,
        retry_pause_s: float,
        trust_env: bool,
        network: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__()
        self._retry_pause_s = retry_pause_s
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout_s, connect=connect_timeout_s),
            trust_env=trust_env,
            transport=network,
        )

    async def request_with_retries_async(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: Any = None,
        max_network_retries: int | None = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[bytes, int, Mapping[str, str]]:
        tries = 1 + (max_network_retries or 0)
        maybe_done = False
        answer: httpx.Response | None = None
        for number in range(1, tries + 1):
            answer = None
            try:
                answer = await self._client.request(method, url, headers=headers, content=post_data)
            except NOT_SENT:
                pass
            except httpx.HTTPError:
                maybe_done = True
            else:
                maybe_done = maybe_done or answer.status_code in _UNDECIDED
                if not _worth_another_try(answer):
                    break
            if number < tries:
                await asyncio.sleep(self._pause_s(number))
        if method != "get" and maybe_done and not _settles(answer):
            raise NoAnswer
        if answer is None:
            raise NothingHappened
        return answer.content, answer.status_code, answer.headers

    async def close_async(self) -> None:
        await self._client.aclose()

    def _pause_s(self, tries_made: int) -> float:
        """Doubling, with jitter, so that many callers do not come back together."""
        longest_s = min(self._retry_pause_s * 2.0 ** (tries_made - 1), MAX_PAUSE_S)
        return longest_s * random.uniform(0.5, 1.0)  # noqa: S311


def _worth_another_try(answer: httpx.Response) -> bool:
    """429 is left to the caller, who waits longer than a request may."""
    advice = answer.headers.get("stripe-should-retry")
    if advice in ("true", "false"):
        return bool(advice == "true")
    return answer.status_code == 409 or answer.status_code >= 500


def _settles(answer: httpx.Response | None) -> bool:
    """Under the same key, a success or refusal is also the answer to the tries before it."""
    if answer is None:
        return False
    return answer.status_code not in _UNDECIDED | _NOT_TAKEN and answer.status_code < 500
