"""Development only: let time pass. These routes exist only where the clock may be moved."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import httpx
import msgspec
from litestar import Router, post
from litestar.params import JSONBody

from application.ports.clock import ClockControl
from entrypoints.http.envelope import Data
from entrypoints.http.rate_limiting import UNLIMITED


class AdvanceClock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    advance_seconds: Annotated[int, msgspec.Meta(ge=0, le=3_153_600)]


class ClockMoved(msgspec.Struct, frozen=True):
    """`offset_seconds` is how far the stack is ahead of its machine."""

    now: datetime
    offset_seconds: int


def dev_router(clock: ClockControl, *, sandbox_url: str) -> Router:
    @post("/clock", status_code=200, opt=UNLIMITED)
    async def advance(data: JSONBody[AdvanceClock]) -> Data[ClockMoved]:
        """Set the clock of the whole stack forward, the sandbox's included."""
        offset = clock.advance(timedelta(seconds=data.advance_seconds))
        if sandbox_url:
            async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
                answer = await client.post(
                    f"{sandbox_url}/control/clock", json={"advance_seconds": data.advance_seconds}
                )
                answer.raise_for_status()
        return Data(ClockMoved(clock.now().astimezone(UTC), int(offset.total_seconds())))

    return Router("/api/v1/dev", route_handlers=[advance], tags=["Development"])
