"""End what is under way with a likeness model that was deleted.

Its own training is cancelled. Somebody else's generation fails with a reason, and costs nothing:
it was not their wish. Each job ends in a transaction of its own, under its lock.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from application.creators.tombstones import ModelMessage
from application.ports.media import ERASE_BYTES, EraseBytes
from application.ports.messages import Message
from application.studio.changes import commit_cases, give_up_rest, locked_case
from application.studio.inputs import archive_key
from application.studio.workshop import Workshop
from domain.studio.failures import failure_message
from domain.studio.pipelines import JobKind

_DELETED = "model_deleted"


async def end_jobs_of_models(
    messages: Sequence[Message], *, workshop: Workshop
) -> Mapping[UUID, Exception]:
    """Handles `studio.end_jobs_of_model`."""
    failures: dict[UUID, Exception] = {}
    for message in messages:
        body = msgspec.json.decode(message.payload, type=ModelMessage)
        try:
            await end_jobs_of_model(body.model_id, workshop=workshop)
        except Exception as error:  # noqa: BLE001 - the worker retries or parks the message
            failures[message.id] = error
    return failures


async def end_jobs_of_model(model_id: UUID, *, workshop: Workshop) -> None:
    """Idempotent. No job begins with a tombstone, so those that are open now are all."""
    async with (uow := workshop.new_uow()):
        job_ids = await uow.models.open_jobs(model_id)
    for job_id in job_ids:
        await _end(job_id, workshop=workshop)
    async with (uow := workshop.new_uow()):  # where its weights were, at its provider and here
        training = await locked_case(uow, model_id)
        for attempt in training.attempts:
            attempt.forget()
        for step in training.steps:
            step.forget()
        await uow.commit()


async def _end(job_id: UUID, *, workshop: Workshop) -> None:
    uow, now = workshop.new_uow(), workshop.clock.now()
    async with uow:
        case = await locked_case(uow, job_id)
        if not case.job.is_open:
            return
        if case.job.kind is JobKind.TRAINING:
            case.job.cancel(at=now)
            archives = [archive_key(attempt.id) for attempt in case.attempts]
            if archives:
                uow.outbox.add(ERASE_BYTES, EraseBytes(archives))
        else:
            case.job.fail(_DELETED, failure_message(_DELETED), at=now)
        give_up_rest(uow, case, at=now)
        await commit_cases(uow, case, live=workshop.live, at=now)
