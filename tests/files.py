"""Small real files of each kind that may be uploaded, made where they are needed."""

import io
import struct
import wave
import zipfile
import zlib


def pdf() -> bytes:
    body = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]"
    body += b"/Count 0>>endobj\n"
    xref = len(body)
    body += b"xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000052 00000 n \n"
    return body + b"trailer<</Size 3/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % xref


def wav(seconds: int = 1) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\0\1" * 8000 * seconds)
    return out.getvalue()


def mp3(frames: int = 38) -> bytes:
    """Silence: MPEG-1 layer III at 128 kbit/s and 44.1 kHz, 417 bytes and 26 ms a frame."""
    return (b"\xff\xfb\x90\xc0" + b"\0" * 413) * frames


def mp4(seconds: int = 1) -> bytes:
    movie = b"\0" * 12 + struct.pack(">II", 1000, 1000 * seconds) + b"\0" * 80
    track = b"\0" * 76 + struct.pack(">HHHH", 64, 0, 48, 0)
    moov = box(b"mvhd", movie) + box(b"trak", box(b"tkhd", track))
    start = box(b"ftyp", b"isom" + b"\0\0\2\0" + b"isomiso2mp41")
    return start + box(b"moov", moov) + box(b"mdat", bytes(range(256)) * 20)


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("readme.txt", "Thank you for buying this.\n" * 40)
        target.writestr("presets/warm.json", '{"warmth": 12}')
    return out.getvalue()


def png_of(width: int, height: int) -> bytes:
    """One colour, a few kilobytes, as many pixels as it says."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compressobj()
    row = b"\0" * (1 + (width + 7) // 8)
    body = b"".join(rows.compress(row) for _ in range(height)) + rows.flush()
    chunks = ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
