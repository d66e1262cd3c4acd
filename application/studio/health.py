"""Remember how engines fare, so that one that keeps failing is left alone for a while."""

from datetime import datetime

from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from domain.studio.attempt import Attempt
from domain.studio.circuit import Circuit
from domain.studio.failures import FailureClass


async def note_success(uow: UnitOfWork, attempt: Attempt) -> None:
    circuit = await uow.circuits.of_engine(attempt.provider, attempt.model)
    if circuit is not None and not circuit.is_clean:
        circuit.succeed()


async def note_failure(uow: UnitOfWork, attempt: Attempt, *, ids: Ids, at: datetime) -> None:
    """A refusal says nothing about the engine's health: it understood, and said no."""
    if attempt.failure is FailureClass.PERMANENT:
        return
    circuit = await uow.circuits.of_engine(attempt.provider, attempt.model)
    if circuit is None:
        circuit = await uow.circuits.opened(
            Circuit(id=ids.new(), provider=attempt.provider, model=attempt.model)
        )
    circuit.fail(at=at)
