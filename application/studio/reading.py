"""Look at what was asked for: how far it is, what came of it, and under which licence."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from application.media.delivery import shown_url
from application.ports.storage import ObjectStorage
from application.ports.studio import (
    GenerationFilter,
    GenerationRow,
    ResultRow,
    StepRow,
    StudioViews,
)
from domain.identity.actor import Actor
from domain.media.asset import Media
from domain.studio.failures import failure_message
from domain.studio.generation import Mode
from domain.studio.job import JobStatus
from domain.studio.pipelines import JobKind, StepType
from domain.studio.step import StepStatus


class GenerationResult(msgspec.Struct, frozen=True, kw_only=True):
    """The copies here carry a watermark; a sound or a mesh has none that could."""

    id: UUID
    media: Media
    content_type: str
    width: int | None
    height: int | None
    duration_ms: int | None
    preview_url: str | None
    thumbnail_url: str | None


class FailureDetails(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    message: str


class LicenceReference(msgspec.Struct, frozen=True, kw_only=True):
    """The terms that it was made under."""

    terms_id: UUID
    version: int
    hash: str


class ModelReference(msgspec.Struct, frozen=True, kw_only=True):
    """The version of the creator's likeness model that drew it."""

    id: UUID
    version: int


class StepDetails(msgspec.Struct, frozen=True, kw_only=True):
    """`lane` counts the pieces that are made side by side. `credits` is the price of the step."""

    id: UUID
    type: StepType
    lane: int
    status: StepStatus
    progress: int
    credits: int
    error: FailureDetails | None
    started_at: datetime | None
    finished_at: datetime | None


class CostDetails(msgspec.Struct, frozen=True, kw_only=True):
    """`held` is the most that what is under way may cost; `spent` is what it has cost."""

    held: int
    spent: int


class GenerationDetails(msgspec.Struct, frozen=True, kw_only=True):
    """`progress` is a percentage. Who has bought a result, or whose plan has clean copies, finds
    them at `GET /assets/{id}`. `in_review` counts results that somebody has to look at first: they
    are among `assets` once they may be shown. What shows an invented person has neither creator nor
    licence. `partial`: it has succeeded with some of the pieces; `steps` say what became of the
    others, and a retry makes, and charges, those alone."""

    id: UUID
    creator_id: UUID | None
    character_id: UUID | None
    kind: JobKind
    status: JobStatus
    partial: bool
    progress: int
    current_step: str
    mode: Mode
    prompt: str
    model: ModelReference | None
    count: int
    seed: int
    project_id: UUID | None
    preset_id: UUID | None
    template_id: UUID | None
    assets: Sequence[GenerationResult]
    in_review: int
    steps: Sequence[StepDetails]
    credits: CostDetails
    error: FailureDetails | None
    licence: LicenceReference | None
    created_at: datetime


async def read_generation(
    generation_id: UUID, *, actor: Actor, views: StudioViews, storage: ObjectStorage
) -> GenerationDetails:
    """Raises NotFound for anybody but its owner."""
    row = await views.generation(generation_id, owner_id=actor.user_id)
    return await _details_of(row, storage=storage)


async def list_generations(
    *,
    actor: Actor,
    only: GenerationFilter,
    before: tuple[datetime, UUID] | None,
    limit: int,
    views: StudioViews,
    storage: ObjectStorage,
) -> list[GenerationDetails]:
    """The actor's, newest first."""
    rows = await views.generations(actor.user_id, only=only, before=before, limit=limit)
    return await asyncio.gather(*(_details_of(row, storage=storage) for row in rows))


async def _details_of(row: GenerationRow, *, storage: ObjectStorage) -> GenerationDetails:
    results = await asyncio.gather(*(_linked(result, storage=storage) for result in row.results))
    return GenerationDetails(
        id=row.id,
        creator_id=row.creator_id,
        character_id=row.character_id,
        kind=row.kind,
        status=row.status,
        partial=row.partial,
        progress=row.progress,
        current_step=row.current_step,
        mode=row.mode,
        prompt=row.prompt,
        model=_model_of(row),
        count=row.count,
        seed=row.seed,
        project_id=row.project_id,
        preset_id=row.preset_id,
        template_id=row.template_id,
        assets=results,
        in_review=row.in_review,
        steps=[_step_of(step) for step in row.steps],
        credits=CostDetails(held=row.held, spent=row.spent),
        error=_failure(row.error_code, row.error_message),
        licence=_licence_of(row),
        created_at=row.created_at,
    )


def _model_of(row: GenerationRow) -> ModelReference | None:
    if row.model_id is None or row.model_version is None:
        return None
    return ModelReference(id=row.model_id, version=row.model_version)


def _licence_of(row: GenerationRow) -> LicenceReference | None:
    if row.terms_id is None or row.terms_version is None or row.terms_hash is None:
        return None
    return LicenceReference(terms_id=row.terms_id, version=row.terms_version, hash=row.terms_hash)


def _step_of(row: StepRow) -> StepDetails:
    return StepDetails(
        id=row.id,
        type=row.type,
        lane=row.lane,
        status=row.status,
        progress=row.progress,
        credits=row.credits,
        error=_failure(row.error_code, None),
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def _failure(code: str | None, message: str | None) -> FailureDetails | None:
    if code is None:
        return None
    return FailureDetails(code=code, message=message or failure_message(code))


async def _linked(row: ResultRow, *, storage: ObjectStorage) -> GenerationResult:
    preview, thumbnail = await asyncio.gather(
        shown_url(row.preview_key, storage=storage), shown_url(row.thumbnail_key, storage=storage)
    )
    return GenerationResult(
        id=row.id,
        media=row.media,
        content_type=row.content_type,
        width=row.width,
        height=row.height,
        duration_ms=row.duration_ms,
        preview_url=preview,
        thumbnail_url=thumbnail,
    )
