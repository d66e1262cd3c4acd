"""A classifier that reads what the lists have let pass, where one is set up.

It is somebody outside, who may be slow or gone: it has little time, and after several failures in a
row it is left alone for a while. What then happens to a text is a setting: it goes on as the lists
judged it (`fail_open`), or whoever sent it is asked to come back (`fail_closed`).
"""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from application.ports.clock import Clock
from application.ports.errors import OutcomeUnknown, ProviderError, Unavailable
from application.ports.moderation import TextClassifier
from domain.moderation.judgement import Judgement
from domain.moderation.texts import judge_text_scores
from domain.studio.circuit import COOLING, Circuit


class Unanswered(StrEnum):
    FAIL_OPEN = "fail_open"
    FAIL_CLOSED = "fail_closed"


@dataclass(kw_only=True, slots=True)
class SecondOpinion:
    """`skipped` counts the texts that went on without it."""

    classifier: TextClassifier
    clock: Clock
    unanswered: Unanswered = Unanswered.FAIL_CLOSED
    timeout_s: float = 3.0
    skipped: int = 0
    _circuit: Circuit = field(
        default_factory=lambda: Circuit(id=UUID(int=0), provider="classifier", model="text")
    )

    async def of(self, text: str, *, adult: bool) -> Judgement | None:
        """None where nobody answered and that is no hindrance. Raises Unavailable."""
        now = self.clock.now()
        if not self._circuit.allows(at=now):
            self._go_on("it is left alone for a while")
            return None
        self._circuit.plan(at=now)
        try:
            async with asyncio.timeout(self.timeout_s):
                scores = await self.classifier.classify(text)
        except (ProviderError, TimeoutError) as error:
            self._circuit.fail(at=self.clock.now())
            self._go_on(_reason(error))
            return None
        self._circuit.succeed()
        return judge_text_scores(
            scores.scores, classifier=scores.classifier, adult=adult, at=self.clock.now()
        )

    def _go_on(self, reason: str) -> None:
        """Unless that is what may not be."""
        if self.unanswered is Unanswered.FAIL_CLOSED:
            raise Unavailable(
                f"The text classifier gave no answer: {reason}",
                provider="text_classifier",
                retry_after_s=COOLING.total_seconds(),
            )
        self.skipped += 1


def _reason(error: ProviderError | TimeoutError) -> str:
    """Nothing of what it says: it may quote the text."""
    return "no time" if isinstance(error, TimeoutError | OutcomeUnknown) else type(error).__name__
