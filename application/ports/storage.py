"""Where bytes are kept: originals, derivatives, model weights."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Protocol

import msgspec

from domain.shared.errors import NotFound


class ObjectMissing(NotFound):
    """No object is stored under the key."""

    code = "object_missing"

    def __init__(self, key: str) -> None:
        super().__init__("stored object", key)


class StoredObject(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    size_bytes: int
    content_type: str
    sha256: str


class ObjectStorage(Protocol):
    """Keys are relative paths of `[a-z0-9/._-]`; an object is written whole or not at all.

    Raises ObjectMissing, and Unavailable when the store cannot be reached or is full.
    """

    async def put(self, key: str, content: bytes, *, content_type: str) -> StoredObject: ...

    async def get(self, key: str) -> bytes: ...

    def stream(self, key: str, *, chunk_bytes: int = 262_144) -> AsyncIterator[bytes]: ...

    async def stat(self, key: str) -> StoredObject: ...

    async def delete(self, key: str) -> None:
        """Remove the object; removing what is not there is fine."""
        ...

    async def signed_url(
        self, key: str, *, expires_in: timedelta, download_name: str | None = None
    ) -> str:
        """An absolute URL that serves the object, without further proof, until it expires."""
        ...

    async def check(self) -> None:
        """Write, read and delete a probe. Raises Unavailable with what to do about it."""
        ...
