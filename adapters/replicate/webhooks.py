"""Proof that a callback is Replicate's, about our account (the secret is ours alone), and fresh."""

from collections.abc import Mapping

import msgspec
from replicate.webhook import Webhooks, WebhookSigningSecret

from adapters.replicate.outcomes import attempt_of, read
from adapters.replicate.transport import PROVIDER
from application.ports.engines import VerifiedCallback
from application.ports.webhooks import SignatureRefused

TOLERANCE_S = 300


class ReplicateWebhooks:
    """`signing_secret` is the account's default secret, `whsec_…`."""

    provider = PROVIDER

    def __init__(self, *, signing_secret: str) -> None:
        self._secret = WebhookSigningSecret(key=signing_secret)

    async def verify(self, headers: Mapping[str, str], body: bytes) -> VerifiedCallback:
        try:
            Webhooks.validate(
                headers=dict(headers),
                body=body.decode(),
                secret=self._secret,
                tolerance=TOLERANCE_S,  # without it the SDK accepts a replay of any age
            )
        except ValueError as error:  # the SDK's own errors, and headers or bodies it cannot decode
            raise SignatureRefused("The callback's signature does not hold.") from error
        try:
            prediction, job = read(body)
        except msgspec.DecodeError as error:
            raise SignatureRefused("The callback's body is not a prediction.") from error
        message_id = next(v for name, v in headers.items() if name.lower() == "webhook-id")
        return VerifiedCallback(
            source=PROVIDER,
            external_id=message_id,
            request_id=prediction.id,
            attempt_id=attempt_of(prediction),
            job=job,
        )
