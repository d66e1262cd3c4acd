"""What judges the meaning of texts: the fake, and OpenAI's protocol."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from adapters.memory.moderation import MemoryTextClassifier
from adapters.openai.calls import OpenAiCalls
from adapters.openai.moderation import OpenAiTextClassifier
from application.ports.errors import OutcomeUnknown, ProviderError, Rejected, Unavailable
from application.ports.moderation import TextClassifier
from domain.moderation.judgement import Category
from tests.sandbox.server import Sandbox

KEY = "sk-sandbox"


@pytest.fixture
async def calls(sandbox: Sandbox) -> AsyncIterator[OpenAiCalls]:
    made = OpenAiCalls(api_key=KEY, base_url=f"{sandbox.url}/openai/v1", timeout_s=10)
    yield made
    await made.aclose()


def arm(sandbox: Sandbox, kind: str, **settings: object) -> None:
    sandbox.control("failures", provider="openai", kind=kind, times=1, **settings)


@dataclass
class Reading:
    """A classifier, and a way to make its next answer fail."""

    classifier: TextClassifier
    fail: Callable[[ProviderError], None]


@pytest.fixture(params=["memory", "openai"])
def reading(request: pytest.FixtureRequest) -> Reading:
    if request.param == "memory":
        fake = MemoryTextClassifier()
        fake.scores["[unsafe:hate/threatening]"] = {Category.HATE: 0.98}
        fake.scores["[unsafe:sexual/minors]"] = {Category.MINOR_SAFETY: 0.98}
        return Reading(fake, fake.failures.append)
    sandbox: Sandbox = request.getfixturevalue("sandbox")

    def fail(error: ProviderError) -> None:
        match error:
            case Rejected():
                arm(sandbox, "status", status=402)
            case OutcomeUnknown():
                arm(sandbox, "timeout_after_acceptance", latency_ms=10)
            case _:
                arm(sandbox, "status", status=429, retry_after_s=7)

    return Reading(OpenAiTextClassifier(request.getfixturevalue("calls")), fail)


async def test_what_is_harmless_has_low_scores(reading: Reading) -> None:
    told = await reading.classifier.classify("a lighthouse")
    assert all(score < 0.1 for score in told.scores.values())
    assert told.classifier


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("so [unsafe:hate/threatening]", Category.HATE),
        ("so [unsafe:sexual/minors]", Category.MINOR_SAFETY),
    ],
)
async def test_what_is_not_has_a_high_score_in_its_category(
    reading: Reading, text: str, category: Category
) -> None:
    told = await reading.classifier.classify(text)
    assert [one for one, score in told.scores.items() if score > 0.5] == [category]


@pytest.mark.parametrize(
    "error",
    [
        Rejected("no", provider="memory", reason="http_402"),
        OutcomeUnknown("no answer", provider="memory"),
        Unavailable("busy", provider="memory", retry_after_s=7),
    ],
    ids=["refused", "unanswered", "busy"],
)
async def test_it_fails_in_one_of_three_ways(reading: Reading, error: ProviderError) -> None:
    reading.fail(error)
    with pytest.raises(type(error)) as failure:
        await reading.classifier.classify("a SECRET")
    assert "SECRET" not in f"{failure.value} {failure.value.facts}"
    assert (await reading.classifier.classify("a pier")).classifier


@pytest.mark.parametrize("garbage", ["html", "nothing"])
async def test_what_is_no_answer_is_none(
    calls: OpenAiCalls, sandbox: Sandbox, garbage: str
) -> None:
    arm(sandbox, "garbage", message=garbage)
    with pytest.raises(OutcomeUnknown):
        await OpenAiTextClassifier(calls).classify("a pier")


async def test_the_sandbox_can_doubt_anything(calls: OpenAiCalls, sandbox: Sandbox) -> None:
    arm(sandbox, "flag")
    told = await OpenAiTextClassifier(calls).classify("a pier")
    assert told.scores[Category.VIOLENCE] == 0.9


async def test_a_model_that_is_not_there_is_rejected(calls: OpenAiCalls) -> None:
    with pytest.raises(Rejected):
        await OpenAiTextClassifier(calls, model="nobody").classify("a pier")
