"""Assets of the signed-in user, and of guests what they bought. Answers hold links, never bytes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from litestar import Response, Router, delete, get, post
from litestar.datastructures import UploadFile
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, FromQuery, MultipartBody

from application.media.assets import (
    Copy,
    delete_asset,
    link_copy,
    list_assets,
    read_asset,
    upload_image,
)
from application.media.delivery import AssetDetails
from application.moderation.uploads import UploadBlocked
from application.ports.errors import Unavailable
from application.ports.images import ImageRefused, ImageTypeRefused
from domain.media.asset import (
    UPLOAD_LIMIT_BYTES,
    AssetInUse,
    AssetPurpose,
    AssetUnderReview,
    Media,
    PurposeRefused,
    UploadTooLarge,
)
from domain.media.upload import StorageFull
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.order_reader import READER, OrderReader
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import (
    TheAssetViews,
    TheClock,
    TheFaces,
    TheIds,
    TheImages,
    TheModeration,
    TheStorage,
    TheUnitOfWork,
)

MAX_BODY_BYTES = max(UPLOAD_LIMIT_BYTES.values()) + 64 * 1024
"""The largest file and its multipart frame; enforced while the body arrives."""


@dataclass(frozen=True)
class UploadForm:
    """`file` is a PNG, JPEG, WebP or GIF, told by its bytes; `purpose` decides how large it may be:
    training_image 25 MB, scene_image and product_image 15 MB, banner 10 MB, avatar 5 MB."""

    file: UploadFile
    purpose: AssetPurpose


@post(
    "/",
    request_max_body_size=MAX_BODY_BYTES,
    responses=errors(
        PurposeRefused,
        UploadTooLarge,
        ImageTypeRefused,
        ImageRefused,
        UploadBlocked,
        StorageFull,
        Unavailable,
    ),
)
async def upload(
    data: MultipartBody[UploadForm],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    storage: TheStorage,
    images: TheImages,
    moderation: TheModeration,
    faces: TheFaces,
    clock: TheClock,
    ids: TheIds,
) -> Data[AssetDetails]:
    """Upload a small image at once; anything larger, or of another kind, by POST /uploads.

    What is kept is a clean copy: upright, in sRGB, without metadata. It is judged first: what is
    doubtful is `under_review` and cannot be used until a moderator has looked at it."""
    try:
        content = await data.file.read()
    finally:
        await data.file.close()
    made = await upload_image(
        content,
        data.purpose,
        actor=actor,
        uow=uow,
        storage=storage,
        images=images,
        moderation=moderation,
        faces=faces,
        clock=clock,
        ids=ids,
    )
    return Data(made)


@get("/", responses=errors(NotFound))
async def list_own(
    actor: CurrentActor,
    uow: TheUnitOfWork,
    asset_views: TheAssetViews,
    storage: TheStorage,
    purpose: FromQuery[AssetPurpose | None] = None,
    media: FromQuery[Media | None] = None,
    project_id: FromQuery[UUID | None] = None,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[AssetDetails]:
    """The caller's assets, newest first. `project_id`: what they generated in that project."""
    found = await list_assets(
        actor=actor,
        uow=uow,
        purpose=purpose,
        media=media,
        project_id=project_id,
        before=read_cursor(cursor, tuple[datetime, UUID]),
        limit=limit + 1,
        views=asset_views,
        storage=storage,
    )
    return page_of(found, limit=limit, key=lambda asset: (asset.created_at, asset.id))


@get("/{asset_id:uuid}", responses=errors(NotFound))
async def read(
    asset_id: FromPath[UUID],
    reader: OrderReader,
    uow: TheUnitOfWork,
    storage: TheStorage,
    clock: TheClock,
) -> Data[AssetDetails]:
    """An asset with fresh links, for its owner and for who bought it. A guest sends the
    `Order-Token` of the order in which it was bought."""
    return Data(await read_asset(asset_id, actor=reader, uow=uow, storage=storage, clock=clock))


@get(
    "/{asset_id:uuid}/content",
    status_code=302,
    responses={
        302: ResponseSpec(None, description="`Location` is a signed link that expires soon."),
        **errors(NotFound, AssetUnderReview),
    },
)
async def content(
    asset_id: FromPath[UUID],
    reader: OrderReader,
    uow: TheUnitOfWork,
    storage: TheStorage,
    clock: TheClock,
    copy: FromQuery[Copy] = Copy.BEST,
) -> Response[None]:
    """To the bytes: the best copy that the caller may have, or the one that is asked for."""
    url = await link_copy(asset_id, copy, actor=reader, uow=uow, storage=storage, clock=clock)
    return Response(None, status_code=302, headers={"Location": url, "Cache-Control": "no-store"})


@delete("/{asset_id:uuid}", responses=errors(NotFound, AssetInUse))
async def remove(
    asset_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
) -> None:
    """Delete an asset for good, unless a listing or a buyer needs it."""
    await delete_asset(asset_id, actor=actor, uow=uow)


ROUTER = Router(
    "/api/v1/assets",
    dependencies=READER,
    route_handlers=[upload, list_own, read, content, remove],
    tags=["Assets"],
)
