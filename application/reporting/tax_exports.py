"""The rows of 1099 forms: streamed payee by payee, compared with what was filed before.

Foreign payees that said so (W-8) are left out. A payee that told nothing is in, with what is
missing left empty: whoever files must see it.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from application.ports.clock import Clock
from application.ports.documents import Cell
from application.ports.ids import Ids
from application.ports.tax import PayeePayment, TaxViews
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor, Role
from domain.reporting.tax_forms import FormRow, Payment, form_rows
from domain.reporting.tax_profile import TaxFiling, TaxProfile
from domain.reporting.thresholds import TaxForm

_BATCH = 200


class FileForms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Say that the forms of a year were filed as they are exported now."""

    form: TaxForm
    year: Annotated[int, Meta(ge=2020, le=2100)]


class Filed(msgspec.Struct, frozen=True, kw_only=True):
    """`filed` for the first time, `corrected` with another content, `unchanged` since."""

    form: TaxForm
    year: int
    filed: int
    corrected: int
    unchanged: int


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    row: FormRow
    profile: TaxProfile | None
    filings: list[TaxFiling]


async def form_cells(
    form: TaxForm, year: int, *, payee_id: UUID | None, uow: UnitOfWork, views: TaxViews
) -> AsyncIterator[Sequence[Sequence[Cell]]]:
    """Every payee's row, due or not; `payee_id`: only this one's."""
    async for batch in _batches(form, year, payee_id=payee_id, uow=uow, views=views):
        yield [_written(told) for told in batch]


async def file_forms(
    command: FileForms,
    *,
    actor: Actor,
    uow: UnitOfWork,
    views: TaxViews,
    clock: Clock,
    ids: Ids,
) -> Filed:
    """Remember by its hash what was filed of each payee for whom a form is due, or was filed
    before. Doing it twice changes nothing. Raises RoleRequired."""
    actor.require(Role.ADMIN)
    counts = {"filed": 0, "corrected": 0, "unchanged": 0}
    async for batch in _batches(command.form, command.year, uow=uow, views=views):
        async with uow:
            for told in batch:
                _file(told, counts, uow=uow, clock=clock, ids=ids)
            uow.audit.record(
                "tax_forms.filed",
                actor=actor,
                on=("tax form", f"{command.form} {command.year}"),
                after={"payees": len(batch)},
            )
            await uow.commit()
    return Filed(form=command.form, year=command.year, **counts)


def _file(told: _Told, counts: dict[str, int], *, uow: UnitOfWork, clock: Clock, ids: Ids) -> None:
    row = told.row
    if not row.due and not told.filings:
        return
    if told.filings and told.filings[-1].content_hash == row.content_hash:
        counts["unchanged"] += 1
        return
    counts["corrected" if told.filings else "filed"] += 1
    uow.tax_filings.add(
        TaxFiling(
            id=ids.new(),
            payee_id=row.payee_id,
            form=row.form,
            box=row.box,
            year=row.year,
            content_hash=row.content_hash,
            gross_cents=row.gross_cents,
            correction=bool(told.filings),
            filed_at=clock.now(),
        )
    )


async def _batches(
    form: TaxForm, year: int, *, payee_id: UUID | None = None, uow: UnitOfWork, views: TaxViews
) -> AsyncIterator[list[_Told]]:
    held: dict[UUID, list[Payment]] = {}
    async for payment in views.payments(year):
        if payee_id not in (None, payment.payee_id):
            continue
        if payment.payee_id not in held and len(held) == _BATCH:
            yield await _told(form, year, held, uow=uow)
            held = {}
        held.setdefault(payment.payee_id, []).append(_payment(payment))
    if held:
        yield await _told(form, year, held, uow=uow)


async def _told(
    form: TaxForm, year: int, held: dict[UUID, list[Payment]], *, uow: UnitOfWork
) -> list[_Told]:
    async with uow:
        profiles = {payee_id: await uow.tax_profiles.find(payee_id) for payee_id in held}
        filings = await uow.tax_filings.of_payees(list(held), form=form, year=year)
    told = []
    for payee_id, payments in held.items():
        profile = profiles[payee_id]
        if profile is not None and profile.is_foreign:
            continue
        rows = form_rows(
            payee_id,
            payments,
            year=year,
            state=profile.state if profile else None,
            withheld=profile is not None and profile.backup_withholding,
        )
        told += [
            _Told(
                row=row,
                profile=profile,
                filings=[f for f in filings if (f.payee_id, f.box) == (payee_id, row.box)],
            )
            for row in rows
            if row.form is form
        ]
    return told


def _payment(payment: PayeePayment) -> Payment:
    """All that orders pay comes through a card network."""
    return Payment(
        month=payment.month,
        gross_cents=payment.gross_cents,
        nature=payment.nature,
        settled_by_network=True,
        source=payment.source,
        refunds_cents=payment.refunds_cents,
        fees_cents=payment.fees_cents,
    )


def _written(told: _Told) -> list[Cell]:
    row, profile = told.row, told.profile
    last = told.filings[-1] if told.filings else None
    who: list[Cell] = [None] * 9
    if profile is not None:
        who = [
            profile.legal_name,
            profile.tin_reference,
            profile.tin_match,
            profile.entity_type,
            profile.address,
            profile.state,
            profile.country,
            profile.certificate,
            profile.certified_on.isoformat() if profile.certified_on else None,
        ]
    changed = last is not None and last.content_hash != row.content_hash
    return [
        *(str(row.payee_id), *who, row.year, row.form, row.box),
        *("yes" if row.due else "no", "; ".join(rule.source for rule in row.due)),
        *(row.gross_cents, row.count, *row.months),
        *(row.tips_cents, row.refunds_cents, row.fees_cents, row.withholding_cents, "usd"),
        *(row.sources[0], row.sources[-1], row.content_hash),
        *(last.filed_at if last else None, "yes" if changed else "no"),
    ]
