"""Objects in a dict."""

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import quote, urlencode

from application.ports.clock import Clock
from application.ports.storage import ListedObject, ObjectMissing, StoredObject, checked_key


class MemoryStorage:
    """See `application.ports.storage.ObjectStorage`. Its URLs say what they would serve."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._objects: dict[str, tuple[bytes, StoredObject, ListedObject]] = {}

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

    async def check(self) -> None:
        """Always well."""

    def stored_keys(self) -> set[str]:
        return set(self._objects)

    def _found(self, key: str) -> tuple[bytes, StoredObject, ListedObject]:
        try:
            return self._objects[checked_key(key)]
        except KeyError:
            raise ObjectMissing(key) from None
