"""The ODRL Offer of a version: complete, and true to the terms."""

from dataclasses import fields, replace
from typing import Any

import pytest

from application.licensing.odrl import PROFILE, odrl_of
from domain.licensing.conditions import Derivatives
from domain.licensing.terms import LicenceTerms
from domain.licensing.version import TermsVersion
from tests.builders import creator_of, terms, terms_version_of, user
from tests.domain.licensing.test_terms import CHANGES

CREATOR = creator_of(user())


def version_of(licence: LicenceTerms) -> TermsVersion:
    version = terms_version_of(CREATOR, licence)
    version.id = CREATOR.id
    return version


def offer(licence: LicenceTerms) -> dict[str, Any]:
    return odrl_of(version_of(licence))


def test_it_is_an_offer_of_the_creator_that_names_version_and_hash() -> None:
    version = version_of(terms())
    document = odrl_of(version)
    assert (document["@type"], document["profile"]) == ("Offer", PROFILE)
    assert document["assigner"] == f"urn:likeness:creator:{CREATOR.id}"
    assert (document["likeness:version"], document["likeness:hash"]) == (1, version.hash)
    assert document == odrl_of(version)


def test_each_rule_has_an_action_a_target_and_whole_constraints() -> None:
    document = offer(replace(terms(), **CHANGES))  # type: ignore[arg-type]
    rules = document["permission"] + document["prohibition"]
    assert all(rule["action"] and rule["target"] == document["assigner"] for rule in rules)
    for rule in rules:
        for constraint in rule.get("constraint", ()):
            assert {"leftOperand", "operator", "rightOperand"} <= constraint.keys()
        assert all(duty["action"] for duty in rule.get("duty", ()))


def test_what_is_not_permitted_is_prohibited() -> None:
    document = offer(terms(derivatives=Derivatives.NONE))
    permitted = {rule["action"] for rule in document["permission"]}
    prohibited = {rule["action"] for rule in document["prohibition"]}
    assert permitted == {"likeness:train", "likeness:image", "sell"}
    assert {"likeness:video", "derive", "grantUse", "likeness:exportWeights"} <= prohibited
    assert not permitted & prohibited


@pytest.mark.parametrize("name", [f.name for f in fields(LicenceTerms)])
def test_every_condition_can_be_read_in_it(name: str) -> None:
    needed: dict[str, dict[str, Any]] = {
        "sell_off_days": {"valid_until": CHANGES["valid_until"]},
        "approval_hours": {"approval": CHANGES["approval"]},
        "sublicence_pass_through_bps": {"sublicence_depth": 1},
    }
    before = terms(**needed.get(name, {}))
    after = replace(before, **{name: CHANGES[name]})  # type: ignore[arg-type]
    shown = [{**offer(each), "likeness:hash": ""} for each in (before, after)]
    assert shown[0] != shown[1]
