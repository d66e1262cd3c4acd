"""One person at the API: signs up, stays signed in, asks, and waits for what takes time."""

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx

PASSWORD = "a demo needs no secret phrase"  # noqa: S105 - everybody may know it
WAIT_S = 60.0


class StoryStopped(Exception):
    """The API answered something that the story did not expect."""


class Refused(Exception):
    """An expected refusal: status and the error of the envelope."""

    def __init__(self, status: int, error: dict[str, Any]) -> None:
        super().__init__(f"{status} {error.get('code')}")
        self.status = status
        self.error = error


class Person:
    """Signs up when made; with an `email`, signs in to the account that there is."""

    def __init__(self, http: httpx.Client, name: str, *roles: str, email: str = "") -> None:
        self._http = http
        self.name = name
        known = bool(email)
        self._email = email or address_for(name)
        account: dict[str, Any] = {"email": self._email, "password": PASSWORD}
        if not known:
            account.update(display_name=name, roles=list(roles))
        self._sign(self._send("POST", "/auth/login" if known else "/auth/register", json=account))

    @property
    def access_token(self) -> str:
        return str(self._access)

    @property
    def live_url(self) -> str:
        """Of the WebSocket."""
        return str(self._http.base_url.copy_with(scheme="ws", path="/api/v1/live"))

    def get(self, path: str, **query: Any) -> Any:
        return self._signed("GET", path, params=query)

    def put(self, path: str) -> Any:
        return self._signed("PUT", path)

    def post(self, path: str, body: object = None, **options: Any) -> Any:
        headers = {"Idempotency-Key": str(uuid4())}
        if body is not None:
            options["json"] = body
        return self._signed("POST", path, headers=headers, **options)

    def wait(self, path: str, until: Callable[[Any], bool], *, what: str) -> Any:
        """Ask again and again until the answer fits. Raises StoryStopped after a minute."""
        deadline = time.monotonic() + WAIT_S
        while True:
            answer = self.get(path)
            if until(answer):
                return answer
            if isinstance(answer, dict) and answer.get("status") == "failed":
                raise StoryStopped(f"{what} failed: {answer.get('error')}")
            if time.monotonic() > deadline:
                raise StoryStopped(f"{what} took longer than {WAIT_S:.0f} s")
            time.sleep(0.1)

    def _signed(self, method: str, path: str, **options: Any) -> Any:
        headers = options.pop("headers", {})
        for again in (True, False):
            try:
                return self._send(
                    method,
                    path,
                    headers={**headers, "Authorization": f"Bearer {self._access}"},
                    **options,
                )
            except Refused as refused:
                if refused.status != 401 or not again:
                    raise
                self._refresh()
        raise AssertionError

    def _refresh(self) -> None:
        """Time passes in this story, and access tokens live for minutes."""
        self._sign(self._send("POST", "/auth/refresh", json={"refresh_token": self._refresh_token}))

    def _sign(self, answer: dict[str, Any]) -> None:
        self._access = answer["access_token"]
        self._refresh_token = answer["refresh_token"]

    def _send(self, method: str, path: str, **options: Any) -> Any:
        answer = self._http.request(method, f"/api/v1{path}", **options)
        if answer.is_success:
            return answer.json()["data"] if answer.content else None
        try:
            error = answer.json()["error"]
        except (ValueError, KeyError) as bare:
            raise StoryStopped(f"{method} {path} answered {answer.status_code}") from bare
        raise Refused(answer.status_code, error)


def address_for(name: str) -> str:
    """An e-mail address that nobody has."""
    return f"{name.lower().replace(' ', '-')}-{uuid4().hex[:10]}@example.com"


def browser() -> httpx.Client:
    """What a person clicks with on the pages of the payment provider."""
    return httpx.Client(timeout=30, follow_redirects=False, trust_env=False)


def click(with_browser: httpx.Client, url: str, form: dict[str, str], *, expected: int) -> None:
    """Send the form of a page. Raises StoryStopped."""
    answer = with_browser.post(url, data=form)
    if answer.status_code != expected:
        raise StoryStopped(f"the page at {url} answered {answer.status_code}")
