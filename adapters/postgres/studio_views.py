"""What screens show of the studio, straight from the tables."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.jobs import jobs
from adapters.postgres.media import assets
from adapters.postgres.studio import generations, likeness_models
from application.ports.studio import GenerationRow, ImageRow, ModelRow
from domain.media.asset import Asset, AssetState
from domain.shared.errors import NotFound

_GENERATIONS = select(
    generations.c.id,
    generations.c.creator_id,
    jobs.c.status,
    jobs.c.progress,
    jobs.c.current_step,
    generations.c.mode,
    generations.c.prompt,
    generations.c.seed,
    jobs.c.error_code,
    jobs.c.error_message,
    generations.c.terms_id,
    generations.c.terms_version,
    generations.c.terms_hash,
    generations.c.created_at,
).join(jobs, jobs.c.id == generations.c.id)

_MODELS = select(
    likeness_models.c.id,
    likeness_models.c.creator_id,
    likeness_models.c.trigger_word,
    likeness_models.c.steps,
    func.jsonb_array_length(likeness_models.c.asset_ids).label("image_count"),
    jobs.c.status.label("job_status"),
    jobs.c.progress,
    jobs.c.error_code,
    jobs.c.error_message,
    likeness_models.c.created_at,
).join(jobs, jobs.c.id == likeness_models.c.id)


class PostgresStudioViews:
    """See `application.ports.studio.StudioViews`."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def generation(self, generation_id: UUID, *, owner_id: UUID) -> GenerationRow:
        found = await self._generations(
            _GENERATIONS.where(
                generations.c.id == generation_id, generations.c.owner_id == owner_id
            )
        )
        if not found:
            raise NotFound("generation", generation_id)
        return found[0]

    async def generations(
        self, owner_id: UUID, *, before: tuple[datetime, UUID] | None, limit: int
    ) -> list[GenerationRow]:
        statement = (
            _GENERATIONS.where(generations.c.owner_id == owner_id)
            .order_by(generations.c.created_at.desc(), generations.c.id.desc())
            .limit(limit)
        )
        if before is not None:
            statement = statement.where(tuple_(generations.c.created_at, generations.c.id) < before)
        return await self._generations(statement)

    async def model(self, model_id: UUID, *, creator_id: UUID) -> ModelRow:
        found = await self._models(
            likeness_models.c.id == model_id, likeness_models.c.creator_id == creator_id
        )
        if not found:
            raise NotFound("likeness model", model_id)
        return found[0]

    async def models(self, creator_id: UUID) -> list[ModelRow]:
        return await self._models(likeness_models.c.creator_id == creator_id)

    async def _models(self, *conditions: ColumnElement[bool]) -> list[ModelRow]:
        statement = _MODELS.where(*conditions).order_by(
            likeness_models.c.created_at.desc(), likeness_models.c.id.desc()
        )
        async with self._sessions() as session:
            return [ModelRow(**row._mapping) for row in await session.execute(statement)]

    async def _generations(self, statement: Select[Any]) -> list[GenerationRow]:
        """Two statements for any number of generations."""
        async with self._sessions() as session:
            rows = [GenerationRow(**row._mapping) for row in await session.execute(statement)]
            if not rows:
                return []
            shown = select(Asset).where(
                assets.c.generation_id.in_([row.id for row in rows]),
                assets.c.state == AssetState.READY,
            )
            images = await session.scalars(shown.order_by(assets.c.created_at, assets.c.id))
            return _with_images(rows, images.all())


def _with_images(rows: list[GenerationRow], images: Sequence[Asset]) -> list[GenerationRow]:
    by_generation: dict[UUID | None, list[ImageRow]] = {}
    for asset in images:
        by_generation.setdefault(asset.generation_id, []).append(
            ImageRow(id=asset.id, preview_key=asset.preview_key, thumbnail_key=asset.thumbnail_key)
        )
    return [msgspec.structs.replace(row, images=by_generation.get(row.id, [])) for row in rows]
