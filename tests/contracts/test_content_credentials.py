"""What everything that signs statements into files promises."""

import asyncio
import io
import random
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from adapters.c2pa.credentials import C2paCredentials
from adapters.c2pa.development import development_material
from adapters.c2pa.signers import Algorithm, LocalKey, SigningMaterial
from adapters.memory.credentials import MemoryCredentials
from application.ports.credentials import ContentCredentials, Parent, Signed, SigningRefused
from domain.media.provenance import Claim, LicenceClaim, SourceType, Verdict
from tests.movies import movie, sound
from tests.pictures import opened, picture

LICENCE = LicenceClaim(UUID(int=7), 3, "ab" * 32)
IMAGES = ["PNG", "JPEG", "WEBP"]
CLIPS = ["mp4", "mp3", "wav", "flac"]
TYPES = {"mp4": "video/mp4", "mp3": "audio/mpeg", "wav": "audio/wav", "flac": "audio/flac"}


def claim(
    *,
    source: SourceType = SourceType.TRAINED,
    model: str = "fal/flux-lora",
    training_allowed: bool = False,
    marked: bool = False,
) -> Claim:
    return Claim(
        title="0190-opaque",
        source=source,
        model=model,
        licence=LICENCE,
        training_allowed=training_allowed,
        marked=marked,
    )


@dataclass(frozen=True)
class Safe:
    """A key that only answers signatures, as a cloud's key management does."""

    certificates: str
    key: ec.EllipticCurvePrivateKey
    algorithm: Algorithm = "es256"

    def sign(self, data: bytes) -> bytes:
        r, s = utils.decode_dss_signature(self.key.sign(data, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def in_a_safe(folder: Path) -> SigningMaterial:
    material = development_material(folder)
    assert isinstance(material.signer, LocalKey)
    key = load_pem_private_key(material.signer.key.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return SigningMaterial(signer=Safe(material.signer.certificates, key), anchors=material.anchors)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("credentials")


@pytest.fixture(scope="module")
def real(folder: Path) -> Iterator[Callable[[str], ContentCredentials]]:
    """One by name: each has a root of its own, but that in the safe and `ours` share theirs."""
    made: dict[str, C2paCredentials] = {}

    def one(name: str) -> ContentCredentials:
        if name not in made:
            root = folder / ("strangers" if name == "stranger" else "ours")
            made[name] = C2paCredentials(
                (lambda: in_a_safe(root))
                if name == "safe"
                else (lambda: development_material(root))
            )
        return made[name]

    yield one
    for credentials in made.values():
        credentials.close()


@pytest.fixture(params=["memory", "c2pa", "c2pa-safe"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def credentials(kind: str, real: Callable[[str], ContentCredentials]) -> ContentCredentials:
    match kind:
        case "memory":
            return MemoryCredentials()
        case "c2pa":
            return real("ours")
    return real("safe")


@pytest.fixture
def stranger(kind: str, real: Callable[[str], ContentCredentials]) -> ContentCredentials:
    return MemoryCredentials(root="a stranger") if kind == "memory" else real("stranger")


def type_of(kind: str) -> str:
    return f"image/{kind.lower()}"


async def signed_with(
    credentials: ContentCredentials, kind: str = "PNG", said: Claim | None = None
) -> Signed:
    return await credentials.sign(picture(kind), type_of(kind), said or claim())


@pytest.mark.parametrize("kind_of_image", IMAGES)
async def test_what_was_signed_is_read_again(
    credentials: ContentCredentials, kind_of_image: str
) -> None:
    signed = await signed_with(credentials, kind_of_image)

    report = await credentials.read(signed.content, type_of(kind_of_image))

    assert (report.verdict, report.failures) == (Verdict.VALID, ())
    [said] = report.statements
    assert (said.manifest, said.claim_sha256) == (signed.manifest, signed.claim_sha256)
    assert said.title == "0190-opaque"
    assert said.generator == "Likeness"
    assert said.actions == ("c2pa.created",)
    assert said.models == ("fal/flux-lora",)
    assert said.source_types == (SourceType.TRAINED.uri,)
    assert said.training_allowed is False
    assert said.licence is not None
    assert (said.licence.licence_id, said.licence.version, said.licence.hash) == (
        LICENCE.licence_id,
        3,
        LICENCE.hash,
    )
    assert signed.certificate_sha256 == (await credentials.certificate()).sha256


def clip(kind: str) -> bytes:
    return movie(kind, audio=True) if kind == "mp4" else sound(kind)


async def in_pieces(content: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


@pytest.mark.parametrize("kind_of_clip", CLIPS)
async def test_films_and_sounds_carry_them_too(
    credentials: ContentCredentials, kind_of_clip: str
) -> None:
    still = await signed_with(credentials)
    parent = Parent(content=still.content, content_type="image/png")
    signed = await credentials.sign(
        clip(kind_of_clip), TYPES[kind_of_clip], claim(), parents=[parent]
    )

    report = await credentials.read(signed.content, TYPES[kind_of_clip])

    assert (report.verdict, report.failures) == (Verdict.VALID, ())
    assert [one.manifest for one in report.statements] == [signed.manifest, still.manifest]
    assert report.statements[0].source_types == (SourceType.TRAINED.uri,)
    assert report.statements[0].training_allowed is False
    assert len(signed.content) - len(clip(kind_of_clip)) < 48_000


@pytest.mark.parametrize("kind_of_clip", CLIPS)
async def test_one_changed_byte_of_a_film_or_a_sound_is_invalid(
    credentials: ContentCredentials, kind_of_clip: str
) -> None:
    signed = await credentials.sign(clip(kind_of_clip), TYPES[kind_of_clip], claim())
    tampered = bytearray(signed.content)
    tampered[signed.content.index(clip(kind_of_clip)[-64:]) + 8] ^= 1

    report = await credentials.read(bytes(tampered), TYPES[kind_of_clip])

    assert report.verdict is Verdict.INVALID
    assert any(code.endswith("Hash.mismatch") for code in report.failures)
    assert report.statements[0].manifest == signed.manifest


@pytest.mark.parametrize("kind_of_clip", ["PNG", *CLIPS])
async def test_a_stream_is_read_as_the_whole_is(
    credentials: ContentCredentials, kind_of_clip: str
) -> None:
    media, plain = (
        TYPES.get(kind_of_clip, "image/png"),
        clip(kind_of_clip) if kind_of_clip in TYPES else picture(),
    )
    signed = await credentials.sign(plain, media, claim())

    whole = await credentials.read(signed.content, media)
    for size in (1, 3, 100_000) if len(signed.content) < 50_000 else (777,):
        assert await credentials.read_stream(in_pieces(signed.content, size), media) == whole
    silent = await credentials.read_stream(in_pieces(plain), media)
    assert (silent.verdict, silent.failures) == (Verdict.NONE, ("manifest.missing",))


async def test_a_stream_that_breaks_off_is_the_senders_fault(
    credentials: ContentCredentials,
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield picture()[:50]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await credentials.read_stream(broken(), "image/png")


@pytest.mark.parametrize("kind_of_image", IMAGES)
async def test_the_picture_is_the_same_and_a_little_larger(
    credentials: ContentCredentials, kind_of_image: str
) -> None:
    plain = picture(kind_of_image)
    signed = await signed_with(credentials, kind_of_image)

    assert opened(signed.content).tobytes() == opened(plain).tobytes()
    assert len(signed.content) - len(plain) < 16_000


async def test_each_signature_has_a_name_of_its_own(credentials: ContentCredentials) -> None:
    first, second = await signed_with(credentials), await signed_with(credentials)
    assert first.manifest != second.manifest
    assert first.claim_sha256 != second.claim_sha256


async def test_terms_may_allow_training_and_copies_are_marked(
    credentials: ContentCredentials,
) -> None:
    said = claim(source=SourceType.COMPOSITE, training_allowed=True, marked=True)
    signed = await signed_with(credentials, "JPEG", said)

    [read] = (await credentials.read(signed.content, "image/jpeg")).statements

    assert read.training_allowed is True
    assert read.source_types == (SourceType.COMPOSITE.uri,)
    assert read.actions == ("c2pa.created", "c2pa.resized", "c2pa.addedText")


@pytest.mark.parametrize("kind_of_image", IMAGES)
async def test_one_changed_byte_of_the_picture_is_invalid(
    credentials: ContentCredentials, kind_of_image: str
) -> None:
    plain = picture(kind_of_image, (300, 200))
    signed = await credentials.sign(plain, type_of(kind_of_image), claim())
    tampered = bytearray(signed.content)
    tampered[signed.content.index(plain[-40:])] ^= 1

    report = await credentials.read(bytes(tampered), type_of(kind_of_image))

    assert report.verdict is Verdict.INVALID
    assert "assertion.dataHash.mismatch" in report.failures
    assert report.statements[0].manifest == signed.manifest


@pytest.mark.parametrize("kind_of_image", IMAGES)
async def test_who_saves_it_anew_loses_them(
    credentials: ContentCredentials, kind_of_image: str
) -> None:
    signed = await signed_with(credentials, kind_of_image)
    saved = io.BytesIO()
    opened(signed.content).save(saved, kind_of_image)

    for plain in (saved.getvalue(), picture(kind_of_image)):
        report = await credentials.read(plain, type_of(kind_of_image))
        assert (report.verdict, report.failures) == (Verdict.NONE, ("manifest.missing",))
        assert report.statements == ()


async def test_a_stranger_is_not_trusted(
    credentials: ContentCredentials, stranger: ContentCredentials
) -> None:
    signed = await signed_with(stranger)

    report = await credentials.read(signed.content, "image/png")

    assert report.verdict is Verdict.UNTRUSTED
    assert report.failures == ("signingCredential.untrusted",)
    assert (await stranger.read(signed.content, "image/png")).verdict is Verdict.VALID


@pytest.mark.parametrize("kind_of_image", IMAGES)
async def test_an_edit_keeps_the_chain(credentials: ContentCredentials, kind_of_image: str) -> None:
    first = await signed_with(credentials, kind_of_image)
    media = type_of(kind_of_image)
    chain, content = [first.manifest], first.content
    for step in range(2):
        parent = Parent(content=content, content_type=media)
        edited = await credentials.sign(
            picture(kind_of_image, (50 + step, 40)), media, claim(), parents=[parent]
        )
        chain.insert(0, edited.manifest)
        content = edited.content

    report = await credentials.read(content, media)

    assert report.verdict is Verdict.VALID
    assert [one.manifest for one in report.statements] == chain
    assert [one.actions for one in report.statements] == [
        ("c2pa.opened", "c2pa.edited"),
        ("c2pa.opened", "c2pa.edited"),
        ("c2pa.created",),
    ]


async def test_a_parent_without_credentials_is_a_parent_all_the_same(
    credentials: ContentCredentials,
) -> None:
    scene = Parent(content=picture("JPEG"), content_type="image/jpeg")
    signed = await credentials.sign(picture(), "image/png", claim(), parents=[scene])

    report = await credentials.read(signed.content, "image/png")

    assert report.verdict is Verdict.VALID
    [said] = report.statements
    assert said.actions == ("c2pa.opened", "c2pa.edited")


async def test_a_strangers_parent_does_not_spoil_what_we_sign(
    credentials: ContentCredentials, stranger: ContentCredentials
) -> None:
    theirs = await signed_with(stranger, "JPEG")
    parent = Parent(content=theirs.content, content_type="image/jpeg")
    signed = await credentials.sign(picture(), "image/png", claim(), parents=[parent])

    report = await credentials.read(signed.content, "image/png")

    assert report.verdict is Verdict.VALID
    assert [one.manifest for one in report.statements] == [signed.manifest, theirs.manifest]


@pytest.mark.parametrize("content", [b"", b"no picture", picture("JPEG")])
async def test_what_is_not_what_it_is_called_is_not_signed(
    credentials: ContentCredentials, content: bytes
) -> None:
    with pytest.raises(SigningRefused):
        await credentials.sign(content, "image/png", claim())


async def test_many_sign_at_once(credentials: ContentCredentials) -> None:
    signed = await asyncio.gather(
        *(signed_with(credentials, IMAGES[number % 3]) for number in range(12))
    )
    assert len({one.manifest for one in signed}) == 12
    reports = await asyncio.gather(
        *(
            credentials.read(one.content, type_of(IMAGES[number % 3]))
            for number, one in enumerate(signed[:6])
        )
    )
    assert {report.verdict for report in reports} == {Verdict.VALID}


async def test_damage_of_any_kind_is_reported_and_never_raised(
    credentials: ContentCredentials,
) -> None:
    """Flipped bits are not trusted, except in the padding, which nothing reads."""
    signed = await signed_with(credentials, "JPEG")
    chance = random.Random(7)
    for number in range(60):
        content = bytearray(signed.content)
        match number % 3:
            case 0:
                content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            case 1:
                del content[chance.randrange(3, len(content)) :]
            case 2:
                start = chance.randrange(3, len(content))
                content[start : start + 30] = chance.randbytes(30)
        for called in ("image/jpeg", "image/png"):
            report = await credentials.read(bytes(content), called)
            assert report.verdict in Verdict
