"""Texts classified by OpenAI's moderation endpoint, or by whoever speaks like it.

Its categories are put into ours; the highest score of those that fall together counts. Nothing of a
text is kept, quoted or logged.
"""

from typing import Final

import msgspec

from adapters.openai.calls import PROVIDER, OpenAiCalls
from application.ports.errors import Unavailable
from application.ports.moderation import TextScores
from domain.moderation.judgement import Category

MODEL: Final = "omni-moderation-latest"
CATEGORIES: Final[dict[str, Category]] = {
    "sexual": Category.SEXUAL,
    "sexual/minors": Category.MINOR_SAFETY,
    "hate": Category.HATE,
    "hate/threatening": Category.HATE,
    "harassment/threatening": Category.HATE,
    "self-harm": Category.SELF_HARM,
    "self-harm/intent": Category.SELF_HARM,
    "self-harm/instructions": Category.SELF_HARM,
    "illicit": Category.DANGEROUS,
    "illicit/violent": Category.DANGEROUS,
    "violence": Category.VIOLENCE,
    "violence/graphic": Category.VIOLENCE,
}


class _Result(msgspec.Struct):
    category_scores: dict[str, float]


class _Answer(msgspec.Struct):
    results: list[_Result]


class OpenAiTextClassifier:
    """See `application.ports.moderation.TextClassifier`."""

    def __init__(self, calls: OpenAiCalls, *, model: str = MODEL) -> None:
        self._calls = calls
        self._model = model

    async def classify(self, text: str) -> TextScores:
        async with self._calls.call() as client:
            raw = await client.moderations.with_raw_response.create(model=self._model, input=text)
            answer = msgspec.json.decode(raw.content, type=_Answer)
        if not answer.results:
            raise Unavailable("the classifier answered with nothing", provider=PROVIDER)
        scores: dict[Category, float] = {}
        for result in answer.results:
            for name, score in result.category_scores.items():
                if (category := CATEGORIES.get(name)) is not None:
                    scores[category] = max(scores.get(category, 0.0), score)
        return TextScores(scores=scores, classifier=self._model)
