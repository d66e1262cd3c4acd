"""What there is in a shop: one of each thing, all of it `OWNER`'s, under ids that never change."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import date, timedelta
from typing import NamedTuple, cast
from uuid import UUID, uuid4

import msgspec

from application.ordering.invoices import IssueCreditNote, issue_credit_note, issue_invoice
from application.ports.messages import Setback
from application.ports.unit_of_work import UnitOfWork
from domain.catalogue.product import Product, ProductStatus
from domain.identity.session import Origin, Session
from domain.identity.team import Member, StaffMember, Team, TeamRole
from domain.identity.user import User
from domain.ledger.bank_account import HolderName
from domain.ledger.payee import Payee, PayeeKind
from domain.ledger.reconciliation import (
    Difference,
    Fault,
    Finding,
    Movement,
    Phase,
    ReconciliationRun,
    Subject,
)
from domain.licensing.terms import Purpose
from domain.media.asset import Asset, AssetPurpose, Media
from domain.ordering.dispute import Dispute
from domain.ordering.order import Order, PaymentStatus
from domain.ordering.refund import LineRefund
from domain.reporting.export import ATTEMPTS_MAX
from domain.shared.disputes import DisputeStatus
from domain.shared.money import Currency
from domain.studio.generation import Generation, Mode, request_of
from domain.studio.job import Job, JobStatus
from domain.studio.pipelines import JobKind, pipeline_of
from domain.studio.publication import WorkKind, publication_of
from domain.studio.step import Step, StepStatus, new_step
from entrypoints.bootstrap import Ports
from tests import builders


def known(number: int) -> UUID:
    return UUID(f"01900000-0000-7000-8000-{number:012x}")


OWNER = known(0x1)
SESSION = known(0x2)
CREATOR = known(0x10)
OTHER_CREATOR = known(0x11)
STORE = known(0x20)
OTHER_STORE = known(0x21)
PRODUCT = known(0x30)
DRAFT = known(0x31)
ORDER = known(0x40)
LINE = known(0x41)
UNPAID_ORDER = known(0x42)
DISPUTE = known(0x44)
INVOICE = known(0x45)
CREDIT_NOTE = known(0x46)
GENERATION = known(0x50)
RUNNING = known(0x51)
CANCELLED = known(0x52)
PICTURE = known(0x60)
SPARE_PICTURE = known(0x61)
SCENE = known(0x62)
TRAINING_IMAGE = known(0x63)
MODEL = known(0x70)
CONSENT = known(0x80)
TERMS = known(0x90)
CREATORS_ACCOUNT = known(0xB0)
STORES_ACCOUNT = known(0xB1)
CREATORS_PAYOUT = known(0xB2)
STORES_PAYOUT = known(0xB3)
TEAM = known(0xA0)
VIEWERS_MEMBERSHIP = known(0xA1)
STAFF = known(0xA2)
KNOWN_EMAIL = "known@example.com"
DISCOUNT = known(0xD0)
GRANT = known(0xE0)
APPROVAL = known(0xE1)
CASE = known(0xE2)
PARKED = known(0xC0)
STUCK_TOPIC = "estate.stuck"
RECONCILIATION = known(0xC1)
DIFFERENCE = known(0xC2)
EXPORT = known(0xC3)
PROJECT = known(0x110)
TEAMS_PROJECT = known(0x111)
TEMPLATE = known(0x112)
CHARACTER = known(0x113)
PRESET = known(0x114)
SHOWN = known(0x115)
WAITING = known(0x116)
DRIVING_VIDEO = known(0x117)
UPLOAD = known(0x64)
SLUG = "known-slug"
FILE = "previews/known.png"
FILE_CONTENT = b"\x89PNG known"


async def furnish(ports: Ports, people: Mapping[str, User]) -> None:
    """Commit all of it. `people` are the accounts of `owner` and the others."""
    await _accounts(ports, people)
    await _licensed(ports, people)
    await _studio(ports)
    await _sold(ports)
    await _taxed(ports)
    async with (uow := ports.uow()):
        uow.discounts.add(builders.discount(STORE, id=DISCOUNT, code="KNOWN"))
        terms = await uow.terms.get(TERMS)
        uow.grants.add(builders.grant_of(terms, STORE, id=GRANT, guarantee_cents=1000))
        uow.approvals.add(builders.approval_of(terms, OWNER, id=APPROVAL, at=ports.clock.now()))
        await uow.commit()
    await _moderated(ports)
    await _stuck(ports)
    await _reconciled(ports)
    await _paid_out(ports)
    await _exported(ports)
    await _library(ports)
    await ports.storage.put(FILE, FILE_CONTENT, content_type="image/png")
    await _on_its_way(ports)


async def _on_its_way(ports: Ports) -> None:
    """A file whose only part has come, and that waits to be completed."""
    now, size_bytes = ports.clock.now(), len(FILE_CONTENT)
    upload = builders.upload_of(OWNER, at=now, id=UPLOAD, size_bytes=size_bytes)
    upload.multipart_id = await ports.storage.start_multipart(
        upload.key, content_type=upload.content_type
    )

    async def body() -> AsyncIterator[bytes]:
        yield FILE_CONTENT

    assert ports.part_receiver is not None
    await ports.part_receiver.receive_part(
        upload.key, upload.multipart_id, 1, size_bytes=size_bytes, chunks=body()
    )
    async with (uow := ports.uow()):
        assert await uow.uploads.reserve(OWNER, size_bytes, limit_bytes=1_000_000)
        uow.uploads.add(upload)
        await uow.commit()


async def _moderated(ports: Ports) -> None:
    """A text of the owner's that was refused, and may be appealed for."""
    async with (uow := ports.uow()):
        uow.moderation_cases.add(builders.case_of(OWNER, id=CASE))
        await uow.commit()


async def _accounts(ports: Ports, people: Mapping[str, User]) -> None:
    now = ports.clock.now()
    origin = Origin.of(user_agent="a browser", address="203.0.113.7")
    async with (uow := ports.uow()):
        for user in people.values():
            uow.users.add(user)
        uow.sessions.add(Session.start(session_id=SESSION, user_id=OWNER, origin=origin, now=now))
        await uow.commit()


async def _licensed(ports: Ports, people: Mapping[str, User]) -> None:
    """Creators and stores that can be paid; the owner's licence and consent."""
    creator = builders.creator_of(people["owner"], id=CREATOR, slug=SLUG, terms_id=TERMS)
    terms = builders.terms_version_of(creator)
    terms.id = TERMS
    payees = [
        await _payee(ports, CREATOR, PayeeKind.CREATOR),
        await _payee(ports, STORE, PayeeKind.STORE),
        Payee(id=OTHER_CREATOR, kind=PayeeKind.CREATOR),
        Payee(id=OTHER_STORE, kind=PayeeKind.STORE),
    ]
    async with (uow := ports.uow()):
        uow.creators.add(creator)
        uow.creators.add(builders.creator_of(people["other_creator"], id=OTHER_CREATOR))
        uow.stores.add(builders.store_of(people["owner"], id=STORE, slug=SLUG))
        uow.stores.add(builders.store_of(people["other_store_owner"], id=OTHER_STORE))
        for payee in payees:
            uow.payees.add(payee)
        uow.consents.add(builders.consent_of(creator, id=CONSENT))
        uow.terms.add(terms)
        await uow.commit()
    await _employed(ports, people)


async def _employed(ports: Ports, people: Mapping[str, User]) -> None:
    """A team that has the store, and staff: of the store one, of the other store another."""
    now = ports.clock.now()
    team = Team(id=TEAM, name="A studio", created_at=now)
    members = {"owner": TeamRole.OWNER, "team_viewer": TeamRole.VIEWER}
    for name, role in members.items():
        membership = VIEWERS_MEMBERSHIP if name == "team_viewer" else known(0xA3)
        team.join(
            Member(id=membership, team_id=TEAM, user_id=people[name].id, role=role, joined_at=now)
        )
    clerk, applicant = builders.user(), builders.user(email=KNOWN_EMAIL)
    async with (uow := ports.uow()):
        uow.users.add(clerk)
        uow.users.add(applicant)
        uow.teams.add(team)
        await uow.commit()
    async with (uow := ports.uow()):
        (await uow.stores.get(STORE)).team_id = TEAM
        for staff_id, store_id, user in (
            (STAFF, STORE, clerk),
            (known(0xA4), OTHER_STORE, people["staff_elsewhere"]),
        ):
            uow.staff.add(
                StaffMember(
                    id=staff_id,
                    store_id=store_id,
                    user_id=user.id,
                    role=TeamRole.ADMIN,
                    added_at=now,
                )
            )
        await uow.commit()


async def _payee(ports: Ports, payee_id: UUID, kind: PayeeKind) -> Payee:
    account = await ports.payee_accounts.open_account(payee_id=payee_id, email=None, country=None)
    return builders.ready_payee(payee_id, kind, account_id=account)


async def _studio(ports: Ports) -> None:
    """A trained model, and a generation in each state that a request may meet."""
    now = ports.clock.now()
    jobs = {
        job_id: Job.accepted(
            job_id=job_id,
            kind=JobKind.TRAINING if job_id == MODEL else JobKind.IMAGE,
            owner_id=OWNER,
            at=now,
        )
        for job_id in (MODEL, GENERATION, RUNNING, CANCELLED)
    }
    for done in (MODEL, GENERATION):
        jobs[done].reach(JobStatus.INGESTING)
        jobs[done].succeed(at=now)
    jobs[CANCELLED].cancel(at=now)
    async with (uow := ports.uow()):
        terms = await uow.terms.get(TERMS)
        under = {
            "terms_id": terms.id,
            "terms_version": terms.version,
            "terms_hash": terms.hash,
            "created_at": now,
        }
        for job in jobs.values():
            uow.jobs.add(job)
            for step in _steps_of(job):
                uow.steps.add(step)
        uow.models.add(builders.likeness_model(MODEL, CREATOR, consent_id=CONSENT, **under))
        await uow.commit()
    async with (uow := ports.uow()):
        for made in (GENERATION, RUNNING, CANCELLED):
            uow.generations.add(
                Generation(
                    id=made,
                    owner_id=OWNER,
                    creator_id=CREATOR,
                    model_id=MODEL,
                    mode=Mode.TEXT,
                    prompt="a portrait",
                    purpose=Purpose.COMMERCIAL,
                    scene_asset_id=None,
                    seed=1,
                    width=1024,
                    height=1024,
                    **under,  # type: ignore[arg-type]
                )
            )
        await uow.commit()
    async with (uow := ports.uow()):
        for picture in _pictures():
            uow.assets.add(picture)
        await uow.commit()


def _steps_of(job: Job) -> list[Step]:
    """Those of its kind, ended as the job has."""
    steps = [
        new_step(
            planned,
            step_id=uuid4(),
            job_id=job.id,
            position=position,
            request=request_of(planned.type, kind=job.kind, mode=Mode.TEXT),
        )
        for position, planned in enumerate(pipeline_of(job.kind))
    ]
    for step in steps:
        if job.status is JobStatus.SUCCEEDED:
            step.status = StepStatus.SUCCEEDED
    return steps


def _pictures() -> list[Asset]:
    pictures = {
        PICTURE: AssetPurpose.GENERATION,
        SPARE_PICTURE: AssetPurpose.AVATAR,
        SCENE: AssetPurpose.SCENE_IMAGE,
        TRAINING_IMAGE: AssetPurpose.TRAINING_IMAGE,
    }
    made = []
    for asset_id, purpose in pictures.items():
        asset = builders.generated_asset(OWNER, generation_id=GENERATION)
        asset.id, asset.purpose = asset_id, purpose
        if purpose is not AssetPurpose.GENERATION:
            asset.generation_id = None
        made.append(asset)
    return made


async def _taxed(ports: Ports) -> None:
    """What the owner told for the tax authorities, as a creator and for the store."""
    async with (uow := ports.uow()):
        for payee_id in (CREATOR, STORE):
            uow.tax_profiles.add(builders.tax_profile_of(payee_id))
        await uow.commit()


async def _sold(ports: Ports) -> None:
    """A product on sale, a draft, an order that is paid and one that is not."""
    async with (uow := ports.uow()):
        store, terms = await uow.stores.get(STORE), await uow.terms.get(TERMS)
        picture = await uow.assets.get(PICTURE)
        product = builders.product_of(store, terms, picture, id=PRODUCT, stock=50)
        draft = builders.product_of(
            store,
            terms,
            picture,
            id=DRAFT,
            title="A draft",
            status=ProductStatus.DRAFT,
            published_at=None,
        )
        uow.products.add(product)
        uow.products.add(draft)
        await uow.commit()
    paid, unpaid = _order(product, ORDER), _order(product, UNPAID_ORDER)
    paid.lines[0].id = LINE
    paid.payment_status, paid.paid_at = PaymentStatus.PAID, ports.clock.now()
    paid.payment_id, paid.charge_id = "pi_known", "ch_known"
    async with (uow := ports.uow()):
        uow.orders.add(paid)
        uow.orders.add(unpaid)
        await uow.commit()
    async with (uow := ports.uow()):
        uow.disputes.add(_inquiry(paid))
        await uow.commit()
    await _invoiced(ports)


async def _invoiced(ports: Ports) -> None:
    """The paid order's invoice, and a credit note of $1.00."""
    await issue_invoice(
        ORDER, uow=ports.uow(), seller=ports.seller, clock=ports.clock, ids=_Always(INVOICE)
    )
    lost = [LineRefund(LINE, 100)]
    await issue_credit_note(
        IssueCreditNote(order_id=ORDER, dispute_id=DISPUTE, lost=lost),
        uow=ports.uow(),
        clock=ports.clock,
        ids=_Always(CREDIT_NOTE),
    )


def _inquiry(order: Order) -> Dispute:
    """A bank asks, and has taken nothing: the order stays as it is."""
    return Dispute(
        id=DISPUTE,
        provider_id="dp_known",
        order_id=order.id,
        charge_id="ch_known",
        amount_cents=order.total_cents,
        currency=order.currency,
        reason="fraudulent",
        status=DisputeStatus.INQUIRY,
        created_at=order.created_at,
    )


async def _stuck(ports: Ports) -> None:
    """An outbox message of a topic that no relay knows, which a person must look at."""
    new_uow = cast("Callable[..., UnitOfWork]", ports.uow)
    async with (uow := new_uow(ids=_Always(PARKED))):
        uow.outbox.add(STUCK_TOPIC, Stuck())
        await uow.commit()
    now, soon = ports.clock.now(), timedelta(seconds=30)
    await ports.messages.take_due("outbox", rooms={STUCK_TOPIC: 1}, now=now, visibility=soon)
    claim = await ports.messages.claim("outbox", STUCK_TOPIC, [PARKED], lease=soon)
    assert claim is not None
    parked = Setback(id=PARKED, state="parked", due_at=now, counted=True, error="Rejected: no")
    await ports.messages.finish(claim, done=[], setbacks=[parked], now=now)


async def _reconciled(ports: Ports) -> None:
    """A day whose comparison found that money had left for the bank."""
    now = ports.clock.now()
    async with (uow := ports.uow()):
        uow.reconciliations.add(
            ReconciliationRun(
                id=RECONCILIATION,
                day=date(2026, 1, 1),
                phase=Phase.DONE,
                started_at=now,
                finished_at=now,
            )
        )
        await uow.commit()
    finding = Finding(
        subject=Subject(Movement.PAYOUT, "po_known", Currency("usd")),
        fault=Fault.NOT_BOOKED,
        our_id=None,
        effect_key=None,
        our_cents=None,
        their_cents=-9900,
        sentence="The payout po_known of -$99.00 is not in the books.",
    )
    async with (uow := ports.uow()):
        uow.differences.add(
            Difference.of(finding, difference_id=DIFFERENCE, run_id=RECONCILIATION, at=now)
        )
        await uow.commit()


class Stuck(msgspec.Struct):
    email: str = "ada@example.com"
    order_id: UUID = ORDER


class _Always(NamedTuple):
    id: UUID

    def new(self) -> UUID:
        return self.id


def _order(product: Product, order_id: UUID) -> Order:
    order = builders.order_of([product], buyer_id=OWNER, quantity=2)
    order.id = order_id
    for line in order.lines:
        line.order_id = order_id
    return order


async def _exported(ports: Ports) -> None:
    """The first days of a year, which could not be made into a file."""
    export = builders.export_of(id=EXPORT, requested_by=OWNER, requested_at=ports.clock.now())
    for _ in range(ATTEMPTS_MAX):
        export.begin(run=1, at=ports.clock.now())
        export.set_back("Unavailable: the disc is full.", at=ports.clock.now())
    async with (uow := ports.uow()):
        uow.exports.add(export)
        await uow.commit()


async def _paid_out(ports: Ports) -> None:
    """A bank account that somebody must look at, and a payout to it, of the creator and the
    store."""
    now = ports.clock.now()
    for payee_id, account_id, payout_id in (
        (CREATOR, CREATORS_ACCOUNT, CREATORS_PAYOUT),
        (STORE, STORES_ACCOUNT, STORES_PAYOUT),
    ):
        account = builders.bank_account_of(
            payee_id, id=account_id, holder_name=HolderName.NEEDS_REVIEW, created_at=now
        )
        async with (uow := ports.uow()):
            uow.bank_accounts.add(account)
            await uow.commit()
        async with (uow := ports.uow()):
            uow.payouts.add(builders.payout_of(account, id=payout_id, created_at=now))
            await uow.commit()


async def _library(ports: Ports) -> None:
    """A project of the owner's and one of the team; one of each work, and two more templates: one
    that is published, one that waits for a decision."""
    now = ports.clock.now()
    async with (uow := ports.uow()):
        uow.projects.add(builders.project_of(OWNER, id=PROJECT))
        uow.projects.add(builders.project_of(OWNER, id=TEAMS_PROJECT, team_id=TEAM))
        uow.characters.add(builders.character_of(OWNER, id=CHARACTER, creator_id=CREATOR))
        uow.presets.add(builders.preset_of(OWNER, id=PRESET))
        for template_id in (TEMPLATE, SHOWN, WAITING):
            template = builders.template_of(OWNER, id=template_id)
            uow.templates.add(template)
            if template_id == TEMPLATE:
                continue
            publication = publication_of(template, WorkKind.TEMPLATE, creator_id=None, at=now)
            publication.submit(template, at=now)
            if template_id == SHOWN:
                publication.approve(by=None, at=now)
            uow.publications.add(publication)
        video = builders.generated_asset(OWNER, generation_id=GENERATION)
        video.id, video.media, video.content_type = DRIVING_VIDEO, Media.VIDEO, "video/mp4"
        uow.assets.add(video)
        await uow.commit()
