"""A network that answers from a script: one entry per try."""

import json
from collections.abc import Iterable
from typing import Any

import httpx

from adapters.stripe.client import StripeApi

Step = httpx.Response | Exception


class Script(httpx.AsyncBaseTransport):
    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = list(steps)
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self._steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    @property
    def keys(self) -> set[str | None]:
        return {request.headers.get("idempotency-key") for request in self.requests}


def ok(**body: Any) -> httpx.Response:
    return httpx.Response(200, json={"object": "transfer", "id": "tr_1", **body})


def refusal(
    status: int,
    *,
    code: str | None = None,
    kind: str = "invalid_request_error",
    message: str = "No.",
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    error = {"type": kind, "message": message} | ({"code": code} if code else {})
    return httpx.Response(
        status,
        content=json.dumps({"error": error}),
        headers={"content-type": "application/json", "request-id": "req_1", **(headers or {})},
    )


def api_over(script: Script, *, retries: int = 2) -> StripeApi:
    return StripeApi(
        secret_key="sk_test_scripted",
        base_url="http://stripe.test",
        retries=retries,
        retry_pause_s=0.0,
        network=script,
    )
