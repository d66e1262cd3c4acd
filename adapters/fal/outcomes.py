"""Reads how a request ended, the same from a poll as from a webhook.

A failure is told by `error_type`, or by the result's `detail`: a list of problems with a `type`, as
for bad input, or a sentence. Messages are our own words: fal's may echo a prompt or a signed URL.
A webhook does not say which app it is about, so every place is known where an app puts its files.
(fal's documentation: "Error reference", and the page of each model)
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from application.ports.engines import EngineJob, EngineOutput, FailureClass

PLACES: Final = ("images", "image", "video", "audio", "model_mesh", "diffusers_lora_file")


class Failure(NamedTuple):
    code: str
    message: str
    kind: FailureClass


REFUSED = Failure("content_refused", "The provider's content policy declined this.", "permanent")
INVALID = Failure("invalid_input", "The provider could not work with this input.", "permanent")
UNREADABLE = Failure("input_unreadable", "The provider could not download an input.", "retryable")
CANCELLED = Failure("cancelled", "The job was cancelled.", "permanent")
TIMED_OUT = Failure("timed_out", "The provider gave up after waiting too long.", "retryable")
NO_MACHINE = Failure("timed_out", "The provider found no machine for it.", "fail_over")
NOWHERE = Failure("runner_failed", "The provider could not place the job.", "fail_over")
BROKEN = Failure("runner_failed", "The provider's machine failed.", "retryable")
EMPTY = Failure("no_output", "The provider finished without a result.", "retryable")

BY_ERROR_TYPE: Final[Mapping[str, Failure]] = {
    "request_timeout": TIMED_OUT,
    "startup_timeout": NO_MACHINE,
    "runner_scheduling_failure": NOWHERE,
    "client_cancelled": CANCELLED,
    "bad_request": INVALID,
}
"""The others (`runner_connection_…`, `runner_server_error`, `internal_error` and so on) are its
machine's fault."""
BY_PROBLEM: Final[Mapping[str, Failure]] = {
    "content_policy_violation": REFUSED,
    "file_download_error": UNREADABLE,
    "image_load_error": UNREADABLE,
}


def ended_well(request_id: str, payload: object, *, billed_units: float | None = None) -> EngineJob:
    """The job of a result with status 200. What the safety checker marked is told by position."""
    if not isinstance(payload, dict):
        return failed(request_id, EMPTY)
    outputs = tuple(
        output for place in PLACES for output in _files(payload.get(place)) if output is not None
    )
    if not outputs:
        return failed(request_id, EMPTY)
    marks = payload.get("has_nsfw_concepts")
    seed = payload.get("seed")
    return EngineJob(
        request_id=request_id,
        status="succeeded",
        progress=100,
        outputs=outputs,
        flagged=tuple(
            place
            for place, unsafe in enumerate(marks if isinstance(marks, list) else ())
            if unsafe and place < len(outputs)
        ),
        seed=seed if isinstance(seed, int) else None,
        billed_units=billed_units,
    )


def ended_badly(request_id: str, payload: object, *, error_type: str | None = None) -> EngineJob:
    """The job of a request that failed; without any explanation the machine is to blame."""
    body = payload if isinstance(payload, dict) else {}
    kind = error_type or body.get("error_type")
    if isinstance(kind, str) and kind in BY_ERROR_TYPE and kind != "bad_request":
        return failed(request_id, BY_ERROR_TYPE[kind])
    problem = first_problem(body)
    if problem is not None:
        return failed(request_id, BY_PROBLEM.get(problem, INVALID))
    return failed(request_id, BY_ERROR_TYPE.get(str(kind), BROKEN))


def first_problem(body: dict[str, Any]) -> str | None:
    """The type of the first problem in a `detail` list."""
    detail = body.get("detail")
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        return str(detail[0].get("type", "invalid"))
    return None


def failed(request_id: str, failure: Failure) -> EngineJob:
    return EngineJob(
        request_id=request_id,
        status="failed",
        error_code=failure.code,
        error_message=failure.message,
        failure=failure.kind,
    )


def _files(given: object) -> list[EngineOutput | None]:
    return [_file(one) for one in (given if isinstance(given, list) else [given])]


def _file(given: object) -> EngineOutput | None:
    """None for what has no address: a result may be of any form."""
    if not isinstance(given, dict) or not isinstance(url := given.get("url"), str) or not url:
        return None
    kind = given.get("content_type")
    return EngineOutput(url=url, content_type=kind if isinstance(kind, str) else None)
