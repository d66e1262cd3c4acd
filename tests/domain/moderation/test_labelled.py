"""How good the shipped lists are, on prompts that people have labelled: printed, with a floor."""

from pathlib import Path
from typing import NamedTuple

from domain.moderation.judgement import Category, Verdict
from tests.moderating import shipped_moderator

VERDICTS = {"a": Verdict.ALLOWED, "r": Verdict.REVIEW, "b": Verdict.BLOCKED}
PRECISION, RECALL = 0.97, 0.93


class Prompt(NamedTuple):
    text: str
    verdict: Verdict
    category: Category | None


def prompts() -> list[Prompt]:
    found = []
    for line in Path(__file__).with_name("prompts.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            label, _, text = line.partition(" | ")
            verdict, _, category = label.partition(" ")
            found.append(Prompt(text, VERDICTS[verdict], Category(category) if category else None))
    return found


async def test_precision_and_recall_on_labelled_prompts() -> None:
    missed: list[str] = []
    wronged: list[str] = []
    caught = 0
    for prompt in prompts():
        judgement = await shipped_moderator().judge(prompt.text)
        if prompt.verdict is Verdict.ALLOWED:
            if judgement.verdict is not Verdict.ALLOWED:
                wronged.append(f"{prompt.text} ({', '.join(judgement.categories)})")
        elif judgement.verdict is prompt.verdict and prompt.category in judgement.categories:
            caught += 1
        else:
            missed.append(f"{prompt.text} (as {judgement.verdict} {judgement.categories})")
    precision = caught / (caught + len(wronged))
    recall = caught / (caught + len(missed))
    print(  # noqa: T201 - the figures are the point
        f"\n{len(prompts())} prompts: precision {precision:.3f}, recall {recall:.3f}",
        *(f"missed: {text}" for text in missed),
        *(f"wronged: {text}" for text in wronged),
        sep="\n",
    )
    assert len(prompts()) >= 300
    assert precision >= PRECISION
    assert recall >= RECALL


async def test_nothing_about_minors_gets_through() -> None:
    for prompt in prompts():
        if prompt.category is Category.MINOR_SAFETY:
            assert (await shipped_moderator().judge(prompt.text, adult=True)).hard, prompt.text
