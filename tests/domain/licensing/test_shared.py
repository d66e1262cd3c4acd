"""A likeness of several is used when everybody, by their own terms and word, lets it be."""

from dataclasses import replace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.licensing.conditions import Approval, Derivatives, Quotas
from domain.licensing.decision import Decision, Outcome
from domain.licensing.evaluate import evaluate
from domain.licensing.joint import joint
from domain.licensing.shared import Party, common_part, evaluate_shared, waiting_for
from domain.licensing.terms import LicenceTerms
from domain.licensing.use import Action, Seller, Usage, Use
from tests.builders import NOON, terms
from tests.domain.licensing.test_joint import LICENCES, USES, compatible
from tests.domain.licensing.uses import STORE, use

LEAD, FIRST, SECOND = UUID(int=1), UUID(int=2), UUID(int=3)
COUNTS = st.none() | st.integers(0, 3)
PARTIES: st.SearchStrategy[list[Party]] = st.lists(
    st.builds(
        Party,
        creator_id=st.uuids(),
        terms=LICENCES,
        by_creator=st.booleans(),
        approved=st.sampled_from([None, True, False]),
        usage=st.builds(
            Usage,
            generations_today=COUNTS,
            units_sold=COUNTS,
            edition_sold=COUNTS,
            revenue_cents=COUNTS,
        ),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda party: party.creator_id,
).filter(lambda parties: compatible([party.terms for party in parties]))
BY_OTHERS = USES.map(
    lambda each: replace(each, seller=each.seller and Seller(STORE, False), sublicence_depth=0)
)


def decide(lead: LicenceTerms, parties: list[Party], asked: Use) -> Decision:
    beside = joint(*(common_part(party.terms) for party in parties), at=NOON)
    return evaluate_shared(lead, beside, parties, asked)


def seen_by(party: Party, asked: Use) -> Use:
    return replace(asked, by_creator=party.by_creator, approved=party.approved, usage=party.usage)


@given(LICENCES, PARTIES, BY_OTHERS)
def test_it_is_allowed_exactly_when_everybody_allows_it_alone(
    lead: LicenceTerms, parties: list[Party], asked: Use
) -> None:
    alone = [evaluate(lead, asked).outcome]
    alone += [evaluate(party.terms, seen_by(party, asked)).outcome for party in parties]
    decision = decide(lead, parties, asked)
    assert decision.allowed == (set(alone) == {Outcome.ALLOW})
    if decision.outcome is Outcome.NEEDS_APPROVAL:
        assert Outcome.DENY not in alone


@given(LICENCES, PARTIES, BY_OTHERS, st.data())
def test_the_order_of_the_parties_changes_nothing(
    lead: LicenceTerms, parties: list[Party], asked: Use, data: st.DataObject
) -> None:
    beside = joint(*(common_part(party.terms) for party in parties), at=NOON)
    shuffled = data.draw(st.permutations(parties))
    assert evaluate_shared(lead, beside, shuffled, asked) == evaluate_shared(
        lead, beside, parties, asked
    )
    again = decide(lead, shuffled, asked)
    assert again.outcome is decide(lead, parties, asked).outcome


@given(LICENCES, PARTIES, BY_OTHERS)
def test_who_is_waited_for_is_who_could_let_it_be(
    lead: LicenceTerms, parties: list[Party], asked: Use
) -> None:
    """When nothing but words is missing, these words are enough, and no fewer."""
    if decide(lead, parties, asked).outcome is not Outcome.NEEDS_APPROVAL:
        return
    waiting = waiting_for(LEAD, lead, parties, asked)
    assert waiting
    agreed = [
        replace(party, approved=True) if party.creator_id in waiting else party for party in parties
    ]
    use_then = replace(asked, approved=True) if LEAD in waiting else asked
    assert decide(lead, agreed, use_then).allowed
    for one in waiting - {LEAD}:
        silent = [replace(p, approved=None) if p.creator_id == one else p for p in agreed]
        assert decide(lead, silent, use_then).outcome is Outcome.NEEDS_APPROVAL


def party(creator_id: UUID, **conditions: object) -> Party:
    return Party(creator_id=creator_id, terms=terms(**conditions))


def test_each_missing_word_is_told_with_whose_it_is() -> None:
    asked = use(Action.GENERATE)
    parties = [
        party(SECOND, approval=Approval.PER_GENERATION),
        party(FIRST, approval=Approval.FIRST_USE),
    ]
    decision = decide(terms(), parties, asked)
    assert [(reason.code, reason.field) for reason in decision.reasons] == [
        ("approval_needed", f"parties.{FIRST}.approved"),
        ("approval_needed", f"parties.{SECOND}.approved"),
    ]
    assert waiting_for(LEAD, terms(), parties, asked) == {FIRST, SECOND}


def test_a_no_of_one_denies_whatever_the_others_say() -> None:
    wanted = {"approval": Approval.PER_GENERATION}
    parties = [
        replace(party(FIRST, **wanted), approved=True),
        replace(party(SECOND, **wanted), approved=False),
    ]
    decision = decide(terms(**wanted), parties, use(Action.GENERATE, approved=True))
    assert decision.outcome is Outcome.DENY
    assert [reason.code for reason in decision.reasons] == ["approval_refused"]


def test_what_one_has_used_up_is_used_up_for_all() -> None:
    few = Quotas(generations_per_day=2)
    fresh, spent = (
        replace(party(creator_id, quotas=few), usage=Usage(generations_today=made))
        for creator_id, made in ((FIRST, 0), (SECOND, 2))
    )
    asked = use(Action.GENERATE, usage=Usage(generations_today=0))
    assert decide(terms(quotas=few), [fresh], asked).allowed
    (reason,) = decide(terms(quotas=few), [fresh, spent], asked).reasons
    assert reason.code == "daily_generations_used_up"
    assert reason.field == f"parties.{SECOND}.generations_today"


def test_a_creator_s_own_word_is_not_that_of_the_others() -> None:
    wanted = {"approval": Approval.PER_GENERATION}
    asked = use(Action.GENERATE, by_creator=True)
    other = party(FIRST, **wanted)
    assert decide(terms(**wanted), [other], asked).outcome is Outcome.NEEDS_APPROVAL
    assert decide(terms(**wanted), [replace(other, by_creator=True)], asked).allowed


def test_a_derivative_waits_for_who_wants_to_be_asked_and_is_shared_alike_for_another() -> None:
    parties = [
        replace(party(FIRST, derivatives=Derivatives.APPROVAL), approved=True),
        party(SECOND, derivatives=Derivatives.RECIPROCAL),
    ]
    decision = decide(terms(), parties, use(Action.GENERATE, derivative=True))
    assert decision.allowed
    assert [duty.kind for duty in decision.duties] == ["share_alike"]
