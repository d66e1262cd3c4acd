"""`evaluate(terms, use) -> Decision`: the one place where a licence is read.

Each condition is a function from terms and use to its reasons against; `rules/` has them. They are
all asked; any reason refuses, whatever else allows. A condition that needs an attribute which the
use does not tell refuses as well: unknown is no. What only the creator's word is missing for waits
for it. Pure, a few microseconds.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from domain.licensing.conditions import Derivatives
from domain.licensing.decision import Decision, Duty, Outcome, Reason
from domain.licensing.rules import making, selling, standing
from domain.licensing.rules.selling import territory_text
from domain.licensing.terms import LicenceTerms
from domain.licensing.use import Action, Use

_Condition = Callable[[LicenceTerms, Use], Iterator[Reason]]

_CONDITIONS: tuple[_Condition, ...] = (
    making.subject_rights,
    making.capability,
    making.model,
    making.weights,
    selling.product_type,
    standing.purpose,
    selling.store,
    selling.territory,
    standing.term,
    standing.revocation,
    standing.texts,
    selling.price,
    making.generations_per_day,
    selling.quotas,
    standing.exclusivity,
    standing.sublicence,
    standing.derivative,
    making.ai_training,
    standing.refused,
)

_OWN: tuple[_Condition, ...] = (making.generations_per_day, selling.quotas, standing.refused)
"""What each creator of a shared likeness answers for alone, besides giving their word."""

_STRICTEST_FIRST = (Outcome.DENY, Outcome.NEEDS_APPROVAL, Outcome.ALLOW)


def evaluate(terms: LicenceTerms, use: Use) -> Decision:
    """Judge a use. Deterministic: equal terms and equal use give an equal decision."""
    decision = _asked(_CONDITIONS, terms, use)
    if decision.outcome is Outcome.DENY:
        return decision
    return Decision(decision.outcome, decision.reasons, _duties(terms, use))


def evaluate_own(terms: LicenceTerms, use: Use) -> Decision:
    """Judge only what the creator of these terms alone can say or count, without duties."""
    return _asked(_OWN, terms, use)


def evaluate_under(terms: LicenceTerms, sublicence: LicenceTerms | None, use: Use) -> Decision:
    """Judge a use under a sublicence, when there is one: the creator's terms and its own must
    both allow it."""
    decision = evaluate(terms, use)
    if sublicence is None:
        return decision
    return strictest((decision, evaluate(sublicence, replace(use, sublicence_depth=0))))


def strictest(decisions: Sequence[Decision]) -> Decision:
    """What must all allow says the strictest of them, with all reasons and duties, each once."""
    outcomes = {decision.outcome for decision in decisions}
    return Decision(
        next(each for each in _STRICTEST_FIRST if each in outcomes),
        tuple(dict.fromkeys(reason for each in decisions for reason in each.reasons)),
        tuple(dict.fromkeys(duty for each in decisions for duty in each.duties)),
    )


def _asked(conditions: Sequence[_Condition], terms: LicenceTerms, use: Use) -> Decision:
    against = [reason for condition in conditions for reason in condition(terms, use)]
    waiting = tuple(standing.approval(terms, use))
    if against:
        return Decision(Outcome.DENY, (*against, *waiting))
    return Decision(Outcome.NEEDS_APPROVAL if waiting else Outcome.ALLOW, waiting)


def _duties(terms: LicenceTerms, use: Use) -> tuple[Duty, ...]:
    duties = [Duty("disclosure", text) for text in terms.required_disclosures]
    if terms.attribution:
        duties.append(Duty("attribution", _attribution(terms.attribution, use)))
    if use.derivative and terms.derivatives is Derivatives.RECIPROCAL:
        duties.append(Duty("share_alike", "Offer what you make under the same licence terms."))
    if use.action is Action.LIST and not terms.worldwide:
        duties.append(Duty("territory", f"Sell to {territory_text(terms)} only."))
    return tuple(duties)


def _attribution(template: str, use: Use) -> str:
    """What the use does not tell stays in braces, for who shows it to fill in."""
    title = next((text for field, text in use.texts if field == "title"), None)
    known = {"{creator}": use.creator_name, "{title}": title}
    for mark, text in known.items():
        if text is not None:
            template = template.replace(mark, text)
    return template
