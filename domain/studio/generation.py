"""What somebody asked for: made from a creator's likeness under the creator's terms, or of an
invented person whom images show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.licensing.terms import Purpose
from domain.shared.errors import Invalid, RuleRefused
from domain.studio.pipelines import JobKind, Needs, PlannedStep, StepType, pipeline_of


class Mode(StrEnum):
    """`text` composes from the prompt alone; `photo` puts the person into a given scene."""

    TEXT = "text"
    PHOTO = "photo"


class AspectRatio(StrEnum):
    SQUARE = "1:1"
    PORTRAIT = "3:4"
    TALL = "9:16"
    LANDSCAPE = "4:3"
    WIDE = "16:9"


PIXELS: dict[AspectRatio, tuple[int, int]] = {
    AspectRatio.SQUARE: (1024, 1024),
    AspectRatio.PORTRAIT: (896, 1152),
    AspectRatio.TALL: (768, 1344),
    AspectRatio.LANDSCAPE: (1152, 896),
    AspectRatio.WIDE: (1344, 768),
}


class SceneRequired(Invalid):
    """Photo mode needs a scene, and text mode has none."""

    code = "scene_required"


class CreatorRequired(Invalid):
    """Neither a creator nor a character is named, or what is asked for takes a creator's licence:
    photo mode and adult purposes are not for invented people."""

    code = "creator_required"


class ModelNotReady(RuleRefused):
    """The creator has no likeness model in force."""

    code = "model_not_ready"


class SourceRefused(Invalid):
    """A source that this kind of work does not begin with, or that it cannot do without."""

    code = "generation_source_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """How a still begins to move, as a preset has it: `strength` from 1 to 255, `deviation` from 0
    to 1 says how far the video may leave the still. With a `driving_asset_id` whoever is in it
    moves as somebody does in that video instead."""

    strength: int = 127
    deviation: float = 0.02
    frames_per_second: int = 25
    still_head: bool = False
    driving_asset_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Speech:
    text: str
    voice: str


@dataclass(eq=False, kw_only=True)
class Generation:
    """Has the id of its job. Terms are those in force when it was last started.

    It shows a creator, or the invented person of a character, whom the images of `reference_ids`
    show: then there are no terms, for nobody's likeness is used. Never both, never neither.

    `motion` is frozen from the preset, and from the plan whether its owner has clean copies, so
    that a later change of either changes nothing here."""

    id: UUID
    owner_id: UUID
    creator_id: UUID | None
    model_id: UUID | None
    kind: JobKind = JobKind.IMAGE
    mode: Mode
    prompt: str
    purpose: Purpose
    scene_asset_id: UUID | None
    source_asset_id: UUID | None = None
    audio_asset_id: UUID | None = None
    speech: Speech | None = None
    motion: Motion = Motion()
    count: int = 1
    upscale: int | None = None
    seed: int
    width: int
    height: int
    project_id: UUID | None = None
    preset_id: UUID | None = None
    template_id: UUID | None = None
    character_id: UUID | None = None
    reference_ids: tuple[UUID, ...] = ()
    terms_id: UUID | None = None
    terms_version: int | None = None
    terms_hash: str | None = None
    created_at: datetime
    clean_for_owner: bool = False
    deleted_at: datetime | None = None

    @property
    def is_invented(self) -> bool:
        """Whether nobody's likeness is used."""
        return self.creator_id is None

    @property
    def needs(self) -> Needs:
        return Needs(
            image_given=self.source_asset_id is not None,
            audio_given=self.audio_asset_id is not None,
            motion_wanted=self.motion.driving_asset_id is not None,
            larger=self.upscale is not None,
            count=self.count,
        )

    @property
    def needs_model(self) -> bool:
        """Whether a likeness model has to draw the first image."""
        return any(step.type is StepType.IMAGE_GENERATION for step in self.plan)

    @property
    def text(self) -> str:
        """All that somebody wrote for it."""
        return "\n".join(part for part in (self.prompt, self.speech and self.speech.text) if part)

    @property
    def plan(self) -> list[PlannedStep]:
        """The steps that it takes."""
        return pipeline_of(self.kind, self.needs)

    def delete(self, *, at: datetime) -> None:
        """Nothing of what was asked for is kept, but that it was."""
        self.deleted_at = at
        self.prompt, self.speech = "", None


def request_of(step: StepType, *, kind: JobKind, mode: Mode, invented: bool = False) -> str | None:
    """The kind of request, as engines name it, that does a step; None: we do it ourselves."""
    match step:
        case StepType.TRAINING:
            return "train_likeness"
        case StepType.IMAGE_GENERATION if invented:
            return "character_to_image"
        case StepType.IMAGE_GENERATION:
            return "photo_to_image" if mode is Mode.PHOTO else "text_to_image"
        case StepType.UPSCALING:
            return "upscale_image"
        case StepType.SPEECH_SYNTHESIS:
            return "text_to_speech"
        case StepType.VIDEO_SYNTHESIS:
            return "talking_portrait" if kind is JobKind.TALKING_AVATAR else "image_to_video"
        case StepType.MOTION_TRANSFER:
            return "transfer_motion"
        case StepType.MODEL_3D:
            return "image_to_mesh"
        case StepType.POST_PROCESSING | StepType.STORING:
            return None


def check_scene(mode: Mode, scene_asset_id: UUID | None) -> None:
    """Photo mode needs a scene, text mode has none. Raises SceneRequired."""
    if (mode is Mode.PHOTO) != (scene_asset_id is not None):
        wanted = "is required in photo mode" if mode is Mode.PHOTO else "is for photo mode only"
        raise SceneRequired(f"scene_asset_id {wanted}.", fields={"scene_asset_id": [wanted]})


def check_invented(
    *, mode: Mode, purpose: Purpose, reference_ids: Sequence[UUID], named: bool
) -> None:
    """What may be asked for where no creator is named. Raises CreatorRequired."""
    problems: dict[str, list[str]] = {}
    if not named or not reference_ids:
        problems["creator_id"] = ["is required without a character whom images show"]
    if mode is Mode.PHOTO:
        problems["mode"] = ["photo mode takes a creator's likeness"]
    if purpose is Purpose.ADULT:
        problems["purpose"] = ["adult purposes take a creator's licence"]
    if problems:
        raise CreatorRequired("Say whose likeness it is to show.", fields=problems)


def check_media(
    kind: JobKind,
    *,
    prompt: str,
    source_asset_id: UUID | None,
    audio_asset_id: UUID | None,
    speech: Speech | None,
    upscale: int | None = None,
) -> None:
    """Each kind has what it is made from, once, and nothing that it would ignore.

    Raises SourceRefused.
    """
    problems: dict[str, list[str]] = {}
    if source_asset_id is not None and kind in {JobKind.IMAGE, JobKind.SPEECH}:
        problems["source_asset_id"] = [f"is not for {kind}"]
    if upscale is not None and kind is not JobKind.IMAGE:
        problems["upscale"] = [f"is not for {kind}"]
    if audio_asset_id is not None and kind is not JobKind.TALKING_AVATAR:
        problems["audio_asset_id"] = [f"is not for {kind}"]
    if speech is not None and kind not in {JobKind.TALKING_AVATAR, JobKind.SPEECH}:
        problems["speech"] = [f"is not for {kind}"]
    if kind is JobKind.SPEECH and speech is None:
        problems["speech"] = ["is required for speech"]
    if kind is JobKind.TALKING_AVATAR and (speech is None) == (audio_asset_id is None):
        problems["speech"] = ["give either this or audio_asset_id"]
    if not prompt and source_asset_id is None and kind is not JobKind.SPEECH:
        problems["prompt"] = ["is required unless a source image is given"]
    if problems:
        raise SourceRefused("This cannot be made from what was given.", fields=problems)
