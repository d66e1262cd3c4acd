"""Reads how a request ended, the same from a poll as from a webhook.

A failure is told by `error_type`, or by the result's `detail`: a list of problems with a `type`, as
for bad input, or a sentence. Messages are our own words: fal's may echo a prompt or a signed URL.
"""

from typing import Any, NamedTuple

from application.ports.generation import ProviderJob


class Failure(NamedTuple):
    code: str
    message: str
    retryable: bool


REFUSED = Failure("content_refused", "The provider's content policy declined this.", False)
INVALID = Failure("invalid_input", "The provider could not work with this input.", False)
UNREADABLE = Failure("input_unreadable", "The provider could not download an input.", True)
CANCELLED = Failure("cancelled", "The job was cancelled.", False)
TIMED_OUT = Failure("timed_out", "The provider gave up after waiting too long.", True)
BROKEN = Failure("runner_failed", "The provider's machine failed.", True)
EMPTY = Failure("no_output", "The provider finished without a result.", True)

BY_ERROR_TYPE = {
    "request_timeout": TIMED_OUT,
    "startup_timeout": TIMED_OUT,
    "client_cancelled": CANCELLED,
    "bad_request": INVALID,
}
BY_PROBLEM = {
    "content_policy_violation": REFUSED,
    "file_download_error": UNREADABLE,
    "image_load_error": UNREADABLE,
}


def ended_well(request_id: str, payload: object) -> ProviderJob:
    """The job of a result with status 200. A picture that the safety checker blanked is refused."""
    if not isinstance(payload, dict):
        return failed(request_id, EMPTY)
    if any(payload.get("has_nsfw_concepts") or ()):
        return failed(request_id, REFUSED)
    images = payload.get("images") or ()
    urls = tuple(image["url"] for image in images if isinstance(image, dict) and image.get("url"))
    weights = payload.get("diffusers_lora_file")
    weights_url = weights.get("url") if isinstance(weights, dict) else None
    if not urls and not weights_url:
        return failed(request_id, EMPTY)
    seed = payload.get("seed")
    return ProviderJob(
        request_id=request_id,
        status="succeeded",
        progress=100,
        output_urls=urls,
        weights_url=weights_url,
        seed=seed if isinstance(seed, int) else None,
    )


def ended_badly(request_id: str, payload: object, *, error_type: str | None = None) -> ProviderJob:
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


def failed(request_id: str, failure: Failure) -> ProviderJob:
    return ProviderJob(
        request_id=request_id,
        status="failed",
        error_code=failure.code,
        error_message=failure.message,
        retryable=failure.retryable,
    )
