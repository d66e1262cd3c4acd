# ruff: noqa: RUF009 - `setting` makes dataclass fields
"""Everything that an operator can set: `LIKENESS_…` in the environment, or in a file `.env`.

A field is its own documentation: `docs/settings.md` is made from the metadata here. All that is
wrong is told at once. Without keys of the providers, development and tests talk to the sandbox;
production refuses to start.
"""

import dataclasses
import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, cast

from domain.ordering.fees import FeesBorneBy
from entrypoints import settings_rules as rules
from entrypoints import settings_values as values
from entrypoints.settings_values import FileStorageLocation, S3StorageLocation, Secret

PREFIX: Final = "LIKENESS_"
_FOR_TESTS: Final = "LIKENESS_TEST_"
Environment = Literal["development", "test", "production"]
T = TypeVar("T")


class SettingsError(Exception):
    """What is wrong with the settings: each problem names the variable, the fault and the cure."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Spec:
    """How one variable is read and explained. `default` is what an operator would have written."""

    doc: str
    default: str
    parse: Callable[[str], Any]
    example: str
    secret: bool
    variable: str | None
    default_shown: str | None


def setting(
    doc: str,
    parse: Callable[[str], T],
    default: str = "",
    *,
    example: str = "",
    secret: bool = False,
    variable: str | None = None,
    default_shown: str | None = None,
) -> T:
    spec = Spec(doc, default, parse, example, secret, variable, default_shown)
    return cast("T", dataclasses.field(repr=not secret, metadata={"spec": spec}))


def _optional(parse: Callable[[str], T]) -> Callable[[str], T | None]:
    return lambda raw: parse(raw) if raw else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Empty texts and None mean "not set"; what then happens is said in each field's text."""

    env: Environment = setting(
        "What this installation is. `production` refuses sandboxes and weak settings.",
        cast("Callable[[str], Environment]", values.one_of("development", "test", "production")),
        "development",
        example="production",
    )
    secret_keys: tuple[Secret, ...] = setting(
        "Signs tokens and links, and encrypts what is secret in the database. At least 32 "
        "characters. To rotate, write the new one first and the old one behind a comma.",
        values.secret_keys,
        example="(48 random characters)",
        secret=True,
        variable="LIKENESS_SECRET_KEY",
        default_shown="in development one is made and kept in the data folder",
    )
    data_dir: Path = setting(
        "Folder of the embedded servers, of stored files and of the generated key.",
        values.folder,
        ".likeness",
        example="/var/lib/likeness",
    )
    database_url: str = setting(
        "PostgreSQL 15 to 18. Transaction-pooling PgBouncer is fine.",
        lambda raw: values.database_url(raw) if raw else "",
        example="postgresql://likeness:…@db.internal:5432/likeness",
        secret=True,
        default_shown="in development an embedded PostgreSQL",
    )
    database_pool_size: int = setting(
        "Connections that each process may open; it opens them as they are needed.",
        values.whole_number(2, 200),
        "20",
        example="10",
    )
    database_direct_url: str = setting(
        "The same database past a transaction-pooling PgBouncer: the lock of the scheduler lives "
        "as long as its connection.",
        lambda raw: values.database_url(raw) if raw else "",
        example="postgresql://likeness:…@db.internal:5433/likeness",
        secret=True,
        default_shown="the value of `LIKENESS_DATABASE_URL`",
    )
    redis_url: str = setting(
        "Redis 6.2 or newer, or Valkey. It may lose its data at any moment.",
        lambda raw: values.redis_url(raw) if raw else "",
        example="redis://cache.internal:6379/0",
        secret=True,
        default_shown="in development an embedded Valkey",
    )
    storage_url: str = setting(
        "Where files are kept: a folder, or a bucket of anything that speaks S3.",
        lambda raw: values.storage_url(raw) if raw else "",
        example="s3://likeness?endpoint=https://s3.example.com&region=auto",
        default_shown="the folder `storage` in the data folder",
    )
    s3_access_key_id: Secret | None = setting(
        "Key for the bucket. Without one, the usual places of the AWS tools are searched.",
        _optional(values.secret),
        example="AKIA…",
        secret=True,
    )
    s3_secret_access_key: Secret | None = setting(
        "The secret half of that key.", _optional(values.secret), example="…", secret=True
    )
    training_min_images: int = setting(
        "Images that a likeness model is trained from at least.",
        values.whole_number(1, 50),
        "4",
        example="12",
    )
    training_min_side_px: int = setting(
        "Pixels that the shorter side of each of them has at least.",
        values.whole_number(1, 4096),
        "512",
        example="768",
    )
    training_one_face_percent: int = setting(
        "How many of them have to show exactly one face; not every likeness is a frontal photo.",
        values.whole_number(0, 100),
        "50",
        example="0",
    )
    training_checks: str = setting(
        "Whether a training is refused for images that are too small, alike, or show no face or "
        "several, or only warned of: refuse or warn.",
        values.one_of("refuse", "warn"),
        "refuse",
        example="warn",
    )
    host: str = setting("Address the API listens on.", values.text, "127.0.0.1", example="0.0.0.0")
    port: int = setting(
        "Port the API listens on; 0 takes 8000, or the next one that is free.",
        values.whole_number(0, 65535),
        "0",
        example="8000",
    )
    api_processes: int = setting(
        "Processes that serve the API on this machine.", values.whole_number(1, 64), "1"
    )
    worker_processes: int = setting(
        "Processes that `likeness worker` starts.", values.whole_number(1, 64), "1", example="2"
    )
    worker_threads: int = setting(
        "Batches that each worker process handles at a time.",
        values.whole_number(1, 256),
        "16",
        example="32",
    )
    worker_queues: tuple[str, ...] = setting(
        "Queues that this worker serves, separated by commas: payments, transfers, webhooks, "
        "studio, image-generation, post-processing, video-synthesis, motion-transfer, mail, "
        "default.",
        values.names(
            "payments",
            "transfers",
            "webhooks",
            "studio",
            "image-generation",
            "post-processing",
            "video-synthesis",
            "motion-transfer",
            "mail",
            "default",
        ),
        example="payments,transfers,webhooks",
        default_shown="all of them",
    )
    message_attempts: int = setting(
        "Failed attempts after which a message is parked for a person to look at.",
        values.whole_number(1, 100),
        "8",
    )
    message_retention_days: int = setting(
        "Days that done messages and received webhooks are kept.",
        values.whole_number(1, 3650),
        "30",
        example="90",
    )
    live_event_retention_days: int = setting(
        "Days that live events are kept for clients who come back.",
        values.whole_number(1, 365),
        "7",
        example="14",
    )
    base_url: str = setting(
        "How the world reaches the API; written into links and webhook addresses.",
        lambda raw: values.web_url(raw) if raw else "",
        example="https://api.example.com",
        default_shown="the address it listens on",
    )
    cors_origins: tuple[str, ...] = setting(
        "Web origins whose scripts may call the API, separated by commas.",
        values.origins,
        example="https://app.example.com,https://admin.example.com",
    )
    trusted_proxies: tuple[str, ...] = setting(
        "Networks of the reverse proxies whose `X-Forwarded-For` is believed.",
        values.networks,
        example="10.0.0.0/8",
    )
    rate_limits: bool = setting(
        "Limits on requests per address and user. Off in development, where everybody shares one "
        "address and three accounts an hour would not play the story. Must be on in production.",
        cast("Callable[[str], bool]", _optional(values.on_or_off)),
        example="on",
        default_shown="`off` in development, otherwise `on`",
    )
    metrics_token: Secret | None = setting(
        "Bearer token for `/metrics`. Without one the page is closed in production.",
        _optional(values.secret),
        example="…",
        secret=True,
    )
    log_level: str = setting(
        "The least serious message that is logged.",
        values.one_of("DEBUG", "INFO", "WARNING", "ERROR"),
        "INFO",
        example="WARNING",
    )
    log_format: str = setting(
        "`json`: an object a line, for machines. `console`: columns, for people.",
        cast("Callable[[str], str]", _optional(values.one_of("json", "console"))),
        example="json",
        default_shown="`console` in development, otherwise `json`",
    )
    stripe_secret_key: Secret | None = setting(
        "Key of the Stripe platform account. Without one, the sandbox plays Stripe.",
        _optional(values.secret),
        example="sk_live_…",
        secret=True,
    )
    stripe_webhook_secret: tuple[Secret, ...] = setting(
        "Signing secret of the platform's webhook endpoint; two, with a comma, while it rotates.",
        values.secrets,
        example="whsec_…,whsec_…",
        secret=True,
    )
    stripe_connect_webhook_secret: tuple[Secret, ...] = setting(
        "Signing secret of the endpoint for connected accounts; two, with a comma, likewise.",
        values.secrets,
        example="whsec_…",
        secret=True,
    )
    stripe_api_base: str = setting(
        "Another address of Stripe's API, for a proxy or a stand-in.",
        lambda raw: values.web_url(raw) if raw else "",
        example="https://stripe-proxy.internal",
    )
    replicate_api_token: Secret | None = setting(
        "Token for Replicate. Without keys of any image provider, the sandbox draws.",
        _optional(values.secret),
        example="r8_…",
        secret=True,
    )
    replicate_api_base: str = setting(
        "Another address of Replicate's API.",
        lambda raw: values.web_url(raw) if raw else "",
        example="https://replicate-proxy.internal",
    )
    replicate_webhook_secret: Secret | None = setting(
        "Signing secret of Replicate's webhooks.",
        _optional(values.secret),
        example="whsec_…",
        secret=True,
    )
    fal_key: Secret | None = setting(
        "Key for fal. Without keys of any image provider, the sandbox draws.",
        _optional(values.secret),
        example="id:secret",
        secret=True,
    )
    fal_api_base: str = setting(
        "Another address of fal's queue.",
        lambda raw: values.web_url(raw) if raw else "",
        example="https://fal-proxy.internal",
    )
    fal_jwks_url: str = setting(
        "Another address of the keys that fal signs webhooks with.",
        lambda raw: values.web_url(raw) if raw else "",
        example="https://fal-proxy.internal/jwks.json",
    )
    fal_user_id: str = setting(
        "Our user id at fal: webhooks signed on behalf of anybody else are refused.",
        values.text,
        example="github|12345",
    )
    credentials_certificate: str | None = setting(
        "The certificate that signs content credentials, then those above it: PEM, or a file.",
        _optional(values.pem),
        example="/run/secrets/credentials.pem",
        default_shown="one of our own in the data folder, whom nobody else trusts",
    )
    credentials_key: Secret | None = setting(
        "The key of that certificate, without a passphrase: PEM, or a file.",
        _optional(values.secret_pem),
        example="/run/secrets/credentials-key.pem",
        secret=True,
    )
    credentials_trust: str | None = setting(
        "Roots whose signatures are trusted when a file is verified: PEM, or a file.",
        _optional(values.pem),
        example="/etc/likeness/c2pa-trust.pem",
        default_shown="the certificates beside the key",
    )
    credentials_timestamp_url: str = setting(
        "A timestamp authority (RFC 3161). With one, what was signed stays valid when the "
        "certificate has expired.",
        lambda raw: values.web_url(raw) if raw else "",
        example="http://timestamp.example.com",
    )
    credentials_development: bool = setting(
        "Lets production sign with a certificate of our own.",
        values.on_or_off,
        "off",
        example="on",
    )
    fal_trainer: Literal["fast", "portrait"] = setting(
        "Which of fal's trainers makes likeness models: `fast`, or `portrait`, which costs more.",
        cast("Callable[[str], Literal['fast', 'portrait']]", values.one_of("fast", "portrait")),
        "fast",
        example="portrait",
    )
    fal_concurrency: int = setting(
        "Attempts that fal is given at a time; a new account there works at two of them.",
        values.whole_number(1, 1000),
        "10",
        example="40",
    )
    replicate_concurrency: int = setting(
        "Attempts that Replicate is given at a time.",
        values.whole_number(1, 1000),
        "10",
        example="40",
    )
    openai_concurrency: int = setting(
        "Attempts at speech that OpenAI, or who speaks its protocol, is given at a time.",
        values.whole_number(1, 1000),
        "10",
        example="4",
    )
    openai_api_key: Secret | None = setting(
        "Key for OpenAI, or for another that speaks its protocol: speech and richer prompts. In "
        "development the sandbox plays it where there is neither key nor address.",
        _optional(values.secret),
        example="sk-…",
        secret=True,
    )
    openai_api_base: str = setting(
        "Another address that speaks OpenAI's protocol; a server of your own may need no key.",
        lambda raw: values.web_url(raw) if raw else "",
        example="http://vllm.internal:8000/v1",
    )
    openai_text_model: str = setting(
        "The language model that makes prompts richer.",
        values.text,
        "gpt-4o-mini",
        example="qwen3",
    )
    moderation_model: str = setting(
        "A model that reads the texts which the word lists let pass, at OpenAI or whoever speaks "
        "its protocol; without one nobody outside sees them. `omni-moderation-latest` is free.",
        values.text,
        "",
        example="omni-moderation-latest",
    )
    moderation_unanswered: str = setting(
        "What happens to a text when that model does not answer: fail_open (it goes on as the "
        "lists judged it) or fail_closed (503, to be sent again).",
        values.one_of("fail_open", "fail_closed"),
        "fail_closed",
        example="fail_open",
    )
    moderation_timeout_ms: int = setting(
        "How long that model has to answer, in milliseconds.",
        values.whole_number(50, 60_000),
        "3000",
        example="1500",
    )
    openai_speech_model: str = setting(
        "The model that speaks.",
        values.text,
        "gpt-4o-mini-tts",
        example="tts-1-hd",
    )
    ffmpeg_path: str = setting(
        "The ffmpeg that cuts videos, 6.1 or newer.",
        values.text,
        default_shown="the one that is installed with Likeness",
        example="/usr/bin/ffmpeg",
    )
    hold_days: int = setting(
        "Days from a payment until a creator's share of it can be paid out.",
        values.whole_number(0, 90),
        "7",
        example="14",
    )
    processing_fees_borne_by: FeesBorneBy = setting(
        "Who bears what Stripe keeps of a payment: the platform, or the sellers by their shares.",
        cast("Callable[[str], FeesBorneBy]", values.one_of("platform", "seller")),
        "platform",
        example="seller",
    )
    release_every_s: int = setting(
        "Seconds between two looks for earnings whose hold is over.",
        values.whole_number(1, 86_400),
        "60",
        example="300",
    )
    missed_events_every_s: int = setting(
        "Seconds between two questions to Stripe for events that it could not deliver.",
        values.whole_number(1, 86_400),
        "600",
        example="300",
    )
    fee_merchandise_bps: int = setting(
        "The platform's fee on merchandise, in basis points: 1000 is 10 %.",
        values.whole_number(0, 10_000),
        "1000",
        example="1250",
    )
    fee_digital_bps: int = setting(
        "The platform's fee on digital products, in basis points.",
        values.whole_number(0, 10_000),
        "1000",
        example="1250",
    )
    fee_print_bps: int = setting(
        "The platform's fee on prints, in basis points.",
        values.whole_number(0, 10_000),
        "1000",
        example="1250",
    )
    fee_booking_bps: int = setting(
        "The platform's fee on bookings, in basis points.",
        values.whole_number(0, 10_000),
        "500",
        example="750",
    )
    fee_subscription_bps: int = setting(
        "The platform's fee on subscriptions, in basis points: the creator keeps the rest.",
        values.whole_number(0, 10_000),
        "3000",
        example="2000",
    )
    fee_tip_bps: int = setting(
        "The platform's fee on tips, in basis points.",
        values.whole_number(0, 10_000),
        "0",
        example="250",
    )
    tax_provider: str = setting(
        "Who computes tax on sales: `table` has a fixed rate for each place of "
        "LIKENESS_TAX_REGISTRATIONS, `stripe` is Stripe Tax, set up in your Stripe account.",
        values.one_of("table", "stripe"),
        "table",
        example="stripe",
    )
    tax_registrations: tuple[str, ...] = setting(
        "Where you are registered and collect tax, with `table`: countries and states, separated "
        "by commas. No tax is charged anywhere else.",
        values.places,
        example="DE,FR,US-CA",
        default_shown="nowhere",
    )
    seller_name: str = setting(
        "Who sells, as it stands on invoices: the platform's legal name.",
        values.text,
        "Likeness",
        example="Likeness Commerce Ltd",
    )
    seller_address: tuple[str, ...] = setting(
        "The seller's address on invoices: its lines, separated by semicolons.",
        values.address_lines,
        example="1 Market Street;Dublin D01 X2P2;Ireland",
    )
    seller_tax_id: str = setting(
        "The seller's tax number on invoices.", values.text, example="IE1234567FA"
    )
    bank_payouts: bool = setting(
        "Payouts to bank accounts by the payout provider. On in development, where the sandbox "
        "plays FlowPay and Plaid; production needs the keys of both.",
        cast("Callable[[str], bool]", _optional(values.on_or_off)),
        example="on",
        default_shown="`on` in development, otherwise `off`",
    )
    payout_minimum: values.CurrencyAmounts = setting(
        "The smallest payout in minor units, for all currencies and, behind commas, for some.",
        values.currency_amounts,
        "1000",
        example="1000,jpy=2000,kwd=3000",
    )
    payout_instant_fee_bps: int = setting(
        "What an instant payout costs its payee, in basis points of the amount.",
        values.whole_number(0, 10_000),
        "100",
        example="150",
    )
    payout_instant_fee_minimum: int = setting(
        "The least that an instant payout costs, in minor units.",
        values.whole_number(0, 100_000),
        "50",
        example="75",
    )
    payouts_during_disputes: bool = setting(
        "Pays out to payees while a payment of theirs is disputed; what is disputed stays.",
        values.on_or_off,
        "off",
        example="on",
    )
    flowpay_api_key: Secret | None = setting(
        "Key for FlowPay, the payout provider. Without one, the sandbox plays it.",
        _optional(values.secret),
        example="fp_live_…",
        secret=True,
    )
    flowpay_api_base: str = setting(
        "The address of FlowPay's API.",
        lambda raw: values.web_url(raw) if raw else "",
        example="https://api.flowpay.example",
    )
    flowpay_webhook_secret: tuple[Secret, ...] = setting(
        "Signing secret of FlowPay's webhooks; two, with a comma, while it rotates.",
        values.webhook_secrets,
        example="whsec_…,whsec_…",
        secret=True,
    )
    plaid_client_id: str = setting(
        "Client id at Plaid, by which payees prove bank accounts.", values.text, example="5f3a…"
    )
    plaid_secret: Secret | None = setting(
        "The secret beside that client id. Without one, the sandbox plays Plaid.",
        _optional(values.secret),
        example="…",
        secret=True,
    )
    plaid_api_base: str = setting(
        "Another address of Plaid's API.",
        lambda raw: values.web_url(raw) if raw else "",
        example="https://sandbox.plaid.com",
    )
    sandbox_url: str = setting(
        "Where the sandbox answers that plays the providers whose keys are missing.",
        lambda raw: values.web_url(raw) if raw else "",
        example="http://127.0.0.1:12111",
        default_shown="`likeness up` starts one and chooses",
    )
    clock_control: bool = setting(
        "Lets `likeness dev advance-clock` move time. Must be off in production.",
        values.on_or_off,
        "off",
        example="on",
    )

    @property
    def collects_tax(self) -> bool:
        """Whoever does must know where goods go before they are paid."""
        return self.tax_provider == "stripe" or bool(self.tax_registrations)

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @property
    def storage(self) -> FileStorageLocation | S3StorageLocation:
        return values.storage_location(self.storage_url)

    @property
    def clock_file(self) -> Path:
        """Where `LIKENESS_CLOCK_CONTROL` keeps how far time was moved."""
        return self.data_dir / "clock"

    @classmethod
    def load(
        cls, environ: Mapping[str, str] | None = None, *, env_file: Path | None = None
    ) -> "Settings":
        """Read the environment and, behind it, `.env` of the working folder.

        Raises `SettingsError`. Given an `environ`, only that is read, and `env_file` if given.
        """
        if environ is None:
            environ, env_file = os.environ, env_file or Path(".env")
        given = {**(values.read_env_file(env_file) if env_file else {}), **environ}
        problems = _misspelt(given)
        found: dict[str, Any] = {}
        for name, spec in specs().items():
            raw = given.get(variable_of(name), "").strip() or spec.default
            try:
                found[name] = spec.parse(raw)
            except ValueError as error:
                problems.append(f"{variable_of(name)} {error}.")
        if not problems:
            problems = rules.settle(found, {name: variable_of(name) for name in found})
        if problems:
            raise SettingsError(problems)
        return cls(**found)


def specs() -> dict[str, Spec]:
    """The fields of `Settings` in their order."""
    return {field.name: field.metadata["spec"] for field in dataclasses.fields(Settings)}


def variable_of(name: str) -> str:
    return specs()[name].variable or PREFIX + name.upper()


def _misspelt(given: Mapping[str, str]) -> list[str]:
    known = {variable_of(name) for name in specs()}
    return [
        f"{name} is not a setting; did you mean {close[0]}?"
        for name in sorted(given.keys() - known)
        if name.startswith(PREFIX)
        and not name.startswith(_FOR_TESTS)
        and (close := difflib.get_close_matches(name, known, 1, 0.8))
    ]
