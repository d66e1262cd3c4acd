"""What judging texts and images promises, whoever does it; and keeping cases, reports, strikes."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from adapters.ahocorasick.moderator import AutomatonModerator
from adapters.memory.moderation import MemoryTextModerator
from application.ports.moderation import TextModerator
from application.ports.repository import AlreadyExists
from domain.moderation.case import AlreadyReported, CaseState, Report, ReportReason, SubjectKind
from domain.moderation.judgement import Category, Finding, Verdict
from domain.moderation.lists import together
from domain.moderation.record import JudgementRecord, Medium
from domain.moderation.strikes import Strike, StrikeKind
from tests import builders
from tests.builders import NOON
from tests.contracts.units_of_work import NewUnitOfWork, fields_of

FILES = {
    "words": "version: 2026-02\nlist: words\ncategory: sexual\nmatch: word\nrole: adult\n\nnude\n",
    "stems": "version: 1\nlist: stems\ncategory: hate\nmatch: stem\nrole: block\n\nhatef\n",
    "age": "version: 1\nlist: age\ncategory: minor_safety\nmatch: word\nrole: signal\n\nteen\n",
    "ages": "version: 1\nlist: ages\ncategory: minor_safety\nmatch: age\nrole: signal\n\nage <n>\n",
    "fine": "version: 1\nlist: fine\ncategory: other\nmatch: word\nrole: allow\n\nnude lipstick\n",
    "doubt": "version: 1\nlist: doubt\ncategory: violence\nmatch: word\nrole: review\n\ngore\n",
    "rules": "hard minor_safety both: age, ages + words\n",
}


@pytest.fixture(params=["memory", "ahocorasick"])
def moderator(request: pytest.FixtureRequest) -> TextModerator:
    lists = together(FILES)
    if request.param == "memory":
        return MemoryTextModerator(lists)
    return AutomatonModerator(lists)


@pytest.mark.parametrize(
    ("text", "verdict", "category"),
    [
        ("a lighthouse", Verdict.ALLOWED, None),
        ("", Verdict.ALLOWED, None),
        ("a N u d 3", Verdict.BLOCKED, Category.SEXUAL),
        ("n*de and n**e", Verdict.BLOCKED, Category.SEXUAL),
        ("nude lipstick", Verdict.ALLOWED, None),
        ("nude lipstick on a nude", Verdict.BLOCKED, Category.SEXUAL),
        ("hateful", Verdict.BLOCKED, Category.HATE),
        ("whatef", Verdict.ALLOWED, None),
        ("some gore", Verdict.REVIEW, Category.VIOLENCE),
        ("gore and nude", Verdict.BLOCKED, Category.SEXUAL),
        ("a teen", Verdict.ALLOWED, None),
        ("a teen, a nude", Verdict.BLOCKED, Category.MINOR_SAFETY),
        ("age: 17, nude", Verdict.BLOCKED, Category.MINOR_SAFETY),
        ("age 18, nude", Verdict.BLOCKED, Category.SEXUAL),
    ],
)
async def test_a_text_is_judged_by_lists_and_rules(
    moderator: TextModerator, text: str, verdict: Verdict, category: Category | None
) -> None:
    judgement = await moderator.judge(text)
    assert judgement.verdict is verdict
    assert next(iter(judgement.categories), None) is category
    assert judgement.hard == (category is Category.MINOR_SAFETY)
    assert judgement.edition.startswith("2026-02.")


async def test_findings_say_where(moderator: TextModerator) -> None:
    (finding,) = (await moderator.judge("see ｎ.ｕ.ｄ.ｅ here")).findings
    assert finding == Finding(Category.SEXUAL, Verdict.BLOCKED, "words", "nude", 4, 11)


async def test_words_of_a_creator_count_for_one_text(moderator: TextModerator) -> None:
    found = await moderator.judge("red w1ne", words=("wine", "beer"))
    assert found.categories == (Category.CREATOR_WORDS,)
    assert (await moderator.judge("red w1ne")).verdict is Verdict.ALLOWED
    assert (await moderator.judge("a nude", words=("x",), adult=True)).verdict is Verdict.ALLOWED


async def test_a_judgement_is_kept_as_it_was(new_uow: NewUnitOfWork) -> None:
    record = JudgementRecord(
        id=uuid4(),
        medium=Medium.TEXT,
        subject="prompt",
        field="prompt",
        actor_id=uuid4(),
        sha256="a" * 64,
        excerpt="a ▇▇▇▇",
        findings=(Finding(Category.SEXUAL, Verdict.BLOCKED, "words", "nude", 2, 6),),
        verdict=Verdict.BLOCKED,
        edition="1",
        judged_at=NOON,
    )
    kept = fields_of(record)
    async with new_uow() as uow:
        uow.judgements.add(record)
        await uow.commit()
    async with new_uow() as uow:
        assert fields_of(await uow.judgements.get(record.id)) == kept


async def test_one_case_of_a_subject_waits(new_uow: NewUnitOfWork) -> None:
    product, owner = uuid4(), uuid4()
    about = {"subject_kind": SubjectKind.PRODUCT, "subject_id": product}
    first = builders.case_of(owner, **about, state=CaseState.OPEN, hidden=True)
    async with new_uow() as uow:
        uow.moderation_cases.add(first)
        await uow.commit()
    async with new_uow() as uow:
        assert await uow.moderation_cases.holds(SubjectKind.PRODUCT, product)
        assert not await uow.moderation_cases.holds(SubjectKind.ASSET, product)
        uow.moderation_cases.add(builders.case_of(owner, **about, state=CaseState.OPEN))
        with pytest.raises(AlreadyExists):
            await uow.commit()
    async with new_uow() as uow:
        case = await uow.moderation_cases.waiting_for(SubjectKind.PRODUCT, product)
        assert case is not None
        case.decide(approved=True, note="", by=owner, at=NOON)
        await uow.commit()
    async with new_uow() as uow:
        assert await uow.moderation_cases.waiting_for(SubjectKind.PRODUCT, product) is None
        assert not await uow.moderation_cases.holds(SubjectKind.PRODUCT, product)
        uow.moderation_cases.add(builders.case_of(owner, **about, state=CaseState.OPEN))
        await uow.commit()


async def test_the_newest_case_about_a_text_of_its_owner_is_found(new_uow: NewUnitOfWork) -> None:
    owner, sha = uuid4(), "b" * 64
    older = builders.case_of(owner, id=UUID(int=1), refused_sha256=sha)
    newer = builders.case_of(owner, id=UUID(int=2), refused_sha256=sha)
    async with new_uow() as uow:
        for case in (newer, older, builders.case_of(uuid4(), refused_sha256=sha)):
            uow.moderation_cases.add(case)
        await uow.commit()
    async with new_uow() as uow:
        found = await uow.moderation_cases.about_refused(owner, [sha, "c" * 64])
    assert {sha: case.id for sha, case in found.items()} == {sha: newer.id}


async def test_a_person_has_one_open_report_of_a_thing(new_uow: NewUnitOfWork) -> None:
    case = builders.case_of(uuid4(), subject_kind=SubjectKind.PRODUCT, state=CaseState.OPEN)

    def report(reporter: str) -> Report:
        return Report(
            id=uuid4(),
            case_id=case.id,
            subject_kind=case.subject_kind,
            subject_id=case.subject_id,
            reporter=reporter,
            reporter_id=None,
            reason=ReportReason.OTHER,
            created_at=NOON,
        )

    async with new_uow() as uow:
        uow.moderation_cases.add(case)
        uow.reports.add(report("guest:1"))
        uow.reports.add(report("guest:2"))
        await uow.commit()
    async with new_uow() as uow:
        uow.reports.add(report("guest:1"))
        with pytest.raises(AlreadyReported):
            await uow.commit()
    async with new_uow() as uow:
        opened = await uow.reports.open_of(case.id)
        assert {each.reporter for each in opened} == {"guest:1", "guest:2"}
        for each in opened:
            each.closed_at = NOON
        await uow.commit()
    async with new_uow() as uow:
        uow.reports.add(report("guest:1"))
        await uow.commit()


async def test_strikes_of_a_user_are_told_oldest_first(new_uow: NewUnitOfWork) -> None:
    user, cases = uuid4(), [builders.case_of(uuid4()) for _ in range(2)]
    strikes = [
        Strike(id=uuid4(), user_id=user, case_id=case.id, kind=StrikeKind.HARD, at=at)
        for case, at in zip(cases, (NOON + timedelta(days=1), NOON), strict=True)
    ]
    async with new_uow() as uow:
        for each in (*cases, *strikes):
            (uow.strikes if isinstance(each, Strike) else uow.moderation_cases).add(each)  # type: ignore[arg-type]
        await uow.commit()
    async with new_uow() as uow:
        assert [each.at for each in await uow.strikes.of_user(user)] == [
            NOON,
            NOON + timedelta(days=1),
        ]
        found = await uow.strikes.of_case(cases[0].id)
        assert found is not None
        assert found.id == strikes[0].id
        assert await uow.strikes.of_case(uuid4()) is None
