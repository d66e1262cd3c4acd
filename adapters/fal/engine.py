"""One app at fal, through its queue: submit once, ask for the status, fetch the result, cancel.

Submitting is one plain POST of ours. For the rest the SDK's request handle is used, over the same
single-attempt client, with URLs of our own making rather than those that the server names.
"""

import re
from collections.abc import Collection
from datetime import datetime
from typing import Any, Generic

import httpx
from fal_client.client import (
    AsyncRequestHandle,
    Completed,
    FalClientHTTPError,
    InProgress,
    Status,
)

from adapters.fal.models import FalModel, R
from adapters.fal.outcomes import BY_PROBLEM, ended_badly, ended_well, first_problem
from adapters.fal.transport import PROVIDER, SingleAttempt
from application.ports.engines import AttemptRef, EngineJob
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable

QUEUE_URL = "https://queue.fal.run"
SUBMIT_HEADERS = {
    "X-Fal-No-Retry": "1",  # fal's own repetitions are hidden from us, so we make them ourselves
    "X-Fal-Store-IO": "0",  # prompts and results are not kept in fal's history
    # What it made, trained weights among it, is brought home at once, and erased there in a day.
    "X-Fal-Object-Lifecycle-Preference": '{"expiration_duration_seconds": 86400}',
}
BILLED = "x-fal-billable-units"
NOT_STARTED_YET = 0
BARELY_STARTED = 5
NEARLY_DONE = 99
PERCENTAGE = re.compile(r"(\d{1,3})%")
OK, BAD_REQUEST, UNPROCESSABLE, NOT_FOUND = 200, 400, 422, 404


class FalEngine(Generic[R]):
    """See `application.ports.engines.Engine`. fal knows a request by the app's owner and alias
    and its own id."""

    provider = PROVIDER
    lists_jobs = False
    """fal's list of requests shows what has ended and says neither for which webhook nor, as we ask
    it to keep no prompts, from which input. Its webhook names our attempt, for two hours if need
    be (https://fal.ai/docs/platform-apis/v1/models/requests/by-endpoint, …/model-apis/webhooks)."""

    def __init__(
        self,
        served: FalModel[R],
        *,
        api_key: str,
        base_url: str = QUEUE_URL,
        timeout_s: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        app = served.app
        self.model = app
        self._served = served
        self._submit_url = f"{base_url.rstrip('/')}/{app}"
        self._requests_url = f"{base_url.rstrip('/')}/{'/'.join(app.split('/')[:2])}/requests"
        self._http = httpx.AsyncClient(
            transport=SingleAttempt(transport or httpx.AsyncHTTPTransport(), timeout_s=timeout_s),
            headers={"Authorization": f"Key {api_key}"},
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def submit(self, request: R, attempt: AttemptRef) -> EngineJob:
        """Exactly one POST."""
        if not isinstance(request, self._served.takes):
            message = f"{self.model} does not take such a request"
            raise Rejected(message, provider=PROVIDER, reason="unsupported_request")
        response = await self._http.post(
            self._submit_url,
            params={"fal_webhook": attempt.webhook_url},
            json=self._served.arguments(request),
            headers=SUBMIT_HEADERS,
        )
        if response.is_error:
            raise _rejection(response)
        try:
            request_id = str(response.json()["request_id"])
        except (ValueError, KeyError, TypeError) as error:
            raise OutcomeUnknown("fal's answer cannot be read", provider=PROVIDER) from error
        return EngineJob(request_id=request_id, status="queued", progress=NOT_STARTED_YET)

    async def fetch(self, request_id: str) -> EngineJob:
        handle = self._handle(request_id)
        try:
            status = await handle.status(with_logs=True)
        except FalClientHTTPError as error:
            raise _rejection(error.response) from error
        except (ValueError, KeyError, TypeError) as error:
            raise Unavailable("fal's status cannot be read", provider=PROVIDER) from error
        if not isinstance(status, Completed):
            return _under_way(request_id, status)
        if status.error is None and status.error_type is None:
            return await self._result(handle, status)
        return await self._explanation(handle, status.error_type)

    async def find(
        self, request: R, attempt: AttemptRef, *, since: datetime, known: Collection[str]
    ) -> EngineJob | None:
        raise OutcomeUnknown("fal's list does not tell whose a request is", provider=PROVIDER)

    async def cancel(self, request_id: str) -> None:
        """What has ended already (400), or is not known (404), is left as it is."""
        try:
            await self._handle(request_id).cancel()
        except FalClientHTTPError as error:
            if error.status_code not in (BAD_REQUEST, NOT_FOUND):
                raise _rejection(error.response) from error

    def _handle(self, request_id: str) -> AsyncRequestHandle:
        url = f"{self._requests_url}/{request_id}"
        return AsyncRequestHandle(
            request_id=request_id,
            response_url=url,
            status_url=f"{url}/status",
            cancel_url=f"{url}/cancel",
            client=self._http,
        )

    async def _result(self, handle: AsyncRequestHandle, status: Completed) -> EngineJob:
        response = await self._http.get(handle.response_url)
        body = _json(response)
        if response.status_code == OK:
            units = _units(response, status.metrics)
            return ended_well(handle.request_id, body, billed_units=units)
        return ended_badly(handle.request_id, body)

    async def _explanation(self, handle: AsyncRequestHandle, error_type: str | None) -> EngineJob:
        """The status says only that it failed; the result, where it can be had, says why."""
        try:
            response = await self._http.get(handle.response_url)
        except Unavailable:
            return ended_badly(handle.request_id, None, error_type=error_type)
        return ended_badly(handle.request_id, _json(response), error_type=error_type)


def _under_way(request_id: str, status: Status) -> EngineJob:
    if not isinstance(status, InProgress):
        return EngineJob(request_id=request_id, status="queued", progress=NOT_STARTED_YET)
    lines = [str(line.get("message", "")) for line in status.logs or ()]
    found = next((hits for line in reversed(lines) if (hits := PERCENTAGE.findall(line))), None)
    progress = int(found[-1]) if found else BARELY_STARTED
    return EngineJob(
        request_id=request_id,
        status="running",
        progress=max(BARELY_STARTED, min(progress, NEARLY_DONE)),
    )


def _units(response: httpx.Response, metrics: dict[str, Any] | None) -> float | None:
    """What fal says that it bills, or the seconds of its machine."""
    told = response.headers.get(BILLED, (metrics or {}).get("inference_time"))
    try:
        return float(told)
    except (TypeError, ValueError):
        return None


def _rejection(response: httpx.Response) -> Rejected:
    """Which kind of problem it was, in our words: those of fal may quote a prompt or a URL."""
    body = _json(response)
    problem = first_problem(body) if isinstance(body, dict) else None
    if response.status_code == NOT_FOUND:
        reason = "not_found"
    elif problem is not None:
        reason = BY_PROBLEM[problem].code if problem in BY_PROBLEM else "invalid_input"
    elif response.status_code in (BAD_REQUEST, UNPROCESSABLE):
        reason = "invalid_input"
    else:
        reason = f"http_{response.status_code}"
    message = f"fal refused the request with {response.status_code} ({reason})"
    return Rejected(message, provider=PROVIDER, reason=reason)


def _json(response: httpx.Response) -> object:
    try:
        return response.json()
    except ValueError:
        return None
