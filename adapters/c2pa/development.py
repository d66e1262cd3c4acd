"""A root and a certificate of our own, for development and tests: whoever trusts them, trusts
this machine. Made once, in a folder that nobody else reads."""

import os
import secrets
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from adapters.c2pa.signers import LocalKey, SigningMaterial

ROOT_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=730)
_SKEW = timedelta(hours=1)
_ROOT, _ROOT_KEY = "root.pem", "root-key.pem"
_SIGNER = "signer.pem"
"""Key and certificate in one file: replaced together."""
_CERTIFICATE = "-----BEGIN CERTIFICATE-----"


def development_material(
    folder: Path, *, timestamp_url: str | None = None, now: datetime | None = None
) -> SigningMaterial:
    """What is in the folder; made when it is not there, also when several come at once."""
    if not folder.exists():
        _make(folder, now or datetime.now(UTC))
    root = (folder / _ROOT).read_text()
    key, marker, certificate = (folder / _SIGNER).read_text().partition(_CERTIFICATE)
    return SigningMaterial(
        signer=LocalKey(marker + certificate + root, key),
        anchors=root,
        timestamp_url=timestamp_url,
        development=True,
    )


def renew(folder: Path, *, now: datetime | None = None) -> None:
    """A new key and certificate under the same root, so that what was signed stays trusted."""
    now = now or datetime.now(UTC)
    if not folder.exists():
        _make(folder, now)
        return
    root_key = load_pem_private_key((folder / _ROOT_KEY).read_bytes(), password=None)
    if not isinstance(root_key, ec.EllipticCurvePrivateKey):
        raise ValueError("the root of development has a key that we did not make")
    root = x509.load_pem_x509_certificate((folder / _ROOT).read_bytes())
    draft = folder / f"{_SIGNER}.{secrets.token_hex(8)}"
    try:
        _keep(draft, _issued(root, root_key, now))
        draft.replace(folder / _SIGNER)
    finally:
        draft.unlink(missing_ok=True)


def _make(folder: Path, now: datetime) -> None:
    draft = folder.with_name(f"{folder.name}.{secrets.token_hex(8)}")
    draft.mkdir(mode=0o700, parents=True)
    try:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("Likeness development root")
        root = (
            _begun(name, name, key.public_key(), now, ROOT_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(key, SHA256())
        )
        _keep(draft / _ROOT, root.public_bytes(Encoding.PEM))
        _keep(draft / _ROOT_KEY, _pem(key))
        _keep(draft / _SIGNER, _issued(root, key, now))
        try:
            draft.rename(folder)
        except OSError:
            if not folder.exists():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _issued(root: x509.Certificate, root_key: ec.EllipticCurvePrivateKey, now: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    life = min(LEAF_LIFE, root.not_valid_after_utc - now)
    leaf = (
        _begun(_name("Likeness development"), root.subject, key.public_key(), now, life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()),
            critical=False,
        )
        .sign(root_key, SHA256())
    )
    return _pem(key) + leaf.public_bytes(Encoding.PEM)


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Likeness development"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _keep(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
