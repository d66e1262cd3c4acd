"""Who may do what: one line for every route, and no route without a line.

A stranger gets a 401 wherever somebody has to be signed in. What a caller may not know of is a
404; what they know of and may not do is a 403. Bodies are right, so that nothing but the caller
decides; `rule` marks answers of the business to somebody who was let in.
"""

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

import httpx
import pytest
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from adapters.memory.images import blank_png
from domain.identity.actor import Actor
from tests.http import estate
from tests.http.shop import BASE, Shop, described

PEOPLE = ("nobody", "fan", "other_creator", "other_store_owner", "owner", "admin")
STRANGERS = ("nobody", "fan", "staff_elsewhere", "team_viewer", "other_creator")
"""Asked before the others, who may change what is there."""


class Row(NamedTuple):
    """Answers by caller, in the order of PEOPLE, to a request with `body`.

    Staff of another store is answered as a fan is; so is a viewer of the team that has the store,
    unless `viewer` says otherwise.
    """

    answers: tuple[int, int, int, int, int, int]
    body: object = None
    viewer: int | None = None

    def expected(self) -> dict[str, int]:
        told = dict(zip(PEOPLE, self.answers, strict=True))
        viewer = told["fan"] if self.viewer is None else self.viewer
        return told | {"staff_elsewhere": told["fan"], "team_viewer": viewer}


def public(status: int, body: object = None) -> Row:
    return Row((status,) * 6, body)


def signed_in(status: int, body: object = None) -> Row:
    """For everybody who has an account."""
    return Row((401, *(status,) * 5), body)


def owners(status: int, body: object = None, *, viewer: int | None = None) -> Row:
    """For who owns it, and for administrators; nobody else knows that it is there.

    `viewer` is what a viewer of the store's team is answered: 403 for what viewers may not do,
    the status itself for what they may.
    """
    return Row((401, 404, 404, 404, status, status), body, viewer)


def admins(status: int, body: object = None) -> Row:
    """For administrators alone; that there is such a thing is no secret."""
    return Row((401, 403, 403, 403, 403, status), body)


def own(status: int, body: object = None) -> Row:
    """For who owns it and nobody else: what people make of themselves is not the platform's."""
    return Row((401, 404, 404, 404, status, 404), body)


def members(status: int, body: object = None, *, viewer: int = 403) -> Row:
    """For the owner of the team; administrators of the platform are no members of it."""
    return Row((401, 404, 404, 404, status, 404), body, viewer)


BY_BANK = {"method": "bank", "schedule": "manual"}
BANK_TOKEN = {"token": "btok_unknown"}
PICKED = {"public_token": "public-unknown", "account_id": "unknown"}
DEPOSITS = {"amounts_cents": [32, 45]}
URLS = {"refresh_url": "https://shop.example/a", "return_url": "https://shop.example/b"}
PAGES = {"success_url": "https://shop.example/a", "cancel_url": "https://shop.example/b"}
WISH = {"creator_id": str(estate.CREATOR), "prompt": "at a harbour"}
CONSENT = {"text_version": "2026-11", "uses": ["image"], "signer_name": "A", "adult": True}
PRODUCT = {
    "generation_id": str(estate.GENERATION),
    "product_type": "shirt",
    "title": "A shirt",
    "price_cents": 2500,
    "currency": "usd",
}
DISCOUNT = {"store_id": str(estate.STORE), "title": "Ten", "kind": "percent", "value": 1000}
ACCOUNT = {"email": "new@example.com", "password": "a phrase long enough", "display_name": "New"}
TRAINING = {"trigger_word": "adl4ce", "asset_ids": [str(estate.TRAINING_IMAGE)]}
CHARACTER = {"name": "New", "age": 30, "creator_id": str(estate.CREATOR)}
TAX_PROFILE = {
    "legal_name": "Ada Lovelace",
    "entity_type": "individual",
    "address": "1 Known Street",
    "country": "US",
    "state": "VT",
    "tin_reference": "tok_known",
}
FILE = {
    "filename": "presets.zip",
    "size_bytes": 1000,
    "content_type": "application/zip",
    "sha256": "0" * 64,
    "purpose": "product_file",
}
IMAGE = {"file": ("a.png", blank_png(4, 4), "image/png")}

REPORT = {"subject_kind": "product", "subject_id": str(estate.PRODUCT), "reason": "other"}

TABLE: dict[str, Row] = {
    "POST /api/v1/auth/register": public(201, ACCOUNT),
    "POST /api/v1/auth/login": public(401, {"email": "x@example.com", "password": "x" * 12}),
    "POST /api/v1/auth/refresh": public(401, {"refresh_token": "x" * 43}),
    "POST /api/v1/auth/logout": signed_in(204),
    "GET /api/v1/auth/me": signed_in(200),
    "GET /api/v1/auth/sessions": signed_in(200),
    "DELETE /api/v1/auth/sessions/{session_id}": own(204),
    # The owner and the other creator are creators already; an administrator has every role.
    "POST /api/v1/creators": Row(
        (401, 403, 409, 403, 409, 201), {"slug": "new-slug", "display_name": "New"}
    ),
    "GET /api/v1/creators/profile": Row((401, 404, 200, 404, 200, 404)),
    "PUT /api/v1/creators/profile": Row((401, 404, 200, 404, 200, 404), {"bio": "New."}),
    "GET /api/v1/creators/balance": Row((401, 404, 200, 404, 200, 404)),
    "GET /api/v1/creators/statements": Row((401, 404, 200, 404, 200, 404)),
    "GET /api/v1/creators/analytics": Row((401, 404, 200, 404, 200, 404)),
    "GET /api/v1/creators/{creator_id}/consents": owners(200),
    "POST /api/v1/creators/{creator_id}/consents": owners(201, CONSENT),
    "DELETE /api/v1/creators/{creator_id}/consents/{consent_id}": owners(200),
    "GET /api/v1/creators/{creator_id}/licence-terms": public(200),
    "POST /api/v1/creators/{creator_id}/licence-terms": owners(201, {"royalty_bps": 500}),
    "GET /api/v1/creators/{creator_id}/licence-terms/{version}": public(200),
    "GET /api/v1/creators/{creator_id}/decisions": owners(200),
    "GET /api/v1/creators/{creator_id}/licence-terms/{version}/odrl": public(200),
    "GET /api/v1/creators/{creator_id}/grants": owners(200),
    "POST /api/v1/creators/{creator_id}/grants": owners(201, {"store_id": str(estate.OTHER_STORE)}),
    "GET /api/v1/stores/{store_id}/grants": owners(200, viewer=200),
    "GET /api/v1/grants/{grant_id}": owners(200, viewer=200),
    # What has been ended, answered or revoked by its owner cannot be again.
    "POST /api/v1/grants/{grant_id}/end": Row((401, 404, 404, 404, 200, 409)),
    "POST /api/v1/grants/{grant_id}/guarantee": owners(422, viewer=403),
    # The terms of the estate allow no sublicence.
    "POST /api/v1/grants/{grant_id}/sublicences": owners(
        422, {"store_id": str(estate.OTHER_STORE)}, viewer=403
    ),
    "GET /api/v1/creators/{creator_id}/approvals": owners(200),
    "GET /api/v1/approvals": signed_in(200),
    "POST /api/v1/approvals/{approval_id}/approve": Row((401, 404, 404, 404, 200, 409), {}),
    "POST /api/v1/approvals/{approval_id}/reject": Row(
        (401, 404, 404, 404, 200, 409), {"reason": "No."}
    ),
    "GET /api/v1/creators/{creator_id}/revocations": owners(200),
    "POST /api/v1/creators/{creator_id}/revocations": Row(
        (401, 404, 404, 404, 201, 409), {"cause": "law"}
    ),
    "POST /api/v1/licence-terms/{terms_id}/evaluate": signed_in(200, {"action": "list"}),
    "POST /api/v1/creators/{payee_id}/payee/onboarding": owners(201, URLS),
    "GET /api/v1/creators/{payee_id}/payee": owners(200),
    "POST /api/v1/stores/{payee_id}/payee/onboarding": owners(201, URLS, viewer=403),
    "GET /api/v1/stores/{payee_id}/payee": owners(200, viewer=403),
    "GET /api/v1/creators/{creator_id}/models": owners(200),
    "POST /api/v1/creators/{creator_id}/models": owners(202, TRAINING),
    "GET /api/v1/creators/{creator_id}/models/{model_id}": owners(200),
    "POST /api/v1/creators/{creator_id}/models/check": owners(
        200, {"asset_ids": [str(estate.TRAINING_IMAGE)]}
    ),
    "POST /api/v1/creators/{creator_id}/models/{model_id}/promote": owners(200),
    "POST /api/v1/creators/{creator_id}/models/{model_id}/retire": owners(200),
    "DELETE /api/v1/creators/{creator_id}/models/{model_id}": owners(204),
    "DELETE /api/v1/creators/{creator_id}/models": owners(204),
    "GET /api/v1/generations": signed_in(200),
    "POST /api/v1/generations": signed_in(202, WISH),
    "GET /api/v1/generations/{generation_id}": own(200),
    "DELETE /api/v1/generations/{generation_id}": own(409),
    "POST /api/v1/generations/{generation_id}/cancel": own(409),
    "POST /api/v1/generations/{generation_id}/retry": own(409),
    "GET /api/v1/live/events": owners(200),
    "POST /api/v1/prompts/enhance": signed_in(200, WISH),
    "GET /api/v1/projects": signed_in(200),
    "POST /api/v1/projects": signed_in(201, {"name": "New"}),
    # The project is the team's; viewers see it, and administrators of the platform do not.
    "GET /api/v1/projects/{project_id}": members(200, viewer=200),
    "PATCH /api/v1/projects/{project_id}": members(200, {"name": "New"}),
    "DELETE /api/v1/projects/{project_id}": members(204),
    "GET /api/v1/characters": signed_in(200),
    "POST /api/v1/characters": signed_in(201, CHARACTER),
    "GET /api/v1/characters/{character_id}": own(200),
    "PATCH /api/v1/characters/{character_id}": own(200, {"name": "New"}),
    "POST /api/v1/characters/{character_id}/publish": own(200),
    "POST /api/v1/characters/{character_id}/unpublish": own(200),
    "DELETE /api/v1/characters/{character_id}": own(204),
    "GET /api/v1/templates": signed_in(200),
    "POST /api/v1/templates": signed_in(201, {"name": "New", "prompt": "at a harbour"}),
    "GET /api/v1/templates/{template_id}": own(200),
    "PATCH /api/v1/templates/{template_id}": own(200, {"name": "New"}),
    "POST /api/v1/templates/{template_id}/use": own(200, {"values": {"place": "a pier"}}),
    "POST /api/v1/templates/{template_id}/unpublish": own(200),
    "POST /api/v1/templates/{template_id}/publish": own(200),
    "DELETE /api/v1/templates/{template_id}": own(204),
    "GET /api/v1/presets": signed_in(200),
    "POST /api/v1/presets": signed_in(201, {"name": "New"}),
    "GET /api/v1/presets/{preset_id}": own(200),
    "PATCH /api/v1/presets/{preset_id}": own(200, {"name": "New"}),
    "POST /api/v1/presets/{preset_id}/publish": own(200),
    "POST /api/v1/presets/{preset_id}/unpublish": own(200),
    "DELETE /api/v1/presets/{preset_id}": own(204),
    "GET /api/v1/community": public(200),
    "GET /api/v1/community/favourites": signed_in(200),
    "PUT /api/v1/community/{work_id}/favourite": signed_in(200),
    "DELETE /api/v1/community/{work_id}/favourite": signed_in(200),
    "GET /api/v1/admin/publications": admins(200),
    "POST /api/v1/admin/publications/{work_id}/decide": admins(
        204, {"approved": False, "reason": "No."}
    ),
    "GET /api/v1/credits": signed_in(200),
    "GET /api/v1/credits/transactions": signed_in(200),
    "GET /api/v1/credits/prices": public(200),
    "POST /api/v1/credits/purchases": signed_in(201, {"pack": "small", **PAGES}),
    "POST /api/v1/admin/users/{user_id}/credits": admins(200, {"credits": 5, "reason": "thanks"}),
    "POST /api/v1/admin/credit-purchases/{purchase_id}/refund": admins(404, {"reason": "asked"}),
    "GET /api/v1/billing/subscription": signed_in(200),
    "POST /api/v1/billing/checkout": signed_in(201, {"plan": "pro", **PAGES}),
    "POST /api/v1/billing/portal": signed_in(201, {"return_url": "https://shop.example/a"}),
    "GET /api/v1/billing/usage": signed_in(200),
    "GET /api/v1/billing/payments": signed_in(200),
    # Nobody of these has paid it, and nobody has made such a payment.
    "GET /api/v1/billing/payments/{charge_id}/document": signed_in(404),
    "GET /api/v1/assets": signed_in(200),
    "POST /api/v1/assets": signed_in(201, IMAGE),
    "GET /api/v1/assets/{asset_id}": own(200),
    "DELETE /api/v1/assets/{asset_id}": own(409),
    "GET /api/v1/assets/{asset_id}/provenance": own(200),
    "POST /api/v1/provenance/verify": public(200, IMAGE),
    "GET /api/v1/assets/{asset_id}/content": own(302),
    "GET /api/v1/files/{key}": public(403),
    "HEAD /api/v1/files/{key}": public(403),
    "PUT /api/v1/files/{key}": public(403),
    "GET /api/v1/uploads": signed_in(200),
    "POST /api/v1/uploads": signed_in(201, FILE),
    "GET /api/v1/uploads/{upload_id}": own(200),
    "POST /api/v1/uploads/{upload_id}/parts": own(200, {"numbers": [1]}),
    "POST /api/v1/uploads/{upload_id}/complete": own(202),
    "DELETE /api/v1/uploads/{upload_id}": own(204),
    "POST /api/v1/reports": public(201, REPORT),
    "GET /api/v1/moderation/cases": signed_in(200),
    "POST /api/v1/moderation/cases/{case_id}/appeal": Row(
        (401, 404, 404, 404, 200, 404), {"text": "It is the name of a town."}
    ),
    "GET /api/v1/admin/moderation": admins(200),
    "GET /api/v1/admin/moderation/{case_id}": admins(200),
    # Nothing waits: the owner has not appealed.
    "POST /api/v1/admin/moderation/{case_id}/decide": admins(409, {"decision": "approve"}),
    "GET /api/v1/teams": signed_in(200),
    "POST /api/v1/teams": signed_in(201, {"name": "New"}),
    "GET /api/v1/teams/{team_id}": members(200, viewer=200),
    "PATCH /api/v1/teams/{team_id}": members(200, {"name": "New"}),
    "GET /api/v1/teams/{team_id}/members": members(200, viewer=200),
    "POST /api/v1/teams/{team_id}/members/invite": members(201, {"email": "ada@example.com"}),
    "PATCH /api/v1/teams/{team_id}/members/{membership_id}": members(200, {"role": "viewer"}),
    # Members may leave: the viewer does, and nobody can make it leave after that.
    "DELETE /api/v1/teams/{team_id}/members/{membership_id}": Row(
        (401, 404, 404, 404, 404, 404), viewer=204
    ),
    "DELETE /api/v1/teams/{team_id}": members(204),
    "POST /api/v1/invitations/{token}/accept": signed_in(404),
    "GET /api/v1/stores/{store_id}/staff": owners(200, viewer=200),
    "POST /api/v1/stores/{store_id}/staff": Row(
        (401, 404, 404, 404, 201, 409), {"email": estate.KNOWN_EMAIL, "role": "viewer"}, viewer=403
    ),
    "PATCH /api/v1/stores/{store_id}/staff/{member_id}": owners(
        200, {"role": "viewer"}, viewer=403
    ),
    "DELETE /api/v1/stores/{store_id}/staff/{member_id}": Row(
        (401, 404, 404, 404, 204, 404), viewer=403
    ),
    "GET /api/v1/stores": signed_in(200),
    "POST /api/v1/stores": Row((401, 403, 403, 201, 201, 201), {"name": "New", "slug": "new-slug"}),
    "GET /api/v1/stores/{store_id}": owners(200, viewer=200),
    "PATCH /api/v1/stores/{store_id}": owners(200, {"name": "New"}, viewer=403),
    "GET /api/v1/stores/{store_id}/balance": owners(200, viewer=403),
    "GET /api/v1/stores/{store_id}/statements": owners(200, viewer=403),
    "GET /api/v1/stores/{store_id}/dashboard": owners(200, viewer=200),
    "GET /api/v1/stores/{store_id}/orders": owners(200, viewer=200),
    "GET /api/v1/stores/{store_id}/products": owners(200, viewer=200),
    "POST /api/v1/stores/{store_id}/products": owners(201, PRODUCT, viewer=403),
    "GET /api/v1/products/{product_id}": owners(200, viewer=200),
    "PATCH /api/v1/products/{product_id}": owners(200, {"title": "New"}, viewer=403),
    "POST /api/v1/products/{product_id}/publish": owners(200, viewer=403),
    "POST /api/v1/products/{product_id}/unpublish": owners(200, viewer=403),
    "GET /api/v1/catalogue/products": public(200),
    "GET /api/v1/catalogue/products/{product_id}": public(200),
    "GET /api/v1/product-templates": public(200),
    "GET /api/v1/creators/{slug}": public(200),
    "POST /api/v1/creators/slug/validate": public(200, {"slug": "new-slug"}),
    "GET /api/v1/public/creators": public(200),
    "GET /api/v1/public/stores/{slug}": public(200),
    # Without a store it is the platform's own.
    "GET /api/v1/discounts": Row((401, 403, 403, 403, 403, 200)),
    "POST /api/v1/discounts": owners(201, DISCOUNT, viewer=403),
    "PATCH /api/v1/discounts/{discount_id}": owners(200, {"title": "New"}, viewer=403),
    # The owner, asked first, ends it.
    "DELETE /api/v1/discounts/{discount_id}": Row((401, 404, 404, 404, 204, 404), viewer=403),
    "GET /api/v1/cart": public(200),
    "POST /api/v1/cart/items": public(200, {"product_id": str(estate.PRODUCT)}),
    # Everybody has a cart of their own: these are empty.
    "PATCH /api/v1/cart/items/{item_id}": public(404, {"quantity": 1}),
    "DELETE /api/v1/cart/items/{item_id}": public(404),
    "POST /api/v1/cart/discount-codes": public(422, {"code": "KNOWN"}),
    "DELETE /api/v1/cart/discount-codes/{code}": public(404),
    "PUT /api/v1/cart/shipping-address": public(200, {"address": {"country": "DE"}}),
    "POST /api/v1/quotes": public(200, {"items": [{"product_id": str(estate.PRODUCT)}]}),
    # Guests name an email address, which is not in this body.
    "POST /api/v1/checkout": Row(
        (400, *(201,) * 5), {"items": [{"product_id": str(estate.PRODUCT)}], **PAGES}
    ),
    "GET /api/v1/orders": signed_in(200),
    "GET /api/v1/orders/{order_id}": owners(200, viewer=200),
    # Somebody who may, asked first, has cancelled it: again is the same.
    "POST /api/v1/orders/{order_id}/cancel": Row((401, 404, 404, 404, 200, 200)),
    "GET /api/v1/orders/{order_id}/statement": owners(200, viewer=200),
    "GET /api/v1/orders/{order_id}/transfers": owners(200, viewer=200),
    "GET /api/v1/orders/{order_id}/refunds": owners(200, viewer=200),
    "POST /api/v1/orders/{order_id}/refunds": owners(201, {"amount_cents": 100}, viewer=403),
    # The copies are the buyer's: neither those who sold them nor administrators have them.
    "GET /api/v1/orders/{order_id}/files": own(200),
    "GET /api/v1/orders/{order_id}/invoice": owners(200, viewer=200),
    "GET /api/v1/orders/{order_id}/receipt": owners(200, viewer=200),
    "GET /api/v1/orders/{order_id}/credit-notes": owners(200, viewer=200),
    "GET /api/v1/orders/{order_id}/credit-notes/{credit_note_id}": owners(200, viewer=200),
    "GET /api/v1/orders/{order_id}/disputes": owners(200, viewer=200),
    "GET /api/v1/disputes": signed_in(200),
    "GET /api/v1/disputes/{dispute_id}": owners(200, viewer=200),
    "GET /api/v1/disputes/{dispute_id}/evidence-pack": owners(200),
    # The bank reads one answer, and the owner's came first.
    "POST /api/v1/disputes/{dispute_id}/evidence": Row(
        (401, 404, 404, 404, 201, 409), {"uncategorized_text": "It was delivered."}
    ),
    "POST /api/v1/admin/refunds/{refund_id}/settle": admins(404, {"reference": "wire 1"}),
    "POST /api/v1/admin/exports": admins(202, {"kind": "entries"}),
    "GET /api/v1/admin/exports": admins(200),
    "GET /api/v1/admin/exports/{export_id}": admins(200),
    "POST /api/v1/admin/exports/{export_id}/retry": admins(202),
    "DELETE /api/v1/admin/exports/{export_id}": admins(204),
    "GET /api/v1/admin/reports/revenue": admins(200),
    "GET /api/v1/admin/ledger/accounts": admins(200),
    "GET /api/v1/admin/ledger/entries": admins(200),
    "GET /api/v1/admin/ledger/accounts/{account}/entries": admins(200),
    "GET /api/v1/admin/ledger/transactions/{effect_key}": admins(404),
    "GET /api/v1/admin/ledger/seals": admins(200),
    "POST /api/v1/admin/ledger/verify": admins(202),
    "GET /api/v1/admin/ledger/verify/{proof_id}": admins(404),
    "GET /api/v1/admin/payees/negative": admins(200),
    # It owes nothing: who is let in hears of the rule.
    "POST /api/v1/admin/payees/{payee_id}/write-offs": admins(
        422, {"amount_cents": 5, "currency": "usd", "reason": "lost"}
    ),
    "POST /api/v1/creators/balance/withdraw": Row((401, 404, 422, 404, 422, 404), {}),
    "POST /api/v1/stores/{store_id}/balance/withdraw": owners(422, {}, viewer=403),
    "GET /api/v1/creators/payouts": Row((401, 404, 200, 404, 200, 404)),
    "GET /api/v1/stores/{store_id}/payouts": owners(200, viewer=403),
    "POST /api/v1/creators/payouts": Row((401, 404, 422, 404, 422, 404), {}),
    "POST /api/v1/stores/{store_id}/payouts": owners(422, {}, viewer=403),
    "GET /api/v1/creators/payouts/eligibility": Row((401, 404, 200, 404, 200, 404)),
    "GET /api/v1/stores/{store_id}/payouts/eligibility": owners(200, viewer=403),
    "GET /api/v1/creators/payouts/settings": Row((401, 404, 200, 404, 200, 404)),
    "GET /api/v1/stores/{store_id}/payouts/settings": owners(200, viewer=403),
    "PUT /api/v1/creators/payouts/settings": Row((401, 404, 200, 404, 200, 404), BY_BANK),
    "PUT /api/v1/stores/{store_id}/payouts/settings": owners(200, BY_BANK, viewer=403),
    "GET /api/v1/creators/payouts/{payout_id}": Row((401, 404, 404, 404, 200, 404)),
    "GET /api/v1/stores/{store_id}/payouts/{payout_id}": owners(200, viewer=403),
    "GET /api/v1/creators/bank-accounts": Row((401, 404, 200, 404, 200, 404)),
    "GET /api/v1/stores/{store_id}/bank-accounts": owners(200, viewer=403),
    "POST /api/v1/creators/bank-accounts": Row((401, 404, 422, 404, 422, 404), BANK_TOKEN),
    "POST /api/v1/stores/{store_id}/bank-accounts": owners(422, BANK_TOKEN, viewer=403),
    "POST /api/v1/creators/bank-accounts/plaid/link": Row((401, 404, 201, 404, 201, 404)),
    "POST /api/v1/stores/{store_id}/bank-accounts/plaid/link": owners(201, viewer=403),
    "POST /api/v1/creators/bank-accounts/plaid/exchange": Row(
        (401, 404, 422, 404, 422, 404), PICKED
    ),
    "POST /api/v1/stores/{store_id}/bank-accounts/plaid/exchange": owners(422, PICKED, viewer=403),
    "POST /api/v1/creators/bank-accounts/{account_id}/verify": Row(
        (401, 404, 404, 404, 409, 404), DEPOSITS
    ),
    "POST /api/v1/stores/{store_id}/bank-accounts/{account_id}/verify": owners(
        409, DEPOSITS, viewer=403
    ),
    "PUT /api/v1/creators/bank-accounts/{account_id}/default": Row((401, 404, 404, 404, 200, 404)),
    "PUT /api/v1/stores/{store_id}/bank-accounts/{account_id}/default": owners(200, viewer=403),
    "DELETE /api/v1/creators/bank-accounts/{account_id}": Row((401, 404, 404, 404, 200, 404)),
    # What the owner has removed is gone when the administrator asks.
    "DELETE /api/v1/stores/{store_id}/bank-accounts/{account_id}": Row(
        (401, 404, 404, 404, 200, 404), viewer=403
    ),
    "POST /api/v1/admin/bank-accounts/{account_id}/review": Row(
        (401, 403, 403, 403, 403, 200), {"approved": True}
    ),
    "POST /api/v1/admin/tax-forms/filings": admins(201, {"form": "1099-k", "year": 2026}),
    "PUT /api/v1/admin/tax-profiles/{payee_id}": admins(
        200, {"tin_match": "matched", "backup_withholding": False}
    ),
    "GET /api/v1/creators/tax-profile": Row((401, 404, 404, 404, 200, 404)),
    "PUT /api/v1/creators/tax-profile": Row((401, 404, 200, 404, 200, 404), TAX_PROFILE),
    "GET /api/v1/stores/{store_id}/tax-profile": owners(200, viewer=403),
    "PUT /api/v1/stores/{store_id}/tax-profile": owners(200, TAX_PROFILE, viewer=403),
    # The signature says who calls: there is none here.
    "POST /api/v1/webhooks/payout": public(400),
    "POST /api/v1/webhooks/stripe": public(400),
    "POST /api/v1/webhooks/stripe-connect": public(400),
    "POST /api/v1/webhooks/fal": public(400),
    "POST /api/v1/webhooks/replicate": public(400),
    "GET /api/v1/admin/webhooks": admins(200),
    "POST /api/v1/admin/webhooks/redrive": admins(200, {"topic": "stripe"}),
    "GET /api/v1/admin/webhooks/{message_id}": admins(404),
    "POST /api/v1/admin/webhooks/{message_id}/redrive": admins(404),
    "GET /api/v1/admin/outbox": admins(200),
    "POST /api/v1/admin/outbox/redrive": admins(200, {}),
    "GET /api/v1/admin/outbox/{message_id}": admins(200),
    "POST /api/v1/admin/outbox/{message_id}/redrive": admins(200),
    "GET /api/v1/admin/audit": admins(200),
    "GET /api/v1/admin/invariants": admins(200),
    "POST /api/v1/admin/ledger/reconcile": admins(202, {}),
    "GET /api/v1/admin/ledger/reconciliations": admins(200),
    "GET /api/v1/admin/ledger/reconciliations/{run_id}/differences": admins(200),
    "POST /api/v1/admin/ledger/differences/{difference_id}/explain": admins(
        204, {"explanation": "Moved to our bank."}
    ),
    "GET /health/live": public(200),
    "GET /health/ready": public(200),
    "GET /metrics": public(200),
    "GET /api/v1/openapi.json": public(200),
    "GET /api/v1/docs": public(200),
    "GET /api/v1/docs/openapi.json": public(200),
    "GET /api/v1/docs/{path}": public(404),
    "GET /api/v1/docs/assets/{name}": public(200),
}
IN_PATH = {
    "creator_id": estate.CREATOR,
    "store_id": estate.STORE,
    "product_id": estate.PRODUCT,
    "order_id": estate.ORDER,
    "dispute_id": estate.DISPUTE,
    "credit_note_id": estate.CREDIT_NOTE,
    "refund_id": estate.DISPUTE,
    "generation_id": estate.GENERATION,
    "user_id": estate.OWNER,
    "purchase_id": estate.DISPUTE,
    "asset_id": estate.PICTURE,
    "upload_id": estate.UPLOAD,
    "model_id": estate.MODEL,
    "consent_id": estate.CONSENT,
    "terms_id": estate.TERMS,
    "session_id": estate.SESSION,
    "team_id": estate.TEAM,
    "membership_id": estate.VIEWERS_MEMBERSHIP,
    "member_id": estate.STAFF,
    "token": "none",
    "discount_id": estate.DISCOUNT,
    "grant_id": estate.GRANT,
    "approval_id": estate.APPROVAL,
    "case_id": estate.CASE,
    "message_id": estate.PARKED,
    "run_id": estate.RECONCILIATION,
    "difference_id": estate.DIFFERENCE,
    "export_id": estate.EXPORT,
    "account": "platform_revenue",
    "charge_id": "ch_none",
    "effect_key": "sale:none",
    "proof_id": estate.known(0xF0),
    "item_id": estate.PRODUCT,
    "project_id": estate.TEAMS_PROJECT,
    "character_id": estate.CHARACTER,
    "template_id": estate.TEMPLATE,
    "preset_id": estate.PRESET,
    "work_id": estate.SHOWN,
    "code": "KNOWN",
    "slug": estate.SLUG,
    "version": 1,
    "name": "page.js",
    "path": "elsewhere",
    "key": estate.FILE + "?expires=1&signature=none&multipart=m&part=1&size=1",
}

QUERIES = {"GET /api/v1/live/events": f"?channel=job:{estate.RUNNING}"}


def routes() -> Iterator[str]:
    for route in described().routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in route.route_handler_map.items():
                assert isinstance(handler, HTTPRouteHandler)
                if method != "OPTIONS":
                    yield f"{method} {route.path_format or '/'}"


def test_every_route_has_a_line_and_every_line_a_route() -> None:
    assert set(routes()) == set(TABLE)


@pytest.mark.parametrize("route", TABLE)
async def test_each_caller_is_answered_by_the_table(shop: Shop, route: str) -> None:
    row = TABLE[route]

    in_turn = dict.fromkeys((*STRANGERS, *PEOPLE))
    answers = {name: await ask(shop, route, row.body, name) for name in in_turn}

    assert {name: answer.status_code for name, answer in answers.items()} == row.expected(), {
        name: answer.text[:300]
        for name, answer in answers.items()
        if answer.status_code != row.expected()[name]
    }
    for answer in answers.values():
        if answer.status_code >= 400 and not route.startswith(("GET /api/v1/docs", "HEAD")):
            assert set(answer.json()) == {"error"}


async def ask(shop: Shop, route: str, body: object, name: str) -> httpx.Response:
    method, template = route.split()
    path = template.format(**IN_PATH, **payees_things(template)) + QUERIES.get(route, "")
    actor: Actor | None = None if name == "nobody" else getattr(shop, name)
    headers = shop.as_(actor) if actor else {}
    headers["Idempotency-Key"] = name
    if body is IMAGE:
        return await shop.http.request(
            method, BASE + path, headers=headers, files=IMAGE, data={"purpose": "avatar"}
        )
    content = {} if body is None else {"json": individual(body, name)}
    return await shop.http.request(method, BASE + path, headers=headers, **content)  # type: ignore[arg-type]


def payees_things(template: str) -> dict[str, UUID]:
    """The creator and the store have their own of these."""
    if template.startswith("/api/v1/stores"):
        own = (estate.STORE, estate.STORES_ACCOUNT, estate.STORES_PAYOUT)
    else:
        own = (estate.CREATOR, estate.CREATORS_ACCOUNT, estate.CREATORS_PAYOUT)
    return dict(zip(("payee_id", "account_id", "payout_id"), own, strict=True))


def individual(body: object, name: str) -> object:
    """The same wish, with what must be unique made so."""
    if not isinstance(body, dict):
        return body
    own = {}
    if "email" in body and body["email"] != estate.KNOWN_EMAIL:
        own["email"] = f"{name}-{body['email']}"
    if "slug" in body:
        own["slug"] = f"{name.replace('_', '-')}-{body['slug']}"
    return body | own
