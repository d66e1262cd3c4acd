"""How frozen legs are written: objects with names, so that they can be read years later.

The database sums them by `legs_total_cents`, a function of the first migration, so that a
constraint can hold them against the line's total.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Dialect, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB

from domain.licensing.royalty import Step
from domain.ordering.split import Leg, LegKind, Reason, Rule
from domain.shared.money import BASIS_POINTS_PER_UNIT

_KINDS = {str(kind): kind for kind in LegKind}
_RULES = {str(rule): rule for rule in Rule}


class Legs(TypeDecorator[tuple[Leg, ...]]):
    impl = JSONB
    cache_ok = True

    def process_bind_param(self, value: tuple[Leg, ...] | None, dialect: Dialect) -> Any:
        return [
            {
                "kind": str(leg.kind),
                "payee_id": leg.payee_id and str(leg.payee_id),
                "amount_cents": leg.amount_cents,
                "reason": _written(leg.reason),
            }
            for leg in value or ()
        ]

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[Leg, ...]:
        return tuple(_leg(leg) for leg in value)


def _leg(leg: dict[str, Any]) -> Leg:
    reason = leg["reason"]
    payee_id = leg["payee_id"]
    return Leg(
        _KINDS[leg["kind"]],
        UUID(payee_id) if payee_id else None,
        leg["amount_cents"],
        Reason(
            _RULES[reason["rule"]],
            reason["rate"],
            reason["base"],
            reason["fixed_cents"],
            reason.get("less_cents", 0),
            reason.get("share_bps", BASIS_POINTS_PER_UNIT),
            tuple(Step(cents, bps) for cents, bps in reason.get("steps", ())),
        ),
    )


def _written(reason: Reason) -> dict[str, Any]:
    """Most reasons have neither deduction, share nor steps: those are left out."""
    written: dict[str, Any] = {
        "rule": str(reason.rule),
        "rate": reason.rate,
        "base": reason.base,
        "fixed_cents": reason.fixed_cents,
    }
    if reason.less_cents:
        written["less_cents"] = reason.less_cents
    if reason.share_bps != BASIS_POINTS_PER_UNIT:
        written["share_bps"] = reason.share_bps
    if reason.steps:
        written["steps"] = [list(step) for step in reason.steps]
    return written
