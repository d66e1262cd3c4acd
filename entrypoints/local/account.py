"""The account PostgreSQL runs under: ours, or `nobody` for root, as whom PostgreSQL refuses to run.

As root the folders on the way to its files must let that account pass. Closed ones (a checkout in
/root, or in a folder of mktemp) get the right to pass (`o+x`, no listing), and it is said aloud.
"""

import os
import pwd
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from entrypoints.local.errors import LocalError


@dataclass(frozen=True, slots=True)
class Account:
    """`None` in both: no change of account."""

    user_id: int | None
    group_id: int | None

    def give(self, path: Path) -> None:
        if self.user_id is not None and self.group_id is not None:
            os.chown(path, self.user_id, self.group_id)

    def owns(self, path: Path) -> bool:
        expected = os.geteuid() if self.user_id is None else self.user_id
        return path.lstat().st_uid == expected


def server_account() -> Account:
    if os.geteuid() != 0:
        return Account(None, None)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise LocalError(
            "PostgreSQL refuses to run as root and this machine has no account `nobody`; "
            "run as an ordinary user, or set LIKENESS_DATABASE_URL to a server of your own."
        ) from None
    return Account(nobody.pw_uid, nobody.pw_gid)


def open_the_way(path: Path, account: Account, *, say: Callable[[str], None]) -> None:
    """Let the account pass through every folder above `path`."""
    if account.user_id is None:
        return
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if mode & stat.S_IXOTH or folder.stat().st_uid == account.user_id:
            continue
        folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
        say(f"opened {folder} to passers-by (chmod o+x): PostgreSQL runs as `nobody` and must pass")
