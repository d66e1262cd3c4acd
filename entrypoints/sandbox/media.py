"""What the model providers have in common: inputs are fetched, outputs kept, and a prompt may ask
for a mishap.

`[refused]` in a prompt: the content policy declines it. `[flagged]`: the safety checker blanks the
picture. `[crash]`: the runner breaks down. `[abort]`: the platform gives the job up unstarted.
"""

import base64
import binascii
import hashlib
import io
import json
import struct
import zipfile
from collections import OrderedDict
from urllib.parse import unquote_to_bytes, urlsplit
from uuid import uuid4

import httpx

REFUSED, FLAGGED, CRASH, ABORT = "[refused]", "[flagged]", "[crash]", "[abort]"
INPUT_TIMEOUT_S = 5.0
LARGEST_INPUT_BYTES = 256 * 1024 * 1024
SHELF_BYTES = 256 * 1024 * 1024
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
CONTENT_TYPES = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "glb": "model/gltf-binary",
    "json": "application/json",
    "safetensors": "application/octet-stream",
}


class InputUnreadable(Exception):
    """The provider cannot read what a URL in the request points to."""


class Shelf:
    """Output files by name, in memory; the oldest go when it is full."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._files: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0

    def keep(self, content: bytes, suffix: str) -> str:
        """Answers the URL at which the file is served."""
        name = f"{uuid4().hex}.{suffix}"
        self._files[name] = content
        self._size += len(content)
        while self._size > SHELF_BYTES and len(self._files) > 1:
            self._size -= len(self._files.popitem(last=False)[1])
        return f"{self._base_url}/files/{name}"

    def read(self, name: str) -> tuple[bytes, str] | None:
        """Content and content type."""
        content = self._files.get(name)
        if content is None:
            return None
        return content, CONTENT_TYPES.get(name.rpartition(".")[2], "application/octet-stream")

    def clear(self) -> None:
        self._files.clear()
        self._size = 0


async def read_input(url: str) -> bytes:
    """The bytes behind a data or http(s) URL. Raises InputUnreadable."""
    scheme = urlsplit(url).scheme
    if scheme == "data":
        return _data_url(url)
    if scheme not in ("http", "https"):
        raise InputUnreadable("not a URL that can be downloaded")
    content = bytearray()
    try:
        async with (
            httpx.AsyncClient(timeout=INPUT_TIMEOUT_S, trust_env=False) as client,
            client.stream("GET", url, follow_redirects=True) as answer,
        ):
            answer.raise_for_status()
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > LARGEST_INPUT_BYTES:
                    raise InputUnreadable("the file is too large")
    except httpx.HTTPStatusError as error:
        raise InputUnreadable(f"the server answered {error.response.status_code}") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise InputUnreadable(f"the download failed ({type(error).__name__})") from error
    return bytes(content)


def _data_url(url: str) -> bytes:
    head, comma, data = url.partition(",")
    if not comma:
        raise InputUnreadable("the data URL holds no data")
    try:
        raw = unquote_to_bytes(data)
        return base64.b64decode(raw, validate=True) if head.endswith(";base64") else raw
    except binascii.Error as error:
        raise InputUnreadable("the data URL is not base64") from error


async def person_of(weights: str) -> str:
    """Who the weights show: the same for the same bytes, whatever URL they are served at."""
    if urlsplit(weights).scheme in ("http", "https", "data"):
        return hashlib.sha256(await read_input(weights)).hexdigest()
    return weights


def images_in(archive: bytes) -> list[str]:
    """Names of the images in a training archive. Raises InputUnreadable if there are none."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            names = [n for n in opened.namelist() if n.lower().endswith(IMAGE_SUFFIXES)]
    except zipfile.BadZipFile as error:
        raise InputUnreadable("the archive is not a ZIP file") from error
    if not names:
        raise InputUnreadable("the archive holds no images")
    return names


def train(archive: bytes, *, trigger_word: str, steps: int) -> tuple[bytes, bytes]:
    """Small but well-formed safetensors weights, which differ by archive, and their config."""
    names = images_in(archive)
    fingerprint = hashlib.sha256(archive + trigger_word.encode()).digest()
    tensor = fingerprint * 8
    header = json.dumps(
        {
            "__metadata__": {"trigger_word": trigger_word, "steps": str(steps), "format": "pt"},
            "transformer.lora": {
                "dtype": "F16",
                "shape": [len(tensor) // 2],
                "data_offsets": [0, len(tensor)],
            },
        }
    ).encode()
    weights = struct.pack("<Q", len(header)) + header + tensor
    config = {"instance_prompt": trigger_word, "steps": steps, "images": len(names)}
    return weights, json.dumps(config).encode()
