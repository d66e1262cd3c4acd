"""Serving the sandbox: as a whole process, or as one task of another."""

import asyncio
import signal
import socket

from granian.constants import Interfaces
from granian.server.embed import Server

from entrypoints.sandbox.config import SandboxConfig


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


async def serve_forever(config: SandboxConfig, *, port: int, host: str = "127.0.0.1") -> None:
    """Serve in the running loop until this task is cancelled."""
    from entrypoints.sandbox.app import create_app

    server = Server(
        create_app(config),
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        log_enabled=False,
    )
    try:
        await server.serve()
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


def serve(config: SandboxConfig, port: int, host: str = "127.0.0.1") -> None:
    """Serve until SIGTERM or SIGINT. `config.base_url` must name the same address."""

    async def until_signalled() -> None:
        serving = asyncio.create_task(serve_forever(config, port=port, host=host))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
        await asyncio.wait([serving])
        if not serving.cancelled():
            serving.result()

    asyncio.run(until_signalled())
