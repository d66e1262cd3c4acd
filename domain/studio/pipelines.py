"""Of which steps a job of each kind consists: data, read by everything that runs them.

Steps of one stage run side by side; a stage begins when the one before is done. A job that makes
several things has a lane for each: a step works from what earlier steps of its lane have made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol


class JobKind(StrEnum):
    TRAINING = "training"
    IMAGE = "image"
    VIDEO = "video"
    TALKING_AVATAR = "talking_avatar"
    MODEL_3D = "model_3d"
    SPEECH = "speech"


class StepType(StrEnum):
    TRAINING = "training"
    IMAGE_GENERATION = "image_generation"
    UPSCALING = "upscaling"
    SPEECH_SYNTHESIS = "speech_synthesis"
    VIDEO_SYNTHESIS = "video_synthesis"
    MOTION_TRANSFER = "motion_transfer"
    MODEL_3D = "model_3d"
    POST_PROCESSING = "post_processing"
    STORING = "storing"


LOCAL = frozenset({StepType.POST_PROCESSING, StepType.STORING})
"""What we do ourselves, from results that are already in our storage."""


class When(StrEnum):
    """What decides whether a part of a pipeline is needed."""

    ALWAYS = "always"
    NO_IMAGE = "no source image is given"
    NO_AUDIO = "no audio is given"
    MOTION = "the preset has a video to move like"
    NO_MOTION = "the preset has none"
    LARGER = "it is wanted larger"


@dataclass(frozen=True, slots=True)
class Part:
    """`each` is done once for every piece that is asked for, otherwise once for all of them."""

    type: StepType
    when: When = When.ALWAYS
    each: bool = True


_IMAGE = Part(StepType.IMAGE_GENERATION, When.NO_IMAGE)
_SPEECH = Part(StepType.SPEECH_SYNTHESIS, When.NO_AUDIO, each=False)
_VIDEO = Part(StepType.VIDEO_SYNTHESIS)
_POST = Part(StepType.POST_PROCESSING, each=False)

PIPELINES: Mapping[JobKind, tuple[tuple[Part, ...], ...]] = {
    JobKind.TRAINING: (
        (Part(StepType.TRAINING, each=False),),
        (Part(StepType.STORING, each=False),),
    ),
    JobKind.IMAGE: (
        (Part(StepType.IMAGE_GENERATION),),
        (Part(StepType.UPSCALING, When.LARGER),),
        (_POST,),
    ),
    JobKind.VIDEO: (
        (_IMAGE,),
        (
            Part(StepType.VIDEO_SYNTHESIS, When.NO_MOTION),
            Part(StepType.MOTION_TRANSFER, When.MOTION),
        ),
        (_POST,),
    ),
    JobKind.TALKING_AVATAR: ((_IMAGE, _SPEECH), (_VIDEO,), (_POST,)),
    JobKind.MODEL_3D: ((_IMAGE,), (Part(StepType.MODEL_3D),), (_POST,)),
    JobKind.SPEECH: ((Part(StepType.SPEECH_SYNTHESIS, each=False),), (_POST,)),
}
"""By stage. Parts of one stage do not need each other. What moves like somebody in a video is made
from the still and that video, so that nothing is paid for which the next step does not use."""

SHARED = frozenset(
    part.type
    for stages in PIPELINES.values()
    for parts in stages
    for part in parts
    if not part.each
)
"""What is done once for all lanes: without it there is nothing."""

WEIGHT: Mapping[StepType, int] = {
    StepType.TRAINING: 646,
    StepType.IMAGE_GENERATION: 34,
    StepType.UPSCALING: 12,
    StepType.SPEECH_SYNTHESIS: 12,
    StepType.VIDEO_SYNTHESIS: 120,
    StepType.MOTION_TRANSFER: 90,
    StepType.MODEL_3D: 60,
    StepType.POST_PROCESSING: 6,
    StepType.STORING: 34,
}
"""How much of a job's progress a step is worth: about the seconds that it takes."""

LIFETIME: Mapping[JobKind, timedelta] = {
    JobKind.TRAINING: timedelta(hours=12),
    JobKind.IMAGE: timedelta(hours=1),
    JobKind.VIDEO: timedelta(hours=3),
    JobKind.TALKING_AVATAR: timedelta(hours=3),
    JobKind.MODEL_3D: timedelta(hours=1),
    JobKind.SPEECH: timedelta(hours=1),
}
"""What has not ended by then has expired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What was given and asked for, as far as the steps depend on it."""

    image_given: bool = False
    audio_given: bool = False
    motion_wanted: bool = False
    larger: bool = False
    count: int = 1

    def include(self, when: When) -> bool:
        match when:
            case When.ALWAYS:
                return True
            case When.NO_IMAGE:
                return not self.image_given
            case When.NO_AUDIO:
                return not self.audio_given
            case When.MOTION:
                return self.motion_wanted
            case When.NO_MOTION:
                return not self.motion_wanted
            case When.LARGER:
                return self.larger


@dataclass(frozen=True, slots=True)
class PlannedStep:
    type: StepType
    stage: int
    lane: int


def pipeline_of(kind: JobKind, needs: Needs = Needs()) -> list[PlannedStep]:
    """The steps of a job, in order; stages are counted without gaps."""
    planned: list[PlannedStep] = []
    stage = 0
    for parts in PIPELINES[kind]:
        needed = [part for part in parts if needs.include(part.when)]
        for part in needed:
            lanes = needs.count if part.each else 1
            planned += [PlannedStep(part.type, stage, lane) for lane in range(lanes)]
        stage += bool(needed)
    return planned


class HasProgress(Protocol):
    type: StepType
    progress: int


def overall_progress(steps: Sequence[HasProgress]) -> int:
    """The percentage of the whole, each step by its weight."""
    whole = sum(WEIGHT[step.type] for step in steps)
    return sum(WEIGHT[step.type] * step.progress for step in steps) // max(whole, 1)
