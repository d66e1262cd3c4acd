"""Two orders that their buyers' banks take back: one for good, after everybody was paid; one not.

Banks act in the sandbox, by `likeness dev dispute`; all that the product knows comes by webhooks.
"""

import os
import subprocess
import sys
from typing import Any
from uuid import UUID

import httpx
import pytest

from entrypoints.cli.demo.client import Person, Refused
from entrypoints.cli.demo.story import GOOD_CARD, SHOP
from tests.infrastructure import ROOT
from tests.journeys.stack import Stack, eventually

EARNED = {"creator": 250, "store": 1050}
"""Of a shirt for $25.00; of the rest $9.50 is production and $2.50 the platform's."""


class Deal:
    """A shirt, or several, bought and paid."""

    def __init__(self, stack: Stack, *, shirts: int = 1) -> None:
        self.stack = stack
        market = stack.market
        self.fan = market.fan
        self.store, self.creator = market.stores[0].person, market.creators[0].person
        self.stranger = market.stores[1].person
        checkout = self.fan.post(
            "/checkout",
            {
                "items": [{"product_id": market.shirt, "quantity": shirts}],
                "success_url": f"{SHOP}/thanks",
                "cancel_url": f"{SHOP}/cart",
            },
        )
        self.order_id: str = checkout["order_id"]
        paid = httpx.post(checkout["url"] + "/pay", data={"card": GOOD_CARD}, trust_env=False)
        assert paid.status_code == 303
        self.fan.wait(
            f"/orders/{self.order_id}", lambda o: o["payment_status"] == "paid", what="settlement"
        )

    def bank(self, *verdict: str) -> str:
        """`likeness dev dispute`, as somebody types it; answers what it prints."""
        settings = self.stack.settings
        done = subprocess.run(
            [sys.executable, "-m", "entrypoints.cli.main", "dev", "dispute", *verdict],
            cwd=ROOT,
            env={
                **os.environ,
                "LIKENESS_DATA_DIR": str(settings.data_dir),
                "LIKENESS_SANDBOX_URL": settings.sandbox_url,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.stdout if done.returncode == 0 else f"refused: {done.stderr}"

    def dispute(self, until: str) -> Any:
        """The order's one dispute, once the store is shown that status."""

        def has_come() -> bool:
            return [d["status"] for d in self.disputes_as(self.store)] == [until]

        eventually(has_come, what=lambda: self.disputes_as(self.store))
        (found,) = self.disputes_as(self.store)
        return found

    def disputes_as(self, person: Person) -> Any:
        return person.get(f"/orders/{self.order_id}/disputes")

    def transfers(self) -> dict[str, Any]:
        return {
            "creator": self.creator.get(f"/orders/{self.order_id}/transfers"),
            "store": self.store.get(f"/orders/{self.order_id}/transfers"),
        }

    def sent_cents(self) -> dict[str, int]:
        return {
            payee: sum(t["amount_cents"] for t in found if t["status"] == "sent")
            for payee, found in self.transfers().items()
        }

    def returned_cents(self) -> dict[str, int]:
        return {
            payee: sum(
                back["amount_cents"]
                for sent in found
                for back in sent["reversals"]
                if back["status"] == "done"
            )
            for payee, found in self.transfers().items()
        }

    def books(self) -> dict[str, int]:
        """What the order left on every account."""
        sums: dict[str, int] = {}
        for (account, _), cents in self.stack.postings([UUID(self.order_id)]).items():
            sums[account] = sums.get(account, 0) + cents
        return {account: cents for account, cents in sums.items() if cents}


@pytest.fixture(scope="module", autouse=True)
def _earnings(stack: Stack) -> None:
    """What the platform earned otherwise: out of it go the fees of disputes."""
    Deal(stack, shirts=6)


def test_what_was_sent_comes_back_when_the_bank_takes_the_order_for_good(stack: Stack) -> None:
    deal = Deal(stack)
    stack.let_pass(days=8)
    eventually(lambda: deal.sent_cents() == EARNED, what=deal.transfers)

    told = deal.bank(deal.order_id, "--outcome", "lost")
    dispute = deal.dispute(until="lost")
    eventually(lambda: deal.returned_cents() == EARNED, what=deal.transfers)

    assert told.endswith(": 2500 usd, lost\n")
    assert (dispute["is_open"], dispute["lost_cents"], dispute["fee_cents"]) == (False, 2500, 1500)
    assert deal.disputes_as(deal.creator) == [dispute]
    assert dispute["id"] in [one["id"] for one in deal.store.get("/disputes")]
    with pytest.raises(Refused) as unknown:
        deal.stranger.get(f"/disputes/{dispute['id']}")
    assert unknown.value.status == 404
    stack.check_books()
    assert deal.books() == {
        "stripe_clearing": 1603,
        "processing_fees": -103,
        "dispute_losses": -1500,
    }


def test_a_dispute_that_is_answered_and_won_ends_as_if_it_had_not_been(stack: Stack) -> None:
    deal = Deal(stack)
    deal.bank(deal.order_id, "--outcome", "open")
    dispute = deal.dispute(until="needs_response")
    with pytest.raises(Refused) as refused:
        deal.store.post(f"/orders/{deal.order_id}/refunds", {"amount_cents": 100, "reason": "late"})

    deal.store.post(
        f"/disputes/{dispute['id']}/evidence", {"product_description": "A shirt, as ordered."}
    )
    deal.dispute(until="under_review")
    stack.let_pass(days=8)
    stack.settle_down()
    held = deal.sent_cents()
    deal.bank(deal.order_id, "--outcome", "won", "--fee-returned")
    won = deal.dispute(until="won")
    eventually(lambda: deal.sent_cents() == EARNED, what=deal.transfers)

    assert refused.value.error["code"] == "dispute_open"
    assert held == {"creator": 0, "store": 0}
    assert (dispute["contested_cents"], won["contested_cents"]) == (2500, 0)
    assert (won["reinstated_cents"], won["evidence_state"]) == (2500, "submitted")
    stack.check_books()
    assert deal.books() == {
        "stripe_clearing": -1097,
        "processing_fees": -103,
        "platform_revenue": 250,
        "production_cost_payable": 950,
    }


def test_a_bank_contests_no_charge_that_nobody_paid(stack: Stack) -> None:
    deal = Deal(stack)

    assert "No such charge" in deal.bank("ch_unheard_of", "--outcome", "open")
    assert "cannot be disputed" in deal.bank(deal.order_id, "--outcome", "open", "--amount", "2501")
    assert deal.disputes_as(deal.store) == []
