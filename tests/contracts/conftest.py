"""The sandbox as a process of its own, so that real SDKs speak to it over real sockets."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
ANNOUNCEMENT = "sandbox listening on "
STARTS_WITHIN_S = 20.0


class Sandbox:
    """`url` is its origin; each provider lives under its own path."""

    def __init__(self, url: str) -> None:
        self.url = url

    def control(self, what: str, **settings: Any) -> Any:
        """POST to `/control/{what}`: reset, drain, failures, webhooks, clock."""
        answer = httpx.post(f"{self.url}/control/{what}", json=settings, timeout=60)
        return answer.raise_for_status().json()

    def state(self) -> Any:
        answer = httpx.get(f"{self.url}/control/state", timeout=10)
        return answer.raise_for_status().json()


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Sandbox]:
    command = [sys.executable, "-m", "entrypoints.sandbox", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith(ANNOUNCEMENT), "the sandbox did not start"
            sandbox = Sandbox(line.removeprefix(ANNOUNCEMENT).strip())
            _wait_until_it_answers(sandbox)
            yield sandbox
        finally:
            process.terminate()


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    """The sandbox, with nothing left of the test before."""
    sandbox_process.control("reset")
    return sandbox_process


def _wait_until_it_answers(sandbox: Sandbox) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while True:
        try:
            httpx.get(f"{sandbox.url}/control/health", timeout=1).raise_for_status()
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
