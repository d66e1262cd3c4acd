"""The sandbox, for what only sockets can show."""

from tests.contracts.conftest import sandbox, sandbox_process

__all__ = ["sandbox", "sandbox_process"]
