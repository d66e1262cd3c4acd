"""What every store of counters, grants, approvals and revocations promises."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest

from application.ports.repository import AlreadyExists
from domain.licensing.approval import ApprovalRequest, ApprovalState
from domain.licensing.conditions import Exclusivity
from domain.licensing.grant import GrantOverlaps, LicenceGrant
from domain.licensing.revocation import AlreadyRevoked, LicenceRevocation, RevocationCause
from domain.licensing.royalty import Share
from domain.licensing.terms import ProductType
from domain.licensing.territories import COUNTRIES
from domain.licensing.usage import Claim, Counter, CounterKind, QuotaExhausted
from tests import builders
from tests.builders import NOON, Market, market, terms
from tests.contracts.units_of_work import NewUnitOfWork, fields_of

DAY = timedelta(days=1)


# Counters.


def units(creator_id: UUID, subject: str = "") -> Counter:
    return Counter(creator_id, CounterKind.UNITS, subject)


async def claim(new_uow: NewUnitOfWork, *claims: Claim, order_id: UUID | None = None) -> list[int]:
    async with new_uow() as uow:
        before = await uow.usage.claim(claims, order_id=order_id)
        await uow.commit()
    return [before[one.counter] for one in claims]


async def values(new_uow: NewUnitOfWork, *counters: Counter) -> list[int]:
    async with new_uow() as uow:
        found = await uow.usage.values(counters)
    return [found[counter] for counter in counters]


async def test_a_claim_counts_until_its_limit_and_no_further(new_uow: NewUnitOfWork) -> None:
    counter = units(uuid4())

    assert await values(new_uow, counter) == [0]
    assert await claim(new_uow, Claim(counter, 3, 5)) == [0]
    with pytest.raises(QuotaExhausted) as refused:
        await claim(new_uow, Claim(counter, 3, 5))
    assert (refused.value.facts["limit"], refused.value.facts["left"]) == (5, 2)
    assert await claim(new_uow, Claim(counter, 2, 5)) == [3]
    assert await claim(new_uow, Claim(counter, 9)) == [5]
    assert await values(new_uow, counter) == [14]


async def test_more_than_the_whole_limit_is_refused_at_once(new_uow: NewUnitOfWork) -> None:
    counter = units(uuid4())
    with pytest.raises(QuotaExhausted):
        await claim(new_uow, Claim(counter, 6, 5))
    assert await values(new_uow, counter) == [0]


async def test_of_several_claims_all_are_counted_or_none(new_uow: NewUnitOfWork) -> None:
    first, second = units(uuid4()), units(uuid4())
    with pytest.raises(QuotaExhausted):
        await claim(new_uow, Claim(first, 1, 5), Claim(second, 6, 5))
    assert await values(new_uow, first, second) == [0, 0]


async def test_as_much_is_taken_as_the_limit_leaves(new_uow: NewUnitOfWork) -> None:
    counter = Counter(uuid4(), CounterKind.RECOUPED, "grant", "usd")
    taken = []
    for wanted in (300, 300, 300, 0):
        async with new_uow() as uow:
            taken.append(await uow.usage.take(Claim(counter, wanted, 500), order_id=uuid4()))
            await uow.commit()
    assert taken == [300, 200, 0, 0]


async def test_what_an_order_claimed_is_given_back_once(new_uow: NewUnitOfWork) -> None:
    counter, order_id = units(uuid4()), uuid4()
    await claim(new_uow, Claim(counter, 2, 5), order_id=order_id)
    await claim(new_uow, Claim(counter, 1, 5), order_id=uuid4())
    async with new_uow() as uow:
        await uow.usage.take(Claim(counter, 9, 5), order_id=order_id)
        await uow.commit()
    assert await values(new_uow, counter) == [5]

    for _ in range(2):
        async with new_uow() as uow:
            await uow.usage.free(order_id)
            await uow.commit()
        assert await values(new_uow, counter) == [1]


async def test_a_quota_of_ten_is_given_to_exactly_ten_of_thirty(
    postgres_uow: NewUnitOfWork,
) -> None:
    counter = units(uuid4())

    async def one() -> bool:
        try:
            await claim(postgres_uow, Claim(counter, 1, 10), order_id=uuid4())
        except QuotaExhausted:
            return False
        return True

    got = await asyncio.gather(*(one() for _ in range(30)))

    assert sum(got) == 10
    assert await values(postgres_uow, counter) == [10]


async def test_positions_in_tiers_do_not_overlap_under_concurrency(
    postgres_uow: NewUnitOfWork,
) -> None:
    counter = Counter(uuid4(), CounterKind.TIER, "store", "usd")
    amounts = [100 + n for n in range(12)]
    starts = await asyncio.gather(*(claim(postgres_uow, Claim(counter, n)) for n in amounts))

    spans = sorted((start, start + n) for (start,), n in zip(starts, amounts, strict=True))
    assert spans[0][0] == 0
    assert all(end == start for (_, end), (start, _) in pairwise(spans))


async def test_a_guarantee_is_recouped_exactly_under_concurrency(
    postgres_uow: NewUnitOfWork,
) -> None:
    counter = Counter(uuid4(), CounterKind.RECOUPED, "grant", "usd")

    async def one() -> int:
        async with postgres_uow() as uow:
            taken = await uow.usage.take(Claim(counter, 300, 1000), order_id=uuid4())
            await uow.commit()
        return taken

    taken = await asyncio.gather(*(one() for _ in range(8)))
    assert sorted(taken, reverse=True) == [300, 300, 300, 100, 0, 0, 0, 0]


# Grants.


def grant_of(shop: Market, **changes: object) -> LicenceGrant:
    """Exclusive, for thirty days."""
    given = {"kind": Exclusivity.EXCLUSIVE, "valid_until": NOON + 30 * DAY, **changes}
    return builders.grant_of(shop.terms, shop.store.id, **given)


async def add_grant(new_uow: NewUnitOfWork, *grants: LicenceGrant) -> None:
    for grant in grants:
        async with new_uow() as uow:
            uow.grants.add(grant)
            await uow.commit()


async def test_grants_are_read_as_they_were_given(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    root = grant_of(shop, guarantee_cents=500, currency="usd")
    child = grant_of(
        shop,
        kind=Exclusivity.NONE,
        parent_id=root.id,
        root_id=root.id,
        sublicensors=(Share(shop.store.id, 2000),),
        terms=terms(royalty_bps=2000),
        valid_until=None,
    )
    await add_grant(new_uow, root, child)

    async with new_uow() as uow:
        assert fields_of(await uow.grants.get(root.id)) == fields_of(root)
        assert fields_of(await uow.grants.get(child.id)) == fields_of(child)
        both = sorted([root.id, child.id])
        assert [g.id for g in await uow.grants.active([shop.creator.id], at=NOON)] == both
        late = await uow.grants.active([shop.creator.id], at=NOON + 30 * DAY)
        assert [g.id for g in late] == [child.id]
        assert [g.id for g in await uow.grants.below(root.id)] == [child.id]
        assert [g.id for g in await uow.grants.shutting_out(shop.creator.id)] == [root.id]
        page = await uow.grants.of_creator(shop.creator.id, before=None, limit=1)
        rest = await uow.grants.of_store(shop.store.id, before=page[0].id, limit=5)
        assert [g.id for g in (*page, *rest)] == both[::-1]


async def test_the_world_is_a_set_of_countries_like_any_other(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    world = grant_of(shop, territories=COUNTRIES, product_types=frozenset(ProductType))
    await add_grant(new_uow, world)
    async with new_uow() as uow:
        stored = await uow.grants.get(world.id)
    assert (stored.territories, stored.product_types) == (world.territories, world.product_types)


OVERLAPPING: Sequence[dict[str, object]] = (
    {},
    {"kind": Exclusivity.SOLE},
    {"product_types": frozenset(ProductType)},
    {"territories": frozenset({"CA", "MX"})},
    {"valid_from": NOON + 29 * DAY, "valid_until": None},
)
APART: Sequence[dict[str, object]] = (
    {"kind": Exclusivity.NONE},
    {"product_types": frozenset(ProductType) - {ProductType.SHIRT}},
    {"territories": frozenset({"MX", "CU"})},
    {"valid_from": NOON + 30 * DAY, "valid_until": None},
)


@pytest.mark.parametrize("changes", OVERLAPPING, ids=["all", "sole", "types", "places", "times"])
async def test_no_two_grants_that_shut_others_out_overlap(
    new_uow: NewUnitOfWork, changes: dict[str, object]
) -> None:
    shop = await market(new_uow())
    await add_grant(new_uow, grant_of(shop))
    with pytest.raises(GrantOverlaps):
        await add_grant(new_uow, grant_of(shop, **changes))


@pytest.mark.parametrize("changes", APART, ids=["open", "types", "places", "times"])
async def test_grants_that_meet_on_two_axes_only_stand_beside_each_other(
    new_uow: NewUnitOfWork, changes: dict[str, object]
) -> None:
    shop = await market(new_uow())
    await add_grant(new_uow, grant_of(shop), grant_of(shop, **changes))


async def test_another_creator_s_grants_are_another_matter(new_uow: NewUnitOfWork) -> None:
    shop, other = await market(new_uow()), await market(new_uow())
    await add_grant(new_uow, grant_of(shop), grant_of(other))


async def test_an_ended_grant_makes_room(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    first = grant_of(shop)
    await add_grant(new_uow, first)
    async with new_uow() as uow:
        (await uow.grants.get(first.id, lock=True)).end(at=NOON + DAY)
        await uow.commit()
    await add_grant(new_uow, grant_of(shop, valid_from=NOON + DAY))


async def test_of_overlapping_grants_given_at_once_exactly_one_stands(
    postgres_uow: NewUnitOfWork,
) -> None:
    shop = await market(postgres_uow())

    async def one() -> bool:
        try:
            await add_grant(postgres_uow, grant_of(shop))
        except GrantOverlaps:
            return False
        return True

    assert sum(await asyncio.gather(*(one() for _ in range(6)))) == 1
    async with postgres_uow() as uow:
        assert len(await uow.grants.shutting_out(shop.creator.id)) == 1


# Approvals.


def question_of(shop: Market, subject: str = "product:1", **changes: object) -> ApprovalRequest:
    return builders.approval_of(shop.terms, shop.owner.id, at=NOON, subject=subject, **changes)


async def ask(new_uow: NewUnitOfWork, *questions: ApprovalRequest) -> None:
    for question in questions:
        async with new_uow() as uow:
            uow.approvals.add(question)
            await uow.commit()


async def test_a_question_is_kept_with_the_use_that_it_is_about(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    question = question_of(shop)
    await ask(new_uow, question)
    async with new_uow() as uow:
        assert fields_of(await uow.approvals.get(question.id)) == fields_of(question)
        mine = await uow.approvals.of_requester(shop.owner.id, before=None, limit=5)
        assert [one.id for one in mine] == [question.id]


async def test_a_creator_is_asked_one_thing_once_at_a_time(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    first = question_of(shop)
    await ask(new_uow, first, question_of(shop, "product:2"))
    with pytest.raises(AlreadyExists):
        await ask(new_uow, question_of(shop))
    async with new_uow() as uow:
        stored = await uow.approvals.get(first.id, lock=True)
        stored.answer(approved=False, reason="No.", by=shop.creator_user.id, at=NOON)
        await uow.commit()
    again = question_of(shop, id=UUID(int=2**128 - 1))
    await ask(new_uow, again)
    async with new_uow() as uow:
        latest = await uow.approvals.latest([(shop.creator.id, "product:1")])
        assert latest[shop.creator.id, "product:1"].id == again.id
        assert await uow.approvals.latest([(shop.creator.id, "product:9")]) == {}


async def test_questions_are_listed_by_their_state_at_that_moment(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    early = question_of(shop, "a", deadline=NOON + timedelta(hours=1))
    open_one, answered = question_of(shop, "b"), question_of(shop, "c")
    answered.answer(approved=True, reason="", by=shop.creator_user.id, at=NOON)
    await ask(new_uow, early, open_one, answered)
    now = NOON + timedelta(hours=2)

    async def listed(state: ApprovalState | None) -> set[UUID]:
        async with new_uow() as uow:
            found = await uow.approvals.of_creator(
                shop.creator.id, state=state, now=now, before=None, limit=10
            )
        return {one.id for one in found}

    async def check() -> None:
        assert await listed(ApprovalState.PENDING) == {open_one.id}
        assert await listed(ApprovalState.EXPIRED) == {early.id}
        assert await listed(ApprovalState.APPROVED) == {answered.id}
        assert len(await listed(None)) == 3

    await check()
    async with new_uow() as uow:
        assert await uow.approvals.expire(now=now, limit=10) == 1
        await uow.commit()
    await check()
    async with new_uow() as uow:
        assert await uow.approvals.expire(now=now, limit=10) == 0
        assert (await uow.approvals.get(early.id)).state is ApprovalState.EXPIRED


# Revocations.


async def test_a_version_of_terms_is_revoked_once(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())

    def revocation(**changes: object) -> LicenceRevocation:
        wanted = {
            "id": uuid4(),
            "creator_id": shop.creator.id,
            "terms_id": shop.terms.id,
            "terms_version": 1,
            "cause": RevocationCause.LAW,
            "declared_at": NOON,
            "declared_by": shop.creator_user.id,
            "effective_at": NOON,
        }
        return LicenceRevocation(**{**wanted, **changes})  # type: ignore[arg-type]

    first = revocation()
    async with new_uow() as uow:
        uow.revocations.add(first)
        await uow.commit()
    with pytest.raises(AlreadyRevoked):
        async with new_uow() as uow:
            uow.revocations.add(revocation())
            await uow.commit()
    async with new_uow() as uow:
        (found,) = await uow.revocations.of_creators([shop.creator.id])
    assert fields_of(found) == fields_of(first)
