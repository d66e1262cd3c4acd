"""Lists in pages, by keyset: a cursor holds the sort key of the last row shown.

A view is asked for one row more than the page holds; whether that row came says if there is a
next page. A cursor is opaque to clients but holds no secret: a forged one only starts elsewhere
in a list that its reader may see anyway. It is checked like any other input.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from litestar.params import QueryParameter

from domain.shared.errors import Invalid
from entrypoints.http.envelope import (
    CursorMeta,
    NextCursor,
    NumberedMeta,
    NumberedPage,
    Page,
    PageNumbers,
)
from entrypoints.http.text import unstorable

T = TypeVar("T")

PageLimit = Annotated[int, QueryParameter(ge=1, le=100, description="Rows on a page.")]
"""`limit: PageLimit = 20`"""
PageNumber = Annotated[int, QueryParameter(ge=1, le=1_000_000, description="Counts from 1.")]
"""`page: PageNumber = 1`"""
PageCursor = Annotated[
    str | None,
    QueryParameter(max_length=500, description="The `next_cursor` of the page before."),
]
"""`cursor: PageCursor = None`"""


class CursorInvalid(Invalid):
    """The cursor is not one of this list."""

    code = "cursor_invalid"

    def __init__(self) -> None:
        super().__init__(
            "The cursor is not one of ours: start again without it.",
            fields={"cursor": ["is not a cursor of this list"]},
        )


def write_cursor(key: object) -> str:
    """The sort key of a row (any value that msgspec encodes), as an opaque string."""
    return urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def read_cursor(cursor: str | None, key_type: Any) -> Any:
    """The sort key that `write_cursor` was given, checked against `key_type`, or None.

    Raises CursorInvalid.
    """
    if cursor is None:
        return None
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        key = msgspec.json.decode(raw, type=key_type)
        plain = msgspec.to_builtins(key)
    except (ValueError, RecursionError):
        raise CursorInvalid from None
    if unstorable(plain):
        raise CursorInvalid
    return key


def page_of(rows: Sequence[T], *, limit: int, key: Callable[[T], object]) -> Page[T]:
    """The page of up to `limit` rows, from a view that was asked for `limit + 1` of them."""
    shown = list(rows[:limit])
    more = len(rows) > limit
    cursor = write_cursor(key(shown[-1])) if more else None
    return Page(shown, CursorMeta(NextCursor(cursor)))


def numbered_page(rows: Sequence[T], *, page: int, limit: int, total: int) -> NumberedPage[T]:
    pages = PageNumbers(page=page, limit=limit, total=total, total_pages=-(-total // limit))
    return NumberedPage(list(rows), NumberedMeta(pages))
