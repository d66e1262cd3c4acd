"""Identifiers: UUID version 7, so that a table's newest rows lie together in its index."""

from typing import Protocol
from uuid import UUID


class Ids(Protocol):
    def new(self) -> UUID: ...
