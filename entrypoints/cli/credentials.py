"""`likeness credentials`: the certificate that signs what is delivered."""

import sys
import time
from collections.abc import Callable

import click
import msgspec

from application.ports.credentials import CertificateFacts
from entrypoints.cli.credential_checks import judge_certificate
from entrypoints.settings import Settings


@click.group()
def credentials() -> None:
    """Look at the certificate of content credentials, and renew that of development."""


@credentials.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(as_json: bool) -> None:
    """Say who signs and until when; exit with 1 when the certificate expires within 30 days."""
    from entrypoints.bootstrap_credentials import certificate_of

    _told(_read(certificate_of), as_json=as_json)


@credentials.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def renew(as_json: bool) -> None:
    """Make a new key and certificate of development, under the same root.

    What was signed before stays trusted. Processes take the new one when they start again. A
    certificate of yours is renewed where you got it: put it in LIKENESS_CREDENTIALS_CERTIFICATE.
    """
    from entrypoints.bootstrap_credentials import renew_development

    if Settings.load().credentials_certificate is not None:
        raise click.ClickException(
            "LIKENESS_CREDENTIALS_CERTIFICATE is yours: put the new one there, with its key, keep "
            "the old root in LIKENESS_CREDENTIALS_TRUST, and start the processes again."
        )
    _told(_read(renew_development), as_json=as_json)


@credentials.command()
def root() -> None:
    """Write the roots that we trust, in PEM, for tools that verify files elsewhere."""
    from entrypoints.bootstrap_credentials import anchors_of

    try:
        click.echo(anchors_of(Settings.load()), nl=False)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error


def _read(look: Callable[[Settings], CertificateFacts]) -> CertificateFacts:
    try:
        return look(Settings.load())
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error


def _told(facts: CertificateFacts, *, as_json: bool) -> None:
    finding = judge_certificate(facts, now=time.time())
    if as_json:
        click.echo(msgspec.json.encode(facts))
    else:
        click.echo(f"subject      {facts.subject}")
        click.echo(f"issuer       {facts.issuer}")
        click.echo(f"fingerprint  {facts.sha256}")
        click.echo(f"state        {finding.detail}")
    sys.exit(0 if finding.ok else 1)
