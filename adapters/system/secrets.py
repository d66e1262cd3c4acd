"""The operating system's randomness."""

import secrets


class SystemSecrets:
    def token(self) -> str:
        return secrets.token_urlsafe(32)
