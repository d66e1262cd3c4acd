"""From a claim to the manifest that says it, and back from any manifest to what we report.

What is read comes from strangers: texts are cut and cleaned, what has the wrong shape is silence.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from application.ports.credentials import CredentialReport, LicenceStatement, Statement
from domain.media.provenance import Claim, Verdict

LICENCE_LABEL: Final = "org.likeness.licence"
TRAINING_LABEL: Final = "cawg.training-mining"
PARENT: Final = "parent"
_USES = ("cawg.ai_generative_training", "cawg.ai_training", "cawg.data_mining")
_TEXT_MAX_CHARS = 200
_STATEMENTS_MAX = 32
_ITEMS_MAX = 50
_CODE = re.compile(r"[A-Za-z0-9_.]{1,80}")
_VERDICT = {"Trusted": Verdict.VALID, "Valid": Verdict.UNTRUSTED, "Invalid": Verdict.INVALID}


def definition_of(claim: Claim, *, version: str, parents: int) -> dict[str, Any]:
    """The manifest to sign. Parents are added under `parent0`, `parent1`, …"""
    made = {
        "action": "c2pa.edited" if parents else "c2pa.created",
        "digitalSourceType": claim.source.uri,
        "softwareAgent": {"name": claim.model},
    }
    actions: list[dict[str, Any]] = [made]
    if parents:
        used = [f"{PARENT}{number}" for number in range(parents)]
        actions.insert(0, {"action": "c2pa.opened", "parameters": {"ingredientIds": used[:1]}})
    if claim.marked:
        actions += [{"action": "c2pa.resized"}, {"action": "c2pa.addedText"}]
    use = "allowed" if claim.training_allowed else "notAllowed"
    assertions: list[dict[str, Any]] = [
        {"label": "c2pa.actions.v2", "data": {"actions": actions}},
        {"label": TRAINING_LABEL, "data": {"entries": {name: {"use": use} for name in _USES}}},
    ]
    if (licence := claim.licence) is not None:
        data = {
            "licence_id": str(licence.licence_id),
            "version": licence.version,
            "hash": licence.hash,
        }
        assertions.append({"label": LICENCE_LABEL, "data": data})
    return {
        "claim_generator_info": [{"name": "Likeness", "version": version}],
        "title": claim.title,
        "assertions": assertions,
    }


def claim_hashes(detailed: str) -> tuple[str, dict[str, str]]:
    """The active manifest, and the hash of the claim of each."""
    found = json.loads(detailed)
    return found["active_manifest"], {
        label: hashlib.sha256(
            json.dumps(manifest.get("claim"), sort_keys=True, separators=(",", ":")).encode()
        ).hexdigest()
        for label, manifest in found["manifests"].items()
    }


def report_of(state: str | None, plain: str, detailed: str) -> CredentialReport:
    """What a validated file says. KeyError, TypeError or ValueError for what cannot be."""
    found = json.loads(plain)
    active, hashes = claim_hashes(detailed)
    manifests = found["manifests"]
    return CredentialReport(
        verdict=_VERDICT[state or ""],
        failures=tuple(dict.fromkeys(_failures(found.get("validation_results") or {})))[
            :_ITEMS_MAX
        ],
        statements=tuple(
            _statement(label, manifests[label], hashes[label])
            for label in _lineage(active, manifests)
        ),
    )


def _lineage(active: str, manifests: Mapping[str, Any]) -> list[str]:
    """The active manifest, then its ingredients, then theirs; each once."""
    seen = [active]
    for label in seen:
        for ingredient in _dicts(manifests[label].get("ingredients")):
            parent = ingredient.get("active_manifest")
            if not isinstance(parent, str) or parent not in manifests or parent in seen:
                continue
            if len(seen) < _STATEMENTS_MAX:
                seen.append(parent)
    return seen


def _failures(results: Mapping[str, Any]) -> Iterator[str]:
    judged = [results.get("activeManifest") or {}]
    judged += [
        delta.get("validationDeltas") or {} for delta in _dicts(results.get("ingredientDeltas"))
    ]
    for one in judged:
        for failure in _dicts(one.get("failure")):
            code = failure.get("code")
            if isinstance(code, str) and _CODE.fullmatch(code):
                yield code


def _statement(label: str, manifest: Mapping[str, Any], claim_sha256: str) -> Statement:
    signature = manifest.get("signature_info") or {}
    generators = _dicts(manifest.get("claim_generator_info"))
    assertions = {
        one["label"]: one["data"]
        for one in _dicts(manifest.get("assertions"))
        if isinstance(one.get("label"), str) and isinstance(one.get("data"), dict)
    }
    actions = [
        action
        for name, data in assertions.items()
        if name.startswith("c2pa.actions")
        for action in _dicts(data.get("actions"))
    ][:_ITEMS_MAX]
    return Statement(
        manifest=_text(label) or "",
        claim_sha256=claim_sha256,
        title=_text(manifest.get("title")),
        generator=_text(generators[0].get("name")) if generators else None,
        issuer=_text(signature.get("issuer")),
        common_name=_text(signature.get("common_name")),
        serial_number=_text(signature.get("cert_serial_number")),
        signed_at=_text(signature.get("time")),
        actions=_texts(action.get("action") for action in actions),
        models=_texts(_agent(action.get("softwareAgent")) for action in actions),
        source_types=_texts(action.get("digitalSourceType") for action in actions),
        training_allowed=_training(assertions.get(TRAINING_LABEL)),
        licence=_licence(assertions.get(LICENCE_LABEL)),
    )


def _training(data: Mapping[str, Any] | None) -> bool | None:
    """Allowed only where every use that is named is allowed."""
    entries = (data or {}).get("entries")
    if not isinstance(entries, dict) or not entries:
        return None
    return all(isinstance(one, dict) and one.get("use") == "allowed" for one in entries.values())


def _licence(data: Mapping[str, Any] | None) -> LicenceStatement | None:
    match data:
        case {"licence_id": str(licence_id), "version": int(version), "hash": str(digest)} if (
            0 < version < 2**31
        ):
            try:
                return LicenceStatement(
                    licence_id=UUID(licence_id), version=version, hash=_text(digest) or ""
                )
            except ValueError:
                return None
    return None


def _agent(value: Any) -> Any:
    """An object with a name since version 2 of the actions, a text before."""
    return value.get("name") if isinstance(value, dict) else value


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _texts(values: Iterator[Any]) -> tuple[str, ...]:
    return tuple(text for value in values if (text := _text(value)) is not None)


def _text(value: Any) -> str | None:
    """What may stand in an answer: bounded, printable, and no half of a surrogate pair."""
    if not isinstance(value, str) or not value:
        return None
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in value)[
        :_TEXT_MAX_CHARS
    ]
