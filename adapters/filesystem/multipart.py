"""Objects that arrive in parts: each a file of its own, put together at the end.

A part is its bytes and then their SHA-256, in one rename. `.parts/{id}/begun` says of which object
they are and when that was begun.
"""

import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from application.ports.multipart import (
    MIN_PART_BYTES,
    MultipartMissing,
    OpenMultipart,
    PartsRefused,
    StoredPart,
)

_FOLDER = ".parts"
_BEGUN = "begun"
_HASH_BYTES = 32
_COPY_BYTES = 1024 * 1024


class Begun(msgspec.Struct, frozen=True):
    key: str
    content_type: str


class Parts:
    """The parts of all unfinished objects below a root. Blocks: call it in threads."""

    def __init__(self, root: Path) -> None:
        self._root = root / _FOLDER

    def begin(self, key: str, content_type: str) -> str:
        multipart_id = secrets.token_hex(16)
        folder = self._root / multipart_id
        folder.mkdir(parents=True)
        (folder / _BEGUN).write_bytes(msgspec.json.encode(Begun(key, content_type)))
        return multipart_id

    def begun(self, key: str, multipart_id: str) -> Begun:
        """Raises MultipartMissing, also for another object's id."""
        try:
            found = msgspec.json.decode(
                (self._folder(key, multipart_id) / _BEGUN).read_bytes(), type=Begun
            )
        except (FileNotFoundError, NotADirectoryError):
            raise MultipartMissing(key) from None
        if found.key != key:
            raise MultipartMissing(key)
        return found

    def opened(self, key: str, multipart_id: str) -> "OpenPart":
        self.begun(key, multipart_id)
        return OpenPart(self._folder(key, multipart_id))

    def listed(self, key: str, multipart_id: str) -> list[StoredPart]:
        self.begun(key, multipart_id)
        folder = self._folder(key, multipart_id)
        numbers = sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit())
        return [_facts(folder / str(number)) for number in numbers]

    def joined(
        self, key: str, multipart_id: str, parts: Sequence[StoredPart], into: BinaryIO
    ) -> None:
        """Write the named parts one after the other. Raises PartsRefused, MultipartMissing."""
        stored = {part.number: part for part in self.listed(key, multipart_id)}
        if not parts or any(stored.get(part.number) != part for part in parts):
            raise PartsRefused("Not all of these parts are stored as they were named.")
        if any(part.size_bytes < MIN_PART_BYTES for part in parts[:-1]):
            raise PartsRefused("All parts but the last need at least 5 MiB.")
        folder = self._folder(key, multipart_id)
        for part in parts:
            with (folder / str(part.number)).open("rb") as source:
                copy_bytes(source, into, part.size_bytes)

    def forget(self, key: str, multipart_id: str) -> None:
        with suppress(MultipartMissing):
            self.begun(key, multipart_id)
            shutil.rmtree(self._folder(key, multipart_id), ignore_errors=True)

    def unfinished(self, prefix: str) -> Iterator[OpenMultipart]:
        folders = list(self._root.iterdir()) if self._root.is_dir() else []
        for folder in folders:
            with suppress(FileNotFoundError, NotADirectoryError):
                begun = msgspec.json.decode((folder / _BEGUN).read_bytes(), type=Begun)
                started_at = datetime.fromtimestamp((folder / _BEGUN).stat().st_mtime, UTC)
                if begun.key.startswith(prefix):
                    yield OpenMultipart(
                        key=begun.key, multipart_id=folder.name, started_at=started_at
                    )

    def _folder(self, key: str, multipart_id: str) -> Path:
        if not multipart_id.isalnum() or not multipart_id.isascii():
            raise MultipartMissing(key)
        return self._root / multipart_id


class OpenPart:
    """A part while it is written; only `keep` makes it visible."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        descriptor, self._temporary = tempfile.mkstemp(dir=folder, prefix="new-")
        self._file = os.fdopen(descriptor, "wb")
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    def write(self, content: bytes) -> None:
        self._file.write(content)
        self._hash.update(content)
        self.size_bytes += len(content)

    def keep(self, number: int) -> StoredPart:
        self._file.write(self._hash.digest())
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        Path(self._temporary).replace(self._folder / str(number))
        return StoredPart(number=number, size_bytes=self.size_bytes, etag=self._hash.hexdigest())

    def drop(self) -> None:
        self._file.close()
        Path(self._temporary).unlink(missing_ok=True)


def copy_bytes(source: BinaryIO, target: BinaryIO, size_bytes: int) -> None:
    """So many bytes from where `source` stands, in bounded memory."""
    while size_bytes:
        chunk = source.read(min(_COPY_BYTES, size_bytes))
        if not chunk:
            raise OSError("the file ended early")
        target.write(chunk)
        size_bytes -= len(chunk)


def _facts(path: Path) -> StoredPart:
    with path.open("rb") as file:
        size_bytes = file.seek(-_HASH_BYTES, os.SEEK_END)
        return StoredPart(
            number=int(path.name), size_bytes=size_bytes, etag=file.read(_HASH_BYTES).hex()
        )
