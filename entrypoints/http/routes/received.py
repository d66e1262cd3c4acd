"""What a provider is answered whose message was kept."""

import msgspec


class Received(msgspec.Struct, frozen=True):
    """`duplicate` when the message was here before."""

    received: bool
    duplicate: bool
