"""Whom a use has to be asked of: the creator, and everybody whom the likeness shows with them.

Each whose terms want their word is asked by a request of their own, with a deadline of its own.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from application.licensing.standing import Standing
from domain.licensing.approval import ApprovalRequest, is_good_once, shared_subject
from domain.licensing.shared import Party
from domain.licensing.terms import LicenceTerms
from domain.licensing.use import NOT_COUNTED, Usage
from domain.licensing.version import TermsVersion

Answers = Mapping[tuple[UUID, str], ApprovalRequest]
"""The newest request for each (creator, subject), as `Approvals.latest` answers."""


@dataclass(frozen=True, slots=True)
class Question:
    """What one creator is asked; `subject` is what the answer is good for."""

    version: TermsVersion
    subject: str

    @property
    def key(self) -> tuple[UUID, str]:
        return self.version.creator_id, self.subject

    @property
    def once(self) -> bool:
        return is_good_once(self.subject)

    def word(self, answers: Answers, *, spent_on: UUID | None = None) -> bool | None:
        """Their answer: yes, no, or None where they have to be asked (again)."""
        request = answers.get(self.key)
        if request is None:
            return None
        return request.word(terms_version=self.version.version, spent_on=spent_on)


Words = Mapping[UUID, bool | None]
"""The word of each creator who is asked."""


def questions_of(
    standing: Standing, subject: Callable[[LicenceTerms], str | None]
) -> list[Question]:
    """The creator's first, then the parties'; none for those whose terms do not want it."""
    lead = standing.terms_in_force()
    found = []
    for version in standing.versions():
        if (about := subject(version.terms)) is not None:
            if version.creator_id != lead.creator_id:
                about = shared_subject(about, lead.creator_id)
            found.append(Question(version, about))
    return found


def words_of(
    questions: Sequence[Question], answers: Answers, *, spent_on: UUID | None = None
) -> Words:
    return {
        question.version.creator_id: question.word(answers, spent_on=spent_on)
        for question in questions
    }


def parties_of(
    standing: Standing,
    words: Words,
    *,
    users: Collection[UUID],
    usage: Callable[[UUID], Usage] = lambda _: NOT_COUNTED,
) -> tuple[Party, ...]:
    """The parties as a decision looks at them. `users` are who proposes the use: a party among
    them has given their word by that."""
    return tuple(
        Party(
            creator_id=partner.creator.id,
            terms=partner.terms_in_force().terms,
            by_creator=partner.creator.user_id in users,
            approved=words.get(partner.creator.id),
            usage=usage(partner.creator.id),
        )
        for partner in standing.partners
    )
