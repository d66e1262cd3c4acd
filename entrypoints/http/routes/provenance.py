"""Where a file came from: for anybody who has the file, and for who may see the asset."""

from collections.abc import AsyncGenerator, AsyncIterator
from uuid import UUID

from litestar import Router, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.params import FromPath

from application.media.provenance import (
    AssetProvenance,
    VerifiedFile,
    provenance_of,
    verify_file,
)
from domain.media.provenance import (
    MAX_FILM_BYTES,
    ProvenanceTooLarge,
    ProvenanceTypeRefused,
)
from domain.shared.errors import Invalid, NotFound
from entrypoints.http.envelope import Data
from entrypoints.http.errors import errors
from entrypoints.http.order_reader import READER, OrderReader
from entrypoints.http.parameters import TheCredentials, TheUnitOfWork
from entrypoints.http.rate_limiting import limited
from entrypoints.http.text import ApiRequest

MAX_BODY_BYTES = MAX_FILM_BYTES + 1024 * 1024
"""Of the file and its frame; enforced while the body arrives, as the limits of each kind are."""
MAX_FORM_BYTES = 50 * 1024 * 1024
"""Fields of a form that are no files are held in memory; a large film is sent as the body."""
_CHUNK_BYTES = 1024 * 1024


class FileMissing(Invalid):
    """The form has no file in its field `file`."""

    code = "file_missing"


class FileRequest(ApiRequest):
    """A form may be smaller than a file."""

    async def stream(self) -> AsyncGenerator[bytes, None]:
        is_form = self.content_type[0] == RequestEncodingType.MULTI_PART
        left = MAX_FORM_BYTES if is_form else MAX_BODY_BYTES
        async for chunk in super().stream():
            left -= len(chunk)
            if left < 0:
                raise RequestEntityTooLarge
            yield chunk


@post(
    "/verify",
    status_code=200,
    request_class=FileRequest,
    request_max_body_size=MAX_BODY_BYTES,
    opt=limited("verify") | {"takes_file": True},
    responses=errors(FileMissing, ProvenanceTypeRefused, ProvenanceTooLarge),
)
async def verify(
    request: ApiRequest, uow: TheUnitOfWork, credentials: TheCredentials
) -> Data[VerifiedFile]:
    """Read the content credentials of a PNG, JPEG, WebP, GIF, MP4, MP3, WAV or FLAC file: who
    signed, what is said of model and licence, whether anything was changed, and whether we know it.
    A film may have 512 MB, anything else and any form 50. Nothing is kept."""
    return Data(await verify_file(_file(request), uow=uow, credentials=credentials))


@get("/{asset_id:uuid}/provenance", responses=errors(NotFound))
async def read(
    asset_id: FromPath[UUID], reader: OrderReader, uow: TheUnitOfWork
) -> Data[AssetProvenance]:
    """What we have signed into the copies of an asset, for its owner and for who bought it."""
    return Data(await provenance_of(asset_id, actor=reader, uow=uow))


async def _file(request: ApiRequest) -> AsyncIterator[bytes]:
    """The body as it is, or the field `file` of a form."""
    if request.content_type[0] != RequestEncodingType.MULTI_PART:
        async for chunk in request.stream():
            yield chunk
        return
    sent = (await request.form()).get("file")
    if not isinstance(sent, UploadFile):
        raise FileMissing("Send the file in the field file.", fields={"file": ["is required"]})
    try:
        while chunk := await sent.read(_CHUNK_BYTES):
            yield chunk
    finally:
        await sent.close()


ROUTER = Router("/api/v1/provenance", route_handlers=[verify], tags=["Provenance"])
ASSETS_ROUTER = Router(
    "/api/v1/assets", dependencies=READER, route_handlers=[read], tags=["Provenance"]
)
