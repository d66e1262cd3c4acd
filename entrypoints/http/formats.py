"""One resource in several formats: `?format=` decides, or else what the client accepts."""

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response
from litestar.openapi import ResponseSpec
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import Stream

from application.ports.storage import attachment


class Paper(StrEnum):
    """The formats of statements."""

    JSON = "json"
    CSV = "csv"
    PDF = "pdf"


MEDIA_TYPES = {
    Paper.JSON: "application/json",
    Paper.CSV: "text/csv",
    Paper.PDF: "application/pdf",
}
AskedPaper = Annotated[
    Paper | None,
    QueryParameter(
        name="format",
        description="`json`, `csv` or `pdf`; else by Accept. CSV and PDF have all pages.",
    ),
]
"""`asked_format: AskedPaper = None`"""
AskedPdf = Annotated[
    Literal["json", "pdf"] | None,
    QueryParameter(name="format", description="`json` or `pdf`; else by Accept."),
]
"""`asked_format: AskedPdf = None`, of what is a paper and no table"""
Accepted = Annotated[str | None, HeaderParameter(name="Accept", max_length=1000)]
"""`accept: Accepted = None`"""
_PRIVATE = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept",
}


def chosen(asked: Paper | None, accept: str | None) -> Paper:
    """The first of the accepted types that we have; JSON when there is none."""
    if asked is not None:
        return asked
    for part in (accept or "").split(","):
        match part.partition(";")[0].strip().lower():
            case "text/csv":
                return Paper.CSV
            case "application/pdf":
                return Paper.PDF
            case "application/json":
                return Paper.JSON
    return Paper.JSON


def as_pdf(asked: Literal["json", "pdf"] | None, accept: str | None) -> bool:
    """Whether a paper that is no table is wanted as PDF."""
    return chosen(Paper(asked) if asked else None, accept) is Paper.PDF


def downloaded(content: bytes, *, media_type: str, name: str) -> Response[bytes]:
    headers = {**_PRIVATE, "Content-Disposition": attachment(name)}
    return Response(content, media_type=media_type, headers=headers)


def streamed(content: AsyncIterator[bytes], *, media_type: str, name: str) -> Stream:
    headers = {**_PRIVATE, "Content-Disposition": attachment(name)}
    return Stream(content, media_type=media_type, headers=headers)


def as_json(content: msgspec.Struct) -> Response[Any]:
    return Response(content, media_type=MEDIA_TYPES[Paper.JSON], headers=dict(_PRIVATE))


AS_FILES = {"files": (MEDIA_TYPES[Paper.CSV], MEDIA_TYPES[Paper.PDF])}
"""`opt=AS_FILES`: the answer may be one of these files; `openapi.py` says so."""

AS_PDF = {"files": (MEDIA_TYPES[Paper.PDF],)}
"""`opt=AS_PDF`: likewise, of what is a paper and no table."""


def documented(answer: Any, files: str = "`text/csv` or `application/pdf`") -> ResponseSpec:
    """How OpenAPI describes a 200 that may also be a file."""
    return ResponseSpec(
        answer,
        media_type="application/json",
        description=f"JSON; or a file, {files}, when asked for.",
    )
