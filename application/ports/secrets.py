"""Unguessable tokens, from one place, so that tests can know them."""

from typing import Protocol


class Secrets(Protocol):
    def token(self) -> str:
        """A new token of 256 random bits, safe in URLs and headers."""
        ...
