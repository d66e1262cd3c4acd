"""Objects in a dict."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

import msgspec

from application.ports.clock import Clock
from application.ports.multipart import (
    MIN_PART_BYTES,
    LocalCopy,
    MultipartMissing,
    OpenMultipart,
    PartRefused,
    PartsRefused,
    StoredPart,
    checked_part,
)
from application.ports.storage import ListedObject, ObjectMissing, StoredObject, checked_key


@dataclass
class Begun:
    opened: OpenMultipart
    content_type: str
    parts: dict[int, bytes] = field(default_factory=dict)


class MemoryStorage:
    """See `application.ports.storage.ObjectStorage`. Its URLs say what they would serve; `receive`
    is what would take a part."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._objects: dict[str, tuple[bytes, StoredObject, ListedObject]] = {}
        self._begun: dict[str, Begun] = {}
        self._started = 0

    async def put(self, key: str, content: bytes, *, content_type: str) -> StoredObject:
        stored = StoredObject(
            key=checked_key(key),
            size_bytes=len(content),
            content_type=content_type,
            sha256=hashlib.sha256(content).hexdigest(),
        )
        listed = ListedObject(key=key, modified_at=self._clock.now())
        self._objects[key] = (content, stored, listed)
        return stored

    async def put_file(self, key: str, path: Path, *, content_type: str) -> StoredObject:
        content = await asyncio.to_thread(path.read_bytes)
        return await self.put(key, content, content_type=content_type)

    async def copy(
        self, source: str, target: str, *, content_type: str, sha256: str
    ) -> StoredObject:
        await self.put(target, self._found(source)[0], content_type=content_type)
        return self._known(target, sha256)

    @asynccontextmanager
    async def open_copy(self, key: str) -> AsyncIterator[LocalCopy]:
        content = self._found(key)[0]
        yield LocalCopy(content=content, sha256=hashlib.sha256(content).hexdigest())

    async def get(self, key: str) -> bytes:
        return self._found(key)[0]

    async def stream(
        self,
        key: str,
        *,
        offset: int = 0,
        length: int | None = None,
        chunk_bytes: int = 262_144,
    ) -> AsyncIterator[bytes]:
        content = self._found(key)[0]
        end = len(content) if length is None else min(len(content), offset + length)
        for start in range(offset, end, chunk_bytes):
            yield content[start : min(start + chunk_bytes, end)]

    async def stat(self, key: str) -> StoredObject:
        return self._found(key)[1]

    async def listing(self, prefix: str) -> AsyncIterator[ListedObject]:
        for key, (_, _, listed) in sorted(self._objects.items()):
            if key.startswith(prefix):
                yield listed

    async def delete(self, key: str) -> None:
        self._objects.pop(checked_key(key), None)

    async def signed_url(
        self, key: str, *, expires_in: timedelta, download_name: str | None = None
    ) -> str:
        query = {"expires": str(int((self._clock.now() + expires_in).timestamp()))}
        if download_name is not None:
            query["name"] = download_name
        return f"memory://{quote(checked_key(key))}?{urlencode(query)}"

    async def start_multipart(self, key: str, *, content_type: str) -> str:
        self._started += 1
        opened = OpenMultipart(
            key=checked_key(key), multipart_id=str(self._started), started_at=self._clock.now()
        )
        self._begun[opened.multipart_id] = Begun(opened, content_type)
        return opened.multipart_id

    async def part_url(
        self, key: str, multipart_id: str, number: int, *, size_bytes: int, expires_in: timedelta
    ) -> str:
        checked_part(number, size_bytes)
        query = {
            "multipart": multipart_id,
            "part": str(number),
            "size": str(size_bytes),
            "expires": str(int((self._clock.now() + expires_in).timestamp())),
        }
        return f"memory://{quote(checked_key(key))}?{urlencode(query)}"

    async def receive(self, url: str, content: bytes) -> StoredPart:
        """What PUT would do. Raises PartRefused, MultipartMissing."""
        address = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if len(content) != int(query["size"]):
            raise PartRefused(f"The part has {len(content)} bytes instead of {query['size']}.")
        begun = self._multipart(unquote(address.netloc + address.path), query["multipart"])
        begun.parts[int(query["part"])] = content
        return _part(int(query["part"]), content)

    async def list_parts(self, key: str, multipart_id: str) -> list[StoredPart]:
        begun = self._multipart(key, multipart_id)
        return [_part(number, content) for number, content in sorted(begun.parts.items())]

    async def complete_multipart(
        self, key: str, multipart_id: str, parts: Sequence[StoredPart]
    ) -> None:
        begun = self._multipart(key, multipart_id)
        stored = {part.number: part for part in await self.list_parts(key, multipart_id)}
        if not parts or any(stored.get(part.number) != part for part in parts):
            raise PartsRefused("Not all of these parts are stored as they were named.")
        if any(part.size_bytes < MIN_PART_BYTES for part in parts[:-1]):
            raise PartsRefused("All parts but the last need at least 5 MiB.")
        content = b"".join(begun.parts[part.number] for part in parts)
        await self.put(key, content, content_type=begun.content_type)
        self._known(key, "")
        del self._begun[multipart_id]

    async def abort_multipart(self, key: str, multipart_id: str) -> None:
        begun = self._begun.get(multipart_id)
        if begun is not None and begun.opened.key == checked_key(key):
            del self._begun[multipart_id]

    async def open_multiparts(self, prefix: str) -> AsyncIterator[OpenMultipart]:
        for begun in list(self._begun.values()):
            if begun.opened.key.startswith(prefix):
                yield begun.opened

    async def check(self) -> None:
        """Always well."""

    def stored_keys(self) -> set[str]:
        return set(self._objects)

    def _known(self, key: str, sha256: str) -> StoredObject:
        content, stored, listed = self._found(key)
        stored = msgspec.structs.replace(stored, sha256=sha256)
        self._objects[key] = (content, stored, listed)
        return stored

    def _multipart(self, key: str, multipart_id: str) -> Begun:
        begun = self._begun.get(multipart_id)
        if begun is None or begun.opened.key != checked_key(key):
            raise MultipartMissing(key)
        return begun

    def _found(self, key: str) -> tuple[bytes, StoredObject, ListedObject]:
        try:
            return self._objects[checked_key(key)]
        except KeyError:
            raise ObjectMissing(key) from None


def _part(number: int, content: bytes) -> StoredPart:
    etag = hashlib.sha256(content).hexdigest()
    return StoredPart(number=number, size_bytes=len(content), etag=etag)
