"""Inputs that nobody means: tables, declarations and models with something wrong in them; and what reading may take."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import resource
import signal
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import yaml
from hypothesis import strategies as st

from classification_assets.component import EXAMPLE

FROZEN = Path(__file__).parents[1] / "frozen"
SECONDS = 30
"""An input that takes longer hangs."""

MEGABYTES = 600
"""Memory that reading one of these inputs may take in addition, all of which are smaller than 100 kB."""


@contextmanager
def bounded() -> Iterator[None]:
    """Fail what takes too long or too much memory."""

    def too_long(*_: Any) -> None:
        raise AssertionError(f"it hangs: not done within {SECONDS} s")

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    previous = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert more < MEGABYTES, f"it took {more:.0f} MB of memory"


_cells = st.one_of(
    st.text(max_size=12),
    st.integers(-(10**40), 10**40).map(str),
    st.floats(allow_nan=True).map(str),
    st.sampled_from(
        ["", "-", "1,5", "007", "NaN", "inf", '"', "'", "\x00", "true", "2024-02-30", "1e999", "\ufeff"]
    ),
    st.dates().map(str),
)
_separators = st.sampled_from([",", ";", "\t", "|", " "])
_ends = st.sampled_from(["\n", "\r\n", "\r", "\n\n", ""])


@st.composite
def delimited(draw: st.DrawFn) -> bytes:
    """Rows of cells, mostly as many as there are columns, in some encoding."""
    separator, end = draw(_separators), draw(_ends)
    width = draw(st.integers(1, 5))
    names = draw(st.lists(_cells, min_size=width, max_size=width))
    if draw(st.booleans()):
        names[-1] = "label"
    rows = [
        names,
        *draw(st.lists(st.lists(_cells, min_size=max(0, width - 1), max_size=width + 1), max_size=30)),
    ]
    text = end.join(separator.join(row) for row in rows)
    return text.encode(draw(st.sampled_from(["utf-8", "utf-16", "utf-8-sig", "utf-32"])), "surrogatepass")


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)


@st.composite
def json_lines(draw: st.DrawFn) -> bytes:
    names = [*draw(st.lists(st.text(max_size=8), min_size=1, max_size=4)), "label"]
    lines = [
        json.dumps({name: draw(json_values) for name in names[draw(st.integers(0, 1)) :]})
        for _ in range(draw(st.integers(0, 12)))
    ]
    return "\n".join(lines).encode()


def whole_tables() -> dict[str, bytes]:
    """A good table in each format."""
    frame = pd.DataFrame(
        {
            "age": [round(20 + index * 0.7, 1) for index in range(80)],
            "town": ["Oslo", "Rome"] * 40,
            "day": pd.date_range("2024-01-01", periods=80).astype(str),
            "label": [index % 2 for index in range(80)],
        }
    )
    parquet = io.BytesIO()
    frame.to_parquet(parquet)
    csv = frame.to_csv(index=False).encode()
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("a.csv"), csv)
    return {
        "a.csv": csv,
        "a.csv.gz": gzip.compress(csv, mtime=0),
        "a.csv.zip": zipped.getvalue(),
        "a.csv.bz2": bz2.compress(csv),
        "a.csv.xz": lzma.compress(csv),
        "a.csv.zst": pa.compress(csv, "zstd", asbytes=True),
        "a.jsonl": frame.to_json(orient="records", lines=True).encode(),
        "a.parquet": parquet.getvalue(),
    }


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Some bytes of a good file replaced, taken out, or put in."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, max(0, len(content) - 1)))
        length = draw(st.integers(0, 16))
        content[start : start + length] = draw(st.binary(max_size=16))
    return bytes(content)


_odd = st.one_of(
    st.sampled_from(
        [
            None,
            True,
            -1,
            0,
            1,
            2,
            10**9,
            10**30,
            -(10**30),
            0.5,
            1e308,
            float("nan"),
            float("inf"),
            "",
            "x",
            [],
            {},
        ]
    ),
    json_values,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _places(inner, (*path, key))


@st.composite
def changed(draw: st.DrawFn, whole: Any) -> Any:
    """Nested values of which some were replaced, taken out, or put in."""
    content = json.loads(json.dumps(whole))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(_places(content))))
        if not path:
            continue
        parent = content
        for key in path[:-1]:
            parent = parent[key]
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "replace":
                parent[path[-1]] = draw(_odd)
            case "remove":
                del parent[path[-1]]
            case "add" if isinstance(parent, dict):
                parent[draw(st.text(max_size=6))] = draw(_odd)
            case _:
                parent.append(draw(_odd))
    return content


def whole_experiments() -> list[dict[str, Any]]:
    """Attributes of good experiments: of the example that `dg scaffold` writes, and of a table."""
    table = {
        "dataset": {
            "kind": "table",
            "path": "/rows.csv",
            "target": "label",
            "columns": {"age": "numeric"},
            "group": "town",
            "missing": ["-"],
        },
        "split": {"validation": 0.2, "test": 0.25, "seed": 0},
        "training": {"members": 3, "max_epochs": 4, "learning_rate": [0.1, 0.2, 0.3]},
        "predict": {"path": "/new.csv"},
        "promotion": {"keep": 3},
        "retrain": {"on_change": True},
        "architectures": ["linear", "tabular", {"name": "own", "hidden": [4], "training": {"members": 2}}],
    }
    return [yaml.safe_load(EXAMPLE)["attributes"], table]


def whole_model(name: str) -> tuple[dict[str, Any], bytes]:
    """The header of a stored model, the one of ours decoded, and the bytes of its tensors."""
    content = (FROZEN / f"{name}.safetensors").read_bytes()
    (size,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + size])
    header["__metadata__"] = {key: json.loads(text) for key, text in header["__metadata__"].items()}
    return header, content[8 + size :]


def model_file(header: dict[str, Any], tensors: bytes) -> bytes:
    """A safetensors file of a header that may be wrong."""
    metadata = header.get("__metadata__")
    if isinstance(metadata, dict):
        header = header | {"__metadata__": {key: json.dumps(value) for key, value in metadata.items()}}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + tensors
