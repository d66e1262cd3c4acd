"""However an operator writes the address, SQLAlchemy and the driver both understand it."""

import pytest
from sqlalchemy import make_url

from adapters.postgres.urls import async_url, driver_url


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
@pytest.mark.parametrize("option", ["ssl", "sslmode"])
def test_tls_is_asked_for_in_each_ones_words(scheme: str, option: str) -> None:
    url = f"{scheme}://u:p@db:5433/likeness?{option}=require"

    assert driver_url(url) == "postgresql://u:p@db:5433/likeness?sslmode=require"
    for_sqlalchemy = make_url(async_url(url))
    assert for_sqlalchemy.drivername == "postgresql+asyncpg"
    assert for_sqlalchemy.query == {"ssl": "require"}
