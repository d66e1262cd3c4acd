"""A team keeps an owner, and nobody reaches above their own rank."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity.team import (
    ACTS,
    INVITATION_LIFETIME,
    MAX_MEMBERS,
    AlreadyMember,
    Invitation,
    InvitationEnded,
    LastOwner,
    Member,
    RankTooLow,
    StoreAct,
    Team,
    TeamFull,
    TeamRole,
    highest,
)
from domain.shared.errors import NotFound
from tests.builders import NOON

OWNER, ADMIN, MEMBER, VIEWER = TeamRole


def member(role: TeamRole, user_id: UUID | None = None) -> Member:
    return Member(
        id=uuid4(), team_id=uuid4(), user_id=user_id or uuid4(), role=role, joined_at=NOON
    )


def team(*roles: TeamRole) -> Team:
    made = Team(id=uuid4(), name="Studio", created_at=NOON)
    for role in roles:
        made.join(member(role))
    return made


def test_each_role_may_do_all_that_the_roles_below_it_may() -> None:
    for higher, lower in zip(TeamRole, list(TeamRole)[1:], strict=False):
        assert higher.outranks(lower)
        assert ACTS[higher] > ACTS[lower]
    assert ACTS[VIEWER] == {StoreAct.VIEW}


def test_the_last_owner_neither_leaves_nor_steps_down() -> None:
    alone = team(OWNER, ADMIN)
    owner = alone.members[0]
    with pytest.raises(LastOwner):
        alone.leave(owner.id, by=OWNER, self_leaving=True)
    with pytest.raises(LastOwner):
        alone.change_role(owner.id, ADMIN, by=OWNER)
    alone.change_role(alone.members[1].id, OWNER, by=OWNER)
    alone.leave(owner.id, by=OWNER, self_leaving=True)
    assert [m.role for m in alone.members] == [OWNER]


def test_nobody_gives_or_takes_a_rank_above_their_own() -> None:
    mixed = team(OWNER, ADMIN, MEMBER)
    owner, _, plain = mixed.members
    with pytest.raises(RankTooLow):
        mixed.change_role(plain.id, OWNER, by=ADMIN)
    with pytest.raises(RankTooLow):
        mixed.leave(owner.id, by=ADMIN, self_leaving=False)
    with pytest.raises(RankTooLow):
        mixed.change_role(plain.id, VIEWER, by=MEMBER)
    mixed.leave(plain.id, by=MEMBER, self_leaving=True)


@given(st.lists(st.tuples(st.sampled_from(TeamRole), st.sampled_from(TeamRole)), max_size=20))
def test_whatever_is_tried_there_is_an_owner(tries: list[tuple[TeamRole, TeamRole]]) -> None:
    tried = team(OWNER, OWNER, ADMIN, MEMBER)
    for by, role in tries:
        for one in list(tried.members):
            try:
                tried.change_role(one.id, role, by=by)
                tried.leave(one.id, by=by, self_leaving=False)
            except (LastOwner, RankTooLow, NotFound):
                continue
    assert any(m.role is OWNER for m in tried.members)


def test_a_person_joins_once_and_a_team_can_be_full() -> None:
    made, ada = team(OWNER), uuid4()
    made.join(member(MEMBER, ada))
    with pytest.raises(AlreadyMember):
        made.join(member(VIEWER, ada))
    for _ in range(MAX_MEMBERS - 2):
        made.join(member(VIEWER))
    with pytest.raises(TeamFull):
        made.join(member(VIEWER))


def test_who_is_no_member_learns_nothing_of_the_team() -> None:
    with pytest.raises(NotFound):
        team(OWNER).require(uuid4(), VIEWER)


def test_an_invitation_works_once_and_not_for_ever() -> None:
    def invitation() -> Invitation:
        return Invitation(
            id=uuid4(),
            team_id=uuid4(),
            email="ada@example.com",
            role=MEMBER,
            token_hash=b"",
            invited_by=uuid4(),
            created_at=NOON,
            expires_at=NOON + INVITATION_LIFETIME,
        )

    used, late = invitation(), invitation()
    used.accept(at=NOON + timedelta(days=1))
    with pytest.raises(InvitationEnded):
        used.accept(at=NOON + timedelta(days=1))
    with pytest.raises(InvitationEnded):
        late.accept(at=NOON + INVITATION_LIFETIME)


def test_of_several_roles_the_highest_counts() -> None:
    assert highest([VIEWER, ADMIN, MEMBER]) is ADMIN
    assert highest([]) is None
