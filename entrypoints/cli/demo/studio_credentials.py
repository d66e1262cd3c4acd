"""What a delivered image says of itself; anybody can ask, and no account is needed."""

from typing import Any

import httpx

from entrypoints.cli.demo.pictures import saved_anew
from entrypoints.cli.demo.studio_outcome import expect


def check_credentials(
    content: bytes, creator_id: str, *, licence: dict[str, Any], http: httpx.Client
) -> dict[str, Any]:
    """The verdicts on a PNG, on it with one bit changed, and on it saved anew; and what it says.
    Raises StoryStopped."""
    changed = bytearray(content)
    changed[len(changed) // 2] ^= 1
    delivered = _verified(content, http)
    expect("the verdict on what was delivered", "valid", delivered["verdict"])
    said = delivered["statement"]
    named = said["licence"]
    expect("the licence in the file", licence, {one: named[one] for one in ("version", "hash")})
    terms = http.get(f"/api/v1/creators/{creator_id}/licence-terms/{named['version']}")
    expect("the answer to the terms it names", 200, terms.status_code)
    expect("the hash of the terms it names", terms.json()["data"]["hash"], named["hash"])
    expect("whether these are the bytes we delivered", True, said["known"]["exact"])
    expect("whether it names a model", True, bool(said["models"]))
    flipped = _verified(bytes(changed), http)["verdict"]
    expect("the verdict on one flipped bit", "invalid", flipped)
    anew = _verified(saved_anew(content), http)["verdict"]
    expect("the verdict on a copy saved anew", "none", anew)
    return {
        "verdict": delivered["verdict"],
        "models": said["models"],
        "licence": named,
        "flipped": flipped,
        "saved_anew": anew,
    }


def _verified(content: bytes, http: httpx.Client) -> Any:
    answer = http.post("/api/v1/provenance/verify", content=content)
    expect("the answer to a file", 200, answer.status_code)
    return answer.json()["data"]
