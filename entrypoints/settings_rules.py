"""What settings must be together: in production, beside each other, and when left out."""

import os
import secrets as randomness
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from entrypoints.settings_values import Secret

_COMPANIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "stripe_secret_key": ("stripe_webhook_secret", "stripe_connect_webhook_secret"),
    "replicate_api_token": ("replicate_webhook_secret",),
    "fal_key": ("fal_user_id",),
    "flowpay_api_key": ("flowpay_api_base", "flowpay_webhook_secret"),
    "plaid_secret": ("plaid_client_id",),
    "credentials_certificate": ("credentials_key",),
}
"""A provider that works but whose answers we could not believe is worse than none."""


def settle(found: dict[str, Any], variables: Mapping[str, str]) -> list[str]:
    """Fill what depends on other values; the problems that only show between them."""
    problems = []
    if found["rate_limits"] is None:
        found["rate_limits"] = found["env"] != "development"
    if found["log_format"] is None:
        found["log_format"] = "console" if found["env"] == "development" else "json"
    if found["bank_payouts"] is None:
        found["bank_payouts"] = found["env"] != "production"
    if found["env"] == "production":
        problems += _faults_in_production(found, variables)
    if found["s3_access_key_id"] and not found["s3_secret_access_key"]:
        problems.append(
            "LIKENESS_S3_SECRET_ACCESS_KEY is missing beside LIKENESS_S3_ACCESS_KEY_ID; set both."
        )
    for key, others in _COMPANIONS.items():
        problems += [
            f"{variables[other]} is missing beside {variables[key]}; set both."
            for other in others
            if found[key] and not found[other]
        ]
    if problems:
        return problems
    found["storage_url"] = found["storage_url"] or (found["data_dir"] / "storage").as_uri()
    if found["port"] and not found["base_url"]:
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(found["host"], found["host"])
        found["base_url"] = f"http://{host}:{found['port']}"
    if not found["secret_keys"]:
        try:
            found["secret_keys"] = (_kept_key(found["data_dir"] / "secret-key"),)
        except OSError as error:
            reason = f"where no key can be kept ({error.strerror})"
            return [
                f"LIKENESS_DATA_DIR is {found['data_dir']}, {reason}; use one you may write to."
            ]
    return []


def _faults_in_production(found: Mapping[str, Any], variables: Mapping[str, str]) -> list[str]:
    needed = ("secret_keys", "database_url", "redis_url", "storage_url", "base_url")
    problems = [
        f"{variables[name]} is not set; production needs it."
        for name in (*needed, "stripe_secret_key")
        if not found[name]
    ]
    if not found["replicate_api_token"] and not found["fal_key"]:
        problems.append(
            "LIKENESS_REPLICATE_API_TOKEN and LIKENESS_FAL_KEY are both not set; "
            "production needs at least one image provider."
        )
    if not found["credentials_certificate"] and not found["credentials_development"]:
        problems.append(
            f"{variables['credentials_certificate']} is not set; production needs a certificate, "
            f"or set {variables['credentials_development']} to on to sign with one that nobody "
            "trusts."
        )
    if found["bank_payouts"]:
        problems += [
            f"{variables[name]} is not set; bank payouts need it in production, or set "
            f"{variables['bank_payouts']} to off."
            for name in ("flowpay_api_key", "plaid_secret")
            if not found[name]
        ]
    problems += [
        f"{variables[name]} is not https; production needs https."
        for name in (
            "base_url",
            "stripe_api_base",
            "replicate_api_base",
            "fal_api_base",
            "flowpay_api_base",
            "plaid_api_base",
        )
        if found[name] and not found[name].startswith("https://")
    ]
    if not found["rate_limits"]:
        problems.append("LIKENESS_RATE_LIMITS is off; production needs them, set it to on.")
    if found["clock_control"]:
        problems.append("LIKENESS_CLOCK_CONTROL is on; nobody moves production's time: remove it.")
    if found["sandbox_url"]:
        problems.append("LIKENESS_SANDBOX_URL is set; production has no sandbox: remove it.")
    return problems


def _kept_key(path: Path) -> Secret:
    """The key in the file; made once, also when several processes come at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{randomness.token_hex(8)}")
    if not path.exists():
        draft.touch(mode=0o600)
        draft.write_text(randomness.token_urlsafe(48))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return Secret(path.read_text().strip())
