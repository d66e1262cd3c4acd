"""Short names for the ports that many handlers ask for."""

from litestar.di import NamedDependency
from litestar.params import SkipValidation

from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.payments import PayeeAccounts, Payments
from application.ports.unit_of_work import UnitOfWork
from application.ports.views import BalanceViews, CatalogueViews, OrderViews
from domain.ordering.split import FeeSchedule

TheUnitOfWork = NamedDependency[SkipValidation[UnitOfWork]]
TheClock = NamedDependency[SkipValidation[Clock]]
TheIds = NamedDependency[SkipValidation[Ids]]
ThePayments = NamedDependency[SkipValidation[Payments]]
ThePayeeAccounts = NamedDependency[SkipValidation[PayeeAccounts]]
TheOrderViews = NamedDependency[SkipValidation[OrderViews]]
TheBalanceViews = NamedDependency[SkipValidation[BalanceViews]]
TheCatalogueViews = NamedDependency[SkipValidation[CatalogueViews]]
TheFees = NamedDependency[SkipValidation[FeeSchedule]]
