"""Who signs: a key that we hold, or one that never leaves its safe."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

if TYPE_CHECKING:
    import c2pa

Algorithm = Literal["es256", "es384", "es512", "ps256", "ed25519"]
_BY_CURVE: dict[str, Algorithm] = {
    "secp256r1": "es256",
    "secp384r1": "es384",
    "secp521r1": "es512",
}


class CredentialSigner(Protocol):
    """A key in a safe, such as a cloud's key management.

    `certificates` is PEM, the one of the key first, up to the root or below it. `sign` is called in
    the thread that signs and may wait for the network. It answers the raw signature, of an
    elliptic curve r and s one after the other, each filled with zeros to the curve's length.
    """

    @property
    def certificates(self) -> str: ...

    @property
    def algorithm(self) -> Algorithm: ...

    def sign(self, data: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class LocalKey:
    """A key that we hold: PEM, PKCS #8, without a passphrase."""

    certificates: str
    key: str = field(repr=False)

    @property
    def algorithm(self) -> Algorithm:
        return algorithm_of(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningMaterial:
    """What signs, and whom we trust when we read: `anchors` are root certificates in PEM."""

    signer: LocalKey | CredentialSigner
    anchors: str
    timestamp_url: str | None = None
    development: bool = False


Material = Callable[[], SigningMaterial]


def algorithm_of(key: str) -> Algorithm:
    """ValueError for what is no key, or none that C2PA allows."""
    try:
        loaded = load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise ValueError("is no private key in PEM without a passphrase") from error
    if isinstance(loaded, ec.EllipticCurvePrivateKey) and loaded.curve.name in _BY_CURVE:
        return _BY_CURVE[loaded.curve.name]
    if isinstance(loaded, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(loaded, rsa.RSAPrivateKey):
        return "ps256"
    raise ValueError("is of a kind that content credentials do not allow; use a P-256 key")


def leaf_of(certificates: str) -> x509.Certificate:
    """The certificate of the key. ValueError when there is none."""
    return x509.load_pem_x509_certificates(certificates.encode())[0]


def fingerprint_of(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(SHA256()).hex()


def belongs(certificates: str, key: str) -> bool:
    """Whether the first certificate is that of the key. ValueError for what is neither."""
    algorithm_of(key)
    loaded = load_pem_private_key(key.encode(), password=None)
    return leaf_of(certificates).public_key() == loaded.public_key()


def open_signer(material: SigningMaterial) -> "c2pa.Signer":
    """For the thread and the process that will use it: the library's signers are not inherited."""
    import c2pa

    signer = material.signer
    if isinstance(signer, LocalKey):
        return c2pa.Signer.from_info(
            c2pa.C2paSignerInfo(
                signer.algorithm,
                signer.certificates.encode(),
                signer.key.encode(),
                material.timestamp_url.encode() if material.timestamp_url else None,
            )
        )
    return c2pa.Signer.from_callback(
        signer.sign,
        c2pa.C2paSigningAlg[signer.algorithm.upper()],
        signer.certificates,
        material.timestamp_url,
    )
