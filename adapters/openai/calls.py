"""One call, one request, and how it can fail in our words.

The SDK would repeat a request that timed out or met a 5xx; each repetition may be billed, so it is
told not to, and the whole exchange has one deadline. Error messages are not handed on: they may
quote what was asked. The SDK is slow to import, so it is imported by the first call.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from application.ports.errors import OutcomeUnknown, ProviderError, Rejected, Unavailable

if TYPE_CHECKING:
    import openai

PROVIDER: Final = "openai"
API_URL: Final = "https://api.openai.com/v1"
NEVER_SENT: Final = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout"})
GATEWAY_TIMEOUT, SERVER_ERROR, NOT_FOUND = 504, 500, 404
TRANSIENT: Final = frozenset({408, 409, 425, 429})
INVALID: Final = frozenset({400, 404, 413, 422})
POLICY: Final = frozenset(
    {"content_policy_violation", "content_filter", "moderation_blocked", "safety_violation"}
)


class OpenAiCalls:
    """A connection to one address with one key. `close()` when done."""

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str = API_URL,
        timeout_s: float = 60.0,
        http_client: Any = None,
    ) -> None:
        self._api_key = api_key
        self._base_url = base_url
        self._timeout_s = timeout_s
        self._http_client = http_client
        self._client: openai.AsyncOpenAI | None = None

    @asynccontextmanager
    async def call(self) -> AsyncIterator["openai.AsyncOpenAI"]:
        """Exactly one request may be made within. Raises Unavailable, Rejected, OutcomeUnknown."""
        import httpx2  # what the SDK speaks through; it lets errors in the middle of a body pass
        import openai

        try:
            async with asyncio.timeout(self._timeout_s):
                yield self._connected()
        except openai.APIStatusError as error:
            raise _refusal(error) from error
        except openai.APIConnectionError as error:  # time-outs are among them
            cause = type(error.__cause__).__name__
            if cause in NEVER_SENT:
                message = f"the endpoint cannot be reached ({cause})"
                raise Unavailable(message, provider=PROVIDER) from error
            raise _unanswered(cause) from error
        except openai.APIResponseValidationError as error:
            raise _unanswered("unreadable answer") from error
        except TimeoutError as error:
            raise _unanswered("deadline") from error
        except (openai.OpenAIError, httpx2.HTTPError, ValueError, TypeError) as error:
            raise _unanswered(type(error).__name__) from error

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _connected(self) -> "openai.AsyncOpenAI":
        import openai

        if self._client is None:
            self._client = openai.AsyncOpenAI(
                api_key=self._api_key,
                base_url=self._base_url,
                max_retries=0,
                timeout=self._timeout_s,
                http_client=self._http_client,
            )
        return self._client


def _refusal(error: "openai.APIStatusError") -> ProviderError:
    status = error.status_code
    if status == GATEWAY_TIMEOUT:
        return _unanswered("gateway timeout")
    if status in TRANSIENT or status >= SERVER_ERROR:
        return Unavailable(
            f"the endpoint answered {status}",
            provider=PROVIDER,
            retry_after_s=_retry_after_s(error.response.headers.get("retry-after", "")),
        )
    if error.code in POLICY:
        reason = "content_refused"
    else:
        reason = "invalid_input" if status in INVALID else f"http_{status}"
    message = f"the endpoint refused the request with {status} ({reason})"
    return Rejected(message, provider=PROVIDER, reason=reason)


def _retry_after_s(value: str) -> float | None:
    return float(value) if value.strip().isdecimal() else None


def _unanswered(how: str) -> OutcomeUnknown:
    return OutcomeUnknown(f"the request was sent and not answered ({how})", provider=PROVIDER)
