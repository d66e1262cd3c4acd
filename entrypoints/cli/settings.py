"""Show the settings in force, and write the page that explains them."""

import dataclasses
from pathlib import Path
from typing import Any

import click

from entrypoints.settings import Settings, specs, variable_of
from entrypoints.settings_docs import settings_page

PAGE = Path("docs/settings.md")


@click.group()
def settings() -> None:
    """Show and document the settings."""


@settings.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(as_json: bool) -> None:
    """The values in force; secrets are only said to be set."""
    values = Settings.load()
    shown = {
        variable_of(field.name): _shown(getattr(values, field.name), field.name)
        for field in dataclasses.fields(values)
    }
    if as_json:
        import json

        click.echo(json.dumps(shown, indent=2))
        return
    width = max(map(len, shown))
    for variable, value in shown.items():
        click.echo(f"{variable:<{width}}  {value}")


@settings.command()
@click.option("--check", is_flag=True, help="Write nothing; fail if the page is out of date.")
def docs(check: bool) -> None:
    """Write docs/settings.md."""
    page = settings_page()
    if not check:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page)
    elif not PAGE.exists() or PAGE.read_text() != page:
        raise click.ClickException(f"{PAGE} is out of date; run `likeness settings docs`.")


def _shown(value: Any, name: str) -> str:
    if value in (None, "", ()):
        return ""
    if specs()[name].secret:
        return "(set, hidden)"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)
