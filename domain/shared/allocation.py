"""Divide whole cents among parties so that nothing is lost, made up, or taken twice.

Two methods, because two promises are wanted. `largest_remainder` (Hamilton) makes one division as
close to proportional as cents allow. `webster` (Sainte-Laguë) is house-monotone: when the total
grows, no party's part shrinks. Cumulative refunds need the second one.
"""

from collections.abc import Sequence
from fractions import Fraction
from heapq import heapify, heappop, heappush, heapreplace


def largest_remainder(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Divide `total` cents in proportion to `weights`; ties go to the earlier party.

    Total and weights are non-negative, and a positive total needs a positive weight (ValueError).
    """
    weight_sum = _checked_sum(total, weights)
    if total == 0:
        return (0,) * len(weights)
    shares = [total * weight // weight_sum for weight in weights]
    left = total - sum(shares)
    by_remainder = sorted(
        range(len(weights)), key=lambda i: (-(total * weights[i] % weight_sum), i)
    )
    for i in by_remainder[:left]:
        shares[i] += 1
    return tuple(shares)


def webster(
    total: int, weights: Sequence[int], *, at_least: Sequence[int] | None = None
) -> tuple[int, ...]:
    """Divide `total` cents by Webster's method; ties go to the earlier party.

    For `0 <= total <= sum(weights)` the parts are monotone in `total`, never exceed their weight,
    and equal the weights when everything is divided. `at_least` are parts already given, which are
    kept: the division goes on from there (each at most its weight, together at most `total`).
    """
    _checked_sum(total, weights)
    floors = tuple(at_least) if at_least is not None else (0,) * len(weights)
    if sum(floors) > total:
        raise ValueError("more was already given than there is to divide")
    shares = _rounded_quotas(total, weights, floors)
    missing = total - sum(shares)
    if missing > 0:
        _give(shares, weights, missing)
    elif missing < 0:
        _take_back(shares, weights, floors, -missing)
    return tuple(shares)


def _give(shares: list[int], weights: Sequence[int], cents: int) -> None:
    """Hand out `cents` one by one, each to the highest quotient weight / (2 share + 1)."""
    queue = [(-Fraction(w, 2 * shares[i] + 1), i) for i, w in enumerate(weights) if w > 0]
    heapify(queue)
    for _ in range(cents):
        _, i = queue[0]
        shares[i] += 1
        heapreplace(queue, (-Fraction(weights[i], 2 * shares[i] + 1), i))


def _take_back(
    shares: list[int], weights: Sequence[int], floors: Sequence[int], cents: int
) -> None:
    """Undo the last `cents` of the hand-out, never below a floor."""
    queue = [
        (Fraction(w, 2 * shares[i] - 1), -i) for i, w in enumerate(weights) if shares[i] > floors[i]
    ]
    heapify(queue)
    for _ in range(cents):
        _, key = heappop(queue)
        i = -key
        shares[i] -= 1
        if shares[i] > floors[i]:
            heappush(queue, (Fraction(weights[i], 2 * shares[i] - 1), key))


def _rounded_quotas(total: int, weights: Sequence[int], floors: Sequence[int]) -> list[int]:
    """Parts that are Webster's but for a few cents: rounded quotas, or the floor where higher."""
    shares = list(floors)
    free = [i for i, weight in enumerate(weights) if weight > 0]
    house = total - sum(floors) + sum(floors[i] for i in free)
    while free:
        weight_sum = sum(weights[i] for i in free)
        rounded = {i: (2 * weights[i] * house + weight_sum) // (2 * weight_sum) for i in free}
        bound = {i for i in free if rounded[i] < floors[i]}
        if not bound:
            for i in free:
                shares[i] = rounded[i]
            break
        free = [i for i in free if i not in bound]
        house -= sum(floors[i] for i in bound)
    return shares


def _checked_sum(total: int, weights: Sequence[int]) -> int:
    if total < 0 or any(weight < 0 for weight in weights):
        raise ValueError("totals and weights are never negative")
    weight_sum = sum(weights)
    if total > 0 and weight_sum == 0:
        raise ValueError("a positive total needs a positive weight")
    return weight_sum
