"""The `BankLinks` port over Plaid: a link to open, and a processor's token for what came of it.

The access token that Plaid gives in between opens the person's account: it is used once, here, and
kept nowhere.
"""

import asyncio
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import httpx
import msgspec

from application.ports.errors import Rejected, Unavailable
from application.ports.payouts import LinkToken

PROVIDER = "plaid"
API_URL = "https://production.plaid.com"
OURS_TO_MEND = frozenset({"INVALID_API_KEYS", "UNAUTHORIZED_ENVIRONMENT"})
AWAY = frozenset({"API_ERROR", "RATE_LIMIT_EXCEEDED"})

T = TypeVar("T")


class _Link(msgspec.Struct):
    link_token: str
    expiration: datetime


class _Access(msgspec.Struct):
    access_token: str


class _Processor(msgspec.Struct):
    processor_token: str


class _Refusal(msgspec.Struct):
    error_type: str = ""
    error_code: str = "refused"


class PlaidLinks:
    """See `application.ports.payouts.BankLinks`. Nothing that it does moves money."""

    def __init__(
        self,
        *,
        client_id: str,
        secret: str,
        base_url: str = API_URL,
        processor: str = "flowpay",
        client_name: str = "Likeness",
        timeout_s: float = 10.0,
        network: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._processor = processor
        self._client_name = client_name
        self._timeout_s = timeout_s
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers={"PLAID-CLIENT-ID": client_id, "PLAID-SECRET": secret},
            timeout=timeout_s,
            transport=network,
            trust_env=False,
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def start(self, *, payee_id: UUID) -> LinkToken:
        made = await self._call(
            "/link/token/create",
            {
                "client_name": self._client_name,
                "language": "en",
                "country_codes": ["US"],
                "user": {"client_user_id": str(payee_id)},
                "products": ["auth"],
            },
            _Link,
        )
        return LinkToken(link_token=made.link_token, expires_at=made.expiration)

    async def processor_token(self, *, public_token: str, account_id: str) -> str:
        exchange = {"public_token": public_token}
        access = await self._call("/item/public_token/exchange", exchange, _Access)
        made = await self._call(
            "/processor/token/create",
            {
                "access_token": access.access_token,
                "account_id": account_id,
                "processor": self._processor,
            },
            _Processor,
        )
        return made.processor_token

    async def check(self) -> None:
        """A link for nobody: the cheapest question that needs valid keys."""
        await self.start(payee_id=UUID(int=0))

    async def _call(self, path: str, body: object, answer: type[T]) -> T:
        """Raises Unavailable, Rejected."""
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._http.post(
                    path,
                    content=msgspec.json.encode(body),
                    headers={"Content-Type": "application/json"},
                )
        except (httpx.TransportError, TimeoutError) as error:
            raise _away(type(error).__name__) from None
        try:
            if response.is_success:
                return msgspec.json.decode(response.content, type=answer)
            refusal = msgspec.json.decode(response.content, type=_Refusal)
        except msgspec.DecodeError:
            raise _away(f"status {response.status_code}") from None
        if (
            response.is_server_error
            or refusal.error_type in AWAY
            or refusal.error_code in OURS_TO_MEND
        ):
            raise _away(refusal.error_code)
        raise Rejected(
            f"Plaid declined: {refusal.error_code}.", provider=PROVIDER, reason=refusal.error_code
        )


def _away(how: str) -> Unavailable:
    return Unavailable(f"Plaid cannot be reached ({how}).", provider=PROVIDER)
