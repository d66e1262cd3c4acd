"""What a provider's part hands to the host: routes, and how to forget and describe itself."""

from collections.abc import Callable
from typing import Any

from litestar import Router

RESET = "sandbox_reset"
STATE = "sandbox_state"


def part_options(
    *, reset: Callable[[], None], state: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """The `opt` of a part's Router, by which `/control/reset` and `/control/state` reach it."""
    return {RESET: reset, STATE: state}


def reset_part(router: Router) -> None:
    if reset := router.opt.get(RESET):
        reset()


def describe_part(router: Router) -> dict[str, Any]:
    state = router.opt.get(STATE)
    return state() if state else {}
