"""What screens show of the studio, straight from the tables."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    and_,
    cast,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.credits import credit_holds
from adapters.postgres.jobs import attempts, jobs, steps
from adapters.postgres.media import assets
from adapters.postgres.moderation import waits_for_a_moderator
from adapters.postgres.studio import generations, likeness_models
from application.ports.studio import (
    GenerationFilter,
    GenerationRow,
    ModelRow,
    ResultRow,
    StepRow,
)
from domain.media.asset import Asset, AssetState
from domain.moderation.case import SubjectKind
from domain.shared.errors import NotFound
from domain.studio.job import OPEN, RETRYABLE

_HELD = (
    select(credit_holds.c.daily + credit_holds.c.bought)
    .where(credit_holds.c.job_id == jobs.c.id, credit_holds.c.round == jobs.c.round)
    .where(credit_holds.c.closed_at.is_(None))
    .scalar_subquery()
)
_SPENT = (
    select(func.sum(credit_holds.c.spent))
    .where(credit_holds.c.job_id == jobs.c.id)
    .scalar_subquery()
)
_IN_REVIEW = (
    select(func.count())
    .select_from(assets)
    .where(assets.c.generation_id == generations.c.id, assets.c.state != AssetState.READY)
    .where(waits_for_a_moderator(SubjectKind.ASSET, assets.c.id))
    .scalar_subquery()
)

_GENERATIONS = (
    select(
        generations.c.id,
        generations.c.creator_id,
        generations.c.character_id,
        generations.c.kind,
        jobs.c.status,
        jobs.c.progress,
        jobs.c.partial,
        jobs.c.current_step,
        generations.c.mode,
        generations.c.prompt,
        generations.c.model_id,
        likeness_models.c.version.label("model_version"),
        generations.c.count,
        generations.c.seed,
        generations.c.project_id,
        generations.c.preset_id,
        generations.c.template_id,
        jobs.c.error_code,
        jobs.c.error_message,
        generations.c.terms_id,
        generations.c.terms_version,
        generations.c.terms_hash,
        generations.c.created_at,
        func.coalesce(_HELD, 0).label("held"),
        cast(func.coalesce(_SPENT, 0), Integer).label("spent"),
        _IN_REVIEW.label("in_review"),
    )
    .join(jobs, jobs.c.id == generations.c.id)
    .outerjoin(likeness_models, likeness_models.c.id == generations.c.model_id)
    .where(generations.c.deleted_at.is_(None))
)

_MODELS = select(
    likeness_models.c.id,
    likeness_models.c.creator_id,
    *(
        likeness_models.c[name]
        for name in (
            "version",
            "status",
            "in_force",
            "trigger_word",
            "base_model",
            "steps",
            "training_set",
            "manifest_hash",
            "provider",
            "trainer",
            "weights_sha256",
            "weights_bytes",
            "terms_id",
            "terms_version",
            "terms_hash",
            "ready_at",
            "deleted_at",
            "deletion_reason",
        )
    ),
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
        self,
        owner_id: UUID,
        *,
        only: GenerationFilter,
        before: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[GenerationRow]:
        statement = (
            _GENERATIONS.where(generations.c.owner_id == owner_id)
            .order_by(generations.c.created_at.desc(), generations.c.id.desc())
            .limit(limit)
        )
        if only.kind is not None:
            statement = statement.where(generations.c.kind == only.kind)
        if only.status is not None:
            statement = statement.where(jobs.c.status == only.status)
        if only.project_id is not None:
            statement = statement.where(generations.c.project_id == only.project_id)
        if only.character_id is not None:
            statement = statement.where(generations.c.character_id == only.character_id)
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

    async def models(
        self, creator_id: UUID, *, before_version: int | None, limit: int
    ) -> list[ModelRow]:
        found = [likeness_models.c.creator_id == creator_id]
        if before_version is not None:
            found.append(likeness_models.c.version < before_version)
        return await self._models(*found, limit=limit)

    async def weights_kept(self, ids: Collection[UUID]) -> set[str]:
        stored = select(likeness_models.c.weights_key).where(
            likeness_models.c.id.in_(ids), likeness_models.c.weights_key.is_not(None)
        )
        async with self._sessions() as session:
            kept = set((await session.scalars(stored)).all())
            return kept | await _made_by_steps(session, ids, jobs.c.status.in_(OPEN))

    async def work_kept(self, ids: Collection[UUID], *, ended_after: datetime) -> set[str]:
        async with self._sessions() as session:
            return await _made_by_steps(session, ids, _goes_on(ended_after))

    async def answers_kept(self, ids: Collection[UUID], *, ended_after: datetime) -> set[str]:
        answers = (
            select(attempts.c.outputs)
            .join(jobs, jobs.c.id == attempts.c.job_id)
            .where(attempts.c.id.in_(ids), _goes_on(ended_after))
        )
        async with self._sessions() as session:
            told = await session.scalars(answers)
            return {output.key for outputs in told for output in outputs if output.key is not None}

    async def _models(self, *conditions: ColumnElement[bool], limit: int = 1) -> list[ModelRow]:
        statement = (
            _MODELS.where(*conditions).order_by(likeness_models.c.version.desc()).limit(limit)
        )
        async with self._sessions() as session:
            return [ModelRow(**row._mapping) for row in await session.execute(statement)]

    async def _generations(self, statement: Select[Any]) -> list[GenerationRow]:
        """Three statements for any number of generations."""
        async with self._sessions() as session:
            rows = [GenerationRow(**row._mapping) for row in await session.execute(statement)]
            if not rows:
                return []
            ids = [row.id for row in rows]
            shown = select(Asset).where(
                assets.c.generation_id.in_(ids), assets.c.state == AssetState.READY
            )
            made = await session.scalars(shown.order_by(assets.c.created_at, assets.c.id))
            taken = await session.execute(
                select(steps).where(steps.c.job_id.in_(ids)).order_by(steps.c.position)
            )
            return _with_parts(rows, made.all(), taken.all())


def _goes_on(ended_after: datetime) -> ColumnElement[bool]:
    return or_(
        jobs.c.status.in_(OPEN),
        and_(or_(jobs.c.status.in_(RETRYABLE), jobs.c.partial), jobs.c.finished_at > ended_after),
    )


async def _made_by_steps(
    session: AsyncSession, job_ids: Collection[UUID], needed: ColumnElement[bool]
) -> set[str]:
    made = (
        select(steps.c.results)
        .join(jobs, jobs.c.id == steps.c.job_id)
        .where(steps.c.job_id.in_(job_ids), needed)
    )
    return {result.key for results in await session.scalars(made) for result in results}


def _with_parts(
    rows: list[GenerationRow], made: Sequence[Asset], taken: Sequence[Row[Any]]
) -> list[GenerationRow]:
    results: dict[UUID | None, list[ResultRow]] = defaultdict(list)
    for asset in made:
        results[asset.generation_id].append(
            ResultRow(**{field: getattr(asset, field) for field in ResultRow.__struct_fields__})
        )
    steps_of: dict[UUID, list[StepRow]] = defaultdict(list)
    for step in taken:
        steps_of[step.job_id].append(
            StepRow(**{field: getattr(step, field) for field in StepRow.__struct_fields__})
        )
    return [
        msgspec.structs.replace(row, results=results[row.id], steps=steps_of[row.id])
        for row in rows
    ]
