"""Look after attempts that nobody calls back about, so that no job waits for ever."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from application.ports.engines import EngineJob
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from application.ports.messages import Message
from application.studio.changes import commit_cases, give_up_rest, locked_case
from application.studio.clearing_up import clear_up
from application.studio.completion import ProviderReport, apply_report
from application.studio.workshop import Workshop, for_each_attempt
from domain.studio.attempt import AttemptStatus

LEASE = timedelta(seconds=60)
BATCH = 50
ARCHIVE_LIFE = timedelta(days=2)


async def poll_stale_attempts(*, workshop: Workshop) -> int:
    """Ask about attempts whose callback is late, give lost ones up, and end what took too long.

    Call it every ten seconds or so; any number of processes may. Answers how many were looked at.
    """
    uow, now = workshop.new_uow(), workshop.clock.now()
    async with uow:
        due = await uow.attempts.take_due(now=now, lease_until=now + LEASE, limit=BATCH)
        expired = await uow.attempts.expired_jobs(now=now, limit=BATCH)
        await uow.commit()
    for job_id in expired:
        await _expire(job_id, workshop=workshop)
    await asyncio.gather(*(_check(attempt_id, workshop=workshop) for attempt_id in due))
    return len(due) + len(expired)


async def cancel_attempts(
    messages: Sequence[Message], *, workshop: Workshop
) -> Mapping[UUID, Exception]:
    """Handles `studio.cancel_attempt`: ask the provider to stop; it need not listen."""

    async def cancel(attempt_id: UUID) -> None:
        async with (uow := workshop.new_uow()):
            attempt = await uow.attempts.get(attempt_id)
            step = await uow.steps.get(attempt.step_id)
        engine = workshop.engine_of(attempt, step.request)
        if engine is not None and attempt.request_id is not None and attempt.may_be_running:
            try:
                await engine.cancel(attempt.request_id)
            except (Rejected, OutcomeUnknown):
                return

    return await for_each_attempt(messages, cancel)


async def sweep_training_archives(*, workshop: Workshop) -> int:
    """Erase archives of training images that no provider needs any more; answers how many."""
    old = workshop.clock.now() - ARCHIVE_LIFE
    erased = 0
    async for found in workshop.storage.listing("training/"):
        if found.modified_at < old:
            await workshop.storage.delete(found.key)
            erased += 1
    return erased


async def _check(attempt_id: UUID, *, workshop: Workshop) -> None:
    async with (uow := workshop.new_uow()):
        attempt = await uow.attempts.get(attempt_id)
        step = await uow.steps.get(attempt.step_id)
    if attempt.is_unanswered:
        await clear_up(attempt_id, workshop=workshop)
        return
    if attempt.status is not AttemptStatus.ACTIVE or attempt.request_id is None:
        return
    engine = workshop.engine_of(attempt, step.request)
    try:
        if engine is None:
            raise Rejected("not configured", provider=attempt.provider, reason="unknown")
        found = await engine.fetch(attempt.request_id)
    except (Unavailable, OutcomeUnknown):
        return
    except Rejected:
        found = EngineJob(
            request_id=attempt.request_id,
            status="failed",
            error_code="runner_failed",
            failure="retryable",
        )
    report = ProviderReport(provider=attempt.provider, attempt_id=attempt_id, job=found)
    await apply_report(report, workshop=workshop)


async def _expire(job_id: UUID, *, workshop: Workshop) -> None:
    uow, now = workshop.new_uow(), workshop.clock.now()
    async with uow:
        case = await locked_case(uow, job_id)
        if not case.job.is_open or case.job.expires_at > now:
            return
        case.job.expire(at=now)
        give_up_rest(uow, case, at=now)
        await commit_cases(uow, case, live=workshop.live, at=now)
