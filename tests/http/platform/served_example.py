"""The example as a program of its own: `python -m tests.http.platform.served_example PORT`."""

import asyncio
import sys
from typing import Any

from litestar import Litestar, get

from entrypoints.http.app import create_app
from entrypoints.http.envelope import Data
from entrypoints.http.serve import PortTaken, serve
from entrypoints.http.settings import HttpSettings
from tests.http.platform.conftest import Ports
from tests.http.platform.example import ROUTER


@get("/slow")
async def slow() -> Data[str]:
    await asyncio.sleep(1)
    return Data("done")


def app() -> Litestar:
    routers: list[Any] = [ROUTER, slow]
    return create_app(Ports(), HttpSettings(rate_limits=False), routers=routers)


def main() -> int:
    settings = HttpSettings(port=int(sys.argv[1]), drain_s=10)
    try:
        serve(settings, factory="tests.http.platform.served_example:app")
    except PortTaken as taken:
        sys.stderr.write(f"{taken}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
