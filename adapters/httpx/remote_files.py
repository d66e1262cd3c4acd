"""Downloads files from addresses that we did not choose, without letting them choose our network.

A URL in a provider's answer could point into our own network. So: https only, the name is resolved
once, every address must be public, and the connection goes to an address that was checked (the
name is still what the certificate must show). Redirects are not followed. Origins that are named
as trusted, the local sandbox for one, are exempt.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Collection

import httpx

from application.ports.errors import Unavailable
from application.ports.remote_files import RemoteFileRefused

PROVIDER = "download"
TRANSIENT = frozenset({408, 425, 429})
CHUNK_BYTES = 65_536
CONNECT_TIMEOUT_S = 10.0
HTTPS_PORT = 443

Resolve = Callable[[str, int], Awaitable[list[str]]]


async def resolve_by_dns(host: str, port: int) -> list[str]:
    """Every address of the name. Raises OSError when there is none."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class HttpxRemoteFiles:
    """`trusted_origins` are written `http://host:port`; `timeout_s` bounds a whole download."""

    def __init__(
        self,
        *,
        trusted_origins: Collection[str] = (),
        timeout_s: float = 120.0,
        resolve: Resolve = resolve_by_dns,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._trusted = frozenset(_origin(httpx.URL(origin)) for origin in trusted_origins)
        self._timeout_s = timeout_s
        self._resolve = resolve
        self._http = httpx.AsyncClient(
            transport=transport or httpx.AsyncHTTPTransport(),
            timeout=httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def fetch(self, url: str, *, max_bytes: int) -> bytes:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._download(await self._checked(url), max_bytes)
        except (httpx.TransportError, TimeoutError, OSError) as error:
            raise Unavailable(
                f"the download failed ({type(error).__name__})", provider=PROVIDER
            ) from error

    async def _checked(self, raw: str) -> httpx.Request:
        """The request to make. Raises RemoteFileRefused for an address that we do not go to."""
        try:
            url = httpx.URL(raw)
        except httpx.InvalidURL as error:
            raise _refused("the file's address is not a URL") from error
        headers = {"Host": url.netloc.decode("ascii"), "Accept-Encoding": "identity"}
        if _origin(url) in self._trusted:
            return self._http.build_request("GET", url, headers=headers)
        if url.scheme != "https" or not url.host or url.userinfo:
            raise _refused("the file's address is not a plain https URL")
        addresses = await self._resolve(url.host, url.port or HTTPS_PORT)
        if not addresses or not all(_is_public(address) for address in addresses):
            raise _refused("the file's address is not on the public Internet")
        return self._http.build_request(
            "GET",
            url.copy_with(host=addresses[0]),
            headers=headers,
            extensions={"sni_hostname": url.host},
        )

    async def _download(self, request: httpx.Request, max_bytes: int) -> bytes:
        response = await self._http.send(request, stream=True, follow_redirects=False)
        try:
            _check_status(response)
            announced = response.headers.get("content-length", "")
            if announced.isdecimal() and int(announced) > max_bytes:
                raise _too_large(max_bytes)
            content = bytearray()
            async for chunk in response.aiter_raw(CHUNK_BYTES):
                content += chunk
                if len(content) > max_bytes:
                    raise _too_large(max_bytes)
            return bytes(content)
        finally:
            await response.aclose()


def _origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _is_public(address: str) -> bool:
    """Not private, loopback, link-local, multicast or reserved, not even wrapped into IPv6."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            return _is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def _check_status(response: httpx.Response) -> None:
    if response.is_success:
        return
    if response.is_redirect:
        raise _refused("the file's address leads to another one")
    if response.status_code in TRANSIENT or response.is_server_error:
        raise Unavailable(f"the download was answered {response.status_code}", provider=PROVIDER)
    raise RemoteFileRefused(
        f"the file is not there (the answer was {response.status_code})", reason="missing"
    )


def _refused(message: str) -> RemoteFileRefused:
    return RemoteFileRefused(message, reason="address")


def _too_large(max_bytes: int) -> RemoteFileRefused:
    return RemoteFileRefused(f"the file is larger than {max_bytes} bytes", reason="too_large")
