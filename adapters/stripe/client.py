"""One configured SDK client per process: where Stripe is, our key, patience and discretion."""

import logging

import httpx
import stripe

from adapters.stripe.transport import Transport


class StripeApi:
    """`base_url` None is the real service; otherwise one address plays all of Stripe's hosts.

    Create it in the process that uses it and `close` it in its event loop. `network` replaces the
    sockets.
    """

    def __init__(
        self,
        *,
        secret_key: str,
        base_url: str | None = None,
        timeout_s: float = 10.0,
        connect_timeout_s: float = 3.0,
        retries: int = 2,
        retry_pause_s: float = 0.5,
        network: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        _be_discreet()
        self._transport = Transport(
            timeout_s=timeout_s,
            connect_timeout_s=connect_timeout_s,
            retry_pause_s=retry_pause_s,
            trust_env=base_url is None,  # a proxy of the environment cannot reach our own machine
            network=network,
        )
        everywhere = base_url.rstrip("/") if base_url else None
        self.client = stripe.StripeClient(
            secret_key,
            http_client=self._transport,
            max_network_retries=retries,
            base_addresses={
                "api": everywhere or stripe.DEFAULT_API_BASE,
                "connect": everywhere or stripe.DEFAULT_CONNECT_API_BASE,
                "files": everywhere or stripe.DEFAULT_UPLOAD_API_BASE,
                "meter_events": everywhere or stripe.DEFAULT_METER_EVENTS_API_BASE,
            },
        )

    async def close(self) -> None:
        await self._transport.close_async()


def _be_discreet() -> None:
    """No telemetry, and none of the SDK's log lines: they carry e-mail addresses and messages."""
    stripe.enable_telemetry = False
    logging.getLogger("stripe").setLevel(logging.WARNING)
