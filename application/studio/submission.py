"""Send an attempt to its engine, exactly once.

Inputs are prepared first, then the attempt is marked as being sent and committed, then the call is
made with no transaction open. Whoever dies in between leaves a mark that the sweep clears up;
nobody sends the same attempt again, for a second call would be a second bill.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from application.ports.engines import AttemptRef
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from application.ports.messages import Message
from application.ports.storage import ObjectMissing
from application.studio.changes import case_of, commit_cases, try_again_or_fail
from application.studio.completion import ProviderReport, apply_report
from application.studio.health import note_failure
from application.studio.inputs import InputLost, inputs_of, request_for
from application.studio.workshop import Workshop, for_each_attempt
from domain.studio.attempt import SEND_WITHIN
from domain.studio.failures import FailureClass, failure_message

_PERMANENT = {"invalid_input", "input_unreadable"}


async def submit_attempts(
    messages: Sequence[Message], *, workshop: Workshop
) -> Mapping[UUID, Exception]:
    """Handles `studio.submit_attempt` and its kin with a queue of their own."""

    async def submit(attempt_id: UUID) -> None:
        await submit_attempt(attempt_id, workshop=workshop)

    return await for_each_attempt(messages, submit)


async def submit_attempt(attempt_id: UUID, *, workshop: Workshop) -> None:
    """Raises Unavailable when our own storage cannot be reached: nothing was sent."""
    try:
        async with (uow := workshop.new_uow()):
            case, attempt = await case_of(uow, attempt_id)
            if not attempt.is_planned or not case.job.is_open:
                return
            step = case.step_of(attempt)
            inputs = await inputs_of(case, step, uow=uow, at=workshop.clock.now())
    except InputLost as lost:
        await _give_up(attempt_id, lost.code, FailureClass.PERMANENT, workshop=workshop)
        return
    engine = workshop.engine_of(attempt, step.request)
    if engine is None:
        await _give_up(attempt_id, "no_engine", FailureClass.FAIL_OVER, workshop=workshop)
        return
    try:
        request = await request_for(inputs, attempt, workshop=workshop)
    except ObjectMissing:
        await _give_up(attempt_id, "input_missing", FailureClass.PERMANENT, workshop=workshop)
        return
    begun = workshop.clock.now()
    if not await _begin(attempt_id, at=begun, workshop=workshop):
        return
    if workshop.clock.now() - begun > SEND_WITHIN:
        await _give_up(attempt_id, "unavailable", FailureClass.RETRYABLE, workshop=workshop)
        return
    ref = AttemptRef(attempt_id=attempt_id, webhook_url=workshop.webhook_url(attempt))
    try:
        taken = await engine.submit(request, ref)
    except Unavailable as error:
        await _give_up(
            attempt_id,
            "unavailable",
            FailureClass.RETRYABLE,
            workshop=workshop,
            retry_after_s=error.retry_after_s,
        )
    except Rejected as error:
        code, failure = _refusal(error.reason)
        await _give_up(attempt_id, code, failure, workshop=workshop)
    except OutcomeUnknown:
        await _lose_answer(attempt_id, workshop=workshop)
    else:
        report = ProviderReport(provider=attempt.provider, attempt_id=attempt_id, job=taken)
        await apply_report(report, workshop=workshop)


def _refusal(reason: str) -> tuple[str, FailureClass]:
    """What is wrong with the request is wrong everywhere; an account that is shut is not."""
    if reason.startswith("content"):
        return "content_refused", FailureClass.PERMANENT
    if reason in _PERMANENT:
        return "refused", FailureClass.PERMANENT
    return "refused", FailureClass.FAIL_OVER


async def _begin(attempt_id: UUID, *, at: datetime, workshop: Workshop) -> bool:
    """Mark it as being sent; False when it must not be (any more)."""
    async with (uow := workshop.new_uow()):
        case, attempt = await case_of(uow, attempt_id)
        if not attempt.is_planned or not case.job.is_open:
            return False
        attempt.begin(at=at)
        await uow.commit()
    return True


async def _give_up(
    attempt_id: UUID,
    code: str,
    failure: FailureClass,
    *,
    workshop: Workshop,
    retry_after_s: float | None = None,
) -> None:
    uow, now = workshop.new_uow(), workshop.clock.now()
    async with uow:
        case, attempt = await case_of(uow, attempt_id)
        if attempt.has_ended:
            return
        attempt.fail(code, failure_message(code), failure)
        await note_failure(uow, attempt, ids=workshop.ids, at=now)
        try_again_or_fail(uow, case, attempt, at=now, retry_after_s=retry_after_s)
        await commit_cases(uow, case, live=workshop.live, at=now)


async def _lose_answer(attempt_id: UUID, *, workshop: Workshop) -> None:
    uow = workshop.new_uow()
    async with uow:
        _, attempt = await case_of(uow, attempt_id)
        attempt.lose_answer()
        await uow.commit()
