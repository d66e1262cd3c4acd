"""Every module that defines tables, so that the metadata is complete once this is imported."""

STATEMENTS: list[str] = []
