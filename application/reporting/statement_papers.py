"""A payee's statement as CSV, for as long as it is, and as PDF.

Opening and closing balances stand in both as rows of their own, and what was earned, refunded,
disputed and paid, so that a reader can add up.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence

from application.ports.documents import (
    PDF_ROWS_MAX,
    Cell,
    Column,
    Document,
    DocumentRenderer,
    DocumentTooLong,
    Section,
)
from application.ports.reporting import StatementViews
from application.reporting.csv import stream_csv
from application.reporting.spans import midnight
from application.reporting.statements import (
    STATES,
    Asked,
    StatementEntry,
    States,
    all_entries,
    show_statement,
)
from domain.reporting.reckoning import Reckoning, reckon
from domain.reporting.words import title_of
from domain.shared.money import format_money

COLUMNS = (
    "posted_on",
    "occurred_at",
    "kind",
    "state",
    "amount_cents",
    "currency",
    "amount",
    "order_id",
    "reason",
    "source",
    "transaction_id",
)


def statement_csv(asked: Asked, *, views: StatementViews) -> AsyncIterator[bytes]:
    """The opening balance by state, every posting, the closing balance by state; then, without a
    state, what all of it comes to: earned, refunded, disputed, paid and the balance.

    The closing rows are the sum of all rows above them, to the cent, whatever is posted meanwhile.
    """
    return stream_csv(COLUMNS, _batches(asked, views=views))


async def statement_pdf(
    asked: Asked, *, views: StatementViews, documents: DocumentRenderer
) -> bytes:
    """Raises DocumentTooLong for a period of very many postings."""
    entries: list[StatementEntry] = []
    async for batch in all_entries(asked, views=views):
        entries += batch
        if len(entries) > PDF_ROWS_MAX - 20:
            raise DocumentTooLong(PDF_ROWS_MAX)
    opening = (await show_statement(asked, views=views, after=None, limit=0)).opening
    return await documents.pdf(paper(asked, opening, entries))


def file_name(asked: Asked, ending: str) -> str:
    since, until = (day.isoformat() for day in asked.span)
    return f"statement-{since}-{until}-{asked.currency}.{ending}"


async def _batches(
    asked: Asked, *, views: StatementViews
) -> AsyncIterator[Sequence[Sequence[Cell]]]:
    opening = (await show_statement(asked, views=views, after=None, limit=0)).opening
    sums = opening.by_state()
    moved: Counter[tuple[str, str]] = Counter()
    yield [
        [
            asked.span.since.isoformat(),
            None,
            "opening_balance",
            *_sum(asked, state, cents),
        ]
        for state, cents in sums.items()
    ]
    async for entries in all_entries(asked, views=views):
        for entry in entries:
            sums[entry.state] += entry.amount_cents
            moved[entry.kind, entry.state] += entry.amount_cents
        yield [
            [
                entry.posted_on.isoformat(),
                entry.occurred_at,
                entry.kind,
                entry.state,
                entry.amount_cents,
                asked.currency,
                format_money(entry.amount_cents, asked.currency),
                str(entry.order_id) if entry.order_id else None,
                entry.reason,
                entry.source,
                str(entry.transaction_id),
            ]
            for entry in entries
        ]
    yield [
        [
            asked.span.until.isoformat(),
            None,
            "closing_balance",
            *_sum(asked, state, cents),
        ]
        for state, cents in sums.items()
    ]
    yield [
        [
            asked.span.until.isoformat(),
            None,
            f"sum_{name}",
            *_sum(asked, None, cents),
        ]
        for name, cents in _figures(reckon(opening.by_state(), moved))
    ]


def _figures(told: Reckoning) -> list[tuple[str, int]]:
    """As signed amounts: all but the last two add up to the balance; what open disputes hold of it
    comes after."""
    return [
        ("opening", told.opening_cents),
        ("earned", told.earned_cents),
        ("refunded", -told.refunded_cents),
        ("disputed", -told.disputed_cents),
        ("paid", -told.paid_cents),
        ("fees", -told.fees_cents),
        ("other", told.other_cents),
        ("balance", told.balance_cents),
        ("held", told.held_cents),
    ]


def _sum(asked: Asked, state: str | None, cents: int) -> list[Cell]:
    amount = format_money(cents, asked.currency)
    return [state, cents, asked.currency, amount, None, None, None, None]


def paper(asked: Asked, opening: States, entries: Sequence[StatementEntry]) -> Document:
    """The closing balance is computed here: nothing posted meanwhile can come between."""
    moved = dict.fromkeys(STATES, 0)
    kinds: dict[str, int] = {}
    each: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        moved[entry.state] += entry.amount_cents
        kinds[entry.kind] = kinds.get(entry.kind, 0) + entry.amount_cents
        each[entry.kind, entry.state] += entry.amount_cents
    told = reckon(opening.by_state(), each)
    moved["total"] = sum(moved.values())

    def money(cents: int) -> str:
        return format_money(cents, asked.currency)

    return Document(
        title="Statement",
        facts=[
            ("Payee", asked.name),
            ("Payee's number", str(asked.payee_id)),
            ("From", asked.span.since.isoformat()),
            ("Before", asked.span.until.isoformat()),
            ("Currency", asked.currency.upper()),
        ],
        sections=[
            Section(
                heading="Balance",
                columns=[
                    Column(title=""),
                    Column(title="opening", right=True),
                    Column(title="moved", right=True),
                    Column(title="closing", right=True),
                ],
                rows=[
                    [
                        name,
                        money(before := getattr(opening, f"{name}_cents")),
                        money(change),
                        money(before + change),
                    ]
                    for name, change in moved.items()
                ],
                totals=1,
            ),
            Section(
                heading="What it comes to",
                columns=[Column(title="", share=3), Column(title="amount", right=True)],
                rows=[
                    *([name.capitalize(), money(cents)] for name, cents in _figures(told)[:-1]),
                    ["Held by open disputes, not in the balance", money(told.held_cents)],
                ],
                totals=2,
            ),
            Section(
                heading="What moved the total",
                columns=[Column(title="kind", share=3), Column(title="amount", right=True)],
                rows=[
                    *([title_of(kind), money(cents)] for kind, cents in kinds.items() if cents),
                    ["Total", money(moved["total"])],
                ],
                totals=1,
            ),
            Section(
                heading="Postings",
                columns=[
                    Column(title="when (UTC)", share=15),
                    Column(title="what", share=12),
                    Column(title="state", share=10),
                    Column(title="why", share=48),
                    Column(title="amount", share=15, right=True),
                ],
                rows=[
                    [
                        entry.occurred_at.strftime("%Y-%m-%d %H:%M"),
                        title_of(entry.kind),
                        entry.state,
                        entry.reason,
                        money(entry.amount_cents),
                    ]
                    for entry in entries
                ],
            ),
        ],
        notes=[
            "Opening balance and postings add up to the closing balance, in every state.",
            "What was earned, less what was refunded, disputed and paid, is the balance.",
            "What an open dispute holds counts as disputed until the dispute is won.",
        ],
        made_at=midnight(asked.span.until),
    )
