"""Texts in a PNG, which say of what it was made and are not seen; see the PNG specification, 11.3.3."""

from __future__ import annotations

import struct
import zlib


def with_text(content: bytes, keyword: str, text: str) -> bytes:
    """A PNG with a text (tEXt, in ASCII) in front of its pixels."""
    data = b"tEXt" + keyword.encode("latin-1") + b"\0" + text.encode("ascii")
    chunk = struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))
    after_header = 8 + 25  # the signature, and the chunk IHDR
    return content[:after_header] + chunk + content[after_header:]


def without_text(content: bytes) -> bytes:
    """A PNG without the texts in it."""
    kept, position = [content[:8]], 8
    while position < len(content):
        (size,) = struct.unpack_from(">I", content, position)
        part = content[position : position + size + 12]  # with its length, kind and checksum
        if part[4:8] != b"tEXt":
            kept.append(part)
        position += len(part)
    return b"".join(kept)
