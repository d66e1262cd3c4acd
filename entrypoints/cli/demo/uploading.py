"""A file on its way: announced, sent in parts to the store itself, checked, an asset."""

import hashlib

import httpx

from entrypoints.cli.demo.client import Person, StoryStopped


def upload(
    person: Person,
    content: bytes,
    filename: str,
    *,
    content_type: str,
    purpose: str,
    browser: httpx.Client,
) -> tuple[str, int]:
    """The id of the asset, and in how many parts it came."""
    begun = person.post(
        "/uploads",
        {
            "filename": filename,
            "size_bytes": len(content),
            "content_type": content_type,
            "sha256": hashlib.sha256(content).hexdigest(),
            "purpose": purpose,
        },
    )
    numbers = list(range(1, begun["part_count"] + 1))
    for link in person.post(f"/uploads/{begun['id']}/parts", {"numbers": numbers}):
        first = (link["number"] - 1) * begun["part_bytes"]
        part = content[first : first + link["size_bytes"]]
        sent = browser.put(link["url"], content=part, headers=link["headers"])
        if not sent.is_success:
            raise StoryStopped(f"the store answered {sent.status_code} to part {link['number']}")
    person.post(f"/uploads/{begun['id']}/complete")
    checked = person.wait(
        f"/uploads/{begun['id']}", lambda seen: seen["state"] != "verifying", what="the check"
    )
    if checked["state"] != "ready":
        raise StoryStopped(f"the upload became {checked['state']}, not ready: {checked['error']}")
    return str(checked["asset_id"]), len(numbers)
