"""The images, sounds and videos that a job is made from, as far as the actor may use them."""

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.media.asset import Asset, AssetPurpose, AssetState, Media
from domain.shared.errors import NotFound


class Sources(NamedTuple):
    """`images` are those that are made into something else."""

    images: tuple[Asset, ...]
    durations_ms: Mapping[UUID, int]


async def sources_of(
    actor: Actor,
    *,
    scene: UUID | None,
    source: UUID | None,
    audio: UUID | None,
    driving: UUID | None,
    uow: UnitOfWork,
) -> Sources:
    """Raises NotFound for what is not there, or not for this actor."""
    images = [
        await _image(asset_id, what, actor=actor, uow=uow)
        for asset_id, what in ((scene, "scene image"), (source, "source image"))
        if asset_id is not None
    ]
    durations: dict[UUID, int] = {}
    if audio is not None:
        durations[audio] = await _sound(audio, actor=actor, uow=uow)
    if driving is not None:  # the preset's, which may be another's
        durations[driving] = (await uow.assets.get(driving)).duration_ms or 0
    return Sources(tuple(images), durations)


async def _image(asset_id: UUID, what: str, *, actor: Actor, uow: UnitOfWork) -> Asset:
    found = await uow.assets.get(asset_id)
    own = found.owner_id == actor.user_id
    if found.media is Media.IMAGE and found.state is AssetState.READY:
        if found.is_generated:
            if own or actor.user_id in await uow.assets.grantees(asset_id):
                return found
        elif own and found.purpose is AssetPurpose.SCENE_IMAGE:
            return found
    raise NotFound(what, asset_id)


async def _sound(asset_id: UUID, *, actor: Actor, uow: UnitOfWork) -> int:
    found = await uow.assets.get(asset_id)
    own = found.owner_id == actor.user_id
    if own and found.media is Media.AUDIO and found.state is AssetState.READY:
        return found.duration_ms or 0
    raise NotFound("sound", asset_id)
