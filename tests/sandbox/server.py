"""The sandbox as a process of its own, a receiver for what it sends, and short ways to use both."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import stripe
from stripe._base_address import BaseAddresses

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 20.0
STRIPE_KEY = "sk_test_sandbox"
# httpx deprecates how the SDK hands it the body; under `error` every POST would fail.
SDK_WARNING = "ignore:Use 'content=.*:DeprecationWarning"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox. `http` follows no redirects, as a test wants to see them."""

    url: str
    http: httpx.Client

    @property
    def stripe_url(self) -> str:
        return f"{self.url}/stripe"

    def control(self, path: str, **body: Any) -> Any:
        """POST to `/control/<path>`; answers the decoded JSON."""
        answer = self.http.post(f"{self.url}/control/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    def state(self) -> Any:
        return self.http.get(f"{self.url}/control/state").json()

    def advance(self, *, days: int) -> None:
        self.control("clock", advance_seconds=days * 24 * 3600)

    def drain(self) -> Any:
        return self.control("drain")


@contextmanager
def running_sandbox(*options: str) -> Iterator[Sandbox]:
    """Start `python -m entrypoints.sandbox` on a free port, with options such as `--fal-key x`."""
    command = [sys.executable, "-m", "entrypoints.sandbox", "--port", "0", *options]
    with (
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process,
        httpx.Client(trust_env=False, timeout=60) as http,
    ):
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            _wait_until_ready(http, url)
            yield Sandbox(url, http)
        finally:
            process.terminate()


def _wait_until_ready(http: httpx.Client, url: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            http.get(f"{url}/control/health").raise_for_status()
        except httpx.TransportError:
            assert time.monotonic() < deadline, "the sandbox did not start"
            time.sleep(0.02)
        else:
            return


@contextmanager
def stripe_client(
    sandbox: Sandbox, *, key: str = STRIPE_KEY, retries: int = 0, timeout_s: float = 10
) -> Iterator[stripe.StripeClient]:
    """The real SDK, pointed at the sandbox. Its asynchronous half must not be used."""
    stripe.enable_telemetry = False
    http = stripe.HTTPXClient(timeout=timeout_s, allow_sync_methods=True)
    yield stripe.StripeClient(
        key,
        max_network_retries=retries,
        base_addresses=addresses(sandbox),
        http_client=http,
    )
    http.close()  # type: ignore[no-untyped-call]


def addresses(sandbox: Sandbox) -> BaseAddresses:
    url = sandbox.stripe_url
    return {"api": url, "connect": url, "files": url, "meter_events": url}


@dataclass(frozen=True, slots=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """An endpoint for webhooks that remembers them; it refuses the first `refusals` of them."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.refusals = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                refused = receiver.refusals > 0
                receiver.refusals -= refused
                if not refused:
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    receiver.received.append(Received(self.path, headers, body))
                self.send_response(500 if refused else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing: what arrived is in `received`."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> "Receiver":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
