"""An export that somebody asked for: made by a worker, kept for some days, then removed.

    requested → running → ready
                       ↘ failed → requested (somebody asked for it again)

A *run* is one asking, an *attempt* one try of a worker within it. A worker that dies is followed
by another, which begins anew and writes over what is there: the files of an export have the same
names in every attempt.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.reporting.thresholds import TaxForm
from domain.shared.errors import Conflict

ATTEMPTS_MAX = 5
_KEPT_FOR = timedelta(days=7)
_FORMS_KEPT_FOR = timedelta(days=1)
"""Forms have names and addresses, which are encrypted everywhere else."""


class ExportNotFailed(Conflict):
    """Only an export that failed is asked for again."""

    code = "export_not_failed"


class ExportKind(StrEnum):
    """`entries`: the whole ledger. `orders`: each line that was paid. `payouts`, `fees` and `tax`:
    the entries of payments to payees, of the platform's own accounts, and of tax collected. The
    others are the data of a year's tax forms, a row for each payee."""

    ENTRIES = "entries"
    ORDERS = "orders"
    PAYOUTS = "payouts"
    FEES = "fees"
    TAX = "tax"
    FORM_K = "1099-k"
    FORM_MISC = "1099-misc"
    FORM_NEC = "1099-nec"

    @property
    def form(self) -> TaxForm | None:
        return TaxForm(self) if self.startswith("1099-") else None

    @property
    def kept_for(self) -> timedelta:
        return _KEPT_FOR if self.form is None else _FORMS_KEPT_FOR


class ExportFormat(StrEnum):
    CSV = "csv"
    PARQUET = "parquet"


class ExportState(StrEnum):
    REQUESTED = "requested"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFile:
    """`key` is where it is stored, `name` what it is saved as."""

    key: str
    name: str
    rows: int
    size_bytes: int
    sha256: str


@dataclass(eq=False, kw_only=True)
class Export:
    """Of the days from `since`, without `until`; of tax forms, a year. `payee_id`: of one payee.

    `files` are those of the attempt under way, or of the last one. `failure` says why the last
    attempt did not succeed. What is finished is removed at `expires_at`.
    """

    id: UUID
    kind: ExportKind
    format: ExportFormat
    since: date
    until: date
    payee_id: UUID | None
    requested_by: UUID
    requested_at: datetime
    state: ExportState = ExportState.REQUESTED
    run: int = 1
    attempt: int = 0
    files: tuple[ExportFile, ...] = ()
    failure: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    expires_at: datetime | None = None

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    def begin(self, *, run: int, at: datetime) -> bool:
        """Whether there is something to do for the asking `run`: then a new attempt has begun.

        After as many deaths as attempts are allowed there is not: the export has failed.
        """
        if run != self.run or self.state in (ExportState.READY, ExportState.FAILED):
            return False
        if self.attempt >= ATTEMPTS_MAX:
            self._finish(ExportState.FAILED, at=at)
            self.failure = self.failure or f"It was not finished in {ATTEMPTS_MAX} attempts."
            return False
        self.state, self.started_at, self.files = ExportState.RUNNING, at, ()
        self.attempt += 1
        return True

    def goes_on(self, *, run: int, attempt: int) -> bool:
        """Whether this attempt is still the one that counts."""
        return (self.state, self.run, self.attempt) == (ExportState.RUNNING, run, attempt)

    def set_back(self, failure: str, *, at: datetime) -> None:
        """The attempt did not succeed: there is another one, or the export has failed."""
        self.failure = failure
        if self.attempt >= ATTEMPTS_MAX:
            self._finish(ExportState.FAILED, at=at)
        else:
            self.state = ExportState.REQUESTED

    def complete(self, *, at: datetime) -> None:
        self._finish(ExportState.READY, at=at)
        self.failure = None

    def ask_again(self) -> None:
        """Raises ExportNotFailed."""
        if self.state is not ExportState.FAILED:
            raise ExportNotFailed("Only an export that failed is asked for again.")
        self.state, self.files, self.attempt = ExportState.REQUESTED, (), 0
        self.run += 1
        self.finished_at = self.expires_at = None

    def _finish(self, state: ExportState, *, at: datetime) -> None:
        self.state, self.finished_at, self.expires_at = state, at, at + self.kind.kept_for
