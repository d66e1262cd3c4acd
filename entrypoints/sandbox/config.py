"""What the sandbox needs to be told. Every default is visibly not a real secret."""

import msgspec


class SandboxConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Addresses the sandbox answers at and calls back, and the secrets both sides share.

    An empty webhook URL means that no endpoint is registered: events are kept, not sent.
    `clock_offset_s` is how far the caller's own clock is ahead of the machine already.
    """

    base_url: str = "http://127.0.0.1:12111"
    clock_offset_s: int = 0
    stripe_webhook_url: str = ""
    stripe_connect_webhook_url: str = ""
    stripe_webhook_secret: str = "whsec_sandbox"  # noqa: S105
    stripe_connect_webhook_secret: str = "whsec_sandbox_connect"  # noqa: S105
    stripe_secret_key: str = "sk_test_sandbox"  # noqa: S105
    stripe_settlement_s: int = 2 * 24 * 3600
    stripe_bank_debit_s: float = 1.0
    stripe_payout_s: float = 0.2
    stripe_overdraft_cents: int = 100_000
    replicate_api_token: str = "r8_sandbox"  # noqa: S105
    replicate_webhook_secret: str = "whsec_c2FuZGJveC1yZXBsaWNhdGUtc2VjcmV0"  # noqa: S105
    fal_key: str = "sandbox:fal"
    fal_user_id: str = "sandbox-user"
    openai_api_key: str = "sk-sandbox"
    flowpay_webhook_url: str = ""
    flowpay_api_key: str = "fp_test_sandbox"
    flowpay_webhook_secret: str = "whsec_c2FuZGJveC1mbG93cGF5LXNlY3JldA=="  # noqa: S105
    flowpay_transfer_s: float = 0.2
    flowpay_funds_cents: int = 1_000_000_000
    plaid_client_id: str = "sandbox"
    plaid_secret: str = "plaid_sandbox"  # noqa: S105
    drawing_delay_s: float = 0.2
    training_delay_s: float = 1.2

    @property
    def stripe_url(self) -> str:
        return f"{self.base_url}/stripe"
