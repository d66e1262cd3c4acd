"""The part of the composition root that signs what is delivered."""

from pathlib import Path

from adapters.c2pa.credentials import C2paCredentials, facts_of
from adapters.c2pa.development import development_material, renew
from adapters.c2pa.signers import LocalKey, SigningMaterial, belongs
from application.ports.credentials import CertificateFacts
from entrypoints.settings import Settings

FOLDER = "credentials"


def content_credentials(settings: Settings) -> C2paCredentials:
    """Reads no file and makes no key until something is signed or read."""
    return C2paCredentials(lambda: signing_material(settings))


def signing_material(settings: Settings) -> SigningMaterial:
    """The operator's certificate, or one of our own. OSError, ValueError when neither is there."""
    timestamp_url = settings.credentials_timestamp_url or None
    if settings.credentials_certificate is None or settings.credentials_key is None:
        return development_material(development_folder(settings), timestamp_url=timestamp_url)
    certificates = settings.credentials_certificate
    if not belongs(certificates, settings.credentials_key.reveal()):
        raise ValueError("the key is not that of the first certificate")
    return SigningMaterial(
        signer=LocalKey(certificates, settings.credentials_key.reveal()),
        anchors="\n".join(filter(None, (settings.credentials_trust, certificates))),
        timestamp_url=timestamp_url,
    )


def certificate_of(settings: Settings) -> CertificateFacts:
    """For the doctor and the command line. OSError, ValueError when there is none."""
    return facts_of(signing_material(settings))


def anchors_of(settings: Settings) -> str:
    return signing_material(settings).anchors


def renew_development(settings: Settings) -> CertificateFacts:
    renew(development_folder(settings))
    return certificate_of(settings)


def development_folder(settings: Settings) -> Path:
    return settings.data_dir / FOLDER
