"""Settings: typed, all problems at once, no secret ever shown."""

import subprocess
import sys
from pathlib import Path

import pytest

from entrypoints.bootstrap_engines import provider_places
from entrypoints.providers import fal_access, needs_sandbox, replicate_access, stripe_access
from entrypoints.settings import Settings, SettingsError, specs, variable_of
from entrypoints.settings_docs import settings_page
from entrypoints.settings_values import FileStorageLocation, S3StorageLocation

ROOT = Path(__file__).parents[2]
PRODUCTION = {
    "LIKENESS_ENV": "production",
    "LIKENESS_SECRET_KEY": "k" * 32,
    "LIKENESS_DATABASE_URL": "postgres://u:hunter2@db/likeness",
    "LIKENESS_REDIS_URL": "redis://:hunter3@cache:6379/0",
    "LIKENESS_STORAGE_URL": "s3://bucket?endpoint=https://r2.example.com",
    "LIKENESS_BASE_URL": "https://api.example.com/",
    "LIKENESS_STRIPE_SECRET_KEY": "sk_live_hunter4",
    "LIKENESS_STRIPE_WEBHOOK_SECRET": "whsec_new, whsec_old",
    "LIKENESS_STRIPE_CONNECT_WEBHOOK_SECRET": "whsec_connect",
    "LIKENESS_FAL_KEY": "fal:hunter5",
    "LIKENESS_FAL_USER_ID": "someone",
    "LIKENESS_CREDENTIALS_DEVELOPMENT": "on",
}


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        Settings.load(environ)
    return caught.value.problems


def test_development_needs_no_setting_at_all(tmp_path: Path) -> None:
    settings = Settings.load({"LIKENESS_DATA_DIR": str(tmp_path / "data")})

    assert settings.env == "development"
    assert settings.hold_days == 7
    assert settings.fee_merchandise_bps == 1000
    assert settings.storage == FileStorageLocation(tmp_path / "data" / "storage")
    assert stripe_access(settings).sandboxed
    assert needs_sandbox(settings)


def test_the_generated_key_is_kept_and_private(tmp_path: Path) -> None:
    environ = {"LIKENESS_DATA_DIR": str(tmp_path)}

    (first,), (second,) = Settings.load(environ).secret_keys, Settings.load(environ).secret_keys

    assert first.reveal() == second.reveal()
    assert len(first.reveal()) >= 32
    assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0


def test_production_is_complete_with_keys_of_its_own() -> None:
    settings = Settings.load(PRODUCTION)

    assert settings.database_url == "postgresql+asyncpg://u:hunter2@db/likeness"
    assert settings.base_url == "https://api.example.com"
    assert settings.storage == S3StorageLocation("bucket", "auto", "https://r2.example.com")
    secrets = stripe_access(settings).webhook_secrets
    assert [secret.reveal() for secret in secrets] == ["whsec_new", "whsec_old"]
    fal = fal_access(settings)
    assert fal is not None
    assert not fal.sandboxed
    assert replicate_access(settings) is None
    assert not needs_sandbox(settings)


@pytest.mark.parametrize(
    "variable",
    [
        "LIKENESS_SECRET_KEY",
        "LIKENESS_DATABASE_URL",
        "LIKENESS_REDIS_URL",
        "LIKENESS_STORAGE_URL",
        "LIKENESS_BASE_URL",
        "LIKENESS_STRIPE_SECRET_KEY",
        "LIKENESS_STRIPE_WEBHOOK_SECRET",
        "LIKENESS_STRIPE_CONNECT_WEBHOOK_SECRET",
        "LIKENESS_FAL_KEY",
        "LIKENESS_FAL_USER_ID",
        "LIKENESS_CREDENTIALS_DEVELOPMENT",
    ],
)
def test_production_refuses_to_do_without(variable: str) -> None:
    environ = {name: value for name, value in PRODUCTION.items() if name != variable}

    assert any(variable in problem for problem in problems(environ))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LIKENESS_RATE_LIMITS", "off"),
        ("LIKENESS_CLOCK_CONTROL", "on"),
        ("LIKENESS_SANDBOX_URL", "http://127.0.0.1:12111"),
        ("LIKENESS_BASE_URL", "http://api.example.com"),
        ("LIKENESS_STRIPE_API_BASE", "http://stripe.example.com"),
    ],
)
def test_production_refuses(variable: str, value: str) -> None:
    (problem,) = problems({**PRODUCTION, variable: value})

    assert problem.startswith(variable)


def test_rate_limits_are_off_only_where_everybody_shares_one_address() -> None:
    def limited(**environ: str) -> bool:
        return Settings.load(environ).rate_limits

    assert not limited()
    assert limited(LIKENESS_RATE_LIMITS="on")
    assert limited(LIKENESS_ENV="test")
    assert not limited(LIKENESS_ENV="test", LIKENESS_RATE_LIMITS="off")
    assert Settings.load(PRODUCTION).rate_limits


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LIKENESS_ENV", "staging"),
        ("LIKENESS_SECRET_KEY", "too-short"),
        ("LIKENESS_SECRET_KEY", f"{'k' * 32},short"),
        ("LIKENESS_DATABASE_URL", "mysql://u@h/d"),
        ("LIKENESS_DATABASE_URL", "postgresql://u@h"),
        ("LIKENESS_DATABASE_URL", "postgresql://u@h/d?sslmode=require&channel_binding=require"),
        ("LIKENESS_REDIS_URL", "http://h"),
        ("LIKENESS_STORAGE_URL", "file://relative/path"),
        ("LIKENESS_STORAGE_URL", "s3://bucket/prefix"),
        ("LIKENESS_PORT", "65536"),
        ("LIKENESS_PORT", "-1"),
        ("LIKENESS_PORT", "²"),
        ("LIKENESS_HOLD_DAYS", "91"),
        ("LIKENESS_FEE_MERCHANDISE_BPS", "10001"),
        ("LIKENESS_BASE_URL", "example.com"),
        ("LIKENESS_CORS_ORIGINS", "https://a.example.com/path"),
        ("LIKENESS_TRUSTED_PROXIES", "10.0.0.0/33"),
        ("LIKENESS_RATE_LIMITS", "perhaps"),
        ("LIKENESS_LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable(variable: str, value: str) -> None:
    (problem,) = problems({variable: value})

    assert problem.startswith(variable)


def test_all_problems_are_told_at_once() -> None:
    found = problems({"LIKENESS_PORT": "x", "LIKENESS_HOLD_DAYS": "y", "LIKENESS_ENV": "z"})

    assert len(found) == 3


def test_a_misspelt_variable_is_not_passed_over() -> None:
    (problem,) = problems({"LIKENESS_STRPE_SECRET_KEY": "sk_live_hunter4"})

    assert "did you mean LIKENESS_STRIPE_SECRET_KEY" in problem
    assert "hunter4" not in problem


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("LIKENESS_DATABASE", "LIKENESS_DATABASE_URL"),
        ("LIKENESS_SECRETKEY", "LIKENESS_SECRET_KEY"),
        ("LIKENESS_STRIPE_KEY", "LIKENESS_STRIPE_SECRET_KEY"),
    ],
)
def test_a_half_remembered_variable_is_recognised(written: str, meant: str) -> None:
    (problem,) = problems({written: "x"})

    assert problem == f"{written} is not a setting; did you mean {meant}?"


def test_variables_of_others_are_left_alone() -> None:
    Settings.load({"LIKENESS_TEST_DATABASE_URL": "x", "LIKENESS_REVISION": "x", "LIKE": "x"})


def test_production_names_everything_that_is_missing_at_once() -> None:
    found = " ".join(problems({"LIKENESS_ENV": "production"}))

    for variable in (
        "LIKENESS_SECRET_KEY",
        "LIKENESS_DATABASE_URL",
        "LIKENESS_REDIS_URL",
        "LIKENESS_STORAGE_URL",
        "LIKENESS_BASE_URL",
        "LIKENESS_STRIPE_SECRET_KEY",
        "LIKENESS_FAL_KEY",
    ):
        assert variable in found


def test_no_secret_is_shown() -> None:
    settings = Settings.load(PRODUCTION)

    assert "hunter" not in repr(settings)
    assert "hunter" not in f"{settings.stripe_secret_key} {settings.fal_key!r}"


def test_no_secret_is_shown_in_a_problem() -> None:
    wrong = {**PRODUCTION, "LIKENESS_DATABASE_URL": "mysql://u:hunter2@db/likeness"}

    assert "hunter" not in " ".join(problems(wrong))


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "# a comment\nexport LIKENESS_HOLD_DAYS='14'  # two weeks\n"
        'LIKENESS_HOST="0.0.0.0"\nLIKENESS_PORT=8123 # here\nnonsense\n'
    )

    settings = Settings.load(
        {"LIKENESS_PORT": "9000", "LIKENESS_DATA_DIR": str(tmp_path)}, env_file=file
    )

    assert (settings.hold_days, settings.host, settings.port) == (14, "0.0.0.0", 9000)
    assert settings.base_url == "http://127.0.0.1:9000"


def test_a_data_folder_that_cannot_be_made_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    (problem,) = problems({"LIKENESS_DATA_DIR": str(tmp_path / "file" / "data")})

    assert "LIKENESS_DATA_DIR" in problem


def test_the_page_of_documentation_is_current() -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == settings_page(), (
        "run `likeness settings docs`"
    )


def test_every_setting_is_explained() -> None:
    for name, spec in specs().items():
        assert spec.doc.endswith("."), variable_of(name)


def test_reading_the_settings_imports_no_framework() -> None:
    code = "import sys, entrypoints.settings; print({'litestar', 'sqlalchemy'} & set(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert result.stdout.strip() == "set()"


def test_each_provider_has_its_places() -> None:
    assert provider_places(Settings.load({"LIKENESS_FAL_CONCURRENCY": "40"})) == {
        "fal": 40,
        "replicate": 10,
        "openai": 10,
    }
    assert problems({"LIKENESS_REPLICATE_CONCURRENCY": "0"})
