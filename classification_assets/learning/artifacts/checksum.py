"""Checksums that files carry in themselves, so that a byte that has changed is noticed before it is believed.

A Parquet or safetensors file holds a seal under the key `CHECKSUM`: `SEAL` and eight hexadecimal digits, the CRC-32 of
the whole file, in which the digits themselves count as zeros. A record in JSON holds that of its other fields. Files of
earlier versions have none, and are believed.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO

from classification_assets.learning.artifacts.files import CHECKSUM, ArtifactError

SEAL = "classification_assets.crc32:"
BLANK = "00000000"
FIELD = "crc32"
"""The field of a record in JSON."""

_SEALED = re.compile(re.escape(SEAL.encode()) + rb"[0-9a-f]{8}")
_PNG = b"\x89PNG\r\n\x1a\n"
_CHUNK = 2**20
_LARGEST_HEADER = 2**28
"""Bytes of a header that is looked through for a seal, at most; a damaged length may be any number."""


def seal(file: Path) -> None:
    """Replace the blank seal in a file's header by its checksum."""
    with file.open("rb+") as opened:
        if (position := _seal_position(opened)) is None:
            return
        found = _crc32(opened, position)
        opened.seek(position)
        opened.write(found.encode())


def refuse_damaged(file: Path, name: object) -> None:
    """Refuse a file in which a byte has changed since it was sealed.

    Raises
    ------
    ArtifactError
        If its checksum is another one now; it names the file as `name`.
    """
    with file.open("rb") as opened:
        if (position := _seal_position(opened)) is None:
            header = _header(opened)[1]
            if CHECKSUM.encode() in header and not _SEALED.search(header):
                raise ArtifactError(
                    f"{name} is damaged, or not written by this project: its checksum is gone"
                )
            return
        opened.seek(position)
        told = opened.read(len(BLANK)).decode()
        if (found := _crc32(opened, position)) != told:
            raise ArtifactError(
                f"{name} is damaged, or not written by this project: its CRC-32 must be {told}, got {found}"
            )


def refuse_damaged_png(content: bytes) -> None:
    """Refuse a picture in which a byte has changed; Pillow's `verify` looks neither at the end nor at all checksums.

    Raises
    ------
    ValueError
        If its bytes are no PNG from the first to the last, or a part's checksum is another one.
    """
    if not content.startswith(_PNG):
        raise ValueError("no PNG")
    position, kind = len(_PNG), b""
    while kind != b"IEND":
        start, (size,) = position + 4, struct.unpack_from(">I", content, position)
        kind = content[start : start + 4]
        position = start + 4 + size + 4
        if struct.unpack_from(">I", content, position - 4)[0] != zlib.crc32(content[start : position - 4]):
            raise ValueError(f"the CRC-32 of its part at byte {start} is another one")
    if position != len(content):
        raise ValueError(f"{len(content) - position} bytes follow its end")


def sealed_record(text: str) -> str:
    """A record, as JSON of one object, with the checksum of its fields."""
    content = json.loads(text)
    return json.dumps(content | {FIELD: _of_record(content)}, indent=1)


def opened_record(text: str) -> dict[str, Any]:
    """The fields of a record but for its checksum.

    Raises
    ------
    ValueError
        If it is no JSON of one object, or its checksum is another one now.
    """
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError(f"a record is a JSON object, got {type(content).__name__}")
    told = content.pop(FIELD, None)
    if told is not None and told != (found := _of_record(content)):
        raise ValueError(f"its CRC-32 must be {told}, got {found}")
    return content


def _of_record(content: dict[str, Any]) -> str:
    return f"{zlib.crc32(json.dumps(content, sort_keys=True).encode()):08x}"


def _seal_position(opened: BinaryIO) -> int | None:
    """Where the digits of a file's seal stand; None without a seal, or where it cannot be told which one it is."""
    start, header = _header(opened)
    found = [match.end() for match in _SEALED.finditer(header)]
    return start + found[0] - len(BLANK) if len(found) == 1 else None


def _header(opened: BinaryIO) -> tuple[int, bytes]:
    """Where a file's header begins, and what it holds: at the end of Parquet, at the beginning of safetensors."""
    end = opened.seek(0, 2)
    opened.seek(max(0, end - 8))
    last = opened.read(8)
    if last[4:] == b"PAR1":
        start = max(0, end - 8 - int.from_bytes(last[:4], "little"))
        size = end - start
    else:
        opened.seek(0)
        start, size = 8, int.from_bytes(opened.read(8), "little")
    if size > min(end, _LARGEST_HEADER):
        return 0, b""
    opened.seek(start)
    return start, opened.read(size)


def _crc32(opened: BinaryIO, blank: int) -> str:
    """The checksum of a file whose digits at `blank` count as zeros."""
    digits = range(blank, blank + len(BLANK))
    opened.seek(0)
    crc = position = 0
    while part := opened.read(_CHUNK):
        if position < digits.stop and position + len(part) > digits.start:
            cleared = bytearray(part)
            first, last = max(digits.start - position, 0), min(digits.stop - position, len(part))
            cleared[first:last] = BLANK.encode()[: last - first]
            part = bytes(cleared)
        crc = zlib.crc32(part, crc)
        position += len(part)
    return f"{crc:08x}"
