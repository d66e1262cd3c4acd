"""Judge texts and images, and keep that they were judged.

Whoever takes a text in calls `require_allowed_text` before its own transaction: judging may ask
somebody outside. What was judged is committed here, refused or not, before the refusal is raised.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from application.moderation.second_opinion import SecondOpinion
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.moderation import ImageClassifier, TextModerator
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.licensing import keywords
from domain.licensing.terms import LicenceTerms
from domain.licensing.topics import words_of
from domain.media.asset import Asset, AssetState
from domain.moderation.case import CaseState, ModerationCase, Origin, SubjectKind
from domain.moderation.images import judge_scores
from domain.moderation.judgement import Category, Judgement, Verdict, judged, redacted
from domain.moderation.record import JudgementRecord, Medium, digest
from domain.moderation.strikes import FOR_EVER, GenerationSuspended, Strike, StrikeKind
from domain.moderation.strikes import suspended_until as suspension_of
from domain.moderation.texts import together
from domain.shared.errors import NotFound, RuleRefused

PROMPT = "prompt"
"""The subject of texts from which something is generated."""


ANSWER = "answer"
"""The subject of texts that a language model has written: nobody answers for them, so that no case
is opened and nobody has a strike."""


class TextRefused(RuleRefused):
    """A text holds what may not be said here; `details` say in which field, of which category and
    under which case it may be appealed against."""

    code = "text_refused"


class ReportedImage(NamedTuple):
    """An image that was judged, with what is kept of it."""

    judgement: Judgement
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moderation:
    """What judges, given to every use case that takes texts or images in."""

    texts: TextModerator
    images: ImageClassifier
    clock: Clock
    ids: Ids
    second: SecondOpinion | None = None

    async def judge_text(
        self, text: str, *, words: tuple[str, ...] = (), adult: bool = False
    ) -> Judgement:
        """By the lists, and what they let pass by the classifier too. Raises Unavailable."""
        judgement = await self.texts.judge(text, words=words, adult=adult)
        if self.second is None or judgement.verdict is Verdict.BLOCKED:
            return judgement
        opinion = await self.second.of(text, adult=adult)
        return judgement if opinion is None else together(judgement, opinion)

    async def judge_image(
        self, content: bytes, *, flagged: bool = False, adult: bool = False
    ) -> Judgement:
        """`flagged`: the provider's filter spoke. `adult`: adult uses are licensed.

        Nothing is written: see `keep_image`. Raises ImageRefused, Unavailable.
        """
        scores = await self.images.classify(content)
        return judge_scores(
            scores.nsfw,
            classifier=scores.classifier,
            flagged=flagged,
            adult=adult,
            at=self.clock.now(),
        )


async def require_allowed_text(
    texts: Mapping[str, str],
    *,
    actor: Actor,
    uow: UnitOfWork,
    moderation: Moderation,
    subject: str = PROMPT,
    about: tuple[SubjectKind, UUID] | None = None,
    creator_id: UUID | None = None,
    adult: bool = False,
) -> None:
    """Judge texts by field, and keep it. `about` is what they belong to, if it is there already.

    With `creator_id`, that creator's blocked words count too, where they are dressed up: as they
    are, the licence itself refuses them and records why. A doubtful text goes on, and waits for a
    moderator. Raises TextRefused, GenerationSuspended; Unavailable: nobody could judge, try again.
    """
    given = {field: text for field, text in texts.items() if text.strip()}
    words: tuple[str, ...] = ()
    terms: LicenceTerms | None = None
    if subject == PROMPT or creator_id is not None:
        async with uow:
            if subject == PROMPT:
                _refuse_suspended(await uow.strikes.of_user(actor.user_id), moderation=moderation)
            if creator_id is not None:
                words, terms = await _words_of(creator_id, uow=uow, moderation=moderation)
    judgements = await asyncio.gather(
        *(moderation.judge_text(text, words=words, adult=adult) for text in given.values())
    )
    found = {
        field: (text, _without_plain(text, judgement, terms, moderation=moderation))
        for (field, text), judgement in zip(given.items(), judgements, strict=True)
    }
    if found:
        await _keep(
            found,
            actor=actor,
            uow=uow,
            moderation=moderation,
            subject=subject,
            about=about,
            creator_id=creator_id,
        )


async def keep_image(
    asset: Asset,
    judgement: Judgement,
    *,
    uow: UnitOfWork,
    moderation: Moderation,
    creator_id: UUID | None = None,
) -> None:
    """Keep the judgement of an image that becomes an asset, within the transaction that adds it.

    What is doubtful waits for a moderator, what is blocked is hidden; a case is opened of both.
    """
    now = moderation.clock.now()
    record = JudgementRecord(
        id=moderation.ids.new(),
        medium=Medium.IMAGE,
        subject=str(SubjectKind.ASSET),
        subject_id=asset.id,
        actor_id=asset.owner_id,
        creator_id=creator_id,
        sha256=asset.sha256,
        findings=judgement.findings,
        verdict=judgement.verdict,
        score=judgement.score,
        edition=judgement.edition,
        judged_at=now,
    )
    uow.judgements.add(record)
    if judgement.verdict is Verdict.ALLOWED:
        return
    blocked = judgement.verdict is Verdict.BLOCKED
    waits = not blocked and asset.state is AssetState.READY
    asset.state = AssetState.UNDER_REVIEW if waits else AssetState.HIDDEN
    uow.moderation_cases.add(
        ModerationCase(
            id=moderation.ids.new(),
            subject_kind=SubjectKind.ASSET,
            subject_id=asset.id,
            owner_id=asset.owner_id,
            origin=Origin.JUDGEMENT,
            category=judgement.categories[0],
            hidden=True,
            judgement_id=record.id,
            refused_sha256=asset.uploaded_sha256,
            state=CaseState.BLOCKED if blocked else CaseState.OPEN,
            opened_at=now,
        )
    )


async def require_not_suspended(actor: Actor, *, uow: UnitOfWork, moderation: Moderation) -> None:
    """Raises GenerationSuspended."""
    async with uow:
        _refuse_suspended(await uow.strikes.of_user(actor.user_id), moderation=moderation)


def _refuse_suspended(strikes: Sequence[Strike], *, moderation: Moderation) -> None:
    until = suspension_of(strikes)
    if until is not None and until > moderation.clock.now():
        when = "for good" if until == FOR_EVER else f"until {until:%Y-%m-%d %H:%M} UTC"
        raise GenerationSuspended(f"This account may not generate {when}.", until=until.isoformat())


async def _words_of(
    creator_id: UUID, *, uow: UnitOfWork, moderation: Moderation
) -> tuple[tuple[str, ...], LicenceTerms | None]:
    """What the creator blocks in the terms in force, by word and by topic."""
    try:
        creator = await uow.creators.get(creator_id)
    except NotFound:
        return (), None
    if creator.terms_id is None:
        return (), None
    terms = (await uow.terms.get(creator.terms_id)).terms
    now = moderation.clock.now()
    topics = (word for topic in sorted(terms.blocked_topics) for word in words_of(topic, now))
    return (*terms.blocked_keywords, *topics), terms


def _without_plain(
    text: str, judgement: Judgement, terms: LicenceTerms | None, *, moderation: Moderation
) -> Judgement:
    """Without the creator's words that the licence's own rule finds as well."""
    if terms is None or Category.CREATOR_WORDS not in judgement.categories:
        return judgement
    index = keywords.bans(terms.blocked_keywords, terms.blocked_topics, moderation.clock.now())
    plain = {ban.word for ban in keywords.find(text, index)}
    return judged(
        (
            finding
            for finding in judgement.findings
            if finding.category is not Category.CREATOR_WORDS or finding.word not in plain
        ),
        judgement.edition,
        score=judgement.score,
    )


async def _keep(
    found: Mapping[str, tuple[str, Judgement]],
    *,
    actor: Actor,
    uow: UnitOfWork,
    moderation: Moderation,
    subject: str,
    about: tuple[SubjectKind, UUID] | None,
    creator_id: UUID | None,
) -> None:
    now = moderation.clock.now()
    refusals: dict[str, list[str]] = {}
    async with uow:
        doubtful = [
            digest(text) for text, each in found.values() if each.verdict is not Verdict.ALLOWED
        ]
        known = (
            await uow.moderation_cases.about_refused(actor.user_id, doubtful) if doubtful else {}
        )
        for field, (text, judgement) in found.items():
            sha256 = digest(text)
            case = known.get(sha256)
            verdict = _after(judgement, case)
            record = JudgementRecord(
                id=moderation.ids.new(),
                medium=Medium.TEXT,
                subject=subject,
                subject_id=about[1] if about else None,
                field=field,
                actor_id=actor.user_id,
                creator_id=creator_id,
                sha256=sha256,
                excerpt=redacted(text, judgement.findings),
                findings=judgement.findings,
                verdict=verdict,
                hard=judgement.hard,
                score=judgement.score,
                edition=judgement.edition,
                judged_at=now,
            )
            uow.judgements.add(record)
            if verdict is Verdict.ALLOWED:
                continue
            theirs = subject != ANSWER and judgement.categories != (Category.CREATOR_WORDS,)
            if case is None and theirs:
                case = await _open(
                    record, judgement, about, actor=actor, uow=uow, moderation=moderation
                )
            if verdict is Verdict.BLOCKED:
                refusals[field] = [str(category) for category in judgement.categories]
                if case is not None:
                    refusals.setdefault("case_id", []).append(str(case.id))
        await uow.commit()
    if refusals:
        raise TextRefused("This text cannot be used here.", fields=refusals)


def _after(judgement: Judgement, case: ModerationCase | None) -> Verdict:
    """What people have decided about this very text comes before the lists; not if it is hard."""
    if case is None or judgement.hard or judgement.verdict is Verdict.ALLOWED:
        return judgement.verdict
    match case.state:
        case CaseState.APPROVED:
            return Verdict.ALLOWED
        case CaseState.BLOCKED | CaseState.UPHELD:
            return Verdict.BLOCKED
        case CaseState.OPEN | CaseState.APPEALED:
            return judgement.verdict


async def _open(
    record: JudgementRecord,
    judgement: Judgement,
    about: tuple[SubjectKind, UUID] | None,
    *,
    actor: Actor,
    uow: UnitOfWork,
    moderation: Moderation,
) -> ModerationCase | None:
    """The case of a text that was refused, or of what a doubtful text belongs to."""
    kind, subject_id, sha256 = SubjectKind.TEXT, record.id, record.sha256
    if about is not None and judgement.verdict is Verdict.REVIEW:
        kind, subject_id = about
        sha256 = ""
        if await uow.moderation_cases.waiting_for(kind, subject_id) is not None:
            return None
    refused = judgement.verdict is Verdict.BLOCKED and not judgement.hard
    case = ModerationCase(
        id=moderation.ids.new(),
        subject_kind=kind,
        subject_id=subject_id,
        owner_id=actor.user_id,
        origin=Origin.JUDGEMENT,
        category=judgement.categories[0],
        hard=judgement.hard,
        judgement_id=record.id,
        refused_sha256=sha256 or None,
        excerpt=record.excerpt,
        state=CaseState.BLOCKED if refused else CaseState.OPEN,
        opened_at=record.judged_at,
    )
    uow.moderation_cases.add(case)
    if judgement.hard:
        uow.audit.record(
            "moderation.hard_block",
            actor=actor,
            on=("moderation_case", case.id),
            after={"category": str(case.category), "field": record.field},
        )
        uow.strikes.add(
            Strike(
                id=moderation.ids.new(),
                user_id=actor.user_id,
                case_id=case.id,
                kind=StrikeKind.HARD,
                at=record.judged_at,
            )
        )
    return case
