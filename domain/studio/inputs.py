"""What a step works from, as facts whose hash tells whether it has to be done again."""

from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

from domain.studio.generation import Generation
from domain.studio.pipelines import StepType
from domain.studio.step import Step, hash_of, made_before


class Trained(Protocol):
    """A model that a job trains."""

    trigger_word: str
    steps: int

    @property
    def asset_ids(self) -> tuple[UUID, ...]: ...


_SEEDS = 1 << 31


def seed_of(generation: Generation, step: Step) -> int:
    """Each lane has a seed of its own, so that four pictures are not one."""
    return (generation.seed + step.lane) % _SEEDS


def input_hash(step: Step, subject: Generation | Trained, steps: Sequence[Step]) -> str:
    """The hash of what `step` would work from now; the steps before it are done."""
    facts: dict[str, Any] = {"type": step.type, "request": step.request}
    if not isinstance(subject, Generation):
        facts |= {
            "trigger_word": subject.trigger_word,
            "images": subject.asset_ids,
            "steps": subject.steps,
        }
    if step.is_local:
        facts["made"] = [result.sha256 for made in final_steps(steps) for result in made.results]
    elif isinstance(subject, Generation):
        facts |= _facts(step, subject, steps)
    return hash_of(facts)


def final_steps(steps: Sequence[Step]) -> list[Step]:
    """The last that engines do, in order: what they make is what was asked for."""
    engines = [step for step in steps if not step.is_local]
    last = max(step.stage for step in engines)
    return sorted((s for s in engines if s.stage == last), key=lambda step: step.position)


def still_of(step: Step, steps: Sequence[Step]) -> Step | None:
    """The step that made the image which `step` begins with; None: it was given."""
    return made_before(steps, step, StepType.IMAGE_GENERATION)


def _facts(step: Step, generation: Generation, steps: Sequence[Step]) -> dict[str, Any]:
    match step.type:
        case StepType.IMAGE_GENERATION:
            invented = {"references": generation.reference_ids} if generation.is_invented else {}
            return {
                **invented,
                "prompt": generation.prompt,
                "model": generation.model_id,
                "scene": generation.scene_asset_id,
                "seed": seed_of(generation, step),
                "size": (generation.width, generation.height),
            }
        case StepType.UPSCALING:
            return {"image": _made(still_of(step, steps)), "factor": generation.upscale}
        case StepType.SPEECH_SYNTHESIS:
            speech = generation.speech
            return {"speech": (speech.text, speech.voice) if speech else None}
        case _:
            motion = generation.motion
            return {
                "image": _made(still_of(step, steps)) or generation.source_asset_id,
                "audio": _made(made_before(steps, step, StepType.SPEECH_SYNTHESIS))
                or generation.audio_asset_id,
                "motion": (
                    motion.strength,
                    motion.deviation,
                    motion.frames_per_second,
                    motion.still_head,
                    motion.driving_asset_id,
                ),
                "seed": seed_of(generation, step),
            }


def _made(step: Step | None) -> list[str]:
    return [result.sha256 for result in step.results] if step else []
