"""The steps that we do ourselves: finish what engines made, or put a trained model in its place.

They read what is already in our storage. What is finished after its job was given up is kept
hidden: it was paid for, and nobody gets it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

import msgspec

from application.moderation.judging import keep_image
from application.ports.images import ImageRefused, ImageTypeRefused
from application.ports.messages import Message
from application.ports.storage import ObjectMissing
from application.ports.unit_of_work import UnitOfWork
from application.ports.video import MediaRefused, MediaTypeRefused
from application.studio.changes import Case, commit_cases, end_in_failure, locked_case
from application.studio.finishing import finish_image
from application.studio.finishing_clips import finish_mesh, finish_sound, finish_video
from application.studio.workshop import RUN_STEP, StepMessage, Workshop, failures_of
from domain.creators.likeness_model import Weights
from domain.licensing.terms import Purpose
from domain.media.asset import Asset, AssetState, Media
from domain.moderation.case import SubjectKind
from domain.moderation.images import FRAMES_JUDGED, worst
from domain.moderation.judgement import Judgement, Verdict
from domain.studio.generation import Generation
from domain.studio.inputs import final_steps
from domain.studio.outputs import OutputRefused
from domain.studio.pipelines import StepType
from domain.studio.step import Step, StepResult, StepStatus, lane_of

_REFUSALS = (
    ImageRefused,
    ImageTypeRefused,
    MediaRefused,
    MediaTypeRefused,
    OutputRefused,
    ObjectMissing,
)
"""What was made cannot be used, and trying to finish it again would change nothing."""


class _Finished(NamedTuple):
    """`maker_id` is the step that made it."""

    maker_id: UUID
    asset: Asset
    judgement: Judgement | None


async def run_steps(messages: Sequence[Message], *, workshop: Workshop) -> Mapping[UUID, Exception]:
    """Handles `studio.run_step`."""

    async def one(message: Message) -> None:
        body = msgspec.json.decode(message.payload, type=StepMessage)
        await run_step(body.step_id, workshop=workshop)

    return failures_of(messages, await asyncio.gather(*map(one, messages), return_exceptions=True))


async def run_step(step_id: UUID, *, workshop: Workshop) -> None:
    """Idempotent. Raises Unavailable when our storage fails: try again."""
    async with (uow := workshop.new_uow()):
        step = await uow.steps.get(step_id)
    if step.type is StepType.STORING:
        await _store_model(step_id, step.job_id, workshop=workshop)
    else:
        await _finish(step_id, step.job_id, workshop=workshop)


def finish_late(uow: UnitOfWork, case: Case) -> None:
    """The job has ended, and yet all has been made: finish it, hidden."""
    if all(step.is_done for step in final_steps(case.steps)):
        for step in case.steps:
            if step.is_local and not step.is_done:
                key = f"{step.id}/{case.job.round}/late"
                uow.outbox.add(RUN_STEP, StepMessage(step.id), key=key)


async def _finish(step_id: UUID, job_id: UUID, *, workshop: Workshop) -> None:
    async with (uow := workshop.new_uow()):
        case = await locked_case(uow, job_id)
        generation = await uow.generations.get(job_id)
        step = _step(case, step_id)
        waits = step.status is StepStatus.RUNNING if case.job.is_open else not step.is_done
        if not waits or not case.delivered or generation.deleted_at is not None:
            return
        for one in case.delivered:  # set aside, so that finishing twice writes the same
            if any(result.asset_id is None for result in one.results):
                one.results = tuple(
                    replace(result, asset_id=result.asset_id or workshop.ids.new())
                    for result in one.results
                )
        made = [
            (one, result.asset_id, result)
            for one in case.delivered
            for result in one.results
            if result.asset_id is not None
        ]
        there = {asset.id for asset in await uow.assets.many([asset_id for _, asset_id, _ in made])}
        await uow.commit()
    finished: list[_Finished] = []
    refused: dict[UUID, str] = {}
    for maker, asset_id, result in made:
        if asset_id in there:
            continue
        if result.flagged or _was_flagged(maker, case):  # its own maker says so: nobody gets it
            refused[maker.id] = "content_refused"
            continue
        try:
            asset, judgement = await _judged(asset_id, result, generation, workshop=workshop)
        except _REFUSALS:
            refused[maker.id] = "output_refused"
        else:
            finished.append(_Finished(maker.id, asset, judgement))
    await _show(step_id, job_id, finished, refused, generation, workshop=workshop)


def _was_flagged(maker: Step, case: Case) -> bool:
    """What it was made of was thought unsafe already."""
    return any(result.flagged for one in lane_of(maker, case.steps) for result in one.results)


async def _asset(
    asset_id: UUID, result: StepResult, generation: Generation, *, workshop: Workshop
) -> Asset:
    content = await workshop.storage.get(result.key)
    finish = {
        "image": finish_image,
        "video": finish_video,
        "audio": finish_sound,
        "model": finish_mesh,
    }[result.content_type.partition("/")[0]]
    return await finish(asset_id, content, generation, workshop=workshop)


async def _judged(
    asset_id: UUID, result: StepResult, generation: Generation, *, workshop: Workshop
) -> tuple[Asset, Judgement | None]:
    """An image is judged as it was made, a video by some of its frames; sound and meshes are
    not."""
    asset = await _asset(asset_id, result, generation, workshop=workshop)
    if asset.media not in {Media.IMAGE, Media.VIDEO}:
        return asset, None
    content, adult = await workshop.storage.get(result.key), generation.purpose is Purpose.ADULT
    pictures = [content]
    if asset.media is Media.VIDEO:
        frames = await workshop.videos.frames(content, most=FRAMES_JUDGED)
        pictures = [frame.content for frame in frames]
    judgements = [await workshop.moderation.judge_image(one, adult=adult) for one in pictures]
    return asset, worst(judgements)


async def _show(
    step_id: UUID,
    job_id: UUID,
    finished: Sequence[_Finished],
    refused: dict[UUID, str],
    generation: Generation,
    *,
    workshop: Workshop,
) -> None:
    """Show what was made, or hide it when the job has ended otherwise meanwhile. What may not be
    shown stays hidden, and what cannot be used is made anew by whoever starts the job again; where
    nothing is left, the job has failed. `refused` says why, by the step that made it."""
    uow, now = workshop.new_uow(), workshop.clock.now()
    async with uow:
        case = await locked_case(uow, job_id)
        step = _step(case, step_id)
        there = {one.id for one in await uow.assets.many([made.asset.id for made in finished])}
        if step.is_done or there:
            return
        in_time = case.job.is_open and step.status is StepStatus.RUNNING
        for maker_id, asset, judgement in finished:
            asset.state = AssetState.READY if in_time else AssetState.HIDDEN
            if judgement is not None:
                await keep_image(
                    asset,
                    judgement,
                    uow=uow,
                    moderation=workshop.moderation,
                    creator_id=generation.creator_id,
                )
                if judgement.verdict is Verdict.BLOCKED:
                    refused[maker_id] = "content_blocked"
            uow.assets.add(asset)
        for one in final_steps(case.steps):
            if one.id in refused:
                one.discard(refused[one.id])
        if in_time and not case.delivered:
            end_in_failure(uow, case, step, next(iter(refused.values())), at=now)
        elif in_time:
            step.result_ids = tuple(
                result.asset_id
                for one in case.delivered
                for result in one.results
                if result.asset_id is not None
            )
            await _show_late(step.result_ids, uow=uow)
            case.complete(step, (), at=now, assets=step.result_ids)
            case.job.succeed(at=now, partial=case.is_partial)
        await commit_cases(uow, case, live=workshop.live, at=now)


async def _show_late(asset_ids: Sequence[UUID], *, uow: UnitOfWork) -> None:
    """What was finished after its job had been given up, now that it was started again; not what
    the moderators hold."""
    for asset in await uow.assets.many(asset_ids):
        if asset.state is AssetState.HIDDEN and not await uow.moderation_cases.holds(
            SubjectKind.ASSET, asset.id
        ):
            (await uow.assets.get(asset.id, lock=True)).state = AssetState.READY


async def _store_model(step_id: UUID, job_id: UUID, *, workshop: Workshop) -> None:
    uow, now = workshop.new_uow(), workshop.clock.now()
    async with uow:
        case = await locked_case(uow, job_id)
        step = _step(case, step_id)
        if not case.job.is_open or step.status is not StepStatus.RUNNING:
            return
        (result,) = [result for one in final_steps(case.steps) for result in one.results]
        creator_id = (await uow.models.get(job_id)).creator_id
        every = await uow.models.of_creator(creator_id, lock=True)
        model = next(one for one in every if one.id == job_id)
        if model.is_deleted:
            step.give_up(at=now)
            case.job.cancel(at=now)
        else:
            model.become_ready(_weights(case, result), at=now)
            if model.takes_force:
                await uow.models.put_in_force(model)
            case.complete(step, (), at=now)
            case.job.succeed(at=now)
        await commit_cases(uow, case, live=workshop.live, at=now)


def _weights(case: Case, result: StepResult) -> Weights:
    """Which attempt made them stands in their key."""
    maker = next(one for one in case.attempts if str(one.id) in result.key)
    return Weights(
        key=result.key,
        sha256=result.sha256,
        size_bytes=result.size_bytes,
        provider=maker.provider,
        trainer=maker.model,
    )


def _step(case: Case, step_id: UUID) -> Step:
    return next(step for step in case.steps if step.id == step_id)
