"""The certificate of content credentials: made, shown, renewed, and complained about in time."""

import stat
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner

from adapters.c2pa.credentials import C2paCredentials
from adapters.c2pa.development import development_material
from adapters.c2pa.signers import LocalKey
from adapters.memory.credentials import MemoryCredentials
from application.ports.credentials import CertificateFacts
from domain.media.provenance import Claim, LicenceClaim, SourceType, Verdict
from entrypoints.bootstrap_credentials import (
    certificate_of,
    content_credentials,
    renew_development,
    signing_material,
)
from entrypoints.cli.credential_checks import DAY_S, certificate, judge_certificate
from entrypoints.cli.main import cli
from entrypoints.gauges import CERTIFICATE_EXPIRES, refresh_certificate_gauge
from entrypoints.settings import Settings
from tests.pictures import picture

NOW = 1_800_000_000.0


def settings(folder: Path, **environ: str) -> Settings:
    return Settings.load(
        {
            "LIKENESS_DATA_DIR": str(folder),
            **{f"LIKENESS_CREDENTIALS_{name}": value for name, value in environ.items()},
        }
    )


def pair(folder: Path) -> tuple[str, str]:
    """A certificate and its key, as an operator has them in files."""
    signer = development_material(folder / "made").signer
    assert isinstance(signer, LocalKey)
    (folder / "chain.pem").write_text(signer.certificates)
    (folder / "key.pem").write_text(signer.key)
    return str(folder / "chain.pem"), str(folder / "key.pem")


def one_line(path: str) -> str:
    """As a line of the environment holds it."""
    return Path(path).read_text().replace("\n", "\\n")


def claim() -> Claim:
    return Claim(
        title="x",
        source=SourceType.TRAINED,
        model="m",
        licence=LicenceClaim(uuid4(), 1, "a" * 64),
        training_allowed=False,
    )


def facts(*, days: float, development: bool = True) -> CertificateFacts:
    return CertificateFacts(
        sha256="a" * 64,
        subject="CN=a",
        issuer="CN=b",
        not_after=NOW + days * DAY_S,
        development=development,
    )


def test_it_is_made_once_and_nobody_else_reads_it(tmp_path: Path) -> None:
    first, second = certificate_of(settings(tmp_path)), certificate_of(settings(tmp_path))

    assert first == second
    assert first.development
    folder = tmp_path / "credentials"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["credentials"]


async def test_after_renewal_what_was_signed_before_is_still_trusted(tmp_path: Path) -> None:
    given = settings(tmp_path)
    before = content_credentials(given)
    signed = await before.sign(picture(), "image/png", claim())
    before.close()

    renewed = renew_development(given)

    after = content_credentials(given)
    again = await after.sign(picture(), "image/png", claim())
    assert again.certificate_sha256 == renewed.sha256 != signed.certificate_sha256
    for one in (signed, again):
        assert (await after.read(one.content, "image/png")).verdict is Verdict.VALID
    after.close()


@pytest.mark.parametrize("inline", [True, False])
async def test_a_certificate_of_the_operators_signs(tmp_path: Path, inline: bool) -> None:
    chain, key = pair(tmp_path)
    if inline:
        chain, key = one_line(chain), one_line(key)
    given = settings(tmp_path, CERTIFICATE=chain, KEY=key)

    assert not certificate_of(given).development
    credentials = C2paCredentials(lambda: signing_material(given))
    signed = await credentials.sign(picture(), "image/png", claim())
    assert (await credentials.read(signed.content, "image/png")).verdict is Verdict.VALID
    credentials.close()
    assert not (tmp_path / "credentials").exists()


def test_a_key_of_another_certificate_is_told(tmp_path: Path) -> None:
    chain, _ = pair(tmp_path)
    (tmp_path / "other").mkdir()
    _, key = pair(tmp_path / "other")

    found = certificate(settings(tmp_path, CERTIFICATE=chain, KEY=key))

    assert not found.ok
    assert "the key is not that of the first certificate" in found.detail


@pytest.mark.parametrize(
    ("days", "ok", "words"),
    [
        (400, True, "expires in 400 days"),
        (30, True, "expires in 30 days"),
        (29.5, False, "expires in 29 days; run `likeness credentials renew`"),
        (0, False, "has expired: nothing is signed"),
        (-3, False, "has expired: nothing is signed"),
    ],
)
def test_the_doctor_says_in_time_that_it_expires(days: float, ok: bool, words: str) -> None:
    found = judge_certificate(facts(days=days), now=NOW)
    assert found.ok is ok
    assert words in found.detail


def test_the_operators_own_is_renewed_in_the_settings() -> None:
    found = judge_certificate(facts(days=3, development=False), now=NOW)
    assert "LIKENESS_CREDENTIALS_CERTIFICATE" in found.detail


def test_the_command_line_shows_renews_and_writes_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_DATA_DIR", str(tmp_path))
    run = CliRunner().invoke
    shown = run(cli, ["credentials", "show"])
    renewed = run(cli, ["credentials", "renew"])
    root = run(cli, ["credentials", "root"])

    assert (shown.exit_code, renewed.exit_code, root.exit_code) == (0, 0, 0)
    assert shown.output.splitlines()[0] == renewed.output.splitlines()[0]
    assert shown.output.splitlines()[2] != renewed.output.splitlines()[2]
    assert root.output.startswith("-----BEGIN CERTIFICATE-----")
    assert "PRIVATE" not in root.output


def test_the_operators_own_is_not_renewed_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, key = pair(tmp_path)
    monkeypatch.setenv("LIKENESS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LIKENESS_CREDENTIALS_CERTIFICATE", chain)
    monkeypatch.setenv("LIKENESS_CREDENTIALS_KEY", key)

    answer = CliRunner().invoke(cli, ["credentials", "renew"])

    assert answer.exit_code == 1
    assert "is yours" in answer.output


async def test_when_it_expires_can_be_watched() -> None:
    credentials = MemoryCredentials()
    await refresh_certificate_gauge(credentials)
    [metric] = CERTIFICATE_EXPIRES.collect()
    assert metric.samples[0].value == (await credentials.certificate()).not_after
