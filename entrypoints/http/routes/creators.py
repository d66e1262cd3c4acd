"""Creators, for themselves: their page and what they earn."""

from litestar import Router, get, post, put
from litestar.params import JSONBody

from application.creators import profile
from application.creators.profile import (
    CreateCreator,
    CreatorProfile,
    UpdateCreator,
)
from application.ledger.balances import creator_balance
from application.moderation.subjects import HeldByModerators
from application.ports.views import Balance
from domain.creators.creator import AlreadyCreator, SlugInvalid, SlugTaken
from domain.identity.actor import RoleRequired
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data
from entrypoints.http.errors import errors
from entrypoints.http.moderating import UNSAYABLE
from entrypoints.http.parameters import (
    CurrencyCode,
    TheBalanceViews,
    TheClock,
    TheIds,
    TheModeration,
    TheUnitOfWork,
)


@post("/", responses=errors(RoleRequired, *UNSAYABLE, SlugInvalid, SlugTaken, AlreadyCreator))
async def create(
    data: JSONBody[CreateCreator],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
    moderation: TheModeration,
) -> Data[CreatorProfile]:
    """Become a creator."""
    return Data(
        await profile.create_creator(
            data, actor=actor, uow=uow, clock=clock, ids=ids, moderation=moderation
        )
    )


@get("/profile", responses=errors(NotFound))
async def read_own(actor: CurrentActor, uow: TheUnitOfWork) -> Data[CreatorProfile]:
    """The caller's own page."""
    return Data(await profile.show_own(actor=actor, uow=uow))


@put("/profile", responses=errors(NotFound, *UNSAYABLE, HeldByModerators))
async def update_own(
    data: JSONBody[UpdateCreator],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    moderation: TheModeration,
) -> Data[CreatorProfile]:
    """Change the caller's own page; what is left out stays."""
    return Data(await profile.update_creator(data, actor=actor, uow=uow, moderation=moderation))


@get("/balance", responses=errors(NotFound))
async def balance(
    actor: CurrentActor,
    uow: TheUnitOfWork,
    balance_views: TheBalanceViews,
    currency: CurrencyCode = None,
) -> Data[Balance]:
    """What the caller has earned as a creator, and when it becomes available."""
    return Data(await creator_balance(actor=actor, uow=uow, views=balance_views, currency=currency))


ROUTER = Router(
    "/api/v1/creators", route_handlers=[create, read_own, update_own, balance], tags=["Creators"]
)
