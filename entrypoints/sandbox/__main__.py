"""`python -m entrypoints.sandbox --port 0`: serve the sandbox, first saying where."""

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys

import msgspec
from granian.constants import Interfaces
from granian.server.embed import Server

from entrypoints.sandbox.config import SandboxConfig


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


async def serve_forever(config: SandboxConfig, *, port: int, host: str = "127.0.0.1") -> None:
    """Serve in the running loop until SIGTERM or SIGINT, or until this task is cancelled."""
    from entrypoints.sandbox.app import create_app

    server = Server(
        create_app(config),
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    try:
        await server.serve()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def serve(config: SandboxConfig, port: int, host: str = "127.0.0.1") -> None:
    """Serve until a signal arrives. `config.base_url` must name the same address."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve_forever(config, port=port, host=host))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m entrypoints.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=12111, help="0 chooses a free one")
    for field in msgspec.structs.fields(SandboxConfig):
        parser.add_argument("--" + field.name.replace("_", "-"), type=field.type, default=None)
    return parser.parse_args()


def _leave_out_optional_imports() -> None:
    """Litestar imports an ORM and pydantic where they are installed: 1.5 s that nobody uses here.

    None in `sys.modules` is an absent module to the import system.
    """
    for name in ("advanced_alchemy", "pydantic"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]


def main() -> None:
    given = vars(_arguments())
    host, port = given.pop("host"), given.pop("port")
    _leave_out_optional_imports()
    port = port or free_port(host)
    settings = {"base_url": f"http://{host}:{port}"}
    settings |= {name: value for name, value in given.items() if value is not None}
    sys.stdout.write(f"sandbox listening on {settings['base_url']}\n")
    sys.stdout.flush()
    serve(msgspec.convert(settings, SandboxConfig), port, host)
    # The server's native threads may still be calling into an interpreter that is going away.
    os._exit(0)


if __name__ == "__main__":
    main()
