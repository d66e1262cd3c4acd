"""Publications: nothing is shown before somebody has looked at it."""

from datetime import timedelta
from uuid import uuid4

import pytest

from domain.studio.publication import (
    NotInReview,
    Publication,
    PublicationState,
    WorkKind,
    publication_of,
)
from domain.studio.template import Template
from tests.builders import NOON, template_of

ADMIN = uuid4()
LATER = NOON + timedelta(days=1)


def asked(template: Template | None = None) -> Publication:
    work = template or template_of(uuid4())
    made = publication_of(work, WorkKind.TEMPLATE, creator_id=None, at=NOON)
    made.submit(work, at=NOON)
    return made


def test_it_waits_until_somebody_has_looked() -> None:
    publication = asked()
    assert publication.state is PublicationState.IN_REVIEW
    publication.approve(by=ADMIN, at=LATER)
    assert publication.is_published
    assert (publication.published_at, publication.decided_by) == (LATER, ADMIN)


def test_what_is_taken_back_cannot_be_approved() -> None:
    publication = asked()
    publication.withdraw()
    with pytest.raises(NotInReview):
        publication.approve(by=ADMIN, at=LATER)


def test_a_rejection_says_why_until_it_is_asked_again() -> None:
    work = template_of(uuid4())
    publication = asked(work)
    publication.reject("Unclear.", by=ADMIN, at=LATER)
    publication.withdraw()
    assert (publication.state, publication.reason) == (PublicationState.REJECTED, "Unclear.")
    with pytest.raises(NotInReview):
        publication.reject("Again.", by=ADMIN, at=LATER)
    work.name = "Clearer"
    publication.submit(work, at=LATER)
    assert (publication.state, publication.reason) == (PublicationState.IN_REVIEW, None)
    assert (publication.name, publication.submitted_at) == ("Clearer", LATER)


def test_asking_again_changes_nothing() -> None:
    work = template_of(uuid4())
    publication = asked(work)
    publication.submit(work, at=LATER)
    assert publication.submitted_at == NOON
    publication.approve(by=ADMIN, at=NOON)
    publication.submit(work, at=LATER)
    assert publication.is_published


def test_publishing_again_does_not_make_it_new() -> None:
    work = template_of(uuid4())
    publication = asked(work)
    publication.approve(by=ADMIN, at=NOON)
    publication.withdraw()
    publication.submit(work, at=LATER)
    publication.approve(by=ADMIN, at=LATER)
    assert publication.published_at == NOON


def test_what_is_shown_can_be_taken_down() -> None:
    publication = asked()
    publication.approve(by=ADMIN, at=NOON)
    publication.reject("Complaints.", by=ADMIN, at=LATER)
    assert publication.state is PublicationState.REJECTED
