"""What is done with money: orders and their papers, transfers, payouts, plans, the books."""

from functools import partial

from application.billing.comparing import COMPARE_CUSTOMER, CompareCustomer, compare_customer
from application.billing.disputes import (
    CANCEL_SUBSCRIPTION,
    CancelSubscription,
    cancel_subscription,
)
from application.billing.purchases import SETTLE_PURCHASE, SettlePurchase, settle_purchase
from application.billing.refunds import (
    SEND_CHARGE_REFUND,
    SendChargeRefund,
    send_charge_refund,
)
from application.billing.subscriptions import (
    REFRESH_SUBSCRIPTION,
    SETTLE_PLAN_CHECKOUT,
    RefreshSubscription,
    SettlePlanCheckout,
    refresh_subscription,
    settle_plan_checkout,
)
from application.billing.tax_reports import (
    REPORT_CREDIT_REFUND,
    REPORT_CREDIT_SALE,
    ReportCreditRefund,
    ReportCreditSale,
    report_credit_refund,
    report_credit_sale,
)
from application.ledger.bank_accounts import (
    CLOSE_BANK_ACCOUNT,
    CloseBankAccount,
    close_bank_account,
)
from application.ledger.daily_payouts import PAY_RELEASED, PayReleased, pay_released
from application.ledger.fees import RECORD_FEE, RecordFee, record_processing_fee
from application.ledger.payees import REFRESH_ACCOUNT, RefreshAccount, refresh_account
from application.ledger.payouts import (
    ASK_PAYOUT,
    SEND_PAYOUT,
    AskPayout,
    SendPayout,
    ask_payout,
    send_payout,
)
from application.ledger.proofs import PROVE_BOOKS, ProveBooks, prove_books
from application.ledger.reconciliation import RECONCILE_DAY, ReconcileDay
from application.ledger.reconciling import reconcile_day
from application.ledger.transfers import (
    SEND_REVERSAL,
    SEND_TRANSFER,
    SendReversal,
    SendTransfer,
    send_reversal,
    send_transfer,
)
from application.ordering.completion import (
    ORDER_PAID,
    RECONCILE_CHECKOUT,
    ReconcileCheckout,
    reconcile_checkout,
)
from application.ordering.deliveries import COLLECT_ADDRESS, CollectAddress, collect_address
from application.ordering.dispute_evidence import SEND_EVIDENCE, SendEvidence, send_evidence
from application.ordering.invoices import (
    ISSUE_CREDIT_NOTE,
    ISSUE_INVOICE,
    IssueCreditNote,
    issue_credit_note,
    issue_invoices,
)
from application.ordering.paid import announce_paid
from application.ordering.refund_outcomes import SEND_REFUND, SendRefund, send_refund
from application.ordering.tax_reports import (
    REPORT_REFUND,
    REPORT_SALE,
    ReportRefund,
    ReportSale,
    report_refund,
    report_sale,
)
from application.ordering.telling import ORDER_CHANGED, announce_changes
from application.ports.messages import Handler
from entrypoints.bootstrap import Ports
from entrypoints.worker.each import each
from entrypoints.worker.topic import LONG_RUN, PROVIDER_CALL, WHOLE_LEDGER, Topic, Topics


def payments(ports: Ports) -> Topics:
    async def reconcile(body: ReconcileCheckout) -> None:
        await reconcile_checkout(
            body.order_id,
            uow=ports.uow(),
            payments=ports.payments,
            clock=ports.clock,
            hold=ports.hold,
        )

    async def address(body: CollectAddress) -> None:
        await collect_address(body.order_id, uow=ports.uow(), payments=ports.payments)

    async def refund(body: SendRefund) -> None:
        await send_refund(
            body.refund_id,
            uow=ports.uow(),
            payments=ports.payments,
            clock=ports.clock,
            ids=ports.ids,
        )

    async def evidence(body: SendEvidence) -> None:
        await send_evidence(
            body.dispute_id, uow=ports.uow(), payments=ports.payments, clock=ports.clock
        )

    async def fee(body: RecordFee) -> None:
        await record_processing_fee(
            body.charge_id,
            uow=ports.uow(),
            payments=ports.payments,
            clock=ports.clock,
            borne_by=ports.fees_borne_by,
        )

    async def transfer(body: SendTransfer) -> None:
        await send_transfer(
            body.transfer_id, uow=ports.uow(), payments=ports.payments, clock=ports.clock
        )

    async def reverse(body: SendReversal) -> None:
        await send_reversal(
            body.reversal_id, uow=ports.uow(), payments=ports.payments, clock=ports.clock
        )

    async def account(body: RefreshAccount) -> None:
        await refresh_account(
            body.account_id, uow=ports.uow(), accounts=ports.payee_accounts, clock=ports.clock
        )

    async def prove(body: ProveBooks) -> None:
        await prove_books(
            body.proof_id, uow=ports.uow(), views=ports.ledger_views, clock=ports.clock
        )

    async def taxed_sale(body: ReportSale) -> None:
        await report_sale(body.order_id, uow=ports.uow(), taxes=ports.taxes)

    async def taxed_refund(body: ReportRefund) -> None:
        await report_refund(body.refund_id, uow=ports.uow(), taxes=ports.taxes)

    def calls(handle: Handler, queue: str = "payments") -> Topic:
        return Topic(
            handle=handle,
            queue="transfers" if queue == "transfers" else "payments",
            batch_size=10,
            lease=PROVIDER_CALL,
        )

    return {
        ORDER_PAID: Topic(
            handle=partial(announce_paid, new_uow=ports.uow, live=ports.live, clock=ports.clock),
            batch_size=100,
        ),
        ORDER_CHANGED: Topic(
            handle=partial(announce_changes, new_uow=ports.uow, live=ports.live, clock=ports.clock),
            batch_size=100,
        ),
        RECONCILE_CHECKOUT: calls(each(ReconcileCheckout, reconcile)),
        COLLECT_ADDRESS: calls(each(CollectAddress, address)),
        PROVE_BOOKS: Topic(handle=each(ProveBooks, prove), batch_size=1, lease=WHOLE_LEDGER),
        SEND_REFUND: calls(each(SendRefund, refund)),
        SEND_EVIDENCE: calls(each(SendEvidence, evidence)),
        RECORD_FEE: calls(each(RecordFee, fee)),
        REPORT_SALE: calls(each(ReportSale, taxed_sale)),
        REPORT_REFUND: calls(each(ReportRefund, taxed_refund)),
        REFRESH_ACCOUNT: calls(each(RefreshAccount, account)),
        SEND_TRANSFER: calls(each(SendTransfer, transfer), "transfers"),
        SEND_REVERSAL: calls(each(SendReversal, reverse), "transfers"),
    }


def invoices(ports: Ports) -> Topics:
    issue = partial(
        issue_invoices, new_uow=ports.uow, seller=ports.seller, clock=ports.clock, ids=ports.ids
    )

    async def credit(body: IssueCreditNote) -> None:
        await issue_credit_note(body, uow=ports.uow(), clock=ports.clock, ids=ports.ids)

    return {
        ISSUE_INVOICE: Topic(handle=issue, batch_size=50),
        ISSUE_CREDIT_NOTE: Topic(handle=each(IssueCreditNote, credit), batch_size=5),
    }


def billing(ports: Ports) -> Topics:
    billing, clock = ports.billing, ports.clock

    async def settle(body: SettlePurchase) -> None:
        await settle_purchase(body.purchase_id, uow=ports.uow(), billing=billing, clock=clock)

    async def refund(body: SendChargeRefund) -> None:
        await send_charge_refund(
            body.refund_id, uow=ports.uow(), payments=ports.payments, clock=clock
        )

    async def refresh(body: RefreshSubscription) -> None:
        await refresh_subscription(
            body.provider_id, uow=ports.uow(), billing=billing, clock=clock, ids=ports.ids
        )

    async def page(body: SettlePlanCheckout) -> None:
        await settle_plan_checkout(
            body.checkout_id, uow=ports.uow(), billing=billing, clock=clock, ids=ports.ids
        )

    async def taxed_sale(body: ReportCreditSale) -> None:
        await report_credit_sale(body.purchase_id, uow=ports.uow(), taxes=ports.taxes)

    async def taxed_refund(body: ReportCreditRefund) -> None:
        await report_credit_refund(body.refund_id, uow=ports.uow(), taxes=ports.taxes)

    async def compare(body: CompareCustomer) -> None:
        await compare_customer(body.customer_id, uow=ports.uow(), billing=billing)

    async def cancel(body: CancelSubscription) -> None:
        await cancel_subscription(body.provider_id, billing=billing)

    def calls(handle: Handler) -> Topic:
        return Topic(handle=handle, queue="payments", batch_size=10, lease=PROVIDER_CALL)

    return {
        SETTLE_PURCHASE: calls(each(SettlePurchase, settle)),
        SEND_CHARGE_REFUND: calls(each(SendChargeRefund, refund)),
        REFRESH_SUBSCRIPTION: calls(each(RefreshSubscription, refresh)),
        SETTLE_PLAN_CHECKOUT: calls(each(SettlePlanCheckout, page)),
        REPORT_CREDIT_SALE: calls(each(ReportCreditSale, taxed_sale)),
        REPORT_CREDIT_REFUND: calls(each(ReportCreditRefund, taxed_refund)),
        COMPARE_CUSTOMER: calls(each(CompareCustomer, compare)),
        CANCEL_SUBSCRIPTION: calls(each(CancelSubscription, cancel)),
    }


def payouts(ports: Ports) -> Topics:
    rails, clock = ports.payout_rails, ports.clock

    async def send(body: SendPayout) -> None:
        await send_payout(body.payout_id, uow=ports.uow(), rails=rails, clock=clock)

    async def ask(body: AskPayout) -> None:
        await ask_payout(body.payout_id, uow=ports.uow(), rails=rails, clock=clock)

    async def released(body: PayReleased) -> None:
        await pay_released(
            body, uow=ports.uow(), policy=ports.payout_policy, clock=clock, ids=ports.ids
        )

    async def close(body: CloseBankAccount) -> None:
        await close_bank_account(body.provider_id, provider=ports.bank_accounts_provider)

    def calls(handle: Handler) -> Topic:
        return Topic(handle=handle, queue="transfers", batch_size=10, lease=PROVIDER_CALL)

    return {
        SEND_PAYOUT: calls(each(SendPayout, send)),
        ASK_PAYOUT: calls(each(AskPayout, ask)),
        PAY_RELEASED: calls(each(PayReleased, released)),
        CLOSE_BANK_ACCOUNT: calls(each(CloseBankAccount, close)),
    }


def reconciliation(ports: Ports) -> Topics:
    async def compare(body: ReconcileDay) -> None:
        await reconcile_day(
            body.day,
            new_uow=ports.uow,
            books=ports.provider_books,
            comparison=ports.comparison,
            payout_balance=ports.payout_balance,
            clock=ports.clock,
            ids=ports.ids,
        )

    handle = each(ReconcileDay, compare)
    return {RECONCILE_DAY: Topic(handle=handle, batch_size=1, in_flight=1, lease=LONG_RUN)}
