"""Documents."""

import re

from domain.media.content import Content
from domain.media.structure.found import FileRefused, Found, damaged, trailing

_TAIL_BYTES = 2048
_HEAD = re.compile(rb"%PDF-[12]\.\d")


def walk_pdf(content: Content) -> Found:
    """From `%PDF-` in the first byte to `%%EOF` at the end, with a trailer that can be found.

    Pages are not rendered: a damaged one harms who opens it as little as any other.
    """
    if not _HEAD.match(content[:8]):
        raise FileRefused("file_type_refused", "This is no PDF of version 1 or 2.")
    tail = content[max(len(content) - _TAIL_BYTES, 0) :]
    end = tail.rfind(b"%%EOF")
    if end < 0:
        raise damaged("PDF")
    if tail[end + 5 :].strip(b"\r\n\t \0"):
        raise trailing("PDF")
    if b"startxref" not in tail[:end]:
        raise damaged("PDF")
    return Found()
