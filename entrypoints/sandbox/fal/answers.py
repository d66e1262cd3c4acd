"""How an app's work ends: with files on the shelf, or with a failure in fal's words."""

from typing import Any

from entrypoints.sandbox.media import CONTENT_TYPES, InputUnreadable, Shelf, read_input

Answer = dict[str, Any]


class AppFailed(Exception):
    """The request ended without a result: its HTTP status, `detail` and error type."""

    def __init__(self, status: int, detail: object, error_type: str | None = None) -> None:
        super().__init__(f"Invalid status code: {status}")
        self.status = status
        self.body = {"detail": detail} | ({"error_type": error_type} if error_type else {})
        self.error_type = error_type


def refused_by_policy(field: str = "prompt") -> AppFailed:
    problem = {
        "loc": ["body", field],
        "msg": "The content could not be processed because it was flagged by a content checker.",
        "type": "content_policy_violation",
    }
    return AppFailed(422, [problem])


def crashed(error_type: str = "") -> AppFailed:
    """`error_type` is one of fal's; its own machine is to blame if there is none."""
    return AppFailed(500, "Internal Server Error", error_type or "runner_server_error")


def unreadable(field: str, error: InputUnreadable | ValueError) -> AppFailed:
    problem = {
        "loc": ["body", field],
        "msg": f"Failed to download: {error}",
        "type": "file_download_error",
    }
    return AppFailed(422, [problem])


async def given_file(arguments: object, field: str) -> bytes:
    """The bytes behind the URL in a field. Raises AppFailed."""
    try:
        return await read_input(getattr(arguments, field))
    except InputUnreadable as error:
        raise unreadable(field, error) from error


def file_answer(shelf: Shelf, content: bytes, suffix: str, name: str) -> Answer:
    return {
        "url": shelf.keep(content, suffix),
        "content_type": CONTENT_TYPES[suffix],
        "file_name": f"{name}.{suffix}",
        "file_size": len(content),
    }
