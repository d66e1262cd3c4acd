"""Commands and answers that hold a password or a token: printing one shows nothing of it."""

import msgspec


class Confidential(msgspec.Struct, frozen=True, kw_only=True):
    """The base of such Structs: a stray log line or traceback must not carry what they hold."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"
