"""Payments to the platform that a bank takes back, and bought credits that lie still until the bank
has decided.

Credits are one heap: as many are frozen as the contested money had bought, as far as they are
there. What work under way holds is frozen when it comes back; what was spent already is the
platform's loss, and no debt of the wallet.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.shared.disputes import ContestedPayment
from domain.shared.errors import Conflict
from domain.studio.credits import Wallet


class ChargeContested(Conflict):
    """While a bank holds money of a payment, nothing of it is given back."""

    code = "charge_contested"


@dataclass(eq=False, kw_only=True)
class ChargeDispute(ContestedPayment):
    """Of a charge for credits or for a plan. `written_off` of the credits that were lost with it
    had been spent."""

    purchase_id: UUID | None
    written_off: int = 0


@dataclass(eq=False, kw_only=True)
class Freeze:
    """`credits` are contested, `frozen` of them lie still. Guarded by the lock of the wallet."""

    dispute_id: UUID
    purchase_id: UUID
    wallet_id: UUID
    credits: int
    frozen: int = 0
    opened_at: datetime
    ended_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    def catch(self, credits: int, wallet: Wallet, *, at: datetime) -> int:
        """Of so many bought credits in the wallet freeze what is missing; answers how many."""
        missing = min(credits, self.credits - self.frozen)
        caught = wallet.freeze(missing, purchase_id=self.purchase_id, at=at)
        self.frozen += caught
        return caught

    def give_back(self, part_cents: int, whole_cents: int, wallet: Wallet, *, at: datetime) -> None:
        """So much of the contested money came back, and its share of the credits with it."""
        back = self.frozen * part_cents // whole_cents
        wallet.thaw(back, purchase_id=self.purchase_id, at=at)
        self.frozen -= back
        self.credits -= self.credits * part_cents // whole_cents
        if part_cents == whole_cents:
            self.ended_at = at

    def lose(self, wallet: Wallet, *, at: datetime) -> None:
        """The money is gone: so is what was frozen."""
        wallet.forfeit(self.frozen, purchase_id=self.purchase_id, at=at)
        self.ended_at = at
