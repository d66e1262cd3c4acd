"""Every module that defines tables, so that the metadata is complete once this is imported."""

from adapters.postgres import (  # noqa: F401
    audit,
    carts,
    catalogue,
    creators,
    discounts,
    earnings,
    idempotency,
    identity,
    ledger,
    ledger_upkeep,
    media,
    messages,
    ordering,
    payees,
    refunds,
    scheduler_runs,
    studio,
    teams,
)
