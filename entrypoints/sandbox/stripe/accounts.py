"""Connected accounts: created with open requirements, made payable by finishing onboarding."""

import secrets
from copy import deepcopy
from typing import Any

from entrypoints.sandbox.stripe.errors import StripeProblem, invalid, no_account_access
from entrypoints.sandbox.stripe.events import emit
from entrypoints.sandbox.stripe.lists import as_list, page
from entrypoints.sandbox.stripe.metadata import initial, merged
from entrypoints.sandbox.stripe.operations import Call, operation
from entrypoints.sandbox.stripe.store import PLATFORM, World, new_id
from entrypoints.sandbox.stripe.table import Object

LINK_LIFETIME_S = 300
FIRST_REQUIREMENTS = (
    "business_type",
    "external_account",
    "individual.dob.day",
    "individual.first_name",
    "individual.last_name",
    "tos_acceptance.date",
)
_CONTROLLER = {
    "fees": {"payer": "account"},
    "losses": {"payments": "stripe"},
    "requirement_collection": "stripe",
    "stripe_dashboard": {"type": "full"},
}


@operation("POST", "/v1/accounts", "AccountCreateParams")
def create_account(world: World, call: Call) -> Object:
    params = call.params
    identifier = new_id("acct")
    country = params.get("country", "US")
    account: Object = {
        "id": identifier,
        "object": "account",
        "business_profile": params.get("business_profile", {}),
        "business_type": params.get("business_type"),
        "capabilities": {
            name: "inactive"
            for name, asked in params.get("capabilities", {}).items()
            if asked.get("requested")
        },
        "charges_enabled": False,
        "controller": _controller(params),
        "country": country,
        "created": world.now(),
        "default_currency": params.get("default_currency", "usd" if country == "US" else "eur"),
        "details_submitted": False,
        "email": params.get("email"),
        "external_accounts": as_list([], url=f"/v1/accounts/{identifier}/external_accounts"),
        "metadata": initial(params.get("metadata")),
        "payouts_enabled": False,
        "requirements": _requirements(list(FIRST_REQUIREMENTS), "requirements.past_due"),
        "settings": params.get("settings", {}),
        "tos_acceptance": {},
        "type": "none",
    }
    if account["controller"]["stripe_dashboard"]["type"] == "express":
        account["type"] = "express"
    return world.accounts.add(PLATFORM, account)


def _controller(params: dict[str, Any]) -> Object:
    if "type" in params and "controller" in params:
        raise invalid("You may not provide both type and controller.", param="type")
    chosen = deepcopy(_CONTROLLER) | params.get("controller", {})
    if params.get("type") in ("express", "custom"):
        dashboard = "express" if params["type"] == "express" else "none"
        chosen |= {
            "fees": {"payer": "application"},
            "losses": {"payments": "application"},
            "stripe_dashboard": {"type": dashboard},
        }
    losses, fees = chosen["losses"].get("payments"), chosen["fees"].get("payer")
    if losses == "application" and fees != "application":
        raise StripeProblem(
            "When controller[losses][payments]=application, controller[fees][payer] must be "
            "application.",
            param="controller[fees][payer]",
        )
    return {"type": "application", "is_controller": True, **chosen}


def _requirements(due: list[str], disabled_reason: str | None) -> Object:
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": due,
        "disabled_reason": disabled_reason,
        "errors": [],
        "eventually_due": list(due),
        "past_due": list(due),
        "pending_verification": [],
    }


def own_account(world: World, call: Call) -> Object:
    """A connected account by its path, seen from the platform or from itself."""
    identifier = call.ids[0]
    account = world.accounts.find(PLATFORM, identifier)
    if account is None or call.account not in (PLATFORM, identifier):
        raise no_account_access(identifier)
    return account


@operation("GET", "/v1/accounts/{id}", "AccountRetrieveParams")
def retrieve_account(world: World, call: Call) -> Object:
    return own_account(world, call)


@operation("GET", "/v1/account", "AccountRetrieveCurrentParams")
def retrieve_current(world: World, call: Call) -> Object:
    if call.account != PLATFORM:
        return world.accounts.get(PLATFORM, call.account)
    return {"id": PLATFORM, "object": "account", "charges_enabled": True, "payouts_enabled": True}


@operation("GET", "/v1/accounts", "AccountListParams")
def list_accounts(world: World, call: Call) -> Object:
    return page(world.accounts, call, url="/v1/accounts")


@operation("POST", "/v1/accounts/{id}", "AccountUpdateParams")
def update_account(world: World, call: Call) -> Object:
    account = own_account(world, call)
    change = {name: _updated(account, name, asked) for name, asked in call.params.items()}
    previous = {name: account[name] for name, value in change.items() if account[name] != value}
    account |= change
    if previous:
        emit(world, "account.updated", account, account=account["id"], previous=previous)
    return account


def _updated(account: Object, name: str, asked: Any) -> Any:
    match name:
        case "metadata":
            return merged(account["metadata"], asked)
        case "capabilities":
            current = account["capabilities"]
            wanted = [capability for capability, ask in asked.items() if ask.get("requested")]
            return current | {name: current.get(name, "inactive") for name in wanted}
        case "business_profile" | "settings":
            return {**account[name], **asked}
        case "business_type" | "email":
            return asked
        case _:
            raise invalid(f"The sandbox does not update {name}", param=name)


@operation("DELETE", "/v1/accounts/{id}", "AccountDeleteParams")
def delete_account(world: World, call: Call) -> Object:
    account = own_account(world, call)
    if not world.balances.is_empty(account["id"]):
        raise StripeProblem("This account cannot be deleted while its balance is not zero.")
    world.accounts.remove(account["id"])
    return {"id": account["id"], "object": "account", "deleted": True}


@operation("POST", "/v1/account_links", "AccountLinkCreateParams")
def create_account_link(world: World, call: Call) -> Object:
    params = call.params
    for name in ("refresh_url", "return_url"):
        if not params.get(name, "").startswith(("http://", "https://")):
            raise invalid("Not a valid URL", param=name, code="url_invalid")
    account = world.accounts.find(PLATFORM, params["account"])
    if account is None:
        raise no_account_access(params["account"])
    token = secrets.token_urlsafe(18)
    now = world.now()
    world.links[token] = {
        "account": account["id"],
        "expires_at": now + LINK_LIFETIME_S,
        "opened": False,
        "refresh_url": params["refresh_url"],
        "return_url": params["return_url"],
    }
    return {
        "object": "account_link",
        "created": now,
        "expires_at": now + LINK_LIFETIME_S,
        "url": f"{world.config.stripe_url}/onboarding/{token}",
    }


@operation("POST", "/v1/accounts/{id}/login_links", "AccountLoginLinkCreateParams")
def create_login_link(world: World, call: Call) -> Object:
    account = own_account(world, call)
    if account["controller"]["stripe_dashboard"]["type"] != "express":
        raise StripeProblem(
            "Cannot create a login link for an account that does not have access to the Express "
            "Dashboard.",
        )
    if not account["details_submitted"]:
        raise StripeProblem("Cannot create a login link for an account before its onboarding.")
    return {
        "object": "login_link",
        "created": world.now(),
        "url": f"{world.config.stripe_url}/express/{account['id']}",
    }


def complete_onboarding(world: World, account: Object) -> None:
    """Everything due has been answered: the requested capabilities become active."""
    _change(
        world,
        account,
        {
            "business_type": account["business_type"] or "individual",
            "capabilities": dict.fromkeys(account["capabilities"], "active"),
            "details_submitted": True,
            "payouts_enabled": True,
            "requirements": _requirements([], None),
            "tos_acceptance": {"date": world.now()},
        },
    )


def set_transfers(
    world: World, account: Object, *, status: str, disabled_reason: str | None, due: list[str]
) -> None:
    """What a review at Stripe can do at any time: give or take the transfers capability."""
    _change(
        world,
        account,
        {
            "capabilities": account["capabilities"] | {"transfers": status},
            "payouts_enabled": status == "active",
            "requirements": _requirements(due, disabled_reason),
        },
    )


def _change(world: World, account: Object, change: Object) -> None:
    previous = {name: account[name] for name, value in change.items() if account[name] != value}
    before = account["capabilities"]
    account |= change
    for name, status in account["capabilities"].items():
        if before.get(name) != status:
            _capability_updated(world, account, name, previous_status=before.get(name))
    if previous:
        emit(world, "account.updated", account, account=account["id"], previous=previous)


def _capability_updated(
    world: World, account: Object, name: str, *, previous_status: str | None
) -> None:
    capability = {
        "id": name,
        "object": "capability",
        "account": account["id"],
        "requested": True,
        "requested_at": account["created"],
        "requirements": account["requirements"],
        "status": account["capabilities"][name],
    }
    emit(
        world,
        "capability.updated",
        capability,
        account=account["id"],
        previous={"status": previous_status},
    )
