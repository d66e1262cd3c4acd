"""The ffmpeg program: one run, fenced in.

A file that somebody gave us may be made to hurt: to read other files or addresses through
playlists and references, to decode for ever, to fill memory or disk. So inputs are open file
descriptors in a format that we name, `fd` is the only protocol that they may use, there is no
environment and no shell, and time, memory and output are limited by the system. Needs ffmpeg 6.1.
"""

import asyncio
import contextlib
import os
import resource
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from application.ports.errors import Unavailable
from application.ports.video import MediaRefused

PROVIDER: Final = "ffmpeg"
REPORT_LIMIT: Final = 256 * 1024
NICENESS: Final = 10
_MB: Final = 1024 * 1024


class Limits(NamedTuple):
    """Of one run. `cpu_s` counts all its threads together."""

    wall_s: float = 600.0
    cpu_s: int = 900
    memory_mb: int = 4096
    output_mb: int = 2048
    threads: int = 2


class Input(NamedTuple):
    """Bytes, and the name of the demuxer that is to read them. `options` stand before it."""

    content: bytes
    demuxer: str
    options: Sequence[str] = ()


class Run(NamedTuple):
    """What the program said of its work, of its progress, and what it made."""

    report: str
    progress: str
    output: bytes


class Ffmpeg:
    """Runs at most `workers` at a time; more than `max_waiting` are refused with Unavailable.
    Files are made below `scratch`, or where the system keeps what is temporary."""

    def __init__(
        self,
        binary: str,
        *,
        limits: Limits | None = None,
        workers: int = 2,
        max_waiting: int = 32,
        scratch: Path | None = None,
    ) -> None:
        self._binary = binary
        self._scratch = scratch
        self._limits = limits or Limits()
        self._turns = asyncio.Semaphore(workers)
        self._max_waiting = max_waiting
        self._waiting = 0

    async def run(
        self, inputs: Sequence[Input], arguments: Sequence[str], *, output: str | None = None
    ) -> Run:
        """`output` is the file name suffix of what is made, None for nothing. Raises MediaRefused,
        Unavailable."""
        if self._waiting >= self._max_waiting:
            raise Unavailable("Too many videos are waiting.", provider=PROVIDER, retry_after_s=10)
        self._waiting += 1
        try:
            async with self._turns:
                return await self._in_a_folder_of_its_own(inputs, arguments, output)
        finally:
            self._waiting -= 1

    async def version(self) -> str:
        """Raises Unavailable when it cannot be run, or is too old to be fenced in."""
        try:
            process = await asyncio.create_subprocess_exec(
                *(self._binary, "-hide_banner", "-protocols"), stdin=DEVNULL, stdout=PIPE, env={}
            )
            protocols, _ = await process.communicate()
            process = await asyncio.create_subprocess_exec(
                *(self._binary, "-version"), stdin=DEVNULL, stdout=PIPE, env={}
            )
            version, _ = await process.communicate()
        except OSError as error:
            raise Unavailable("ffmpeg cannot be started.", provider=PROVIDER) from error
        if b"fd" not in protocols.split():
            raise Unavailable("ffmpeg is older than 6.1.", provider=PROVIDER)
        return version.decode(errors="replace").partition(" Copyright")[0].removeprefix("ffmpeg ")

    async def _in_a_folder_of_its_own(
        self, inputs: Sequence[Input], arguments: Sequence[str], output: str | None
    ) -> Run:
        with contextlib.ExitStack() as stack:
            folder = Path(
                stack.enter_context(
                    tempfile.TemporaryDirectory(prefix="likeness-video-", dir=self._scratch)
                )
            )
            line = [self._binary, "-nostdin", "-hide_banner", "-nostats", "-y"]
            line += ["-max_alloc", str(self._limits.memory_mb * _MB // 2)]
            descriptors = []
            for number, one in enumerate(inputs):
                path = folder / str(number)
                await asyncio.to_thread(path.write_bytes, one.content)
                descriptor = os.open(path, os.O_RDONLY)
                stack.callback(os.close, descriptor)
                descriptors.append(descriptor)
                line += ["-protocol_whitelist", "fd", "-fd", str(descriptor)]
                line += ["-threads", str(self._limits.threads), *one.options]
                line += ["-f", one.demuxer, "-i", "fd:"]
            target = folder / f"made.{output}" if output else None
            line += ["-progress", "pipe:1", "-threads", str(self._limits.threads), *arguments]
            line.append(f"file:{target}" if target else "-")
            report, progress = await self._finished(line, descriptors, folder)
            made = await asyncio.to_thread(target.read_bytes) if target else b""
        if target and not made:
            raise MediaRefused("There is nothing in it to make anything of.")
        return Run(report, progress, made)

    async def _finished(
        self, line: Sequence[str], descriptors: Sequence[int], folder: Path
    ) -> tuple[str, str]:
        try:
            process = await asyncio.create_subprocess_exec(
                *line,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=PIPE,
                pass_fds=descriptors,
                cwd=folder,
                env={},
                start_new_session=True,
            )
        except OSError as error:
            raise Unavailable("ffmpeg cannot be started.", provider=PROVIDER) from error
        try:
            _fence(process.pid, self._limits)
            async with asyncio.timeout(self._limits.wall_s):
                progress, report = await asyncio.gather(
                    _text(process.stdout), _text(process.stderr)
                )
                code = await process.wait()
        except TimeoutError as error:
            raise MediaRefused("It takes too long to work on.") from error
        finally:
            await _end(process)
        if code < 0:
            raise MediaRefused("It asks for too much time, memory or space.")
        if code:
            raise MediaRefused("It is broken, or not what it claims to be.")
        return report, progress


def _fence(pid: int, limits: Limits) -> None:
    """Limits of the system, on Linux; elsewhere the clock alone ends a run."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.setpriority(os.PRIO_PROCESS, pid, NICENESS)
        if sys.platform == "linux":
            for what, most in (
                (resource.RLIMIT_CPU, limits.cpu_s),
                (resource.RLIMIT_AS, limits.memory_mb * _MB),
                (resource.RLIMIT_FSIZE, limits.output_mb * _MB),
                (resource.RLIMIT_NOFILE, 64),
                (resource.RLIMIT_CORE, 0),
            ):
                resource.prlimit(pid, what, (most, most))


async def _text(stream: asyncio.StreamReader | None) -> str:
    """All that is said is read, or the program would wait; the beginning is kept."""
    assert stream is not None  # noqa: S101 - it was asked for
    kept = bytearray()
    while chunk := await stream.read(64 * 1024):
        kept += chunk[: REPORT_LIMIT - len(kept)]
    return kept.decode(errors="replace")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.shield(process.wait())
