"""Look after attempts that nobody calls back about, so that no job waits for ever."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from application.ports.generation import ProviderJob
from application.ports.messages import Message
from application.studio.changes import ask_to_stop, commit_job, locked_job, try_again_or_fail
from application.studio.completion import ProviderReport, apply_provider_job
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
            job = await uow.jobs.get(attempt.job_id)
            provider = await workshop.provider_of(attempt, job, uow=uow)
        if provider is not None and attempt.request_id is not None and attempt.may_be_running:
            try:
                await provider.cancel(attempt.request_id)
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
        job = await uow.jobs.get(attempt.job_id)
        provider = await workshop.provider_of(attempt, job, uow=uow)
    if attempt.status is not AttemptStatus.ACTIVE or attempt.request_id is None:
        await _give_up_waiting(attempt_id, workshop=workshop)
        return
    try:
        if provider is None:
            raise Rejected("not configured", provider=attempt.provider or "", reason="unknown")
        found = await provider.fetch(attempt.request_id)
    except (Unavailable, OutcomeUnknown):
        return
    except Rejected:
        found = ProviderJob(
            request_id=attempt.request_id,
            status="failed",
            error_code="runner_failed",
            retryable=True,
        )
    report = ProviderReport(
        provider=attempt.provider or "",
        request_id=attempt.request_id,
        attempt_id=attempt_id,
        job=found,
    )
    await apply_provider_job(report, workshop=workshop)


async def _give_up_waiting(attempt_id: UUID, *, workshop: Workshop) -> None:
    """No callback came for a call whose answer was lost: on to the next attempt.

    Should this one turn up after all, it is known by its id, and cancelled or used.
    """
    uow, now = workshop.new_uow(), workshop.clock.now()
    async with uow:
        job, attempt = await locked_job(uow, attempt_id)
        if attempt.status not in {AttemptStatus.SUBMITTING, AttemptStatus.UNKNOWN}:
            return
        before = job.face
        attempt.abandon()
        await try_again_or_fail(uow, job, attempt, ids=workshop.ids, at=now, retryable=True)
        await commit_job(uow, job, before=before, live=workshop.live, at=now)


async def _expire(job_id: UUID, *, workshop: Workshop) -> None:
    uow, now = workshop.new_uow(), workshop.clock.now()
    async with uow:
        job = await uow.jobs.get(job_id, lock=True)
        if not job.is_open or job.expires_at > now:
            return
        before = job.face
        job.expire(at=now)
        for attempt in await uow.attempts.of_job(job_id):
            ask_to_stop(uow, attempt)
            if attempt.status is AttemptStatus.PLANNED:
                attempt.abandon()
        await commit_job(uow, job, before=before, live=workshop.live, at=now)
