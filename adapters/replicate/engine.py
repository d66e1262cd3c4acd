"""One model at Replicate: a prediction is created once, asked for, looked for, cancelled."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Generic

import httpx
import msgspec
from replicate.client import Client
from replicate.exceptions import ReplicateError
from replicate.prediction import Prediction

from adapters.replicate.listing import Listing
from adapters.replicate.models import R, ReplicateModel
from adapters.replicate.outcomes import read
from adapters.replicate.transport import PROVIDER, SingleAttempt
from application.ports.engines import AttemptRef, EngineJob
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable

API_URL = "https://api.replicate.com"
NOT_FOUND, UNPROCESSABLE = 404, 422
CALL_BACK_AT = ["completed"]


class ReplicateEngine(Generic[R]):
    """See `application.ports.engines.Engine`."""

    provider = PROVIDER
    lists_jobs = True

    def __init__(
        self,
        served: ReplicateModel[R],
        *,
        api_token: str,
        base_url: str = API_URL,
        timeout_s: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.model = served.name
        self._served = served
        self._target: dict[str, Any] = (
            {"version": served.version} if served.version else {"model": served.name}
        )
        self._transport = SingleAttempt(
            transport or httpx.AsyncHTTPTransport(), timeout_s=timeout_s
        )
        self._client = Client(api_token, base_url=base_url, transport=self._transport)
        self._listing = Listing(
            httpx.AsyncClient(
                base_url=base_url,
                headers={"Authorization": f"Bearer {api_token}"},
                transport=self._transport,
            )
        )

    async def submit(self, request: R, attempt: AttemptRef) -> EngineJob:
        if not isinstance(request, self._served.takes):
            message = f"{self.model} does not take such a request"
            raise Rejected(message, provider=PROVIDER, reason="unsupported_request")
        try:
            created = await self._client.predictions.async_create(
                input=self._served.given(request),
                webhook=attempt.webhook_url,
                webhook_events_filter=CALL_BACK_AT,
                **self._target,
            )
            return _job(created)
        except ReplicateError as error:
            raise _rejection(error) from error
        except (ValueError, TypeError) as error:
            message = "Replicate's answer cannot be read"
            raise OutcomeUnknown(message, provider=PROVIDER) from error

    async def fetch(self, request_id: str) -> EngineJob:
        try:
            return _job(await self._client.predictions.async_get(request_id))
        except ReplicateError as error:
            raise _rejection(error) from error
        except (ValueError, TypeError) as error:
            message = "Replicate's answer cannot be read"
            raise Unavailable(message, provider=PROVIDER) from error

    async def find(
        self, request: R, attempt: AttemptRef, *, since: datetime, known: Collection[str]
    ) -> EngineJob | None:
        found = await self._listing.find(
            self._served, self._served.given(request), attempt, since=since, known=known
        )
        return None if found is None else read(msgspec.to_builtins(found))[1]

    async def cancel(self, request_id: str) -> None:
        try:
            await self._client.predictions.async_cancel(request_id)
        except ReplicateError as error:
            if error.status != NOT_FOUND:
                raise _rejection(error) from error
        except (ValueError, TypeError):
            return  # it was cancelled; only the description of it cannot be read

    async def aclose(self) -> None:
        await self._transport.aclose()


def _job(prediction: Prediction) -> EngineJob:
    return read(prediction.dict())[1]


def _rejection(error: ReplicateError) -> Rejected:
    """The status, but none of Replicate's words: they may quote an input."""
    reasons = {NOT_FOUND: "not_found", UNPROCESSABLE: "invalid_input"}
    reason = reasons.get(error.status or 0, f"http_{error.status}")
    message = f"Replicate refused the request with {error.status}"
    return Rejected(message, provider=PROVIDER, reason=reason)
