"""What a walk through a file finds, and why it may be refused."""

from dataclasses import dataclass

from domain.shared.errors import Invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None


class FileRefused(Invalid):
    """The file is not what it claims, is damaged, or could do harm; `reason` says which."""

    code = "file_refused"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, fields={"file": [message]})
        self.reason = reason


def damaged(kind: str) -> FileRefused:
    return FileRefused(
        "file_damaged", f"The {kind} file is damaged or incomplete: export it again."
    )


def trailing(kind: str) -> FileRefused:
    return FileRefused(
        "file_trailing_data", f"Something follows the end of the {kind} file: export it again."
    )
