"""Where bytes are kept: originals, derivatives, model weights.

Keys are relative paths of `[a-z0-9/._-]` whose segments start with a letter or a digit, so that no
key can leave the store or name a hidden file. No key is a folder of another. An object is written
whole or not at all; a second `put` replaces it.
"""

import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import msgspec

from application.ports.multipart import LocalCopy, MultipartStorage
from domain.shared.errors import Gone, Invalid, NotAllowed, NotFound

_KEY = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")
_KEY_MAX_CHARS = 512


class ObjectMissing(NotFound):
    """No object is stored under the key."""

    code = "object_missing"

    def __init__(self, key: str) -> None:
        super().__init__("stored object", key)


class ObjectKeyRefused(Invalid):
    """Not a key: see the module's rule."""

    code = "object_key_refused"


class LinkRefused(NotAllowed):
    """The signature of a link does not fit what the link says."""

    code = "link_refused"


class LinkExpired(Gone):
    """The link has had its time: ask for a fresh one."""

    code = "link_expired"


class StoredObject(msgspec.Struct, frozen=True, kw_only=True):
    """`sha256` is empty for what was put together of parts: nobody has read it yet."""

    key: str
    size_bytes: int
    content_type: str
    sha256: str


class ListedObject(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    modified_at: datetime


class ObjectStorage(MultipartStorage, Protocol):
    """Raises ObjectMissing, ObjectKeyRefused, and Unavailable with what to do about it when the
    store cannot be reached, is full, or refuses our credentials."""

    async def put(self, key: str, content: bytes, *, content_type: str) -> StoredObject: ...

    async def put_file(self, key: str, path: Path, *, content_type: str) -> StoredObject:
        """`put`, of a file on this machine, in bounded memory."""
        ...

    async def copy(
        self, source: str, target: str, *, content_type: str, sha256: str
    ) -> StoredObject:
        """Put what is at `source` at `target` too, within the store; `sha256` is what the caller
        knows of it."""
        ...

    def open_copy(self, key: str) -> AbstractAsyncContextManager[LocalCopy]:
        """The object's bytes, hashed while they were read, in bounded memory, for as long as the
        context lasts. A store elsewhere needs as much room on the disc here."""
        ...

    async def get(self, key: str) -> bytes: ...

    def stream(
        self,
        key: str,
        *,
        offset: int = 0,
        length: int | None = None,
        chunk_bytes: int = 262_144,
    ) -> AsyncIterator[bytes]:
        """The object, or `length` bytes of it from `offset`, in chunks."""
        ...

    async def stat(self, key: str) -> StoredObject: ...

    def listing(self, prefix: str) -> AsyncIterator[ListedObject]:
        """Every object whose key starts with `prefix`, in no particular order."""
        ...

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


class LinkVerifier(Protocol):
    """The other end of `signed_url`, for a store whose links the application itself serves."""

    def verify(self, key: str, *, expires: int, signature: str, download_name: str | None) -> int:
        """Seconds that the link still lives. Raises LinkRefused or LinkExpired."""
        ...

    def verify_part(
        self,
        key: str,
        multipart_id: str,
        number: int,
        *,
        size_bytes: int,
        expires: int,
        signature: str,
    ) -> None:
        """Whether this part may be sent. Raises LinkRefused or LinkExpired."""
        ...


def checked_key(key: str) -> str:
    """The key itself. Raises ObjectKeyRefused."""
    if len(key) > _KEY_MAX_CHARS or not _KEY.fullmatch(key):
        raise ObjectKeyRefused("A storage key has segments of a-z, 0-9, '.', '_' and '-' only.")
    return key


def attachment(name: str) -> str:
    """The Content-Disposition that saves a download as `name` (RFC 6266)."""
    ascii_name = "".join(
        c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in name
    )
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}"
