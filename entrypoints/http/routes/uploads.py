"""Files in parts, sent directly to the store: begin, send, complete; resume after anything.

Nothing that is uploaded passes through these routes. `docs/uploads.md` shows the whole way.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Router, delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from application.media.uploads import (
    AskParts,
    BeginUpload,
    UploadDetails,
    UploadProgress,
    abort_upload,
    begin_upload,
    complete_upload,
    link_parts,
    list_uploads,
    read_upload,
)
from application.ports.multipart import MultipartMissing, PartLink
from domain.media.asset import PurposeRefused, UploadTooLarge
from domain.media.upload import (
    StorageFull,
    UploadClosed,
    UploadExpired,
    UploadIncomplete,
    UploadNotBegun,
    UploadState,
    UploadTypeRefused,
)
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import (
    TheClock,
    TheIds,
    TheStorage,
    TheUnitOfWork,
    TheUploadViews,
)


@post("/", responses=errors(PurposeRefused, UploadTooLarge, UploadTypeRefused, StorageFull))
async def begin(
    data: JSONBody[BeginUpload],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    storage: TheStorage,
    clock: TheClock,
    ids: TheIds,
) -> Data[UploadDetails]:
    """Announce a file and reserve room for it. It has a day to arrive."""
    return Data(
        await begin_upload(data, actor=actor, uow=uow, storage=storage, clock=clock, ids=ids)
    )


@get("/")
async def list_own(
    actor: CurrentActor,
    upload_views: TheUploadViews,
    of_state: Annotated[UploadState | None, QueryParameter(name="state")] = None,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[UploadDetails]:
    """The caller's uploads, newest first."""
    found = await list_uploads(
        actor=actor,
        state=of_state,
        before=read_cursor(cursor, tuple[datetime, UUID]),
        limit=limit + 1,
        views=upload_views,
    )
    return page_of(found, limit=limit, key=lambda upload: (upload.created_at, upload.id))


@get("/{upload_id:uuid}", responses=errors(NotFound, MultipartMissing))
async def read(
    upload_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork, storage: TheStorage
) -> Data[UploadProgress]:
    """How far it is. `parts` have come: to resume, send the others."""
    return Data(await read_upload(upload_id, actor=actor, uow=uow, storage=storage))


@post(
    "/{upload_id:uuid}/parts",
    status_code=200,
    responses=errors(NotFound, UploadClosed, UploadExpired, UploadNotBegun),
)
async def parts(
    upload_id: FromPath[UUID],
    data: JSONBody[AskParts],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    storage: TheStorage,
    clock: TheClock,
) -> Data[list[PartLink]]:
    """Links to send parts to, by PUT, for 15 minutes; each takes exactly `size_bytes` bytes."""
    return Data(
        await link_parts(upload_id, data, actor=actor, uow=uow, storage=storage, clock=clock)
    )


@post(
    "/{upload_id:uuid}/complete",
    status_code=202,
    responses=errors(
        NotFound, MultipartMissing, UploadIncomplete, UploadClosed, UploadExpired, UploadNotBegun
    ),
)
async def complete(
    upload_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    storage: TheStorage,
    clock: TheClock,
) -> Data[UploadDetails]:
    """All parts were sent: check the file. It becomes `ready`, with its asset, or `refused`."""
    return Data(
        await complete_upload(upload_id, actor=actor, uow=uow, storage=storage, clock=clock)
    )


@delete("/{upload_id:uuid}", responses=errors(NotFound, UploadClosed))
async def abort(
    upload_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork, clock: TheClock
) -> None:
    """Give up an upload that was not completed; what has come is erased."""
    await abort_upload(upload_id, actor=actor, uow=uow, clock=clock)


ROUTER = Router(
    "/api/v1/uploads",
    route_handlers=[begin, list_own, read, parts, complete, abort],
    tags=["Uploads"],
)
