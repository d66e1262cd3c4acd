"""Writing an object in parts, by whoever holds the links, and putting them together at the end.

The rules are S3's and R2's: parts are numbered from 1, all but the last are equally large and at
least 5 MiB, there are at most 10,000. A part that is sent again replaces itself. Nothing can be
read under the key before all of it is put together.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from domain.media.content import Content
from domain.shared.errors import Conflict, Invalid, NotFound

MAX_PART_NUMBER = 10_000
MIN_PART_BYTES = 5 * 1024 * 1024


class MultipartMissing(NotFound):
    """There is no such upload in parts: it was put together, given up, or never begun."""

    code = "multipart_missing"

    def __init__(self, key: str) -> None:
        super().__init__("upload in parts", key)


class PartsRefused(Conflict):
    """The parts are not the ones that were stored, or one of them is too small."""

    code = "parts_refused"


class PartRefused(Invalid):
    """The body is not as long as the part that the link is for."""

    code = "part_refused"


class StoredPart(msgspec.Struct, frozen=True, kw_only=True):
    """`etag` names what was sent; it is no hash that anything can be proven by."""

    number: int
    size_bytes: int
    etag: str


class OpenMultipart(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    multipart_id: str
    started_at: datetime


class PartLink(msgspec.Struct, frozen=True, kw_only=True):
    """PUT exactly `size_bytes` bytes to `url`, with `headers`; the answer's ETag is the part's."""

    number: int
    url: str
    size_bytes: int
    headers: dict[str, str]
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCopy:
    """The bytes of an object, at hand on this machine; `sha256` is that of what was read."""

    content: Content
    sha256: str

    @property
    def size_bytes(self) -> int:
        return len(self.content)


class MultipartStorage(Protocol):
    """Raises as `ObjectStorage` does, and MultipartMissing."""

    async def start_multipart(self, key: str, *, content_type: str) -> str:
        """Begin an object in parts; answers the id that the store gives it."""
        ...

    async def part_url(
        self, key: str, multipart_id: str, number: int, *, size_bytes: int, expires_in: timedelta
    ) -> str:
        """An absolute URL that takes one PUT of exactly so many bytes, until it expires.

        The length is part of what is signed.
        """
        ...

    async def list_parts(self, key: str, multipart_id: str) -> list[StoredPart]:
        """What has come, by number."""
        ...

    async def complete_multipart(
        self, key: str, multipart_id: str, parts: Sequence[StoredPart]
    ) -> None:
        """Put the parts together; from then on the object can be read, without a hash that is
        known. Raises PartsRefused."""
        ...

    async def abort_multipart(self, key: str, multipart_id: str) -> None:
        """Forget the parts. Giving up what is not there is fine."""
        ...

    def open_multiparts(self, prefix: str) -> AsyncIterator[OpenMultipart]:
        """Every object below `prefix` that was begun in parts and neither completed nor aborted."""
        ...


class PartReceiver(Protocol):
    """The other end of `part_url`, for a store whose links the application itself serves."""

    async def receive_part(
        self,
        key: str,
        multipart_id: str,
        number: int,
        *,
        size_bytes: int,
        chunks: AsyncIterator[bytes],
    ) -> StoredPart:
        """Write while it arrives. Raises PartRefused for fewer or more bytes, and then keeps
        nothing."""
        ...


def checked_part(number: int, size_bytes: int) -> None:
    """Raises ValueError: who asks for a link has counted wrongly."""
    if not 1 <= number <= MAX_PART_NUMBER or size_bytes < 1:
        raise ValueError("a part has a number from 1 to 10,000 and at least one byte")
