"""How a text from the environment becomes a value, or a sentence about what is wrong with it.

Each parser raises `ValueError` with the reason and what to do; never with a secret in it.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from domain.shared.money import SUPPORTED_CURRENCIES

T = TypeVar("T")
_PLACE: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_DATABASE_OPTIONS: Final = {"host", "port", "ssl", "sslmode"}


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A value that no log, traceback or format string shows. `reveal()` says it."""

    _value: str

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(••••)"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class FileStorageLocation:
    folder: Path


@dataclass(frozen=True, slots=True)
class S3StorageLocation:
    """`endpoint_url` is None for Amazon itself."""

    bucket: str
    region: str
    endpoint_url: str | None


def text(raw: str) -> str:
    return raw


def address_lines(raw: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in raw.split(";") if line.strip())


def secret(raw: str) -> Secret:
    return Secret(raw)


def secrets(raw: str) -> tuple[Secret, ...]:
    return tuple(Secret(part) for part in _parts(raw))


def secret_keys(raw: str) -> tuple[Secret, ...]:
    if any(len(part) < 32 for part in _parts(raw)):
        raise ValueError(
            "is shorter than 32 characters; make one with "
            "`python -c 'import secrets; print(secrets.token_urlsafe(48))'`"
        )
    return secrets(raw)


def webhook_secrets(raw: str) -> tuple[Secret, ...]:
    """Those of Standard Webhooks: `whsec_` and base64."""
    found = secrets(raw)
    for one in found:
        try:
            key = base64.b64decode(one.reveal().removeprefix("whsec_"), validate=True)
        except binascii.Error:
            key = b""
        if not key:
            raise ValueError("is not of the form whsec_ and base64")
    return found


@dataclass(frozen=True, slots=True)
class CurrencyAmounts:
    """Minor units, in general and for the currencies that have their own."""

    general: int
    by_currency: Mapping[str, int]


def currency_amounts(raw: str) -> CurrencyAmounts:
    general: int | None = None
    named: dict[str, int] = {}
    amount = whole_number(1, 10_000_000)
    for part in _parts(raw):
        name, equals, value = part.partition("=")
        if not equals:
            general = amount(part)
        elif name.lower() in SUPPORTED_CURRENCIES:
            named[name.lower()] = amount(value)
        else:
            raise ValueError(f"has `{name}`, which is no currency; write 1000,jpy=2000")
    if general is None:
        raise ValueError("has no amount for all the others; write 1000,jpy=2000")
    return CurrencyAmounts(general, named)


def folder(raw: str) -> Path:
    return Path(raw).expanduser().absolute()


def on_or_off(raw: str) -> bool:
    match raw.lower():
        case "on" | "true" | "1" | "yes":
            return True
        case "off" | "false" | "0" | "no":
            return False
    raise ValueError(f"is `{raw}`; write `on` or `off`")


def pem(raw: str) -> str:
    """The text itself, its line ends perhaps written as \\n, or what is in the file."""
    if raw.startswith("-----BEGIN"):
        return raw.replace("\\n", "\n")
    try:
        found = Path(raw).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is no text"
        raise ValueError(f"names a file that cannot be read ({reason})") from None
    if "-----BEGIN" not in found:
        raise ValueError("names a file that is not PEM")
    return found


def secret_pem(raw: str) -> Secret:
    return Secret(pem(raw))


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    def parse(raw: str) -> int:
        if not raw.isascii() or not raw.isdigit() or not lowest <= int(raw) <= highest:
            raise ValueError(f"is `{raw}`; write a whole number from {lowest} to {highest}")
        return int(raw)

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(raw: str) -> str:
        for choice in choices:
            if raw.lower() == choice.lower():
                return choice
        raise ValueError(f"is `{raw}`; write one of {', '.join(choices)}")

    return parse


def names(*choices: str) -> Callable[[str], tuple[str, ...]]:
    """Some of the choices, each once; none given means an empty tuple."""

    def parse(raw: str) -> tuple[str, ...]:
        given = tuple(dict.fromkeys(_parts(raw)))
        if not set(given) <= set(choices):
            raise ValueError(f"is {raw!r}; use {', '.join(choices)}, separated by commas")
        return given

    return parse


def places(raw: str) -> tuple[str, ...]:
    """Countries and their subdivisions by ISO 3166: `DE`, `US-CA`."""
    given = tuple(dict.fromkeys(part.upper() for part in _parts(raw)))
    for part in given:
        if not _PLACE.fullmatch(part):
            raise ValueError(f"has `{part}`; write codes such as DE or US-CA")
    return given


def database_url(raw: str) -> str:
    """With the asyncpg driver named, because `postgresql://` alone means another driver."""
    scheme, _, rest = raw.partition("://")
    if scheme not in {"postgresql", "postgres", "postgresql+asyncpg"} or not rest:
        raise ValueError("is not of the form postgresql://user:password@host:5432/database")
    if not urlsplit(raw).path.strip("/"):
        raise ValueError("names no database; end it with /likeness, for example")
    if unknown := sorted(parse_qs(urlsplit(raw).query).keys() - _DATABASE_OPTIONS):
        raise ValueError(
            f"has the option `{unknown[0]}`, which the driver does not know; leave it out"
        )
    return f"postgresql+asyncpg://{rest}"


def redis_url(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in {"redis", "rediss", "unix"} or not (parts.netloc or parts.path):
        raise ValueError("is not of the form redis://host:6379/0, rediss://… or unix:///path")
    return raw


def storage_url(raw: str) -> str:
    storage_location(raw)
    return raw


def storage_location(raw: str) -> FileStorageLocation | S3StorageLocation:
    parts = urlsplit(raw)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return FileStorageLocation(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        unknown = sorted(query.keys() - {"endpoint", "region"})
        if unknown or parts.path.strip("/"):
            raise ValueError("is not of the form s3://bucket?endpoint=https://…&region=…")
        endpoint = query.get("endpoint")
        return S3StorageLocation(
            bucket=parts.netloc,
            region=query.get("region", "auto" if endpoint else "us-east-1"),
            endpoint_url=web_url(endpoint) if endpoint else None,
        )
    raise ValueError("is neither file:///an/absolute/folder nor s3://bucket")


def web_url(raw: str) -> str:
    """Without the slash at its end."""
    parts = urlsplit(raw)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise ValueError(f"is `{raw}`; write an address such as https://example.com")
    return raw.rstrip("/")


def origins(raw: str) -> tuple[str, ...]:
    parts = tuple(web_url(part) for part in _parts(raw))
    for part in parts:
        if urlsplit(part).path:
            raise ValueError(f"has a path in `{part}`; write origins, such as https://example.com")
    return parts


def networks(raw: str) -> tuple[str, ...]:
    found = []
    for part in _parts(raw):
        try:
            found.append(str(ipaddress.ip_network(part, strict=False)))
        except ValueError:
            raise ValueError(f"has `{part}`; write networks such as 10.0.0.0/8") from None
    return tuple(found)


def _parts(raw: str) -> list[str]:
    return [part.strip() for part in raw.split(",") if part.strip()]


def read_env_file(path: Path) -> dict[str, str]:
    """`NAME=value` lines, with comments, `export` and quotes as a shell would take them."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    found = {}
    for line in lines:
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if not equals or name.startswith("#"):
            continue
        value = value.strip()
        if value[:1] in {"'", '"'} and value.find(value[0], 1) > 0:
            value = value[1 : value.index(value[0], 1)]
        else:
            value = value.split(" #", 1)[0].strip()
        found[name.strip()] = value
    return found
