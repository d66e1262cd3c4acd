"""What the story came to: the statement, the transfers and a trial balance, on one screen."""

from typing import Any

from rich.console import Console
from rich.table import Table

from domain.shared.money import format_money
from entrypoints.cli.demo.story import Outcome


def as_document(outcome: Outcome, trial_balance: dict[str, int], *, sound: bool) -> dict[str, Any]:
    """The same for programs."""
    reversals = [
        {**reversal, "transfer_id": transfer["id"], "payee": transfer["payee"]}
        for transfer in outcome.transfers
        for reversal in transfer["reversals"]
    ]
    return {
        "orders": [outcome.order],
        "legs": outcome.statement["legs"],
        "refunds": outcome.refunds,
        "transfers": outcome.transfers,
        "reversals": reversals,
        "balances": outcome.balances,
        "refused_listing": outcome.refused,
        "declined_card": outcome.declined,
        "trial_balance": trial_balance,
        "trial_balance_sum_cents": sum(trial_balance.values()),
        "ledger_verified": sound,
    }


def show(console: Console, outcome: Outcome, trial_balance: dict[str, int]) -> None:
    currency = outcome.order["currency"]
    titles = {line["id"]: line["title"] for line in outcome.order["lines"]}

    statement = Table(title="Statement: where each cent went", title_justify="left")
    for heading in ("line", "to", "why"):
        statement.add_column(heading)
    for heading in ("amount", "returned", "net"):
        statement.add_column(heading, justify="right")
    for leg in outcome.statement["legs"]:
        statement.add_row(
            titles[leg["line_id"]],
            leg["payee"].split(":")[0],
            leg["reason"],
            *(
                format_money(leg[name], currency)
                for name in ("amount_cents", "returned_cents", "net_cents")
            ),
        )
    statement.add_section()
    statement.add_row(
        "",
        "",
        "all of it",
        *(
            format_money(outcome.statement[name], currency)
            for name in ("total_cents", "returned_cents", "net_cents")
        ),
    )
    console.print(statement)

    transfers = Table(title="Transfers, and what came back of them", title_justify="left")
    transfers.add_column("to")
    for heading in ("sent", "reversed"):
        transfers.add_column(heading, justify="right")
    for transfer in outcome.transfers:
        back = sum(r["amount_cents"] for r in transfer["reversals"] if r["status"] == "done")
        transfers.add_row(
            transfer["payee"].split(":")[0],
            format_money(transfer["amount_cents"], currency),
            format_money(back, currency),
        )
    console.print(transfers)

    books = Table(title="Trial balance of the whole ledger", title_justify="left")
    books.add_column("account")
    books.add_column("credit (debit below zero)", justify="right")
    for account, amount_cents in trial_balance.items():
        books.add_row(account, format_money(amount_cents, currency))
    books.add_section()
    books.add_row("sum", format_money(sum(trial_balance.values()), currency))
    console.print(books)
