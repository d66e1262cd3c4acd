"""Reading what strangers send, apart: native code parses it, in a process that may die of it.

The process gets little memory and little time for a file, one file after the other, so that it is
known which one killed it.
"""

import asyncio
import io
import multiprocessing
import os
import resource
import signal
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from adapters.c2pa.manifests import report_of
from application.ports.credentials import CredentialReport
from application.ports.errors import Unavailable
from domain.media.provenance import Verdict

MEMORY_BYTES = 2 * 1024**3
SECONDS = 10
UNREADABLE = CredentialReport(verdict=Verdict.INVALID, failures=("manifest.unreadable",))
NONE = CredentialReport(verdict=Verdict.NONE, failures=("manifest.missing",))
_SIGN = b"jumb"
"""Every manifest is in a box of this name."""
_WRITE_BYTES = 1024 * 1024
_ABSENT = ("ManifestNotFound", "Other: C2PA provenance not found in XMP")


class IsolatedReader:
    """`close()` when done. At most `max_waiting` files are held in memory."""

    def __init__(self, *, max_waiting: int = 8) -> None:
        self._max_waiting = max_waiting
        self._waiting = 0
        self._one_at_a_time = asyncio.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._pid = 0

    async def read(self, content: bytes, content_type: str, anchors: str) -> CredentialReport:
        if _SIGN not in content:
            return NONE
        return await self._apart(content, content_type, anchors)

    async def read_stream(
        self, chunks: AsyncIterator[bytes], content_type: str, anchors: str
    ) -> CredentialReport:
        with NamedTemporaryFile(prefix="credentials-") as file:
            seen, tail, waiting = False, b"", bytearray()
            async for chunk in chunks:
                seen = seen or _SIGN in tail + chunk
                tail = (tail + chunk)[1 - len(_SIGN) :]
                waiting += chunk
                if len(waiting) >= _WRITE_BYTES:
                    await asyncio.to_thread(file.write, bytes(waiting))
                    waiting.clear()
            await asyncio.to_thread(file.write, bytes(waiting))
            file.flush()
            if not seen:
                return NONE
            return await self._apart(Path(file.name), content_type, anchors)

    async def _apart(
        self, content: bytes | Path, content_type: str, anchors: str
    ) -> CredentialReport:
        if self._waiting >= self._max_waiting:
            raise Unavailable(
                "Too many files are waiting.", provider="credentials", retry_after_s=5
            )
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                for _ in range(2):
                    with suppress(BrokenProcessPool):
                        return await asyncio.wrap_future(
                            self._opened().submit(read_here, content, content_type, anchors)
                        )
                    self.close()
                return UNREADABLE
        finally:
            self._waiting -= 1

    def close(self) -> None:
        if self._pool is not None and self._pid == os.getpid():
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = None

    def _opened(self) -> ProcessPoolExecutor:
        if self._pool is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._pool = ProcessPoolExecutor(
                1,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_begin_worker,
            )
        return self._pool


def read_here(content: bytes | Path, content_type: str, anchors: str) -> CredentialReport:
    """In the process that may die: killed when it takes too long."""
    import c2pa

    signal.alarm(SECONDS)
    try:
        with (
            io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as file,
            c2pa.Context.from_dict(reading_settings(anchors)) as context,
            c2pa.Reader(content_type, file, context=context) as reader,
        ):
            return report_of(reader.get_validation_state(), reader.json(), reader.detailed_json())
    except c2pa.C2paError as error:
        return NONE if str(error).startswith(_ABSENT) else UNREADABLE
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, MemoryError):
        return UNREADABLE
    finally:
        signal.alarm(0)


def reading_settings(anchors: str) -> dict[str, dict[str, object]]:
    """Nothing is fetched from anywhere, whatever a file asks for."""
    return {
        "trust": {"user_anchors": anchors},
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    }


def _begin_worker() -> None:
    """Leave Ctrl-C to the parent, do not outlive it, and take no more memory than is due."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)
