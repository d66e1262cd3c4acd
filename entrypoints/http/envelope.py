"""The one shape of every answer: `{"data": …, "meta": {…}}`, and `{"error": {…}}` for a refusal."""

from typing import Generic, TypeVar

from msgspec import Struct, field

T = TypeVar("T")


class NoMeta(Struct, frozen=True):
    """There is nothing to say about the data."""


class Data(Struct, Generic[T], frozen=True):
    """One object, or a list that is always short."""

    data: T
    meta: NoMeta = NoMeta()


class NextCursor(Struct, frozen=True):
    """Send `next_cursor` back as `cursor` for the next page; null means that this was the last."""

    next_cursor: str | None


class CursorMeta(Struct, frozen=True):
    pagination: NextCursor


class Page(Struct, Generic[T], frozen=True):
    """A page of a list that grows: see `paging.page_of`."""

    data: list[T]
    meta: CursorMeta


class PageNumbers(Struct, frozen=True):
    """Pages count from 1."""

    page: int
    limit: int
    total: int
    total_pages: int


class NumberedMeta(Struct, frozen=True):
    pagination: PageNumbers


class NumberedPage(Struct, Generic[T], frozen=True):
    """A page of a list that is counted: see `paging.numbered_page`."""

    data: list[T]
    meta: NumberedMeta


class RefusalReason(Struct, frozen=True, kw_only=True):
    """One reason of a refused use, listing or sale: which `field` has what `value`, against which
    `limit`. `product_id` names the line where there are several.
    """

    code: str
    field: str
    limit: str | int | None
    value: str | int | None
    message: str
    product_id: str | None = None


class ErrorBody(Struct, frozen=True):
    """`code` is stable and for programs, `message` for people; `details` maps a field to messages;
    `retry_after` is in seconds, when trying again makes sense; `reasons` has every reason of a
    licence or gate that said no.
    """

    code: str
    message: str
    details: dict[str, list[str]] = field(default_factory=dict)
    retry_after: int | None = None
    reasons: list[RefusalReason] = field(default_factory=list)


class ErrorAnswer(Struct, frozen=True):
    """What every answer of 400 and above holds."""

    error: ErrorBody
