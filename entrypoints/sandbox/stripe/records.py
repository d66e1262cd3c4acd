"""Reading the books: balance, balance transactions and events."""

from entrypoints.sandbox.stripe import events
from entrypoints.sandbox.stripe.lists import page
from entrypoints.sandbox.stripe.operations import Call, operation
from entrypoints.sandbox.stripe.store import PLATFORM, World
from entrypoints.sandbox.stripe.table import Object


@operation("GET", "/v1/balance", "BalanceRetrieveParams")
def retrieve_balance(world: World, call: Call) -> Object:
    account = world.accounts.find(PLATFORM, call.account)
    currency = account["default_currency"] if account else "usd"
    return world.balances.as_object(call.account, default_currency=currency)


@operation("GET", "/v1/balance_transactions/{id}", "BalanceTransactionRetrieveParams")
def retrieve_transaction(world: World, call: Call) -> Object:
    world.balances.settle(call.account)
    return world.transactions.get(call.account, call.ids[0])


@operation("GET", "/v1/balance_transactions", "BalanceTransactionListParams")
def list_transactions(world: World, call: Call) -> Object:
    world.balances.settle(call.account)
    return page(world.transactions, call, url="/v1/balance_transactions")


@operation("GET", "/v1/events/{id}", "EventRetrieveParams")
def retrieve_event(world: World, call: Call) -> Object:
    return events.as_object(world, world.events.get(call.account, call.ids[0]))


@operation("GET", "/v1/events", "EventListParams")
def list_events(world: World, call: Call) -> Object:
    kinds = set(call.params.get("types", ()))
    if "type" in call.params:
        kinds.add(call.params["type"])
    success = call.params.get("delivery_success")

    def keep(row: Object) -> bool:
        if kinds and not any(_matches(row["type"], kind) for kind in kinds):
            return False
        return success is None or events.delivered(world, row["id"]) == success

    return page(
        world.events,
        call,
        url="/v1/events",
        keep=keep,
        render=lambda row: events.as_object(world, row),
    )


def _matches(kind: str, wanted: str) -> bool:
    """`charge.*` asks for every type that begins with `charge.`."""
    return kind == wanted or (wanted.endswith("*") and kind.startswith(wanted[:-1]))
