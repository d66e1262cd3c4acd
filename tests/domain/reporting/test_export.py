"""The life of an export: runs, attempts, and when it is over."""

from datetime import timedelta

import pytest

from domain.reporting.export import (
    ATTEMPTS_MAX,
    Export,
    ExportKind,
    ExportNotFailed,
    ExportState,
)
from domain.reporting.thresholds import TaxForm
from tests.builders import NOON, export_of


def failed() -> Export:
    export = export_of()
    for _ in range(ATTEMPTS_MAX):
        assert export.begin(run=1, at=NOON)
        export.set_back("The disc is full.", at=NOON)
    return export


def test_every_tax_form_can_be_exported_and_nothing_else_is_one() -> None:
    forms = {kind.form for kind in ExportKind}
    assert forms == {None, *TaxForm}
    assert ExportKind.TAX.form is None


def test_a_new_attempt_begins_with_no_files_and_takes_over() -> None:
    export = export_of()
    assert export.begin(run=1, at=NOON)
    assert export.begin(run=1, at=NOON)  # its worker died
    assert not export.goes_on(run=1, attempt=1)
    assert export.goes_on(run=1, attempt=2)


def test_what_is_finished_is_not_begun_again() -> None:
    export = export_of()
    export.begin(run=1, at=NOON)
    export.complete(at=NOON)
    assert not export.begin(run=1, at=NOON)
    assert (export.state, export.expires_at) == (ExportState.READY, NOON + timedelta(days=7))


def test_forms_are_kept_for_a_day() -> None:
    export = export_of(kind=ExportKind.FORM_K)
    export.begin(run=1, at=NOON)
    export.complete(at=NOON)
    assert export.expires_at == NOON + timedelta(days=1)


def test_it_fails_when_all_attempts_did() -> None:
    export = failed()
    assert (export.state, export.failure) == (ExportState.FAILED, "The disc is full.")
    assert export.expires_at is not None


def test_it_fails_when_every_worker_died() -> None:
    export = export_of()
    for _ in range(ATTEMPTS_MAX):
        assert export.begin(run=1, at=NOON)
    assert not export.begin(run=1, at=NOON)
    assert export.state is ExportState.FAILED
    assert export.failure is not None


def test_what_failed_is_asked_for_again_and_older_messages_do_nothing() -> None:
    export = failed()
    export.ask_again()
    assert (export.state, export.finished_at, export.expires_at) == (
        ExportState.REQUESTED,
        None,
        None,
    )
    assert not export.begin(run=1, at=NOON)
    assert export.begin(run=2, at=NOON)
    with pytest.raises(ExportNotFailed):
        export.ask_again()
