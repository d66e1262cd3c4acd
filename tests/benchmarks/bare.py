"""What ours is compared with: a handler that returns a constant, and one that does the same SQL.

`python -m tests.benchmarks.bare PORT`; served like the API, by granian in one process.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
from granian.constants import Interfaces, Loops
from granian.log import LogLevels
from granian.server import Server
from litestar import Litestar, Request, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from sqlalchemy.dialects import postgresql

from adapters.postgres.order_views import ORDER_WITH_LINES
from entrypoints.http.serve import BACKLOG


@post("/webhooks", status_code=200)
async def constant_webhook(request: Request[Any, Any, Any]) -> dict[str, dict[str, bool]]:
    """The body is read and thrown away."""
    await request.body()
    return {"data": {"received": True, "duplicate": False}}


@get("/constant")
async def constant() -> dict[str, bool]:
    return {"ok": True}


@get("/orders/{order_id:uuid}")
async def order(order_id: FromPath[UUID], state: State) -> list[dict[str, Any]]:
    """The statement that `GET /orders/{id}` runs, its rows as they come."""
    return [dict(row) for row in await state.pool.fetch(state.statement, order_id)]


@asynccontextmanager
async def database(app: Litestar) -> AsyncIterator[None]:
    dialect = postgresql.asyncpg.dialect()  # type: ignore[no-untyped-call]
    app.state.statement = str(ORDER_WITH_LINES.compile(dialect=dialect))
    async with asyncpg.create_pool(os.environ["BARE_DATABASE_URL"], min_size=10) as app.state.pool:
        yield


def create_app() -> Litestar:
    return Litestar(
        route_handlers=[constant_webhook, constant, order],
        lifespan=[database],
        openapi_config=None,
        logging_config=None,
    )


if __name__ == "__main__":
    Server(
        "tests.benchmarks.bare:create_app",
        address="127.0.0.1",
        port=int(sys.argv[1]),
        interface=Interfaces.ASGI,
        factory=True,
        workers=1,
        loop=Loops.uvloop,
        backlog=BACKLOG,
        log_level=LogLevels.warning,
    ).serve()
