"""How a command reaches what is behind the ports: the servers of the settings, for one errand."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from entrypoints.local.stack import connected
from entrypoints.settings import Settings

if TYPE_CHECKING:
    from entrypoints.bootstrap import Ports

T = TypeVar("T")


def with_ports(errand: Callable[["Ports"], Awaitable[T]]) -> T:
    """Run `errand` with open ports; embedded servers are up for as long as it takes."""
    from entrypoints.bootstrap import open_ports

    async def main(settings: Settings) -> T:
        ports = await open_ports(settings)
        try:
            return await errand(ports)
        finally:
            await ports.aclose()

    with connected(Settings.load()) as settings:
        return asyncio.run(main(settings))
