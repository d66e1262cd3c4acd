"""What the story of the studio came to: what was made, the credits, the calls, on one screen."""

from typing import Any

from rich.console import Console
from rich.table import Table

from entrypoints.cli.demo.studio_outcome import StudioOutcome


def as_document(outcome: StudioOutcome) -> dict[str, Any]:
    """The same for programs."""
    return {
        "licence": outcome.licence,
        "made": [
            {
                "what": made.what,
                "owner": made.owner,
                "job_id": made.job_id,
                "steps": made.steps,
                "live_events": made.events,
                "credits": made.credits,
                "took_s": round(made.took_s, 2),
            }
            for made in outcome.made
        ],
        "credentials": outcome.credentials,
        "accounts": [
            {
                "owner": account.owner,
                "credits": account.credits,
                "entries": account.entries,
                "entries_sum": account.sum,
            }
            for account in outcome.accounts
        ],
        "calls": [
            {"provider": provider, "model": model, "times": times}
            for (provider, model), times in sorted(outcome.calls.items())
        ],
    }


def show(console: Console, outcome: StudioOutcome) -> None:
    made = _table("What was made", ["what", "for", "steps"], ["live events", "credits"])
    for one in outcome.made:
        made.add_row(one.what, one.owner, " → ".join(one.steps), str(one.events), str(one.credits))
    made.add_section()
    total = sum(one.credits for one in outcome.made)
    made.add_row("all of it", "", "", str(sum(one.events for one in outcome.made)), str(total))
    console.print(made)

    names = {one.job_id: one.what for one in outcome.made}
    for account in outcome.accounts:
        ledger = _table(
            f"Credits of {account.owner}",
            ["entry", "for"],
            ["credits", "held", "spent", "balance"],
        )
        for entry in reversed(account.entries):
            ledger.add_row(
                entry["kind"],
                names.get(entry["job_id"] or "", ""),
                *(f"{entry[name]:+d}" if entry[name] else "" for name in ("credits", "held")),
                str(entry["spent"] or ""),
                str(entry["balance_after"]),
            )
        ledger.add_section()
        balance = account.credits["balance"]
        ledger.add_row("sum", "", f"{account.sum:+d}", "", str(account.spent), str(balance))
        console.print(ledger)

    calls = _table("Calls that providers charge for", ["provider", "model"], ["times"])
    for (provider, model), times in sorted(outcome.calls.items()):
        calls.add_row(provider, model, str(times))
    calls.add_section()
    calls.add_row("all of them", "", str(sum(outcome.calls.values())))
    console.print(calls)


def _table(title: str, words: list[str], numbers: list[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in words:
        table.add_column(heading)
    for heading in numbers:
        table.add_column(heading, justify="right")
    return table
