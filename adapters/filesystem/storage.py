"""Objects as files below one folder, for one machine or a shared file system.

A file holds the content, then a footer with its type and hash, so that both appear in one rename:
temporary file, fsync, rename, fsync of the folder. What a crash leaves behind is a temporary file
in `.incoming`, never half an object.
"""

import asyncio
import errno
import hashlib
import io
import mmap
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from adapters.filesystem.links import SignedLinks
from adapters.filesystem.multipart import Parts, copy_bytes
from application.ports.errors import Unavailable
from application.ports.multipart import (
    LocalCopy,
    OpenMultipart,
    PartRefused,
    StoredPart,
    checked_part,
)
from application.ports.storage import ListedObject, ObjectMissing, StoredObject, checked_key

T = TypeVar("T")

_MAGIC = b"LKNSOBJ1"
_INCOMING = ".incoming"
_OBJECTS = "objects"
_PROBE = "probe/doctor"
_READ_BYTES = 1024 * 1024


class Footer(msgspec.Struct, frozen=True):
    content_type: str
    sha256: str


class FilesystemStorage:
    """See `application.ports.storage.ObjectStorage`. Disc work runs in threads."""

    def __init__(self, root: Path, *, links: SignedLinks) -> None:
        self._objects = root / _OBJECTS
        self._incoming = root / _INCOMING
        self._links = links
        self._parts = Parts(root)

    async def put(self, key: str, content: bytes, *, content_type: str) -> StoredObject:
        checked_key(key)
        sha256 = await asyncio.to_thread(lambda: hashlib.sha256(content).hexdigest())
        stored = StoredObject(
            key=key, size_bytes=len(content), content_type=content_type, sha256=sha256
        )
        source = io.BytesIO(content)
        await self._write(stored, lambda file: copy_bytes(source, file, len(content)))
        return stored

    async def put_file(self, key: str, path: Path, *, content_type: str) -> StoredObject:
        checked_key(key)

        def facts() -> StoredObject:
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                return StoredObject(
                    key=key, size_bytes=file.tell(), content_type=content_type, sha256=sha256
                )

        def fill(target: BinaryIO) -> None:
            with path.open("rb") as source:
                copy_bytes(source, target, stored.size_bytes)

        stored = await self._in_thread(facts)
        await self._write(stored, fill)
        return stored

    async def copy(
        self, source: str, target: str, *, content_type: str, sha256: str
    ) -> StoredObject:
        checked_key(target)
        file, found = await self._in_thread(lambda: self._open(checked_key(source)))
        with file:
            stored = StoredObject(
                key=target, size_bytes=found.size_bytes, content_type=content_type, sha256=sha256
            )

            def fill(into: BinaryIO) -> None:
                file.seek(0)
                copy_bytes(file, into, found.size_bytes)

            await self._write(stored, fill)
        return stored

    @asynccontextmanager
    async def open_copy(self, key: str) -> AsyncIterator[LocalCopy]:
        """The file itself, mapped: nothing is copied, and nothing is written into it later."""
        file, stored = await self._in_thread(lambda: self._open(checked_key(key)))
        with file:
            if stored.size_bytes == 0:
                yield LocalCopy(content=b"", sha256=hashlib.sha256().hexdigest())
                return
            with mmap.mmap(file.fileno(), stored.size_bytes, access=mmap.ACCESS_READ) as content:
                sha256 = await self._in_thread(lambda: _sha256_of(content))
                yield LocalCopy(content=content, sha256=sha256)

    async def get(self, key: str) -> bytes:
        return await self._in_thread(lambda: self._read(checked_key(key)))

    async def stream(
        self,
        key: str,
        *,
        offset: int = 0,
        length: int | None = None,
        chunk_bytes: int = 262_144,
    ) -> AsyncIterator[bytes]:
        file, stored = await self._in_thread(lambda: self._open(checked_key(key)))
        try:
            left = max(stored.size_bytes - offset, 0)
            left = left if length is None else min(left, length)
            await self._in_thread(lambda: file.seek(offset))
            while left:
                size = min(chunk_bytes, left)
                chunk = await self._in_thread(lambda size=size: file.read(size))  # type: ignore[misc]
                left -= len(chunk)
                yield chunk
        finally:
            file.close()

    async def stat(self, key: str) -> StoredObject:
        def look() -> StoredObject:
            file, stored = self._open(checked_key(key))
            file.close()
            return stored

        return await self._in_thread(look)

    async def listing(self, prefix: str) -> AsyncIterator[ListedObject]:
        for found in await self._in_thread(lambda: list(self._walk(prefix))):
            yield found

    async def delete(self, key: str) -> None:
        await self._in_thread(lambda: self._path(checked_key(key)).unlink(missing_ok=True))

    async def signed_url(
        self, key: str, *, expires_in: timedelta, download_name: str | None = None
    ) -> str:
        return self._links.sign(
            checked_key(key), expires_in=expires_in, download_name=download_name
        )

    async def start_multipart(self, key: str, *, content_type: str) -> str:
        return await self._in_thread(lambda: self._parts.begin(checked_key(key), content_type))

    async def part_url(
        self, key: str, multipart_id: str, number: int, *, size_bytes: int, expires_in: timedelta
    ) -> str:
        checked_part(number, size_bytes)
        return self._links.sign_part(
            checked_key(key), multipart_id, number, size_bytes=size_bytes, expires_in=expires_in
        )

    async def receive_part(
        self,
        key: str,
        multipart_id: str,
        number: int,
        *,
        size_bytes: int,
        chunks: AsyncIterator[bytes],
    ) -> StoredPart:
        """See `application.ports.multipart.PartReceiver`."""
        checked_part(number, size_bytes)
        part = await self._in_thread(lambda: self._parts.opened(checked_key(key), multipart_id))
        try:
            async for block in _blocks(chunks):
                if part.size_bytes + len(block) > size_bytes:
                    raise PartRefused(f"The part has more than {size_bytes} bytes.")
                await self._in_thread(partial(part.write, block))
            if part.size_bytes != size_bytes:
                raise PartRefused(f"The part has {part.size_bytes} bytes instead of {size_bytes}.")
            return await self._in_thread(lambda: part.keep(number))
        finally:
            await asyncio.shield(self._in_thread(part.drop))

    async def list_parts(self, key: str, multipart_id: str) -> list[StoredPart]:
        return await self._in_thread(lambda: self._parts.listed(checked_key(key), multipart_id))

    async def complete_multipart(
        self, key: str, multipart_id: str, parts: Sequence[StoredPart]
    ) -> None:
        begun = await self._in_thread(lambda: self._parts.begun(checked_key(key), multipart_id))
        stored = StoredObject(
            key=key,
            size_bytes=sum(part.size_bytes for part in parts),
            content_type=begun.content_type,
            sha256="",
        )
        await self._write(stored, lambda file: self._parts.joined(key, multipart_id, parts, file))
        await self.abort_multipart(key, multipart_id)

    async def abort_multipart(self, key: str, multipart_id: str) -> None:
        await self._in_thread(lambda: self._parts.forget(checked_key(key), multipart_id))

    async def open_multiparts(self, prefix: str) -> AsyncIterator[OpenMultipart]:
        for found in await self._in_thread(lambda: list(self._parts.unfinished(prefix))):
            yield found

    async def check(self) -> None:
        await self.put(_PROBE, b"probe", content_type="text/plain")
        await self.get(_PROBE)
        await self.delete(_PROBE)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        def guarded() -> T:
            with explained(self._objects.parent):
                return work()

        return await asyncio.to_thread(guarded)

    def _path(self, key: str) -> Path:
        return self._objects / key

    async def _write(self, stored: StoredObject, fill: Callable[[BinaryIO], None]) -> None:
        await self._in_thread(lambda: self._write_file(stored, fill))

    def _write_file(self, stored: StoredObject, fill: Callable[[BinaryIO], None]) -> None:
        footer = msgspec.json.encode(Footer(stored.content_type, stored.sha256))
        path = self._path(stored.key)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._incoming.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=self._incoming)
        try:
            with os.fdopen(descriptor, "wb") as file:
                fill(file)
                file.write(footer + len(footer).to_bytes(4, "big") + _MAGIC)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(temporary).unlink()
            raise
        _sync_folder(path.parent)

    def _open(self, key: str) -> tuple[BinaryIO, StoredObject]:
        try:
            file = self._path(key).open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise ObjectMissing(key) from None
        try:
            return file, _facts(key, file)
        except BaseException:
            file.close()
            raise

    def _read(self, key: str) -> bytes:
        file, stored = self._open(key)
        with file:
            file.seek(0)
            return file.read(stored.size_bytes)

    def _walk(self, prefix: str) -> Iterator[ListedObject]:
        folder = self._objects / prefix.rpartition("/")[0]
        for directory, _, names in os.walk(folder):
            for name in names:
                path = Path(directory) / name
                key = path.relative_to(self._objects).as_posix()
                with suppress(FileNotFoundError):
                    if key.startswith(prefix):
                        modified_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                        yield ListedObject(key=key, modified_at=modified_at)


def _facts(key: str, file: BinaryIO) -> StoredObject:
    tail = len(_MAGIC) + 4
    total = file.seek(0, os.SEEK_END)
    if total >= tail:
        file.seek(total - tail)
        ending = file.read(tail)
        footer_size = int.from_bytes(ending[:4], "big")
        if ending[4:] == _MAGIC and footer_size <= total - tail:
            file.seek(total - tail - footer_size)
            footer = msgspec.json.decode(file.read(footer_size), type=Footer)
            return StoredObject(
                key=key,
                size_bytes=total - tail - footer_size,
                content_type=footer.content_type,
                sha256=footer.sha256,
            )
    raise Unavailable(f"The file of {key} was not written by this store.", provider="filesystem")


async def _blocks(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in larger pieces: each is a hop to a thread. About 1 MiB waits in memory."""
    waiting: list[bytes] = []
    waiting_bytes = 0
    async for chunk in chunks:
        waiting.append(chunk)
        waiting_bytes += len(chunk)
        if waiting_bytes >= _READ_BYTES:
            yield b"".join(waiting)
            waiting, waiting_bytes = [], 0
    if waiting:
        yield b"".join(waiting)


def _sha256_of(content: mmap.mmap) -> str:
    digest = hashlib.sha256()
    with memoryview(content) as view:
        for start in range(0, len(view), _READ_BYTES):
            digest.update(view[start : start + _READ_BYTES])
    return digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_ADVICE = {
    errno.ENOSPC: "the disc is full: free some space or move the folder to a larger disc",
    errno.EDQUOT: "the disc quota is used up: raise it or free some space",
    errno.EACCES: "the process may not write there: give its user read and write permission",
    errno.EPERM: "the process may not write there: give its user read and write permission",
    errno.EROFS: "the file system is mounted read-only: mount it writable",
    errno.EFBIG: "the file is larger than this process may write: raise the limit (ulimit -f)",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n)",
}


@contextmanager
def explained(root: Path) -> Iterator[None]:
    """Turn what the file system refuses into Unavailable with what to do about it."""
    try:
        yield
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, error.strerror or "the file system failed")
        raise Unavailable(f"Storage below {root}: {advice}.", provider="filesystem") from error
