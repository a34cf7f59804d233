"""Files of text: how long a row may be, and what is said of bytes that are not what they should be."""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

LONGEST = 2**22
"""Bytes of a row of text: a longer one is rather a quotation mark that was never closed."""


@contextmanager
def opened_text(file: Path, encoding: str, newline: str | None = None) -> Iterator[IO[str]]:
    """A file to read from, without the byte order mark that some programs begin UTF-8 or UTF-16 with."""
    with file.open(encoding=encoding, newline=newline) as opened:
        if opened.read(1) != "\ufeff":
            opened.seek(0)
        yield opened


def refuse_binary(file: Path, path: str, encoding: str) -> None:
    with file.open("rb") as opened:
        start = opened.read(4096)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) and encoding == "utf-8":
        raise ValueError(f"{path}: is UTF-16, not utf-8: say encoding: utf-16")
    if start.startswith(b"PK\x03\x04"):
        raise ValueError(f"{path}: is a zip or a spreadsheet, not text; export the sheet as CSV")
    if b"\0" in start and "16" not in encoding and "32" not in encoding:
        raise ValueError(f"{path}: holds bytes of value 0, so it is no text; is the ending right?")


def refuse_encoding(file: Path, path: str, encoding: str) -> None:
    decoder, line, offset = codecs.getincrementaldecoder(encoding)(), 1, 0
    with file.open("rb") as opened:
        while data := opened.read(2**20):
            try:
                line += decoder.decode(data).count("\n")
            except UnicodeError as error:
                if not isinstance(error, UnicodeDecodeError):
                    raise ValueError(
                        f"{path}: is not {encoding}: {error}; say the encoding, such as utf-8"
                    ) from error
                wrong = error.object[error.start : error.start + 1]
                line += error.object[: error.start].count(b"\n")
                raise ValueError(
                    f"{path}: line {line} is not {encoding}: byte {wrong!r} near offset {offset + error.start}; "
                    "say the encoding, such as encoding: latin-1 or cp1252"
                ) from error
            offset += len(data)


def refuse_twins(names: Sequence[str], where: str) -> None:
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise ValueError(
            f"{where}: columns must have different names, but {twice[0]!r} is there "
            f"{Counter(names)[twice[0]]} times"
        )
