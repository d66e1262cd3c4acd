"""What we hand out and must know again: small contents that nobody else can make or change."""

from typing import Protocol


class Seals(Protocol):
    """A seal hides nothing: it only proves that the content is ours, and for this purpose."""

    def seal(self, purpose: str, content: bytes) -> str:
        """A token of URL-safe characters."""
        ...

    def open(self, purpose: str, token: str) -> bytes | None:
        """The content; None for a token that was not sealed by us for this purpose."""
        ...
