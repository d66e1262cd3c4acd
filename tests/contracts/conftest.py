"""What several contract suites run against: the sandbox over real sockets, and both stores."""

from collections.abc import Iterator

import pytest

from tests.contracts.units_of_work import new_uow, postgres_uow, sessions
from tests.sandbox.server import Sandbox, running_sandbox

__all__ = ["Sandbox", "new_uow", "postgres_uow", "sandbox", "sandbox_process", "sessions"]


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    """The sandbox, with nothing left of the test before."""
    sandbox_process.control("reset")
    return sandbox_process
