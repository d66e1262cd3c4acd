"""The books against a dictionary: any sequence of effects leaves both with the same sums."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from application.ports.unit_of_work import UnitOfWork
from domain.ledger import effects
from domain.ledger.effects import Part
from domain.ledger.posting import Account, EffectMismatch, Entry, Transaction
from domain.shared.errors import Conflict
from domain.shared.money import Currency
from tests.builders import NOON

T = TypeVar("T")

PENDING, AVAILABLE, RESERVED, DISPUTED = (
    Account.PAYABLE_PENDING,
    Account.PAYABLE_AVAILABLE,
    Account.PAYABLE_RESERVED,
    Account.PAYABLE_DISPUTED,
)
CURRENCIES = (Currency("usd"), Currency("jpy"))
CENTS = st.integers(1, 10_000)
WHO = st.tuples(st.sampled_from(CURRENCIES), st.integers(0, 2))


class Reference:
    """What every account should hold, by currency and payee."""

    def __init__(self) -> None:
        self.cents: Counter[tuple[Currency, Account, UUID | None]] = Counter()

    def takes(self, posted: Transaction) -> bool:
        after = self.cents.copy()
        for account, payee_id, cents in posted.entries:
            after[posted.currency, account, payee_id] += cents
        if any(c < 0 for (_, a, _), c in after.items() if a in (PENDING, RESERVED, DISPUTED)):
            return False
        self.cents = after
        return True


class LedgerModel(RuleBasedStateMachine):
    """`new_uow` and `sums` are given by the test, for the store that it is about."""

    new_uow: Callable[[], UnitOfWork]
    sums: Callable[[list[str]], Awaitable[Counter[tuple[Currency, Account, UUID | None]]]]
    posted = Bundle("posted")

    @initialize()
    def open(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.reference = Reference()
        self.keys: list[str] = []
        self.payees = [uuid4() for _ in range(3)]
        self.minutes = 0

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.loop.close()

    def wait(self, doing: Awaitable[T]) -> T:
        return self.loop.run_until_complete(doing)

    async def put(self, *transactions: Transaction) -> set[str]:
        async with type(self).new_uow() as uow:
            new = await uow.ledger.post(transactions)
            await uow.commit()
        return set(new)

    def post(self, posting: Transaction) -> Transaction:
        """The store takes it when the reference does; otherwise nothing changes."""
        if self.reference.takes(posting):
            assert self.wait(self.put(posting)) == {posting.effect_key}
            self.keys.append(posting.effect_key)
            return posting
        try:
            self.wait(self.put(posting))
        except Conflict:
            return self.post(self.sale_of((CURRENCIES[0], 0), 1))
        raise AssertionError(f"{posting.effect_key} should have been refused")

    def sale_of(self, who: tuple[Currency, int], cents: int) -> Transaction:
        parts = [
            Part(PENDING, self.payees[who[1]], cents),
            Part(PENDING, self.payees[(who[1] + 1) % 3], cents // 2),
            Part(Account.PLATFORM_REVENUE, None, 7),
            Part(Account.TAX_PAYABLE, None, cents // 5),
        ]
        return effects.sale(charge_id=str(uuid4()), parts=effects.merge(parts), **self.facts(who))

    def facts(self, who: tuple[Currency, int]) -> dict[str, Any]:
        self.minutes += 1
        at = NOON + timedelta(minutes=self.minutes)
        return {"order_id": uuid4(), "currency": who[0], "at": at}

    def payee(self, who: tuple[Currency, int]) -> UUID:
        return self.payees[who[1]]

    def left(self, who: tuple[Currency, int], account: Account) -> int:
        return self.reference.cents[who[0], account, self.payee(who)]

    @rule(target=posted, who=WHO, cents=CENTS)
    def sale(self, who: tuple[Currency, int], cents: int) -> Transaction:
        return self.post(self.sale_of(who, cents))

    @rule(target=posted, who=WHO, cents=CENTS, from_hold=st.integers(0, 500), own=st.booleans())
    def fee(self, who: tuple[Currency, int], cents: int, from_hold: int, own: bool) -> Transaction:
        held = min(from_hold, cents)
        borne = effects.taken_from(self.payee(who), cents, from_hold_cents=held) if own else []
        return self.post(
            effects.processing_fee(
                charge_id=str(uuid4()), fee_cents=cents, borne=borne, **self.facts(who)
            )
        )

    @rule(
        target=posted,
        who=WHO,
        cents=CENTS,
        act=st.sampled_from([effects.release, effects.reserve, effects.transfer_sent]),
        whole=st.booleans(),
    )
    def onward(self, who: tuple[Currency, int], cents: int, act: Any, whole: bool) -> Transaction:
        """The steps of an earning; `whole` takes what is there, so that long lives are found."""
        source = {effects.release: PENDING, effects.reserve: AVAILABLE}.get(act, RESERVED)
        there = self.left(who, source)
        amount = there if whole and there > 0 else cents
        return self.post(act(payee_id=self.payee(who), amount_cents=amount, **self.facts(who)))

    @rule(target=posted, who=WHO, cents=CENTS, account=st.sampled_from([PENDING, AVAILABLE]))
    def refund(self, who: tuple[Currency, int], cents: int, account: Account) -> Transaction:
        parts = [
            Part(account, self.payee(who), cents),
            Part(Account.PLATFORM_REVENUE, None, cents // 9),
        ]
        return self.post(effects.refund(refund_id=uuid4(), parts=parts, **self.facts(who)))

    @rule(target=posted, who=WHO, cents=CENTS)
    def refund_returned(self, who: tuple[Currency, int], cents: int) -> Transaction:
        return self.post(
            effects.refund_returned(refund_id=uuid4(), amount_cents=cents, **self.facts(who))
        )

    @rule(target=posted, who=WHO, cents=CENTS)
    def reversal(self, who: tuple[Currency, int], cents: int) -> Transaction:
        return self.post(
            effects.transfer_reversed(
                reversal_id=uuid4(),
                payee_id=self.payee(who),
                amount_cents=cents,
                **self.facts(who),
            )
        )

    @rule(
        target=posted,
        who=WHO,
        cents=CENTS,
        way=st.permutations([AVAILABLE, DISPUTED]),
    )
    def contest(self, who: tuple[Currency, int], cents: int, way: list[Account]) -> Transaction:
        """What a dispute moves: from what is available, and back."""
        entries = (
            Entry(way[0], self.payee(who), -cents),
            Entry(way[1], self.payee(who), cents),
        )
        facts = self.facts(who)
        return self.post(
            Transaction(f"contest:{facts['order_id']}", "dispute", who[0], entries, facts["at"])
        )

    @rule(target=posted, who=WHO)
    def write_off(self, who: tuple[Currency, int]) -> Transaction:
        owed = max(1, -self.left(who, AVAILABLE))
        return self.post(
            effects.write_off(
                write_off_id=uuid4(),
                payee_id=self.payee(who),
                currency=who[0],
                amount_cents=owed,
                at=NOON,
            )
        )

    @rule(again=st.lists(posted, min_size=1, max_size=5, unique_by=lambda t: t.effect_key))
    def replay(self, again: list[Transaction]) -> None:
        assert self.wait(self.put(*again)) == set()

    @rule(known=posted, cents=CENTS)
    def forge(self, known: Transaction, cents: int) -> None:
        """Other content under a key that is taken, beside something new: both are refused."""
        first, second, *rest = known.entries
        entries = (
            Entry(first.account, first.payee_id, first.amount_cents * 2 + cents * 20_000),
            Entry(
                second.account,
                second.payee_id,
                second.amount_cents - first.amount_cents - cents * 20_000,
            ),
            *rest,
        )
        if any(entry.amount_cents == 0 for entry in entries):
            return
        forged = Transaction(known.effect_key, known.kind, known.currency, entries, NOON)
        try:
            self.wait(self.put(forged, self.sale_of((CURRENCIES[0], 0), 1)))
        except EffectMismatch:
            return
        raise AssertionError("other content was taken under the same key")

    @precondition(lambda self: hasattr(self, "keys"))
    @invariant()
    def balances_are_those_of_the_reference(self) -> None:
        keys = [(payee_id, currency) for payee_id in self.payees for currency in CURRENCIES]
        balances = self.wait(self.read_balances(keys))
        for payee_id, currency in keys:
            found = balances[payee_id, currency]
            assert (
                found.pending_cents,
                found.available_cents,
                found.reserved_cents,
                found.disputed_cents,
            ) == tuple(
                self.reference.cents[currency, account, payee_id]
                for account in (PENDING, AVAILABLE, RESERVED, DISPUTED)
            )

    @precondition(lambda self: hasattr(self, "keys") and len(self.keys) % 5 == 0)
    @invariant()
    def postings_are_those_of_the_reference_and_sum_to_zero(self) -> None:
        sums = self.wait(type(self).sums(self.keys))
        assert +sums - +self.reference.cents == Counter()
        assert {k: v for k, v in sums.items() if v} == {
            k: v for k, v in self.reference.cents.items() if v
        }
        for currency in CURRENCIES:
            assert sum(c for (of, *_), c in sums.items() if of == currency) == 0

    async def read_balances(self, keys: list[tuple[UUID, Currency]]) -> Any:
        async with type(self).new_uow() as uow:
            return await uow.ledger.lock_balances(keys)
