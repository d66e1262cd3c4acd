"""Makes the data that tests start from; every argument has a default that is right."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from application.ports.unit_of_work import UnitOfWork
from application.studio.credits import open_wallet
from domain.catalogue.product import Product, ProductStatus
from domain.catalogue.store import Store
from domain.catalogue.template import TEMPLATES
from domain.creators.creator import Creator
from domain.creators.likeness_model import LikenessModel, ModelStatus
from domain.creators.training_set import manifest_hash
from domain.identity.actor import Actor, Role
from domain.identity.user import User
from domain.ledger.bank_account import BankAccount, BankAccountState, HolderName
from domain.ledger.payee import Payee, PayeeKind
from domain.ledger.payout import Payout, PayoutSpeed
from domain.ledger.payout_settings import PayoutMethod
from domain.licensing.approval import ApprovalRequest
from domain.licensing.conditions import Exclusivity
from domain.licensing.consent import Consent, ConsentUse
from domain.licensing.decision import Decision, Outcome
from domain.licensing.grant import LicenceGrant
from domain.licensing.royalty import Royalty
from domain.licensing.terms import LicenceTerms, ProductType, Purpose
from domain.licensing.use import Action, Use
from domain.licensing.version import TermsVersion
from domain.media.asset import Asset, AssetPurpose
from domain.media.provenance import MediaCopy, SignedCopy, SourceType
from domain.media.upload import UPLOAD_LIFE, Upload
from domain.moderation.case import CaseState, ModerationCase, Origin, SubjectKind
from domain.moderation.judgement import Category
from domain.ordering.discount import Discount, DiscountKind, DiscountScope
from domain.ordering.fees import FeeRate, FeeSchedule, SaleKind, fee_schedule, sale_kind_of
from domain.ordering.order import Order, OrderLine
from domain.ordering.split import Line, split
from domain.reporting.export import Export, ExportFormat, ExportKind
from domain.reporting.tax_profile import Certificate, EntityType, TaxProfile
from domain.shared.money import Currency
from domain.studio.character import Character, Gender
from domain.studio.generation import Generation, Mode
from domain.studio.job import Job, JobStatus
from domain.studio.pipelines import JobKind
from domain.studio.preset import Camera, Preset
from domain.studio.project import Project
from domain.studio.template import Template, Variable

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
USD = Currency("usd")
FEES = fee_schedule({kind: FeeRate(1000) for kind in SaleKind})

_number = count(1)


def actor(*roles: Role, user_id: UUID | None = None) -> Actor:
    return Actor(user_id or uuid4(), frozenset(roles or Role))


def user(**changes: object) -> User:
    values = {
        "id": uuid4(),
        "email": f"user{next(_number)}@example.com",
        "display_name": "Somebody",
        "password_hash": "$argon2id$none",
        "roles": frozenset({Role.FAN, Role.CREATOR, Role.STORE_OWNER}),
        "created_at": NOON,
    }
    return User(**{**values, **changes})  # type: ignore[arg-type]


def terms(**changes: object) -> LicenceTerms:
    values = {"valid_from": NOON - timedelta(days=1)}
    return LicenceTerms(**{**values, **changes})  # type: ignore[arg-type]


def tax_profile_of(payee_id: UUID, **changes: object) -> TaxProfile:
    values = {
        "id": payee_id,
        "legal_name": "Ada Lovelace",
        "entity_type": EntityType.INDIVIDUAL,
        "tin_reference": "tok_1",
        "address": "1 Known Street",
        "state": "VT",
        "country": "US",
        "certificate": Certificate.W9,
        "certified_on": NOON.date(),
        "updated_at": NOON,
    }
    return TaxProfile(**{**values, **changes})  # type: ignore[arg-type]


def case_of(owner_id: UUID, **changes: object) -> ModerationCase:
    """A refused text, unless it says otherwise."""
    values = {
        "id": uuid4(),
        "subject_kind": SubjectKind.TEXT,
        "subject_id": uuid4(),
        "owner_id": owner_id,
        "origin": Origin.JUDGEMENT,
        "category": Category.SEXUAL,
        "refused_sha256": "0" * 64,
        "state": CaseState.BLOCKED,
        "opened_at": NOON,
    }
    if changes.get("subject_kind", SubjectKind.TEXT) is not SubjectKind.TEXT:
        values["refused_sha256"] = None
    return ModerationCase(**{**values, **changes})  # type: ignore[arg-type]


def export_of(**changes: object) -> Export:
    values = {
        "id": UUID(int=1),
        "kind": ExportKind.ENTRIES,
        "format": ExportFormat.CSV,
        "since": date(2026, 1, 1),
        "until": date(2027, 1, 1),
        "payee_id": None,
        "requested_by": UUID(int=2),
        "requested_at": NOON,
    }
    return Export(**{**values, **changes})  # type: ignore[arg-type]


def ready_payee(payee_id: UUID, kind: PayeeKind, *, account_id: str | None = None) -> Payee:
    return Payee(
        id=payee_id,
        kind=kind,
        account_id=account_id or f"acct_{payee_id.hex}",
        transfers_active=True,
        payouts_enabled=True,
        refreshed_at=NOON,
    )


def bank_account_of(payee_id: UUID, **changes: object) -> BankAccount:
    values = {
        "id": uuid4(),
        "payee_id": payee_id,
        "provider_id": f"ba_{next(_number)}",
        "bank_name": "A bank",
        "last4": "6789",
        "currency": USD,
        "state": BankAccountState.VERIFIED,
        "holder_name": HolderName.MATCHES,
        "is_default": True,
        "created_at": NOON,
    }
    return BankAccount(**{**values, **changes})  # type: ignore[arg-type]


def payout_of(account: BankAccount, **changes: object) -> Payout:
    values = {
        "id": uuid4(),
        "payee_id": account.payee_id,
        "method": PayoutMethod.BANK,
        "speed": PayoutSpeed.STANDARD,
        "currency": USD,
        "amount_cents": 2500,
        "fee_cents": 0,
        "net_cents": 2500,
        "destination": account.provider_id,
        "bank_account_id": account.id,
        "last4": account.last4,
        "created_at": NOON,
    }
    return Payout(**{**values, **changes})  # type: ignore[arg-type]


def generated_asset(owner_id: UUID, *, generation_id: UUID | None = None) -> Asset:
    asset_id = uuid4()
    return Asset(
        id=asset_id,
        owner_id=owner_id,
        purpose=AssetPurpose.GENERATION,
        content_type="image/png",
        width=1024,
        height=1024,
        size_bytes=1000,
        sha256=f"{asset_id.int:064x}",
        original_key=f"originals/{asset_id}.png",
        clean_key=f"clean/{asset_id}.png",
        preview_key=f"previews/{asset_id}.jpg",
        thumbnail_key=f"thumbnails/{asset_id}.jpg",
        generation_id=generation_id or uuid4(),
        created_at=NOON,
    )


def upload_of(owner_id: UUID, *, at: datetime = NOON, **changes: object) -> Upload:
    values = {
        "id": uuid4(),
        "owner_id": owner_id,
        "purpose": AssetPurpose.PRODUCT_FILE,
        "filename": "presets.zip",
        "content_type": "application/zip",
        "size_bytes": 1024 * 1024,
        "sha256": "0" * 64,
        "part_bytes": 8 * 1024 * 1024,
        "created_at": at,
        "expires_at": at + UPLOAD_LIFE,
    }
    return Upload(**{**values, **changes})  # type: ignore[arg-type]


def creator_of(owner: User, **changes: object) -> Creator:
    values = {
        "id": uuid4(),
        "user_id": owner.id,
        "slug": f"creator-{next(_number)}",
        "display_name": "A creator",
        "bio": "",
        "published": True,
        "created_at": NOON,
    }
    return Creator(**{**values, **changes})  # type: ignore[arg-type]


def store_of(owner: User, **changes: object) -> Store:
    values = {
        "id": uuid4(),
        "owner_id": owner.id,
        "slug": f"store-{next(_number)}",
        "name": "A store",
        "description": "",
        "created_at": NOON,
    }
    return Store(**{**values, **changes})  # type: ignore[arg-type]


def consent_of(creator: Creator, **changes: object) -> Consent:
    values = {
        "id": uuid4(),
        "creator_id": creator.id,
        "text_version": "2026-11",
        "text_hash": None,
        "language": "en",
        "uses": frozenset(ConsentUse),
        "signer_name": "A signer",
        "adult": True,
        "signed_at": NOON,
        "signed_by": creator.user_id,
    }
    return Consent(**{**values, **changes})  # type: ignore[arg-type]


def terms_version_of(
    creator: Creator, licence: LicenceTerms | None = None, *, version: int = 1
) -> TermsVersion:
    licence = licence or terms()
    return TermsVersion(
        id=uuid4(),
        creator_id=creator.id,
        version=version,
        hash=licence.hash,
        terms=licence,
        created_at=NOON,
        created_by=creator.user_id,
    )


def product_of(store: Store, version: TermsVersion, asset: Asset, **changes: object) -> Product:
    """On sale; the licence allowed it."""
    values = {
        "id": uuid4(),
        "store_id": store.id,
        "creator_id": version.creator_id,
        "generation_id": asset.generation_id or asset.id,
        "asset_id": asset.id,
        "product_type": ProductType.SHIRT,
        "title": "A product",
        "description": "",
        "prompt": "a portrait",
        "price_cents": 2500,
        "currency": USD,
        "stock": None,
        "status": ProductStatus.ACTIVE,
        "terms_id": version.id,
        "terms_version": version.version,
        "terms_hash": version.hash,
        "decision": Decision(Outcome.ALLOW, ()),
        "created_at": NOON,
        "published_at": NOON,
    }
    return Product(**{**values, **changes})  # type: ignore[arg-type]


def grant_of(version: TermsVersion, store_id: UUID, **changes: object) -> LicenceGrant:
    """A grant of shirts in North America, beside others, until it is ended."""
    values = {
        "id": uuid4(),
        "creator_id": version.creator_id,
        "store_id": store_id,
        "kind": Exclusivity.NONE,
        "product_types": frozenset({ProductType.SHIRT}),
        "territories": frozenset({"US", "CA"}),
        "valid_from": NOON,
        "terms_id": version.id,
        "created_at": NOON,
        "created_by": version.created_by,
    }
    if changes.get("guarantee_cents"):
        values["currency"] = USD
    return LicenceGrant(**{**values, **changes})  # type: ignore[arg-type]


def approval_of(
    version: TermsVersion, requester_id: UUID, *, at: datetime, **changes: object
) -> ApprovalRequest:
    """A question that is open for a day."""
    values = {
        "id": uuid4(),
        "creator_id": version.creator_id,
        "requester_id": requester_id,
        "subject": "product:1",
        "use": Use(action=Action.LIST, at=at, texts=(("title", "A shirt"),)),
        "decision": Decision(Outcome.NEEDS_APPROVAL, ()),
        "terms_id": version.id,
        "terms_version": version.version,
        "created_at": at,
        "deadline": at + timedelta(days=1),
    }
    return ApprovalRequest(**{**values, **changes})  # type: ignore[arg-type]


@dataclass(slots=True)
class Market:
    """A creator with standing terms and a store, both payable; the products are on sale."""

    creator: Creator
    creator_user: User
    store: Store
    owner: User
    terms: TermsVersion
    consent: Consent
    products: list[Product] = field(default_factory=list)


async def market(
    uow: UnitOfWork,
    *,
    prices_cents: Sequence[int] = (2500,),
    stock: int | None = None,
    royalty_bps: int = 1000,
    licence: LicenceTerms | None = None,
    product_type: ProductType = ProductType.SHIRT,
    creator_account_id: str | None = None,
    store_account_id: str | None = None,
) -> Market:
    """Commit a market that is open for business."""
    creator_user, owner = user(), user()
    creator, store = creator_of(creator_user), store_of(owner)
    version = terms_version_of(creator, licence or terms(royalty_bps=royalty_bps))
    creator.terms_id = version.id
    consent = consent_of(creator)
    assets = [generated_asset(owner.id) for _ in prices_cents]
    products = [
        product_of(
            store,
            version,
            asset,
            product_type=product_type,
            title=f"Product {position}",
            price_cents=price_cents,
            stock=stock,
        )
        for position, (price_cents, asset) in enumerate(zip(prices_cents, assets, strict=True))
    ]
    async with uow:
        for new_user in (creator_user, owner):
            uow.users.add(new_user)
        uow.creators.add(creator)
        uow.stores.add(store)
        uow.payees.add(ready_payee(creator.id, PayeeKind.CREATOR, account_id=creator_account_id))
        uow.payees.add(ready_payee(store.id, PayeeKind.STORE, account_id=store_account_id))
        uow.consents.add(consent)
        uow.terms.add(version)
        await uow.commit()
    async with uow:
        for asset in assets:
            uow.assets.add(asset)
        await uow.commit()
    async with uow:
        for product in products:
            uow.products.add(product)
        await uow.commit()
    return Market(creator, creator_user, store, owner, version, consent, products)


def discount(
    store_id: UUID | None,
    *,
    percent_bps: int | None = None,
    amount_cents: int | None = None,
    **changes: object,
) -> Discount:
    """10 % off each line, by itself, unless told otherwise; the platform's without a store."""
    kind = DiscountKind.PERCENT if amount_cents is None else DiscountKind.AMOUNT
    values = {
        "id": uuid4(),
        "store_id": store_id,
        "code": None,
        "title": "A discount",
        "scope": DiscountScope.LINE,
        "kind": kind,
        "value": amount_cents if amount_cents is not None else percent_bps or 1000,
        "currency": USD if kind is DiscountKind.AMOUNT else None,
        "starts_at": NOON - timedelta(days=1),
        "created_at": NOON,
    }
    return Discount(**{**values, **changes})  # type: ignore[arg-type]


async def fans_with_credits(
    uow: UnitOfWork, number: int, *, credits: int = 10_000_000, at: datetime | None = None
) -> list[User]:
    """Commit fans who have that many credits besides the grant of the day."""
    fans = [user() for _ in range(number)]
    now = at or datetime.now(UTC)
    async with uow:
        for fan in fans:
            uow.users.add(fan)
            wallet = await open_wallet(uow, fan.id, now)
            wallet.adjust(credits, reason="for a test", at=now)
            await uow.credits.save(wallet)
        await uow.commit()
    return fans


def likeness_model(model_id: UUID, creator_id: UUID, **changes: object) -> LikenessModel:
    """A version that is ready, by default the first and in force."""
    values = {
        "version": 1,
        "status": ModelStatus.READY,
        "in_force": changes.get("version", 1) == 1,
        "trigger_word": "ohwx",
        "training_set": (),
        "manifest_hash": manifest_hash(()),
        "steps": 1000,
        "provider": "fal",
        "trainer": "fal-ai/flux-lora-fast-training",
        "weights_key": f"models/{model_id}/weights.safetensors",
        "weights_sha256": "w" * 64,
        "weights_bytes": 7,
        "created_at": NOON,
        "ready_at": NOON,
    }
    return LikenessModel(id=model_id, creator_id=creator_id, **{**values, **changes})  # type: ignore[arg-type]


async def generation(
    uow: UnitOfWork, shop: Market, *, owner_id: UUID | None = None, prompt: str = "a portrait"
) -> Generation:
    """Commit a generation that has succeeded, with its image; by default the store owner's."""
    owner_id = owner_id or shop.owner.id
    training = Job.accepted(job_id=uuid4(), kind=JobKind.TRAINING, owner_id=owner_id, at=NOON)
    job = Job.accepted(job_id=uuid4(), kind=JobKind.IMAGE, owner_id=owner_id, at=NOON)
    for each in (training, job):
        each.reach(JobStatus.INGESTING)
        each.succeed(at=NOON)
    under = {
        "terms_id": shop.terms.id,
        "terms_version": shop.terms.version,
        "terms_hash": shop.terms.hash,
    }
    async with uow:
        version = await uow.models.next_version(shop.creator.id)
    model = likeness_model(
        training.id, shop.creator.id, version=version, consent_id=shop.consent.id, **under
    )
    made = Generation(
        id=job.id,
        owner_id=owner_id,
        creator_id=shop.creator.id,
        model_id=model.id,
        mode=Mode.TEXT,
        prompt=prompt,
        purpose=Purpose.COMMERCIAL,
        scene_asset_id=None,
        seed=1,
        width=1024,
        height=1024,
        created_at=NOON,
        **under,  # type: ignore[arg-type]
    )
    async with uow:
        uow.jobs.add(training)
        uow.jobs.add(job)
        uow.models.add(model)
        await uow.commit()
    async with uow:
        uow.generations.add(made)
        uow.assets.add(generated_asset(owner_id, generation_id=made.id))
        await uow.commit()
    return made


def order_of(
    products: Sequence[Product],
    *,
    quantity: int = 1,
    buyer_id: UUID | None = None,
    royalty_bps: int = 1000,
    fees: FeeSchedule = FEES,
    at: datetime = NOON,
) -> Order:
    """An unpaid order of some products, split as checkout would."""
    order = Order(
        id=uuid4(),
        buyer_id=buyer_id or uuid4(),
        request_key=str(uuid4()),
        currency=products[0].currency,
        total_cents=sum(product.price_cents * quantity for product in products),
        fees_version=fees.version,
        created_at=at,
        expires_at=at + timedelta(hours=1),
        reconcile_at=at + timedelta(minutes=2),
    )
    for position, product in enumerate(products):
        total_cents = product.price_cents * quantity
        line = Line(
            total_cents,
            quantity,
            TEMPLATES[product.product_type].cost_cents(product.currency),
            Royalty(royalty_bps),
            product.creator_id,
            product.store_id,
        )
        order.lines.append(
            OrderLine(
                id=uuid4(),
                order_id=order.id,
                position=position,
                product_id=product.id,
                store_id=product.store_id,
                creator_id=product.creator_id,
                asset_id=product.asset_id,
                product_type=product.product_type,
                title=product.title,
                unit_price_cents=product.price_cents,
                quantity=quantity,
                total_cents=total_cents,
                terms_id=product.terms_id,
                terms_version=product.terms_version,
                terms_hash=product.terms_hash,
                decision=product.decision,
                stock_reserved=False,
                legs=split(line, fees.rate_of(sale_kind_of(product.product_type))),
            )
        )
    return order


def signed_copy_of(**changes: Any) -> SignedCopy:
    signed: dict[str, Any] = {
        "id": uuid4(),
        "asset_id": uuid4(),
        "copy": MediaCopy.CLEAN,
        "key": "assets/0/clean-0123.png",
        "manifest": f"urn:c2pa:{uuid4()}",
        "claim_sha256": "c" * 64,
        "sha256": "f" * 64,
        "certificate_sha256": "d" * 64,
        "source": SourceType.TRAINED,
        "model": "fal",
        "creator_id": uuid4(),
        "generation_id": uuid4(),
        "licence_id": uuid4(),
        "licence_version": 1,
        "licence_hash": "a" * 64,
        "signed_at": NOON,
    }
    return SignedCopy(**signed | changes)


def project_of(owner_id: UUID, **changes: object) -> Project:
    values = {
        "id": uuid4(),
        "owner_id": owner_id,
        "team_id": None,
        "name": "A summer",
        "description": "",
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Project(**{**values, **changes})  # type: ignore[arg-type]


def template_of(owner_id: UUID, **changes: object) -> Template:
    values = {
        **_work_of(owner_id, "By the sea"),
        "prompt": "a portrait at {{place}} in {{light}} light",
        "variables": (
            Variable(name="place"),
            Variable(name="light", default="soft", choices=("soft", "hard")),
        ),
    }
    return Template(**{**values, **changes})  # type: ignore[arg-type]


def character_of(owner_id: UUID, *, asset_ids: Sequence[UUID] = (), **changes: object) -> Character:
    values = {
        **_work_of(owner_id, "Mara"),
        "creator_id": None,
        "gender": Gender.FEMALE,
        "age": 29,
        "style": "film still",
    }
    made = Character(**{**values, **changes})  # type: ignore[arg-type]
    if asset_ids:
        made.show(asset_ids)
    return made


def preset_of(owner_id: UUID | None, **changes: object) -> Preset:
    values = {
        **_work_of(owner_id, "Slow"),
        "camera": Camera.ZOOM_IN,
        "motion": 90,
        "duration_ms": 4000,
        "style": "",
        "driving_asset_id": None,
    }
    return Preset(**{**values, **changes})  # type: ignore[arg-type]


def _work_of(owner_id: UUID | None, name: str) -> dict[str, object]:
    return {
        "id": uuid4(),
        "owner_id": owner_id,
        "name": name,
        "description": "",
        "category": "",
        "created_at": NOON,
        "updated_at": NOON,
    }
