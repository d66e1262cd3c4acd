"""A small process that outlives its ward and then stops what the ward has started.

It sleeps inside `flock` until the last holder of the ward's lock lets go or dies (of SIGKILL too),
reads the roll, stops the processes in reverse order and leaves. One guardian per lock: a second one
finds the first and goes home.
"""

import contextlib
import signal
import subprocess
import sys
from pathlib import Path

from entrypoints.local.locks import FileLock
from entrypoints.local.processes import Roll


def appoint(*, lock_path: Path, roll_path: Path) -> None:
    """Make sure that a guardian watches the lock. The caller must hold the lock already."""
    place = FileLock(_place(lock_path))
    vacant = place.try_alone()
    place.let_go()
    if not vacant:
        return
    guardian = subprocess.Popen(
        [sys.executable, "-m", "entrypoints.local.guardian", str(lock_path), str(roll_path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd=Path(__file__).parents[2],
    )
    disown(guardian)


def disown(process: subprocess.Popen[bytes]) -> None:
    """Leave a process to its guardian: Popen would otherwise complain that it still runs."""
    process.returncode = 0


def _place(lock_path: Path) -> Path:
    return lock_path.with_suffix(".guardian")


def _watch(lock_path: Path, roll_path: Path) -> None:
    place = FileLock(_place(lock_path))
    if not place.try_alone():
        return
    lock = FileLock(lock_path)
    lock.take_alone()
    Roll(roll_path).stop_all()
    # In this order: whoever waits for the lock must find the place vacant.
    place.let_go()
    lock.let_go()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with contextlib.suppress(FileNotFoundError):  # the whole folder was deleted: nothing to guard
        _watch(Path(sys.argv[1]), Path(sys.argv[2]))
