"""A shop for the tests of business routes; the platform's own tests need none of this."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.http.shop import Shop, open_door, people_in


@pytest.fixture
async def shop(clean_database: str, clean_redis: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_door(clean_database, clean_redis, tmp_path) as door:
        yield await people_in(door)
