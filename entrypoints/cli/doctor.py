"""Check the settings and everything they point to; say what to do about each thing that fails."""

import asyncio
import json
import sys
from dataclasses import asdict

import click

from entrypoints.local.errors import LocalError
from entrypoints.local.stack import connected
from entrypoints.settings import Settings, SettingsError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def doctor(as_json: bool) -> None:
    """One line per check, with what to do; exit code 1 when any fails."""
    from entrypoints.cli.checks import examine
    from entrypoints.cli.finding import Finding

    try:
        given = Settings.load()
    except SettingsError as error:
        findings = [Finding("settings", False, problem) for problem in error.problems]
    else:
        try:
            with connected(given) as settings:
                findings = asyncio.run(examine(settings, given=given))
        except LocalError as error:
            findings = [Finding("servers", False, str(error))]
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            mark, colour = ("✓", "green") if finding.ok else ("✗", "red")
            click.echo(f"{click.style(mark, fg=colour)} {finding.name:<11} {finding.detail}")
        failed = sum(not finding.ok for finding in findings)
        click.echo(f"\n{failed} of these need you." if failed else "\nAll is well.")
    sys.exit(0 if all(finding.ok for finding in findings) else 1)
