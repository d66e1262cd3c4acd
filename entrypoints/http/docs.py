"""The API's document and a page to read it with, from our own origin and without a network.

The page is Swagger UI (Apache-2.0), shipped unchanged in `static/docs` beside its licence.
"""

from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from litestar import Litestar, MediaType, Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.params import FromPath

from entrypoints.http.openapi import complete_document

DOCS_PATH = "/api/v1/docs"
DOCUMENT_PATH = "/api/v1/openapi.json"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
ASSETS = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "favicon.png": "image/png",
}


class OfflinePage(OpenAPIRenderPlugin):
    """Answers Litestar's documentation route with our page."""

    def __init__(self) -> None:
        super().__init__(path="/")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return _asset("page.html")


class CompleteDocument(OpenAPIRenderPlugin):
    """Answers `openapi.json` beside the page with the completed document."""

    def __init__(self) -> None:
        super().__init__(path="/openapi.json", media_type=MediaType.JSON)

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return document_of(request.app)


def docs_router() -> Router:
    """The router that Litestar puts the page into."""
    return Router(
        DOCS_PATH,
        route_handlers=[],
        include_in_schema=False,
        response_headers={"Content-Security-Policy": PAGE_POLICY},
    )


@get(DOCUMENT_PATH, include_in_schema=False, sync_to_thread=False)
def openapi_document(request: Request[Any, Any, Any]) -> Response[bytes]:
    return Response(document_of(request.app), media_type=MediaType.JSON)


@get(f"{DOCS_PATH}/assets/{{name:str}}", include_in_schema=False, sync_to_thread=False)
def docs_asset(name: FromPath[str]) -> Response[bytes]:
    if name not in ASSETS:
        raise NotFoundException
    return Response(
        _asset(name),
        media_type=ASSETS[name],
        headers={"Cache-Control": "public, max-age=86400"},
    )


def document_of(app: Litestar) -> bytes:
    """The document as JSON, made when it is first asked for."""
    if "openapi_document" not in app.state:
        app.state.openapi_document = msgspec.json.encode(complete_document(app))
    document: bytes = app.state.openapi_document
    return document


@cache
def _asset(name: str) -> bytes:
    return (files("entrypoints.http") / "static" / "docs" / name).read_bytes()
