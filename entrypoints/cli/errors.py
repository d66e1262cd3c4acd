"""Write the page that explains every error code."""

from pathlib import Path

import click

PAGE = Path("docs/errors.md")


@click.group()
def errors() -> None:
    """Document the error codes."""


@errors.command()
@click.option("--check", is_flag=True, help="Write nothing; fail if the page is out of date.")
def docs(check: bool) -> None:
    """Write docs/errors.md."""
    from entrypoints.http.error_docs import error_page

    page = error_page()
    if not check:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page)
    elif not PAGE.exists() or PAGE.read_text() != page:
        raise click.ClickException(f"{PAGE} is out of date; run `likeness errors docs`.")
