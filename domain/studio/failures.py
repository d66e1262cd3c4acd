"""What people are told when a provider could not do it."""

_MESSAGES = {
    "content_refused": "The content policy refused this. Change the prompt or the scene.",
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
    "licence_revoked": "The creator has revoked the licence.",
    "consent_missing": "The consent that this rests on has been withdrawn.",
}


def failure_message(code: str) -> str:
    """A sentence of ours: a provider's own words may tell what is nobody's business."""
    return _MESSAGES.get(code, "The provider could not do it.")
