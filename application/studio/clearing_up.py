"""What became of a call that was, or may have been, sent, and whose answer nobody has.

The worker died, or the connection did. A second call would perhaps be a second bill, so it is not
made before the provider's own list says that the first was never taken. Where there is no such
list only the callback can tell; it is waited for as long as the work may take. When it does not
come, the step has failed and nothing was charged for it: whether to pay the provider again is for
its owner to decide, who may start the job again.
"""

from uuid import UUID

from application.ports.engines import AttemptRef, EngineJob, EngineOutput
from application.ports.errors import OutcomeUnknown, Unavailable
from application.ports.storage import ObjectMissing
from application.studio.changes import (
    Case,
    case_of,
    commit_cases,
    end_in_failure,
    try_again_or_fail,
)
from application.studio.completion import ProviderReport, answer_key, apply_report
from application.studio.health import note_failure
from application.studio.inputs import InputLost, inputs_of, request_for
from application.studio.workshop import Workshop
from domain.studio.attempt import UNKNOWN_WAIT, Attempt
from domain.studio.failures import FailureClass


async def clear_up(attempt_id: UUID, *, workshop: Workshop) -> None:
    """Called by the sweep, once the call is over and again every minute until it is clear."""
    async with (uow := workshop.new_uow()):
        case, attempt = await case_of(uow, attempt_id)
    if not attempt.is_unanswered or attempt.submitted_at is None:
        return
    try:
        found = await _look_for(case, attempt, workshop=workshop)
    except Unavailable:
        return
    except OutcomeUnknown:
        waited = workshop.clock.now() - attempt.submitted_at
        if waited >= UNKNOWN_WAIT[case.step_of(attempt).type]:
            await _give_up(attempt_id, again=False, workshop=workshop)
        return
    if found is None:
        await _give_up(attempt_id, again=True, workshop=workshop)
        return
    report = ProviderReport(provider=attempt.provider, attempt_id=attempt_id, job=found)
    await apply_report(report, workshop=workshop)


async def _look_for(case: Case, attempt: Attempt, *, workshop: Workshop) -> EngineJob | None:
    """Ask for it as it would be sent now. Raises Unavailable; OutcomeUnknown: nobody can tell."""
    kept = await _kept_answer(attempt, workshop=workshop)
    if kept is not None:
        return kept
    step, now = case.step_of(attempt), workshop.clock.now()
    engine = workshop.engine_of(attempt, step.request)
    if engine is None or not engine.lists_jobs:
        raise OutcomeUnknown("it has no list", provider=attempt.provider)
    try:
        async with (uow := workshop.new_uow()):
            inputs = await inputs_of(case, step, uow=uow, at=now)
        request = await request_for(inputs, attempt, workshop=workshop)
    except (InputLost, ObjectMissing) as error:
        raise OutcomeUnknown("what it was made from is gone", provider=attempt.provider) from error
    ref = AttemptRef(attempt_id=attempt.id, webhook_url=workshop.webhook_url(attempt))
    known: set[str] = set()
    while True:
        found = await engine.find(request, ref, since=attempt.submitted_at or now, known=known)
        if found is None:
            return None
        async with (uow := workshop.new_uow()):
            theirs = await uow.attempts.of_request(attempt.provider, found.request_id)
        if theirs is None:
            return found
        known.add(found.request_id)


async def _kept_answer(attempt: Attempt, *, workshop: Workshop) -> EngineJob | None:
    """What came in the answer itself, whose keeper died before saying so."""
    try:
        content = await workshop.storage.get(answer_key(attempt.id, 0))
    except ObjectMissing:
        return None
    output = EngineOutput(content=content)
    return EngineJob(request_id=str(attempt.id), status="succeeded", outputs=(output,))


async def _give_up(attempt_id: UUID, *, again: bool, workshop: Workshop) -> None:
    """Should it turn up after all, it is known by its id, and cancelled or used."""
    uow, now = workshop.new_uow(), workshop.clock.now()
    async with uow:
        case, attempt = await case_of(uow, attempt_id)
        if not attempt.is_unanswered:
            return
        attempt.abandon()
        attempt.failure = FailureClass.UNKNOWN
        await note_failure(uow, attempt, ids=workshop.ids, at=now)
        step = case.step_of(attempt)
        if again and step.is_under_way:
            try_again_or_fail(uow, case, attempt, at=now)
        elif case.job.is_open and step.is_under_way and not case.in_flight(step):
            end_in_failure(uow, case, step, "outcome_unknown", at=now)
        await commit_cases(uow, case, live=workshop.live, at=now)
