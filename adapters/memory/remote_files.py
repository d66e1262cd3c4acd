"""Remote files that were put there by hand."""

from urllib.parse import urlsplit

from application.ports.errors import Unavailable
from application.ports.remote_files import RemoteFileRefused


class MemoryRemoteFiles:
    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self._failing: set[str] = set()

    def put(self, url: str, content: bytes) -> None:
        self._files[url] = content
        self._failing.discard(url)

    def fail(self, url: str) -> None:
        """Make the server behind the URL answer 503."""
        self._failing.add(url)

    async def fetch(self, url: str, *, max_bytes: int) -> bytes:
        if urlsplit(url).scheme != "https":
            raise RemoteFileRefused("the file's address is not a https URL", reason="address")
        if url in self._failing:
            raise Unavailable("the download was answered 503", provider="download")
        content = self._files.get(url)
        if content is None:
            raise RemoteFileRefused("the file is not there", reason="missing")
        if len(content) > max_bytes:
            raise RemoteFileRefused(f"the file is larger than {max_bytes}", reason="too_large")
        return content
