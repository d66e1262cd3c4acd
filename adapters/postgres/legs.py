"""How frozen legs are written: objects with names, so that they can be read years later.

The database sums them by `legs_total_cents`, a function of the first migration, so that a
constraint can hold them against the line's total.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Dialect, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB

from domain.ordering.split import Leg, LegKind, Reason, Rule

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
                "reason": {**leg.reason._asdict(), "rule": str(leg.reason.rule)},
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
        Reason(_RULES[reason["rule"]], reason["rate"], reason["base"], reason["fixed_cents"]),
    )
