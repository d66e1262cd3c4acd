"""A relief of a picture as binary glTF 2.0: bright parts stand out, in the picture's colours."""

import io
import json
import struct
from array import array

from PIL import Image, ImageOps

SIDE = 32
RELIEF = 0.25
FLOAT, UNSIGNED_SHORT, UNSIGNED_BYTE = 5126, 5123, 5121
VERTICES, INDICES = 34962, 34963


def relief_of(picture: bytes) -> bytes:
    """Raises ValueError for what is not an image."""
    try:
        with Image.open(io.BytesIO(picture)) as opened:
            colours = ImageOps.exif_transpose(opened).convert("RGB").resize((SIDE, SIDE))
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError("not an image that can be read") from error
    heights = colours.convert("L").tobytes()
    points, paint, faces = array("f"), bytearray(), array("H")
    for place in range(SIDE * SIDE):
        row, column = divmod(place, SIDE)
        points.extend((column / SIDE - 0.5, 0.5 - row / SIDE, heights[place] / 255 * RELIEF))
    for place in range(0, SIDE * SIDE * 3, 3):
        paint += colours.tobytes()[place : place + 3] + b"\xff"
    for row in range(SIDE - 1):
        for column in range(SIDE - 1):
            corner = row * SIDE + column
            faces.extend((corner, corner + SIDE, corner + 1))
            faces.extend((corner + 1, corner + SIDE, corner + SIDE + 1))
    return _glb(points.tobytes(), bytes(paint), faces.tobytes(), len(faces))


def _glb(points: bytes, paint: bytes, faces: bytes, corners: int) -> bytes:
    binary = points + paint + faces
    views, offset = [], 0
    for part, target in ((points, VERTICES), (paint, VERTICES), (faces, INDICES)):
        size = len(part)
        views.append({"buffer": 0, "byteOffset": offset, "byteLength": size, "target": target})
        offset += size
    count = SIDE * SIDE
    document = {
        "asset": {"version": "2.0", "generator": "sandbox"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [
            {"primitives": [{"attributes": {"POSITION": 0, "COLOR_0": 1}, "indices": 2}]},
        ],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": FLOAT,
                "count": count,
                "type": "VEC3",
                "min": [-0.5, 0.5 - (SIDE - 1) / SIDE, 0.0],
                "max": [(SIDE - 1) / SIDE - 0.5, 0.5, RELIEF],
            },
            {
                "bufferView": 1,
                "componentType": UNSIGNED_BYTE,
                "normalized": True,
                "count": count,
                "type": "VEC4",
            },
            {
                "bufferView": 2,
                "componentType": UNSIGNED_SHORT,
                "count": corners,
                "type": "SCALAR",
            },
        ],
        "bufferViews": views,
        "buffers": [{"byteLength": len(binary)}],
    }
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
    chunks += struct.pack("<II", len(binary), 0x004E4942) + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
