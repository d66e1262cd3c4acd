"""Ask for something made from a likeness, or of an invented person; cancel it, start it again,
delete it.

Accepted is what consent, the licence in force, a trained model and the plan allow at that moment;
every decision is recorded, refusals too. Where nobody's likeness is used, nobody's licence is
asked. The work itself happens later, step by step.
"""

from datetime import datetime
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from application.moderation.judging import (
    ANSWER,
    Moderation,
    require_allowed_text,
    require_not_suspended,
)
from application.ports.clock import Clock
from application.ports.engines import PromptEnhancer
from application.ports.ids import Ids
from application.ports.live import LiveEvents
from application.ports.media import ERASE_BYTES, EraseBytes
from application.ports.repository import StaleVersion
from application.ports.unit_of_work import UnitOfWork
from application.studio.changes import (
    Case,
    begin,
    carry_on,
    commit_cases,
    give_up_rest,
    locked_case,
    new_case,
)
from application.studio.invented import require_invented
from application.studio.library.resolving import Named, count_uses, likeness_of, resolve
from application.studio.permission import Wish, permit
from application.studio.pricing import hold_price
from application.studio.prompts import EnhancePrompt, enhance_freely, enhance_prompt
from application.studio.sources import Sources, sources_of
from domain.identity.actor import Actor
from domain.licensing.terms import Capability, Purpose
from domain.shared.errors import NotFound
from domain.studio.generation import (
    PIXELS,
    AspectRatio,
    Generation,
    Mode,
    ModelNotReady,
    Motion,
    Speech,
    check_invented,
    check_media,
    check_scene,
)
from domain.studio.job import JobOpen, JobStatus
from domain.studio.pipelines import JobKind

GenerationKind = Literal["image", "video", "talking_avatar", "model_3d", "speech"]
MAX_COUNT = 4
_SEED_MASK = 2**31 - 1
_CAPABILITY = {
    JobKind.IMAGE: Capability.IMAGE,
    JobKind.VIDEO: Capability.VIDEO,
    JobKind.TALKING_AVATAR: Capability.TALKING_AVATAR,
    JobKind.MODEL_3D: Capability.MODEL_3D,
    JobKind.SPEECH: Capability.VOICE,
}


class SpokenText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=4000, examples=["Good morning."])]
    voice: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_-]{0,31}$", examples=["alloy"])] = (
        "alloy"
    )


class RequestGeneration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What each kind is made from: an image from the prompt; a video, a talking avatar and a 3D
    model from an image that the prompt draws first, or from `source_asset_id`; a talking avatar
    also from `speech` or `audio_asset_id`; speech from `speech` alone.

    With `upscale` an image is made two or four times as wide and high once it is drawn.

    `scene_asset_id` is for photo mode, and like `source_asset_id` an image of the caller's with
    purpose scene_image, or an image that was generated for them or bought by them. Of the latter it
    is a derivative. `audio_asset_id` is a sound of the caller's. `count` pieces are made side by
    side, each with a seed of its own. Without `creator_id` the likeness is the character's: that of
    its creator, or an invented person whom its images show, which takes no licence, and is neither
    for photo mode nor for adult purposes. With
    `enhance_prompt` a language model makes the prompt richer first; a template, filled in with
    `template_values`, takes its place.
    """

    creator_id: UUID | None = None
    prompt: Annotated[str, msgspec.Meta(max_length=2000, examples=["at a harbour at dawn"])] = ""
    mode: Mode = Mode.TEXT
    kind: GenerationKind = "image"
    scene_asset_id: UUID | None = None
    source_asset_id: UUID | None = None
    audio_asset_id: UUID | None = None
    speech: SpokenText | None = None
    count: Annotated[int, msgspec.Meta(ge=1, le=MAX_COUNT)] = 1
    upscale: Literal[2, 4] | None = None
    seed: Annotated[int, msgspec.Meta(ge=0, le=_SEED_MASK)] | None = None
    aspect_ratio: AspectRatio = AspectRatio.SQUARE
    purpose: Purpose = Purpose.PERSONAL
    enhance_prompt: bool = False
    project_id: UUID | None = None
    preset_id: UUID | None = None
    template_id: UUID | None = None
    template_values: dict[str, Annotated[str, msgspec.Meta(max_length=500)]] = {}
    character_id: UUID | None = None


class AcceptedJob(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    status: JobStatus


async def request_generation(
    command: RequestGeneration,
    *,
    actor: Actor,
    uow: UnitOfWork,
    enhancer: PromptEnhancer | None,
    clock: Clock,
    ids: Ids,
    live: LiveEvents,
    moderation: Moderation,
) -> AcceptedJob:
    """Raises TextRefused, GenerationSuspended, SceneRequired, SourceRefused, CreatorRequired,
    NotFound, ConsentMissing, NoLicence, SourceNotLicensed, ModelNotReady, LicenceRefused,
    QuotaExhausted, CreditsExhausted, PromptDeclined, NoLanguageModel,
    ReferencesRefused, and what the language model may raise; StaleVersion when something it names
    was changed meanwhile;
    ApprovalNeeded: whose word is missing is asked, and the same wish may be sent again."""
    kind = JobKind(command.kind)
    speech = Speech(command.speech.text, command.speech.voice) if command.speech else None
    check_scene(command.mode, command.scene_asset_id)
    shown = await likeness_of(_named(command), command.creator_id, actor=actor, uow=uow)
    await _require_allowed(_texts(command), command, shown, actor, uow, moderation)
    richer = None
    if command.enhance_prompt and command.prompt:
        richer = await _enhanced(command, shown, actor, uow, clock, enhancer, moderation)
    named = _named(command)
    resolved = partial(
        resolve, named, prompt=richer or command.prompt, creator_id=command.creator_id, actor=actor
    )
    if named.is_of_the_library:
        async with uow:
            whole = await resolved(uow=uow)
        texts = {"whole_prompt": whole.prompt}
        await _require_allowed(texts, command, shown, actor, uow, moderation)
    now, job_id = clock.now(), ids.new()
    async with uow:
        meant = await resolved(uow=uow)
        if named.is_of_the_library and meant != whole:
            raise StaleVersion("What it is to be made from was changed meanwhile: send it again.")
        await count_uses(named, actor=actor, uow=uow, at=now)
        prompt, motion = meant.prompt, meant.motion or Motion()
        if meant.creator_id is None:
            check_invented(
                mode=command.mode,
                purpose=command.purpose,
                reference_ids=meant.reference_ids,
                named=command.character_id is not None,
            )
        check_media(
            kind,
            prompt=prompt,
            source_asset_id=command.source_asset_id,
            audio_asset_id=command.audio_asset_id,
            speech=speech,
            upscale=command.upscale,
        )
        width, height = PIXELS[command.aspect_ratio]
        generation = Generation(
            id=job_id,
            owner_id=actor.user_id,
            creator_id=meant.creator_id,
            model_id=None,
            kind=kind,
            mode=command.mode,
            prompt=prompt,
            purpose=command.purpose,
            scene_asset_id=command.scene_asset_id,
            source_asset_id=command.source_asset_id,
            audio_asset_id=command.audio_asset_id,
            speech=speech,
            motion=motion,
            count=command.count,
            upscale=command.upscale,
            seed=job_id.int & _SEED_MASK if command.seed is None else command.seed,
            width=width,
            height=height,
            project_id=command.project_id,
            preset_id=command.preset_id,
            template_id=command.template_id,
            character_id=command.character_id,
            reference_ids=meant.reference_ids if meant.creator_id is None else (),
            created_at=now,
        )
        sources = await _sources(generation, actor=actor, uow=uow)
        await _allow(
            generation, sources, of_whom=meant.of_whom, actor=actor, uow=uow, ids=ids, at=now
        )
        if generation.model_id is None and not generation.is_invented and generation.needs_model:
            raise ModelNotReady("The creator has no likeness model in force.")
        case = new_case(generation, owner_id=actor.user_id, ids=ids, at=now)
        allowed = await hold_price(uow, case, generation, durations_ms=sources.durations_ms, at=now)
        generation.clean_for_owner = allowed.clean
        uow.generations.add(generation)
        begin(uow, case, generation, at=now)
        await commit_cases(uow, case, live=live, at=now)
    return AcceptedJob(id=case.job.id, status=case.job.status)


async def _enhanced(
    command: RequestGeneration,
    creator_id: UUID | None,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    enhancer: PromptEnhancer | None,
    moderation: Moderation,
) -> str:
    if creator_id is None:
        richer = await enhance_freely(command.prompt, enhancer=enhancer)
        await require_allowed_text(
            {"enhanced": richer}, subject=ANSWER, actor=actor, uow=uow, moderation=moderation
        )
        return richer
    wished = EnhancePrompt(creator_id=creator_id, prompt=command.prompt, purpose=command.purpose)
    made = await enhance_prompt(
        wished, actor=actor, uow=uow, clock=clock, enhancer=enhancer, moderation=moderation
    )
    return made.enhanced


async def _allow(
    generation: Generation,
    sources: Sources,
    *,
    of_whom: UUID | None,
    actor: Actor,
    uow: UnitOfWork,
    ids: Ids,
    at: datetime,
) -> None:
    """The leave to make it, under the terms in force, which it is then made under; the model stays
    once it was chosen. An invented person's images are those `of_whom` it is."""
    if generation.creator_id is None:
        await require_invented(
            generation.reference_ids,
            of_whom=of_whom,
            inputs=(generation.source_asset_id, generation.audio_asset_id),
            uow=uow,
        )
        return
    wish = Wish(
        generation_id=generation.id,
        creator_id=generation.creator_id,
        prompt=generation.text,
        purpose=generation.purpose,
        capability=_CAPABILITY[generation.kind],
        model_id=generation.model_id,
        inputs=sources.images,
    )
    terms, model_id = await permit(wish, actor=actor, uow=uow, ids=ids, at=at)
    generation.model_id = model_id
    generation.terms_id = terms.id
    generation.terms_version = terms.version
    generation.terms_hash = terms.hash


async def _require_allowed(
    texts: dict[str, str],
    command: RequestGeneration,
    creator_id: UUID | None,
    actor: Actor,
    uow: UnitOfWork,
    moderation: Moderation,
) -> None:
    await require_allowed_text(
        texts,
        creator_id=creator_id,
        adult=command.purpose is Purpose.ADULT and creator_id is not None,
        actor=actor,
        uow=uow,
        moderation=moderation,
    )


def _texts(command: RequestGeneration) -> dict[str, str]:
    """All that its sender has said."""
    return {
        "prompt": command.prompt,
        "speech": command.speech.text if command.speech else "",
        "template_values": "\n".join(command.template_values.values()),
    }


async def retry_generation(
    generation_id: UUID,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
    live: LiveEvents,
    moderation: Moderation,
) -> AcceptedJob:
    """Start it again at the first step that is not done, under the terms in force now. What was
    charged already is not charged again.

    Raises GenerationSuspended, JobNotRetryable, ModelDeleted and what a new request would raise."""
    await require_not_suspended(actor, uow=uow, moderation=moderation)
    now = clock.now()
    async with uow:
        generation, case = await _own(generation_id, actor=actor, uow=uow)
        case.job.require_retryable()  # before its model is held: see `tombstones`
        sources = await _sources(generation, actor=actor, uow=uow)
        of_whom = None
        if generation.is_invented and generation.character_id is not None:
            of_whom = (await uow.characters.get(generation.character_id)).owner_id
        await _allow(generation, sources, of_whom=of_whom, actor=actor, uow=uow, ids=ids, at=now)
        case.start_again(at=now)
        await hold_price(uow, case, generation, durations_ms=sources.durations_ms, at=now)
        carry_on(uow, case, generation, at=now)
        await commit_cases(uow, case, live=live, at=now)
    return AcceptedJob(id=case.job.id, status=case.job.status)


async def cancel_generation(
    generation_id: UUID, *, actor: Actor, uow: UnitOfWork, clock: Clock, live: LiveEvents
) -> AcceptedJob:
    """Stop it, as far as the provider lets us; what it still makes is hidden. Raises JobEnded."""
    now = clock.now()
    async with uow:
        _, case = await _own(generation_id, actor=actor, uow=uow)
        case.job.cancel(at=now)
        give_up_rest(uow, case, at=now)
        await commit_cases(uow, case, live=live, at=now)
    return AcceptedJob(id=case.job.id, status=case.job.status)


async def delete_generation(
    generation_id: UUID, *, actor: Actor, uow: UnitOfWork, clock: Clock
) -> None:
    """Erase what was made and what was asked for; that something was made is kept.

    Raises NotFound, JobOpen, AssetInUse while anything made of it is listed or was bought."""
    now = clock.now()
    async with uow:
        generation, case = await _own(generation_id, actor=actor, uow=uow)
        if case.job.is_open:
            raise JobOpen("It is still under way: cancel it first.", status=str(case.job.status))
        keys = [result.key for step in case.steps for result in step.results]
        for asset in await uow.assets.of_generation(generation_id):
            await uow.assets.remove(asset)
            keys += asset.keys
        for attempt in case.attempts:
            keys += [output.key for output in attempt.outputs if output.key is not None]
            attempt.forget()
        for step in case.steps:
            step.forget()
        generation.delete(at=now)
        if keys:
            uow.outbox.add(ERASE_BYTES, EraseBytes(keys))
        await uow.commit()


async def _own(generation_id: UUID, *, actor: Actor, uow: UnitOfWork) -> tuple[Generation, Case]:
    generation = await uow.generations.get(generation_id)
    if generation.owner_id != actor.user_id or generation.deleted_at is not None:
        raise NotFound("generation", generation_id)
    return generation, await locked_case(uow, generation_id)


async def _sources(generation: Generation, *, actor: Actor, uow: UnitOfWork) -> Sources:
    return await sources_of(
        actor,
        scene=generation.scene_asset_id,
        source=generation.source_asset_id,
        audio=generation.audio_asset_id,
        driving=generation.motion.driving_asset_id,
        uow=uow,
    )


def _named(command: RequestGeneration) -> Named:
    return Named(
        project_id=command.project_id,
        preset_id=command.preset_id,
        template_id=command.template_id,
        character_id=command.character_id,
        values=command.template_values,
    )
