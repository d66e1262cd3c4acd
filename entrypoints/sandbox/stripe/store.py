"""Everything the played Stripe remembers: its tables by account, its balances, its events."""

import secrets
from collections import Counter, deque

from entrypoints.sandbox.clock import SandboxClock
from entrypoints.sandbox.config import SandboxConfig
from entrypoints.sandbox.delivery import Delivery, Notice
from entrypoints.sandbox.stripe.balances import Balances
from entrypoints.sandbox.stripe.table import Object, Table

PLATFORM = "acct_platform"
API_VERSION = "2026-10-28.endive"


class World:
    """One Stripe platform account, its connected accounts, and all that happened to them."""

    def __init__(self, config: SandboxConfig, clock: SandboxClock, delivery: Delivery) -> None:
        self.config = config
        self.clock = clock
        self.delivery = delivery
        self.clear()

    def clear(self) -> None:
        self.webhook_url = self.config.stripe_webhook_url
        self.connect_webhook_url = self.config.stripe_connect_webhook_url
        self.accounts = Table(noun="account")
        self.sessions = Table("payment_intent", noun="checkout.session")
        self.intents = Table("customer", noun="payment_intent")
        self.charges = Table("payment_intent", "transfer_group", "customer", noun="charge")
        self.refunds = Table("charge", "payment_intent", noun="refund")
        self.transfers = Table("transfer_group", "destination", noun="transfer")
        self.reversals = Table("transfer", noun="transfer_reversal")
        self.disputes = Table("charge", "payment_intent", noun="dispute")
        self.payouts = Table(noun="payout")
        self.payouts_arrive = True
        self.transactions = Table("source", "type", noun="balance transaction")
        self.events = Table(noun="event")
        self.tax_calculations = Table(noun="tax calculation")
        self.tax_transactions = Table("reference", noun="tax transaction")
        self.tax_lines: dict[str, list[Object]] = {}
        self.tax_reversed_cents: Counter[str] = Counter()
        self.customers = Table("email", noun="customer")
        self.methods = Table(noun="payment_method")
        self.card_numbers: dict[str, str] = {}
        self.setup_intents = Table("customer", noun="setup_intent")
        self.products = Table(noun="product")
        self.prices = Table(noun="price")
        self.subscriptions = Table("customer", noun="subscription")
        self.invoices = Table("subscription", "customer", noun="invoice")
        self.invoice_payments: dict[str, list[Object]] = {}
        self.portals: dict[str, Object] = {}
        self.balances = Balances(self.clock, self.transactions)
        self.line_items: dict[str, list[Object]] = {}
        self.links: dict[str, Object] = {}
        self.notices: dict[str, Notice] = {}
        self.transferred_cents: Counter[str] = Counter()
        self.expiring: list[tuple[int, str]] = []
        self.unfunded_refunds: deque[Object] = deque()

    def now(self) -> int:
        return self.clock.now()

    def table_of(self, identifier: str) -> Table | None:
        """Which table holds an id, told from its prefix; None where it cannot be expanded."""
        tables = {
            "acct": self.accounts,
            "cs": self.sessions,
            "pi": self.intents,
            "ch": self.charges,
            "py": self.charges,
            "re": self.refunds,
            "tr": self.transfers,
            "trr": self.reversals,
            "po": self.payouts,
            "dp": self.disputes,
            "txn": self.transactions,
            "cus": self.customers,
            "pm": self.methods,
            "seti": self.setup_intents,
            "prod": self.products,
            "price": self.prices,
            "sub": self.subscriptions,
            "in": self.invoices,
        }
        return tables.get(identifier.partition("_")[0])


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(12)}"
