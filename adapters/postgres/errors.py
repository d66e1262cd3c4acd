"""Say in the domain's words what a constraint of the database refused."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from application.ports.repository import AlreadyExists, StaleVersion
from domain.shared.errors import LikenessError

ErrorFactory = Callable[[], LikenessError]

_BY_CONSTRAINT: dict[str, ErrorFactory] = {}


def on_violation(constraint: str, error: ErrorFactory) -> None:
    """Name the error that a violated constraint means; called beside the table's definition."""
    _BY_CONSTRAINT[constraint] = error


@contextmanager
def translated() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise _meaning(error) from error
    except StaleDataError as error:
        raise StaleVersion("It was changed meanwhile: load it again.") from error


def constraint_of(error: DBAPIError) -> str | None:
    cause = getattr(error.orig, "__cause__", None)
    name = getattr(cause, "constraint_name", None)
    return str(name) if name else None


def _meaning(error: IntegrityError) -> LikenessError:
    constraint = constraint_of(error)
    factory = _BY_CONSTRAINT.get(constraint) if constraint else None
    if factory is not None:
        return factory()
    state = getattr(error.orig, "sqlstate", None)
    if state == "23505":
        return AlreadyExists("It exists already.", constraint=constraint)
    raise error
