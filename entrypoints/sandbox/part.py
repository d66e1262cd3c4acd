"""What a provider's part hands to the host: routes, and how to forget and describe itself."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from litestar import Router

RESET = "sandbox_reset"
STATE = "sandbox_state"
BILLED = "sandbox_billed"


class Billed(msgspec.Struct, kw_only=True):
    """One request that a provider took, and what it charges for it, in its own units.

    `attempt` is what the caller wrote into its webhook URL as `attempt=`, or into a header for an
    id of its own; or empty.
    """

    provider: str
    request_id: str
    model: str
    status: str
    units: float
    attempt: str = ""


def attempt_in(webhook_url: str) -> str:
    return parse_qs(urlsplit(webhook_url).query).get("attempt", [""])[0]


def part_options(
    *,
    reset: Callable[[], None],
    state: Callable[[], dict[str, Any]],
    billed: Callable[[], list[Billed]] | None = None,
) -> dict[str, Any]:
    """The `opt` of a part's Router, by which `/control/reset`, `/control/state` and
    `/control/billed` reach it."""
    return {RESET: reset, STATE: state, BILLED: billed}


def reset_part(router: Router) -> None:
    if reset := router.opt.get(RESET):
        reset()


def describe_part(router: Router) -> dict[str, Any]:
    state = router.opt.get(STATE)
    return state() if state else {}


def bill_of_part(router: Router) -> list[Billed]:
    billed = router.opt.get(BILLED)
    return billed() if billed else []
