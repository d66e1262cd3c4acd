"""Likeness models: training them, and watching how it goes. For the creator alone."""

from collections.abc import Sequence
from uuid import UUID

from litestar import Router, get, post
from litestar.params import FromPath, JSONBody

from application.licensing.standing import LicenceRefused, NoLicence
from application.studio.models import (
    AcceptedModel,
    ModelDetails,
    TrainModel,
    list_models,
    read_model,
    train_model,
)
from domain.creators.likeness_model import TrainingImagesRefused
from domain.licensing.consent import ConsentMissing
from domain.shared.errors import NotFound
from domain.studio.credits import CreditsExhausted
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data
from entrypoints.http.errors import errors
from entrypoints.http.idempotency import idempotent
from entrypoints.http.parameters import (
    TheClock,
    TheIds,
    TheLive,
    TheStudioViews,
    TheUnitOfWork,
)


@post(
    "/",
    status_code=202,
    opt=idempotent(),
    responses=errors(
        NotFound, TrainingImagesRefused, ConsentMissing, NoLicence, LicenceRefused, CreditsExhausted
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
) -> Data[AcceptedModel]:
    """Start training a likeness model from uploaded images. Progress is also told live, as
    `job:{id}`."""
    accepted = await train_model(
        creator_id, data, actor=actor, uow=uow, clock=clock, ids=ids, live=live
    )
    return Data(accepted)


@get("/", responses=errors(NotFound))
async def list_own(
    creator_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    studio_views: TheStudioViews,
) -> Data[Sequence[ModelDetails]]:
    """The creator's models, newest first."""
    return Data(await list_models(creator_id, actor=actor, uow=uow, views=studio_views))


@get("/{model_id:uuid}", responses=errors(NotFound))
async def read(
    creator_id: FromPath[UUID],
    model_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    studio_views: TheStudioViews,
) -> Data[ModelDetails]:
    """A model and how far its training is."""
    return Data(await read_model(creator_id, model_id, actor=actor, uow=uow, views=studio_views))


ROUTER = Router(
    "/api/v1/creators/{creator_id:uuid}/models",
    route_handlers=[train, list_own, read],
    tags=["Likeness models"],
)
