"""Every module that defines tables, so that the metadata is complete once this is imported."""

from adapters.postgres import (  # noqa: F401
    identity,
    media,
    messages,
    scheduler_runs,
)

STATEMENTS: list[str] = []
