"""May this be made? The one question that whatever is generated asks first.

Consent, the terms in force of everybody whom the likeness shows, their word where they want to be
asked, and their quotas: judged together, recorded, and claimed in the transaction that starts the
work.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from application.licensing.approvals import ask_creators
from application.licensing.decisions import Decided, record_decisions
from application.licensing.derivatives import Source, require_parties, sources_among
from application.licensing.questions import (
    Answers,
    Question,
    parties_of,
    questions_of,
    words_of,
)
from application.licensing.standing import LicenceRefused, Standing, standing_terms
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from domain.creators.likeness_model import LikenessModel
from domain.identity.actor import Actor
from domain.licensing.approval import ApprovalAnswered, subject_of_first_use, subject_of_generation
from domain.licensing.conditions import Approval, Derivatives
from domain.licensing.consent import ConsentUse
from domain.licensing.decision import Outcome
from domain.licensing.record import DecisionPoint
from domain.licensing.shared import evaluate_shared, waiting_for
from domain.licensing.terms import Capability, LicenceTerms, Purpose
from domain.licensing.usage import Claim, Counter, CounterKind, generation_claim, merged
from domain.licensing.use import Action, Usage, Use
from domain.licensing.version import TermsVersion
from domain.media.asset import Asset
from domain.shared.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody would have made of a creator's likeness.

    `model_id` None is for the version in force, or the newest that the terms allow. `inputs` are
    the images that it is made of besides: where one of them was made here, it is a derivative.
    """

    generation_id: UUID
    creator_id: UUID
    prompt: str
    purpose: Purpose
    capability: Capability = Capability.IMAGE
    model_id: UUID | None = None
    inputs: tuple[Asset, ...] = ()


class Permission(NamedTuple):
    """Under which terms it is made and by which model; None when there is none yet."""

    terms: TermsVersion
    model_id: UUID | None


async def permit(
    wish: Wish, *, actor: Actor, uow: UnitOfWork, ids: Ids, at: datetime
) -> Permission:
    """The leave to make it, with all that it uses up claimed. Within a transaction.

    A refusal is recorded and committed before it is raised. Raises NotFound, ConsentMissing,
    NoLicence, SourceNotLicensed, LicenceRefused, QuotaExhausted; ApprovalNeeded: everybody
    whose word is missing is asked, and the same wish may be sent again.
    """
    standing = await standing_terms(uow, wish.creator_id)
    if not standing.creator.published and standing.creator.user_id != actor.user_id:
        raise NotFound("creator", wish.creator_id)
    standing.require_consent(ConsentUse(wish.capability.value))
    terms = standing.terms_in_force()
    model_id = await _model(wish, standing, uow=uow)
    sources = await sources_among(wish.inputs, uow=uow)
    require_parties(sources, standing)
    questions = questions_of(
        standing, lambda each: _subject_of(wish, each, actor=actor, sources=sources)
    )
    answers = await uow.approvals.latest([question.key for question in questions])
    words = words_of(questions, answers, spent_on=wish.generation_id)
    claims = _claims(standing, at=at)
    made = await uow.usage.values([claim.counter for claim in claims]) if claims else {}

    def usage(creator_id: UUID) -> Usage:
        day = Counter(creator_id, CounterKind.GENERATIONS, at.date().isoformat())
        return Usage(generations_today=made.get(day))

    use = Use(
        action=Action.GENERATE,
        at=at,
        capability=wish.capability,
        model=str(model_id) if model_id else None,
        purpose=wish.purpose,
        texts=(("prompt", wish.prompt),),
        creator_name=standing.creator.display_name,
        by_creator=standing.creator.user_id == actor.user_id,
        approved=words.get(wish.creator_id),
        derivative=bool(sources),
        usage=usage(wish.creator_id),
        revoked_from=standing.revoked_from(),
    )
    parties = parties_of(standing, words, users={actor.user_id}, usage=usage)
    beside = standing.beside(None, at=at)
    decision = evaluate_shared(terms.terms, beside, parties, use)
    decided = Decided(
        point=DecisionPoint.GENERATION,
        subject_id=wish.generation_id if decision.allowed else None,
        terms=terms,
        use=use,
        decision=decision,
        sublicence=beside,
        parties=parties,
    )
    record_decisions([decided], actor=actor, uow=uow, ids=ids, at=at)
    waiting = waiting_for(wish.creator_id, terms.terms, parties, use)
    missing = [question for question in questions if question.version.creator_id in waiting]
    if decision.outcome is Outcome.NEEDS_APPROVAL and missing:
        raise await ask_creators(missing, use, decision, actor=actor, uow=uow, ids=ids)
    if not decision.allowed:
        await uow.commit()
        raise LicenceRefused(decision)
    own = {wish.creator_id: use.by_creator} | {each.creator_id: each.by_creator for each in parties}
    asked = [question for question in questions if not own[question.version.creator_id]]
    await _spend(asked, answers, generation_id=wish.generation_id, uow=uow)
    if claims:
        await uow.usage.claim(claims, order_id=None)
    return Permission(terms, model_id)


async def _model(wish: Wish, standing: Standing, *, uow: UnitOfWork) -> UUID | None:
    """The version that it is made with, held as it is until the transaction ends, so that it is
    deleted either before, and refused here, or after, and this ended. Raises ModelDeleted."""
    if wish.model_id is not None:
        (model := await uow.models.usable(wish.model_id)).require_not_deleted()
        return model.id
    found = await _allowed(standing, uow=uow)
    return found.id if found else None


async def _allowed(standing: Standing, *, uow: UnitOfWork) -> LikenessModel | None:
    """The version in force, if all terms allow it, else the newest that they do; where they allow
    none of those that are ready, the one in force, so that the decision says why it may not be
    used."""
    creator_id = standing.creator.id
    named = [v.terms.models for v in standing.versions() if v.terms.models is not None]
    chosen = await uow.models.in_force(creator_id)
    if not named:
        return chosen
    among = frozenset.intersection(*named)
    if chosen is not None and str(chosen.id) in among:
        return chosen
    return await uow.models.newest_ready(creator_id, among=among) or chosen


def _claims(standing: Standing, *, at: datetime) -> list[Claim]:
    """One generation of the day, of everybody who counts them, in the order of locking."""
    every = (
        generation_claim(version.terms, version.creator_id, at=at)
        for version in standing.versions()
    )
    return merged(claim for claim in every if claim is not None)


async def _spend(
    asked: Sequence[Question], answers: Answers, *, generation_id: UUID, uow: UnitOfWork
) -> None:
    """Use up the answers that are good once, all or none. Raises ApprovalAnswered."""
    given = [answers[question.key] for question in asked if question.once]
    for request_id in sorted(request.id for request in given):
        request = await uow.approvals.get(request_id, lock=True)
        if request.spend(generation_id) != generation_id:
            raise ApprovalAnswered("This approval was used up by another generation.")


def _subject_of(
    wish: Wish, terms: LicenceTerms, *, actor: Actor, sources: Sequence[Source]
) -> str | None:
    """What a creator is asked, where their terms have them asked: of a derivative also by which
    generations it is made of."""
    if sources and terms.derivatives is Derivatives.APPROVAL:
        made_of = sorted(str(source.generation_id) for source in sources)
        return subject_of_generation(actor.user_id, wish.prompt, wish.purpose, *made_of)
    match terms.approval:
        case Approval.PER_GENERATION:
            return subject_of_generation(actor.user_id, wish.prompt, wish.purpose)
        case Approval.FIRST_USE:
            return subject_of_first_use(actor.user_id)
        case Approval.NONE | Approval.PER_PRODUCT:
            return None
