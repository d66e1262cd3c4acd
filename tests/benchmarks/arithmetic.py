"""What pure decisions cost: splitting, refunding, licensing, judging a text.

Processor time, and the fastest of several rounds, because whatever else the machine does only adds.
"""

import gc
import time
from collections.abc import Callable
from uuid import uuid4

from adapters.ahocorasick.moderator import AutomatonModerator
from adapters.ahocorasick.word_lists import shipped_lists
from domain.licensing.conditions import SubjectRight
from domain.licensing.evaluate import evaluate
from domain.licensing.royalty import Royalty
from domain.licensing.terms import ProductType, Purpose
from domain.licensing.use import Action, Price, Seller, Use
from domain.moderation.judgement import Verdict
from domain.ordering.fees import FeeRate
from domain.ordering.refund import leg_reversals
from domain.ordering.split import Line, split
from tests import builders
from tests.benchmarks.figures import Figure, at_most, below
from tests.benchmarks.ground import Ground

ROUNDS = 9
LONG_ORDER = 10_000
SHORT_ORDER = 100
TIMES = 100
PROMPT_CHARS = 300
PROMPT = (
    "A portrait at a harbour at dawn, in the first golden light, with fishing boats and old "
    "ropes behind, a woollen coat with high collar, wind in the hair, a calm and friendly "
    "look straight into the camera, painted in oil on canvas with wide and visible strokes, "
    "muted blues and warm greys, soft shadows."
)


async def splitting(_: Ground) -> list[Figure]:
    """The legs of one ordinary line; and a line among 10,000 against a line among 100."""
    gc.collect()
    gc.freeze()  # what this process has imported is not the order's to traverse
    line = Line(2_500, 1, 950, Royalty(1_000), uuid4(), uuid4())
    fee = FeeRate(1_000)
    one_us = _fastest_us(lambda: split(line, fee), times=2_000)
    lines = [line._replace(net_cents=2_500 + number) for number in range(LONG_ORDER)]

    def order(count: int) -> Callable[[], object]:
        return lambda: [split(line, fee) for line in lines[:count]]

    short_us = _fastest_us(order(SHORT_ORDER), times=20) / SHORT_ORDER
    long_us = _fastest_us(order(LONG_ORDER), times=1) / LONG_ORDER
    return [
        Figure(name="split_line_us", value=one_us, unit="µs", goal=below(5)),
        Figure(
            name="split_10000_lines_linear",
            value=long_us,
            unit="µs/line",
            ratio=long_us / short_us,
            baseline=f"a line among {SHORT_ORDER}",
            goal=at_most(1.5),
        ),
    ]


async def refunding(_: Ground) -> list[Figure]:
    """What each leg of a line gives back for the second of two odd refunds by amount."""
    legs = [250, 250, 950, 1_050]
    value = _fastest_us(
        lambda: leg_reversals(legs, refunded_before_cents=333, refunded_after_cents=1_666),
        times=500,
    )
    return [Figure(name="refund_apportionment_us", value=value, unit="µs", goal=below(100))]


async def licensing(_: Ground) -> list[Figure]:
    """One decision: may this product be sold by this store under these terms? Its words have been
    read before, as those of a product on sale have."""
    terms = builders.terms(blocked_keywords=("war", "blood", "casino", "politics"))
    use = Use(
        action=Action.SELL,
        at=builders.NOON,
        product_type=ProductType.SHIRT,
        subject_rights=frozenset({SubjectRight.FACE, SubjectRight.BODY}),
        purpose=Purpose.COMMERCIAL,
        seller=Seller(uuid4(), is_creators_own=False),
        price=Price(2_500, 2_500, builders.USD),
        texts=(("title", "A portrait"), ("prompt", "at a harbour at dawn, in oil on canvas")),
    )
    if not evaluate(terms, use).allowed:
        raise RuntimeError("the use that is measured should be allowed")
    value = _fastest_us(lambda: evaluate(terms, use), times=500)
    return [Figure(name="licence_decision_us", value=value, unit="µs", goal=below(10))]


async def moderating(_: Ground) -> list[Figure]:
    """An ordinary prompt of 300 characters against all lists that are shipped and the words of a
    creator."""
    moderator = AutomatonModerator(shipped_lists())
    words = ("war", "blood", "casino", "politics")
    judgement = await moderator.judge(PROMPT, words=words)
    if len(PROMPT) != PROMPT_CHARS or judgement.verdict is not Verdict.ALLOWED:
        raise RuntimeError("the prompt that is measured should be of its length, and allowed")
    rounds = []
    for _round in range(ROUNDS):
        began = time.process_time()
        for _time in range(TIMES):
            await moderator.judge(PROMPT, words=words)
        rounds.append((time.process_time() - began) / TIMES * 1e6)
    return [Figure(name="moderation_300_us", value=min(rounds), unit="µs", goal=below(500))]


def _fastest_us(work: Callable[[], object], *, times: int) -> float:
    def once() -> float:
        began = time.process_time()
        for _ in range(times):
            work()
        return (time.process_time() - began) / times * 1e6

    return min(once() for _ in range(ROUNDS))
