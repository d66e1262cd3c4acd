"""UUID version 7 (RFC 9562): sorted by time of making."""

from uuid import UUID

import uuid_utils.compat


class UuidV7Ids:
    def new(self) -> UUID:
        return uuid_utils.compat.uuid7()
