"""The effects of a sale's whole life, and what they leave in the accounts."""

from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from domain.ledger import effects
from domain.ledger.effects import Part, balances, merge
from domain.ledger.posting import Account, Transaction
from tests.builders import NOON, USD

ORDER, CREATOR, STORE = uuid4(), uuid4(), uuid4()
CLEARING, FEES = Account.STRIPE_CLEARING, Account.PROCESSING_FEES
PENDING, AVAILABLE, RESERVED = (
    Account.PAYABLE_PENDING,
    Account.PAYABLE_AVAILABLE,
    Account.PAYABLE_RESERVED,
)


def sale() -> Transaction:
    return effects.sale(
        charge_id="ch_1",
        order_id=ORDER,
        currency=USD,
        parts=[
            Part(PENDING, CREATOR, 250),
            Part(PENDING, STORE, 1050),
            Part(Account.PLATFORM_REVENUE, None, 250),
            Part(Account.PRODUCTION_COST_PAYABLE, None, 950),
        ],
        at=NOON,
    )


def of_store(kind: str, cents: int) -> Transaction:
    act = {"release": effects.release, "reserve": effects.reserve, "sent": effects.transfer_sent}
    return act[kind](order_id=ORDER, payee_id=STORE, currency=USD, amount_cents=cents, at=NOON)


def test_a_whole_life_step_by_step() -> None:
    life = [sale()]
    assert balances(life)[CLEARING, None] == -2500

    life.append(
        effects.processing_fee(
            charge_id="ch_1", order_id=ORDER, currency=USD, fee_cents=103, at=NOON
        )
    )
    assert balances(life)[CLEARING, None] == -2397
    assert balances(life)[FEES, None] == -103

    life.append(of_store("release", 1050))
    assert (PENDING, STORE) not in balances(life)
    assert balances(life)[AVAILABLE, STORE] == 1050

    life.append(of_store("reserve", 1050))
    assert (AVAILABLE, STORE) not in balances(life)
    assert balances(life)[RESERVED, STORE] == 1050

    life.append(of_store("sent", 1050))
    assert (RESERVED, STORE) not in balances(life)
    assert balances(life)[CLEARING, None] == -1347

    refund_id, reversal_id = uuid4(), uuid4()
    life.append(
        effects.refund(
            refund_id=refund_id,
            order_id=ORDER,
            currency=USD,
            parts=[
                Part(PENDING, CREATOR, 250),
                Part(AVAILABLE, STORE, 1050),
                Part(Account.PLATFORM_REVENUE, None, 250),
                Part(Account.PRODUCTION_COST_PAYABLE, None, 950),
            ],
            at=NOON,
        )
    )
    assert balances(life)[AVAILABLE, STORE] == -1050
    assert (PENDING, CREATOR) not in balances(life)

    life.append(
        effects.transfer_reversed(
            reversal_id=reversal_id,
            order_id=ORDER,
            payee_id=STORE,
            currency=USD,
            amount_cents=1050,
            at=NOON,
        )
    )
    life.append(
        effects.refund_returned(
            refund_id=refund_id, order_id=ORDER, currency=USD, amount_cents=2500, at=NOON
        )
    )
    assert balances(life)[Account.REFUNDS_RETURNED, None] == 2500
    life.pop()

    # The provider keeps its fee: that, and nothing else, is left of the sale.
    assert balances(life) == {(CLEARING, None): 103, (FEES, None): -103}
    assert [posted.effect_key for posted in life] == [
        "sale:ch_1",
        "fee:ch_1",
        f"release:{ORDER}:{STORE}",
        f"reserve:{ORDER}:{STORE}",
        f"transfer:{ORDER}:{STORE}",
        f"refund:{refund_id}",
        f"reversal:{reversal_id}",
    ]
    assert {posted.order_id for posted in life} == {ORDER}


def test_effects_of_two_payees_of_one_order_have_keys_of_their_own() -> None:
    keys = {
        act(order_id=ORDER, payee_id=payee, currency=USD, amount_cents=5, at=NOON).effect_key
        for act in (effects.release, effects.reserve, effects.transfer_sent)
        for payee in (CREATOR, STORE)
    }
    assert len(keys) == 6


def test_a_party_that_gets_nothing_has_no_entry() -> None:
    posted = effects.sale(
        charge_id="ch_1",
        order_id=ORDER,
        currency=USD,
        parts=[Part(PENDING, CREATOR, 0), Part(Account.PLATFORM_REVENUE, None, 50)],
        at=NOON,
    )
    assert len(posted.entries) == 2


parts = st.lists(
    st.builds(
        Part,
        st.just(PENDING),
        st.sampled_from([UUID(int=n) for n in range(4)]),
        st.integers(-500, 500),
    ),
    max_size=20,
)


@given(parts)
def test_merging_keeps_every_sum_and_names_each_party_once(some: list[Part]) -> None:
    merged = merge(some)
    parties = [(part.account, part.payee_id) for part in merged]
    assert len(set(parties)) == len(parties)
    assert all(part.amount_cents for part in merged)
    for payee in {part.payee_id for part in some}:
        total = sum(part.amount_cents for part in some if part.payee_id == payee)
        assert sum(part.amount_cents for part in merged if part.payee_id == payee) == total
