"""Serves signed links of a store that cannot serve them itself, and takes parts of uploads for it:
the link is the permission.

Objects never change under their key, so what was fetched once may be kept as long as its link
lives. Nothing is ever rendered as a page: no sniffing, a sandbox, and no scripts.
"""

import re
from typing import Annotated, Any

from litestar import HttpMethod, Request, Response, Router, put, route
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, HeaderParameter, QueryParameter
from litestar.response import Stream

from application.ports.multipart import (
    MAX_PART_NUMBER,
    MultipartMissing,
    PartRefused,
)
from application.ports.storage import (
    LinkExpired,
    LinkRefused,
    ObjectMissing,
    attachment,
)
from domain.media.upload import RULES, part_bytes_for
from entrypoints.http.errors import errors
from entrypoints.http.parameters import (
    TheFileLinks,
    ThePartReceiver,
    TheStorage,
)

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
MAX_PART_BYTES = part_bytes_for(max(rule.limit_bytes for rule in RULES.values()))


@route(
    "/{key:path}",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    responses={
        200: ResponseSpec(bytes, media_type="*/*", description="The file, as its own type."),
        206: ResponseSpec(bytes, media_type="*/*", description="The part that was asked for."),
        304: ResponseSpec(None, description="The copy that is there already is right."),
        416: ResponseSpec(None, description="The file has no such part."),
        **errors(LinkRefused, LinkExpired, ObjectMissing),
    },
)
async def serve(
    key: FromPath[str],
    expires: Annotated[int, QueryParameter(ge=0, le=2**53)],
    signature: Annotated[str, QueryParameter(max_length=64)],
    storage: TheStorage,
    file_links: TheFileLinks,
    name: Annotated[str | None, QueryParameter(max_length=255)] = None,
    requested: Annotated[str | None, HeaderParameter(name="Range", max_length=100)] = None,
    if_none_match: Annotated[
        str | None, HeaderParameter(name="If-None-Match", max_length=200)
    ] = None,
    if_range: Annotated[str | None, HeaderParameter(name="If-Range", max_length=100)] = None,
) -> Response[None] | Stream:
    """The file that a signed link names, whole or in part (one byte range)."""
    key = key.removeprefix("/")
    left_s = file_links.verify(key, expires=expires, signature=signature, download_name=name)
    stored = await storage.stat(key)
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": f"private, max-age={left_s}, immutable",
        "Content-Disposition": attachment(name) if name is not None else "inline",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "ETag": f'"{stored.sha256}"',
        "X-Content-Type-Options": "nosniff",
    }
    if if_none_match is not None and headers["ETag"] in if_none_match:
        return Response(None, status_code=304, headers=headers)
    if if_range is not None and if_range != headers["ETag"]:
        requested = None  # another file than the one of which the client has a part
    part = part_of(requested, stored.size_bytes)
    if part is None:
        headers["Content-Length"] = str(stored.size_bytes)
        return Stream(
            storage.stream(key), status_code=200, headers=headers, media_type=stored.content_type
        )
    start, end = part
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{stored.size_bytes}"
    if start >= end:
        headers["Content-Range"] = f"bytes */{stored.size_bytes}"
        return Response(None, status_code=416, headers=headers)
    headers["Content-Length"] = str(end - start)
    return Stream(
        storage.stream(key, offset=start, length=end - start),
        status_code=206,
        headers=headers,
        media_type=stored.content_type,
    )


@put(
    "/{key:path}",
    status_code=200,
    request_max_body_size=MAX_PART_BYTES,
    responses={
        200: ResponseSpec(None, description="Stored; the ETag names it."),
        **errors(PartRefused, LinkRefused, LinkExpired, MultipartMissing),
    },
)
async def receive(
    request: Request[Any, Any, Any],
    key: FromPath[str],
    multipart: Annotated[str, QueryParameter(max_length=64)],
    part: Annotated[int, QueryParameter(ge=1, le=MAX_PART_NUMBER)],
    size: Annotated[int, QueryParameter(ge=1, le=MAX_PART_BYTES)],
    expires: Annotated[int, QueryParameter(ge=0, le=2**53)],
    signature: Annotated[str, QueryParameter(max_length=64)],
    file_links: TheFileLinks,
    part_receiver: ThePartReceiver,
) -> Response[None]:
    """Take a part of an upload to a signed link: the body is the part, exactly `size` bytes.

    It goes to the disc while it arrives."""
    key = key.removeprefix("/")
    file_links.verify_part(
        key, multipart, part, size_bytes=size, expires=expires, signature=signature
    )
    if part_receiver is None:
        raise LinkRefused("Parts are sent to the store itself.")
    stored = await part_receiver.receive_part(
        key, multipart, part, size_bytes=size, chunks=request.stream()
    )
    return Response(None, status_code=200, headers={"ETag": f'"{stored.etag}"'})


def part_of(requested: str | None, size_bytes: int) -> tuple[int, int] | None:
    """Start and exclusive end of a byte range (RFC 9110, 14.2), empty when it cannot be met.

    None for no range, several, or one that is not understood: then the whole is served.
    """
    understood = _RANGE.fullmatch(requested or "")
    if understood is None or understood.groups() == ("", ""):
        return None
    first, last = understood.groups()
    if not first:
        return max(size_bytes - int(last), 0), size_bytes
    end = min(int(last) + 1, size_bytes) if last else size_bytes
    if last and int(last) < int(first):
        return None
    return int(first), end


ROUTER = Router("/api/v1/files", route_handlers=[serve, receive], tags=["Files"])
