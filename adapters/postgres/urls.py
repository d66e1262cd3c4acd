"""Two spellings of one address: SQLAlchemy names the driver in it, the driver itself does not.

They also disagree about the option for TLS: `ssl` there, `sslmode` here.
"""

import re


def async_url(url: str) -> str:
    """For SQLAlchemy; `postgresql://` alone would mean another driver."""
    return re.sub(r"([?&])sslmode=", r"\1ssl=", "postgresql+asyncpg://" + _address(url))


def driver_url(url: str) -> str:
    """For asyncpg itself."""
    return re.sub(r"([?&])ssl=", r"\1sslmode=", "postgresql://" + _address(url))


def _address(url: str) -> str:
    return url.partition("://")[2]
