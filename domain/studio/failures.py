"""How an attempt can fail, what follows from it, and what people are told."""

from enum import StrEnum


class FailureClass(StrEnum):
    """Retryable: the same may fare better on another try. Fail over: not there and now, so at
    once elsewhere, if there is such a place. Permanent: nowhere, as with refused content. Unknown:
    nobody told us; it may have been done, so its callback was waited for first."""

    RETRYABLE = "retryable"
    FAIL_OVER = "fail_over"
    PERMANENT = "permanent"
    UNKNOWN = "unknown"


_MESSAGES = {
    "content_refused": "The content policy refused this. Change the prompt or the scene.",
    "content_blocked": "What was made may not be shown. It has cost nothing.",
    "invalid_input": "The provider could not work with this input.",
    "cancelled": "The provider stopped the work.",
    "timed_out": "The provider took too long.",
    "runner_failed": "The provider failed while working on it.",
    "no_output": "The provider finished without a result.",
    "output_refused": "What the provider made could not be used.",
    "outcome_unknown": "The provider did not say what became of it.",
    "unavailable": "The provider could not be reached.",
    "refused": "The provider declined it.",
    "input_missing": "An image that this needs has been deleted.",
    "model_deleted": "The likeness model that this works with has been deleted.",
    "licence_revoked": "The creator has revoked the licence.",
    "consent_missing": "The consent that this rests on has been withdrawn.",
    "no_engine": "No provider that can do this is set up.",
}


NOBODY_GOES_ON = frozenset({"licence_revoked", "consent_missing"})
"""What ends a job with all its pieces, those included that were made before."""


def failure_message(code: str) -> str:
    """A sentence of ours: a provider's own words may tell what is nobody's business."""
    return _MESSAGES.get(code, "The provider could not do it.")
