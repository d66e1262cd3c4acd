"""The sandbox as a process of its own, so that real SDKs speak to it over real sockets."""

from collections.abc import Iterator

import pytest

from tests.sandbox.server import Sandbox, running_sandbox

__all__ = ["Sandbox", "sandbox", "sandbox_process"]


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    """The sandbox, with nothing left of the test before."""
    sandbox_process.control("reset")
    return sandbox_process
