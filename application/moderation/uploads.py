"""What people upload is judged before it is an asset, whoever is to see it.

What is plainly fine is let in. What is doubtful is let in for nobody's use, until a moderator has
looked at it. What is blocked is not let in, nothing of it is stored, and its sender may appeal: the
very same file is then taken once more, for a moderator to look at.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from application.moderation.judging import Moderation
from application.ports.unit_of_work import UnitOfWork
from domain.moderation.case import CaseState, ModerationCase, Origin, SubjectKind
from domain.moderation.images import worst
from domain.moderation.judgement import Judgement, Verdict, judged
from domain.moderation.record import JudgementRecord, Medium
from domain.shared.errors import RuleRefused


class UploadBlocked(RuleRefused):
    """The picture shows what may not be shown here. Nothing of it is kept; `case_id` is the case
    under which it may be appealed against."""

    code = "upload_blocked"
    words = "This shows what may not be shown here. You may appeal: see your moderation cases."


async def judge_upload(
    pictures: Sequence[bytes],
    *,
    adult: bool,
    owner_id: UUID,
    sha256: str,
    uow: UnitOfWork,
    moderation: Moderation,
) -> Judgement:
    """By the worst of the pictures. `adult`: nakedness is licensed to its sender; `sha256` is that
    of the file as it was sent. What a person has decided about this very file counts.

    Raises ImageRefused, Unavailable."""
    async with uow:
        earlier = (await uow.moderation_cases.about_refused(owner_id, [sha256])).get(sha256)
    found = [await moderation.judge_image(picture, adult=adult) for picture in pictures]
    return _after(worst(found), earlier)


async def keep_refusal(
    upload_id: UUID,
    judgement: Judgement,
    *,
    owner_id: UUID,
    sha256: str,
    uow: UnitOfWork,
    moderation: Moderation,
) -> UUID:
    """Keep that it was blocked, in the caller's transaction; answers the case of this very file."""
    now = moderation.clock.now()
    record = JudgementRecord(
        id=moderation.ids.new(),
        medium=Medium.IMAGE,
        subject=str(SubjectKind.UPLOAD),
        subject_id=upload_id,
        actor_id=owner_id,
        sha256=sha256,
        findings=judgement.findings,
        verdict=judgement.verdict,
        score=judgement.score,
        edition=judgement.edition,
        judged_at=now,
    )
    uow.judgements.add(record)
    earlier = (await uow.moderation_cases.about_refused(owner_id, [sha256])).get(sha256)
    if earlier is not None and earlier.state is not CaseState.OPEN:
        return earlier.id
    case = ModerationCase(
        id=moderation.ids.new(),
        subject_kind=SubjectKind.UPLOAD,
        subject_id=upload_id,
        owner_id=owner_id,
        origin=Origin.JUDGEMENT,
        category=judgement.categories[0],
        judgement_id=record.id,
        refused_sha256=sha256,
        state=CaseState.BLOCKED,
        opened_at=now,
    )
    uow.moderation_cases.add(case)
    return case.id


def _after(judgement: Judgement, case: ModerationCase | None) -> Judgement:
    """Who blocked it has seen it; who granted the appeal has not, for nothing of it was kept."""
    if case is None or judgement.verdict is Verdict.ALLOWED or case.state is CaseState.OPEN:
        return judgement
    said = Verdict.REVIEW if case.state is CaseState.APPROVED else Verdict.BLOCKED
    findings = (replace(finding, verdict=said) for finding in judgement.findings)
    return judged(findings, judgement.edition, score=judgement.score)
