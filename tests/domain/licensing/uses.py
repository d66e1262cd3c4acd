"""A use that default terms allow, to change one thing of at a time."""

from uuid import UUID

from domain.licensing.conditions import SubjectRight
from domain.licensing.decision import Decision
from domain.licensing.evaluate import evaluate
from domain.licensing.terms import Capability, ProductType, Purpose
from domain.licensing.use import Action, Price, Seller, Use
from tests.builders import NOON, terms

STORE, OTHER_STORE = UUID(int=1), UUID(int=2)


def use(action: Action = Action.SELL, **changes: object) -> Use:
    values: dict[str, object] = {
        "action": action,
        "at": NOON,
        "capability": Capability.IMAGE,
        "subject_rights": frozenset({SubjectRight.FACE}),
        "product_type": ProductType.SHIRT,
        "purpose": Purpose.COMMERCIAL,
        "seller": Seller(STORE, is_creators_own=False),
        "price": Price(2500, 2500, "usd"),
    }
    return Use(**{**values, **changes})  # type: ignore[arg-type]


def decide(proposed: Use, **conditions: object) -> Decision:
    return evaluate(terms(**conditions), proposed)


def codes(proposed: Use, **conditions: object) -> list[str]:
    return [reason.code for reason in decide(proposed, **conditions).reasons]
