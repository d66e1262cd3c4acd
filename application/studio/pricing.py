"""What a job costs, step by step, and when its owner is charged.

The most that it may cost is held with the request. When the job has ended and no provider can be
at work on it any more, what was done is settled: all of it after success, and what came of it all
the same after a cancellation; what failed or expired is given back. What lasts is settled by how
long it is. Of several pieces those are paid for that are delivered. No step is charged twice.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from application.ports.unit_of_work import UnitOfWork
from application.studio.changes import Case, Subject
from application.studio.credits import allowance_of, reserve_credits
from domain.creators.likeness_model import LikenessModel
from domain.studio.generation import Generation
from domain.studio.job import JobStatus
from domain.studio.pipelines import JobKind, StepType
from domain.studio.plans import Allowance
from domain.studio.prices import PricedStep, price_of
from domain.studio.step import Step, price_to_hold

FRAMES = 25
"""What a model that moves a still makes of it."""
_PRICED_AS = {StepType.UPSCALING: "upscale"}
SLOWEST_CHARS_PER_S = 8
"""How slowly a voice may speak: what is held for a talking avatar before anybody has spoken."""


async def hold_price(
    uow: UnitOfWork,
    case: Case,
    subject: Subject,
    *,
    durations_ms: Mapping[UUID, int],
    at: datetime,
) -> Allowance:
    """Price the steps, hold the most that this round may cost, and take over what the plan allows.

    `durations_ms` are those of the sounds and videos that the job is made from. Raises
    CreditsExhausted.
    """
    job = case.job
    allowed = await allowance_of(uow, job.owner_id, at)
    job.priority, job.concurrency = allowed.priority, allowed.concurrent_jobs
    for step in case.steps:
        if not (step.is_local or (step.is_good and step.charged)):
            step.credits = price_of(
                [
                    PricedStep(
                        _PRICED_AS.get(step.type, step.type), _units(step, subject, durations_ms)
                    )
                ]
            )[0]
    await reserve_credits(
        uow,
        user_id=job.owner_id,
        job_id=job.id,
        round=job.round,
        credits=price_to_hold(case.steps),
        at=at,
        allowed=allowed,
    )
    job.reach(JobStatus.RESERVED)
    return allowed


def _units(step: Step, subject: Subject, durations_ms: Mapping[UUID, int]) -> int:
    """As its price counts them; see the table of prices."""
    if isinstance(subject, LikenessModel):
        return subject.steps
    match step.type:
        case StepType.SPEECH_SYNTHESIS:
            return len(subject.speech.text) if subject.speech else 1
        case StepType.VIDEO_SYNTHESIS:
            return _seconds(subject, durations_ms)
        case StepType.MOTION_TRANSFER:
            return _lasts(subject.motion.driving_asset_id, durations_ms)
        case _:
            return 1


def _seconds(generation: Generation, durations_ms: Mapping[UUID, int]) -> int:
    if generation.kind is not JobKind.TALKING_AVATAR:
        return max(1, -(-FRAMES // generation.motion.frames_per_second))
    if generation.speech is not None:
        return max(1, -(-len(generation.speech.text) // SLOWEST_CHARS_PER_S))
    return _lasts(generation.audio_asset_id, durations_ms)


def _lasts(asset_id: UUID | None, durations_ms: Mapping[UUID, int]) -> int:
    duration_ms = durations_ms.get(asset_id, 0) if asset_id is not None else 0
    return max(1, -(-duration_ms // 1000))
