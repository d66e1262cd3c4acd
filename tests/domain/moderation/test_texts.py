"""What a classifier's scores mean."""

import pytest

from domain.moderation.judgement import Category, Finding, Judgement, Verdict
from domain.moderation.texts import judge_text_scores, together
from tests.builders import NOON


def judged(scores: dict[Category, float], *, adult: bool = False) -> Judgement:
    return judge_text_scores(scores, classifier="reader", adult=adult, at=NOON)


@pytest.mark.parametrize(
    ("category", "score", "verdict"),
    [
        (Category.SEXUAL, 0.59, Verdict.ALLOWED),
        (Category.SEXUAL, 0.6, Verdict.REVIEW),
        (Category.SEXUAL, 0.9, Verdict.BLOCKED),
        (Category.MINOR_SAFETY, 0.09, Verdict.ALLOWED),
        (Category.MINOR_SAFETY, 0.1, Verdict.REVIEW),
        (Category.MINOR_SAFETY, 0.4, Verdict.BLOCKED),
        (Category.VIOLENCE, 0.96, Verdict.REVIEW),
        (Category.OTHER, 1.0, Verdict.ALLOWED),
    ],
)
def test_each_category_has_its_limits(category: Category, score: float, verdict: Verdict) -> None:
    judgement = judged({category: score})
    assert (judgement.verdict, judgement.hard) == (verdict, False)
    assert judgement.edition == "reader.2026-01-01"
    assert judgement.score == score


def test_adult_uses_are_licensed_children_never() -> None:
    scores = {Category.SEXUAL: 0.99, Category.MINOR_SAFETY: 0.3}
    assert judged(scores, adult=True).categories == (Category.MINOR_SAFETY,)


def test_of_two_judges_what_either_found_counts() -> None:
    finding = Finding(Category.VIOLENCE, Verdict.REVIEW, "words", "gore", 0, 4)
    lists = Judgement(Verdict.REVIEW, (finding,), "7")
    both = together(lists, judged({Category.HATE: 0.9}))
    assert both.verdict is Verdict.BLOCKED
    assert both.categories == (Category.HATE, Category.VIOLENCE)
    assert both.edition == "7+reader.2026-01-01"
