"""Likeness models: training versions, choosing among them, deleting them. For the creator alone."""

from uuid import UUID

from litestar import Router, delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from application.licensing.derivatives import SourceNotLicensed
from application.licensing.standing import LicenceRefused, NoLicence
from application.studio.models import (
    AcceptedModel,
    ModelDetails,
    TrainModel,
    list_models,
    read_model,
    train_model,
)
from application.studio.training_sets import (
    CheckTrainingSet,
    TrainingSetReport,
    check_training_set,
)
from application.studio.versions import (
    delete_model,
    delete_models,
    promote_model,
    retire_model,
)
from domain.creators.likeness_model import ModelDeleted, ModelUnusable
from domain.creators.training_set import TrainingImagesRefused, TriggerWordRefused
from domain.licensing.consent import ConsentMissing
from domain.shared.errors import NotFound
from domain.studio.credits import CreditsExhausted
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.idempotency import idempotent
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import (
    TheClock,
    TheIds,
    TheLive,
    TheStudioViews,
    TheTrainingPolicy,
    TheUnitOfWork,
)


@post(
    "/",
    status_code=202,
    opt=idempotent(),
    responses=errors(
        NotFound,
        TriggerWordRefused,
        TrainingImagesRefused,
        ConsentMissing,
        NoLicence,
        LicenceRefused,
        SourceNotLicensed,
        CreditsExhausted,
    ),
)
async def train(
    creator_id: FromPath[UUID],
    data: JSONBody[TrainModel],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
    live: TheLive,
    training_policy: TheTrainingPolicy,
) -> Data[AcceptedModel]:
    """Start training the next version of the likeness model from uploaded images. Progress is also
    told live, as `job:{id}`."""
    accepted = await train_model(
        creator_id,
        data,
        actor=actor,
        uow=uow,
        clock=clock,
        ids=ids,
        live=live,
        policy=training_policy,
    )
    return Data(accepted)


@post("/check", status_code=200, responses=errors(NotFound))
async def check(
    creator_id: FromPath[UUID],
    data: JSONBody[CheckTrainingSet],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    training_policy: TheTrainingPolicy,
) -> Data[TrainingSetReport]:
    """What is wrong with a training set, image by image. Nothing is begun, and nothing costs."""
    return Data(
        await check_training_set(creator_id, data, actor=actor, uow=uow, policy=training_policy)
    )


@get("/", responses=errors(NotFound))
async def list_own(
    creator_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    studio_views: TheStudioViews,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[ModelDetails]:
    """The versions of the creator's likeness model, newest first; deleted ones as tombstones."""
    found = await list_models(
        creator_id,
        actor=actor,
        before_version=read_cursor(cursor, int),
        limit=limit + 1,
        uow=uow,
        views=studio_views,
    )
    return page_of(found, limit=limit, key=lambda model: model.version)


@get("/{model_id:uuid}", responses=errors(NotFound))
async def read(
    creator_id: FromPath[UUID],
    model_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    studio_views: TheStudioViews,
) -> Data[ModelDetails]:
    """A version, what it was trained from, and how far its training is."""
    return Data(await read_model(creator_id, model_id, actor=actor, uow=uow, views=studio_views))


@post(
    "/{model_id:uuid}/promote",
    status_code=200,
    responses=errors(NotFound, ModelDeleted, ModelUnusable),
)
async def promote(
    creator_id: FromPath[UUID],
    model_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    studio_views: TheStudioViews,
) -> Data[ModelDetails]:
    """Put a version in force, in place of the one that is: forward, or back to an earlier one."""
    await promote_model(creator_id, model_id, actor=actor, uow=uow)
    return Data(await read_model(creator_id, model_id, actor=actor, uow=uow, views=studio_views))


@post(
    "/{model_id:uuid}/retire",
    status_code=200,
    responses=errors(NotFound, ModelDeleted, ModelUnusable),
)
async def retire(
    creator_id: FromPath[UUID],
    model_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    studio_views: TheStudioViews,
) -> Data[ModelDetails]:
    """Keep a version, and have nothing new made with it. `promote` brings it back."""
    await retire_model(creator_id, model_id, actor=actor, uow=uow)
    return Data(await read_model(creator_id, model_id, actor=actor, uow=uow, views=studio_views))


@delete("/{model_id:uuid}", responses=errors(NotFound))
async def remove(
    creator_id: FromPath[UUID],
    model_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    with_images: FromQuery[bool] = False,
) -> None:
    """Delete a version for good: its weights are erased, and what is under way with it ends. With
    `with_images`, the images that no other version was trained from go too."""
    await delete_model(
        creator_id, model_id, with_images=with_images, actor=actor, uow=uow, clock=clock
    )


@delete("/", responses=errors(NotFound))
async def remove_all(
    creator_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    with_images: FromQuery[bool] = False,
) -> None:
    """Delete every version, as `DELETE` of each would."""
    await delete_models(creator_id, with_images=with_images, actor=actor, uow=uow, clock=clock)


ROUTER = Router(
    "/api/v1/creators/{creator_id:uuid}/models",
    route_handlers=[train, check, list_own, read, promote, retire, remove, remove_all],
    tags=["Likeness models"],
)
