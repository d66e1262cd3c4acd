"""What all webhook verifiers share."""

from domain.shared.errors import Invalid


class SignatureRefused(Invalid):
    """The message is not provably from the provider, or too old: nothing of it is kept."""

    code = "signature_refused"
