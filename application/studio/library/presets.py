"""Presets: the platform's own, and those that people make for themselves."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from application.moderation.judging import Moderation
from application.moderation.words import require_publishable
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from application.studio.library.works import (
    Category,
    Description,
    Name,
    Publicity,
    Version,
    changed,
    is_own,
    own_work,
    publicity_of,
    require_version,
    unlisted,
    usable_work,
)
from domain.identity.actor import Actor
from domain.media.asset import AssetState, Media
from domain.moderation.case import SubjectKind
from domain.shared.errors import NotAllowed, NotFound
from domain.studio.default_presets import shipped_presets
from domain.studio.preset import DURATIONS_MS, MOTION_MAX, Camera, Preset
from domain.studio.publication import Publication, WorkKind, publication_of

Strength = Annotated[int, msgspec.Meta(ge=1, le=MOTION_MAX, description="1 hardly, 255 a lot.")]
Duration = Annotated[int, msgspec.Meta(ge=DURATIONS_MS[0], le=DURATIONS_MS[1])]
Style = Annotated[str, msgspec.Meta(max_length=500)]


class DefaultsAreOurs(NotAllowed):
    """Presets of the platform are made by its administrators."""

    code = "default_preset_refused"


class MakePreset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """With a `driving_asset_id`, a video of the caller's, who is in the picture moves as somebody
    does in it. `default` is for administrators: it is there for everybody, at once."""

    name: Name
    description: Description = ""
    category: Category = ""
    camera: Camera = Camera.STATIC
    motion: Strength = 127
    duration_ms: Duration = 4000
    style: Style = ""
    driving_asset_id: UUID | None = None
    default: bool = False


class ChangePreset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays; `driving_asset_id` null takes the video out."""

    name: Name | None = None
    description: Description | None = None
    category: Category | None = None
    camera: Camera | None = None
    motion: Strength | None = None
    duration_ms: Duration | None = None
    style: Style | None = None
    driving_asset_id: UUID | msgspec.UnsetType | None = msgspec.UNSET
    version: Version | None = None


class PresetDetails(msgspec.Struct, frozen=True, kw_only=True):
    """`own` says whether the caller may change it. `driving_asset_id` is shown to its owner."""

    id: UUID
    own: bool
    is_default: bool
    name: str
    description: str
    category: str
    camera: Camera
    motion: int
    duration_ms: int
    style: str
    motion_transfer: bool
    driving_asset_id: UUID | None
    publicity: Publicity
    created_at: datetime
    updated_at: datetime
    version: int


async def make_preset(
    command: MakePreset,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    moderation: Moderation,
    ids: Ids,
) -> PresetDetails:
    """Raises DefaultsAreOurs, PresetInvalid; NotFound for a video that is not the actor's."""
    if command.default and not actor.is_admin:
        raise DefaultsAreOurs("Only administrators make presets of the platform.")
    now = clock.now()
    preset = Preset(
        id=ids.new(),
        owner_id=None if command.default else actor.user_id,
        name=command.name,
        description=command.description,
        category=command.category,
        camera=command.camera,
        motion=command.motion,
        duration_ms=command.duration_ms,
        style=command.style,
        driving_asset_id=command.driving_asset_id,
        created_at=now,
        updated_at=now,
    )
    preset.check()
    await require_publishable(
        command,
        SubjectKind.PRESET,
        actor=actor,
        uow=uow,
        moderation=moderation,
    )
    async with uow:
        await _require_video(command.driving_asset_id, actor=actor, uow=uow)
        publication = _add(preset, by=actor.user_id, uow=uow, at=now)
        if preset.is_default:
            uow.audit.record("preset.made", actor=actor, on=("preset", preset.id))
        await uow.commit()
        return await _details(preset, publication, actor=actor, uow=uow)


async def show_preset(preset_id: UUID, *, actor: Actor, uow: UnitOfWork) -> PresetDetails:
    """Raises NotFound."""
    async with uow:
        preset, publication = await usable_work(
            uow.presets, preset_id, "preset", actor=actor, uow=uow
        )
        return await _details(preset, publication, actor=actor, uow=uow)


async def change_preset(
    preset_id: UUID,
    command: ChangePreset,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    moderation: Moderation,
) -> PresetDetails:
    """The owner's published preset is private again; a default one stays what it is.

    Raises NotFound, PresetInvalid, StaleVersion."""
    await require_publishable(
        command,
        SubjectKind.PRESET,
        preset_id,
        actor=actor,
        uow=uow,
        moderation=moderation,
    )
    async with uow:
        preset = await own_work(uow.presets, preset_id, "preset", actor=actor, lock=True)
        require_version(preset, command.version)
        for field in ("name", "description", "category", "camera", "motion", "duration_ms"):
            if (value := getattr(command, field)) is not None:
                setattr(preset, field, value)
        if command.style is not None:
            preset.style = command.style
        if command.driving_asset_id is not msgspec.UNSET:
            await _require_video(command.driving_asset_id, actor=actor, uow=uow)
            preset.driving_asset_id = command.driving_asset_id
        preset.check()
        await changed(preset, actor=actor, uow=uow, at=clock.now())
        if preset.is_default:
            uow.audit.record("preset.changed", actor=actor, on=("preset", preset.id))
        await uow.commit()
        publication = await uow.publications.find(preset_id)
        return await _details(preset, publication, actor=actor, uow=uow)


async def delete_preset(preset_id: UUID, *, actor: Actor, uow: UnitOfWork, clock: Clock) -> None:
    """What was made with it stays. Raises NotFound."""
    async with uow:
        preset = await own_work(uow.presets, preset_id, "preset", actor=actor, lock=True)
        await unlisted(preset, uow=uow)
        if preset.is_default:
            uow.audit.record("preset.deleted", actor=actor, on=("preset", preset.id))
        preset.delete(at=clock.now())
        await uow.commit()


async def ship_presets(*, uow: UnitOfWork, clock: Clock) -> int:
    """Add those that come with this version and were never there; answers how many.

    What an administrator has changed or deleted stays so."""
    now = clock.now()
    shipped = {preset.id: preset for preset in shipped_presets(now)}
    async with uow:
        there = await uow.presets.existing(list(shipped))
        missing = [preset for preset in shipped.values() if preset.id not in there]
        for preset in missing:
            _add(preset, by=None, uow=uow, at=now)
        if missing:
            await uow.commit()
    return len(missing)


def _add(preset: Preset, *, by: UUID | None, uow: UnitOfWork, at: datetime) -> Publication | None:
    """A default one is published with it."""
    uow.presets.add(preset)
    if not preset.is_default:
        return None
    publication = publication_of(preset, WorkKind.PRESET, creator_id=None, at=at)
    publication.submit(preset, at=at)
    publication.approve(by=by, at=at)
    uow.publications.add(publication)
    return publication


async def _require_video(asset_id: UUID | None, *, actor: Actor, uow: UnitOfWork) -> None:
    if asset_id is None:
        return
    asset = await uow.assets.get(asset_id)
    usable = asset.media is Media.VIDEO and asset.state is AssetState.READY
    if asset.owner_id != actor.user_id or not usable:
        raise NotFound("video", asset_id)


async def _details(
    preset: Preset, publication: Publication | None, *, actor: Actor, uow: UnitOfWork
) -> PresetDetails:
    own = is_own(preset, actor)
    return PresetDetails(
        id=preset.id,
        own=own,
        is_default=preset.is_default,
        name=preset.name,
        description=preset.description,
        category=preset.category,
        camera=preset.camera,
        motion=preset.motion,
        duration_ms=preset.duration_ms,
        style=preset.style,
        motion_transfer=preset.driving_asset_id is not None,
        driving_asset_id=preset.driving_asset_id if own else None,
        publicity=await publicity_of(publication, own=own, actor=actor, uow=uow),
        created_at=preset.created_at,
        updated_at=preset.updated_at,
        version=preset.version,
    )
