"""What may be taken of the person, and made of it."""

from collections.abc import Iterator

from domain.licensing.conditions import SubjectRight
from domain.licensing.decision import Reason, listed, unknown
from domain.licensing.terms import Capability, LicenceTerms
from domain.licensing.use import Action, Use

_FIGURE = frozenset({SubjectRight.FACE, SubjectRight.BODY})
IMPLIED_RIGHTS: dict[Capability, frozenset[SubjectRight]] = {
    Capability.TRAIN: _FIGURE,
    Capability.IMAGE: _FIGURE,
    Capability.VIDEO: _FIGURE,
    Capability.TALKING_AVATAR: frozenset({SubjectRight.FACE, SubjectRight.VOICE}),
    Capability.VOICE: frozenset({SubjectRight.VOICE}),
    Capability.MODEL_3D: _FIGURE,
}
"""What of the person a capability cannot do without."""

MAKING = frozenset({Action.TRAIN, Action.GENERATE})


def subject_rights(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    taken = use.subject_rights
    if taken is None and use.capability is not None:
        taken = IMPLIED_RIGHTS[use.capability]
    if taken is None:
        yield unknown("subject_rights")
        return
    if taken <= terms.subject_rights:
        return
    for right in sorted(taken - terms.subject_rights):
        yield Reason(
            "subject_right_not_granted",
            "subject_rights",
            listed(terms.subject_rights),
            right,
            f"The licence does not grant the {right} of the person.",
        )


def capability(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    if use.action not in MAKING:
        return
    if use.capability is None:
        yield unknown("capability")
    elif use.capability not in terms.capabilities:
        yield Reason(
            "capability_not_granted",
            "capability",
            listed(terms.capabilities),
            use.capability,
            f"The licence does not grant {use.capability}.",
        )


def model(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    """Training makes a model; only what is generated has one."""
    if terms.models is None or use.action is not Action.GENERATE:
        return
    if use.model is None:
        yield unknown("model")
    elif use.model not in terms.models:
        yield Reason(
            "model_not_allowed",
            "model",
            listed(terms.models),
            use.model,
            "The licence names the models that may be used, and this is none of them.",
        )


def weights(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    if use.takes_weights and not terms.weights_leave_platform:
        yield Reason(
            "weights_must_stay",
            "takes_weights",
            "no",
            "yes",
            "The licence keeps the model's weights on the platform.",
        )


def ai_training(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    if use.trains_ai and not terms.ai_training_of_outputs:
        yield Reason(
            "ai_training_not_allowed",
            "trains_ai",
            "no",
            "yes",
            "The licence does not allow to train other models with what was made.",
        )


def generations_per_day(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    limit = terms.quotas.generations_per_day
    if limit is None or use.action is not Action.GENERATE:
        return
    made = use.usage.generations_today
    if made is None:
        yield unknown("generations_today")
    elif made + use.quantity > limit:
        yield Reason(
            "daily_generations_used_up",
            "generations_today",
            limit,
            made + use.quantity,
            f"The licence allows {limit} generations a day.",
        )
