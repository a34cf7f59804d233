"""From our templates to text: how tables, pictures and names are put into a page."""

from __future__ import annotations

import base64
import io
import re
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from PIL import Image

from classification_assets.learning.figures.canvas.png_text import without_text
from classification_assets.learning.figures.canvas.quantize import in_few_colours

COMPRESSION = 6
NARROW = 8
"""Columns of a table that has room for everything in one line."""

_SCORE = re.compile(r"(-?\d+\.\d{3}) (\[[^\]]*\](?: ± \d+\.\d{3})?)")


def rendered(template: str, **content: Any) -> str:
    """A template of ours with its content; what comes from data is escaped in HTML."""
    return _environment().get_template(template).render(**content)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("classification_assets.learning.reports"),
        autoescape=select_autoescape([".html.jinja"], default_for_string=True),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"table": as_table, "data_uri": data_uri, "words": _words}
    return environment


def as_table(frame: pd.DataFrame, as_named: bool = False) -> Markup:
    """The frame as a table, without columns that say nothing; in a wide one an interval stands below its score.

    Names of columns become words, unless they are names of something else, as of architectures.
    """
    told = frame if as_named else frame.rename(columns=lambda name: _words(str(name)))
    said = [
        column.dtype.kind in "iub" or not (column.isna() | (column == "")).all() for _, column in told.items()
    ]
    texts = [_as_texts(column) for (_, column), one in zip(told.items(), said, strict=True) if one]
    shown = pd.concat(texts, axis=1) if texts else told.iloc[:, :0]
    html = shown.to_html(index=False, border=0, na_rep="")
    # Pandas has escaped what is in the cells.
    return Markup(_SCORE.sub(r"\1<br><small>\2</small>", html) if frame.shape[1] > NARROW else html)  # noqa: S704


def _as_texts(column: pd.Series) -> pd.Series:
    """Numbers of a column with one number of decimals, at most four, where that tells all of them."""
    if column.dtype.kind != "f":
        return column
    values = column.to_numpy()
    size = np.abs(values[np.isfinite(values) & (values != 0)])
    if ((size >= 5e-5) & (size < 1e3)).all():
        decimals = next((d for d in range(4) if (np.abs(size.round(d) - size) <= 5e-5).all()), 4)
        return column.map(f"{{:z.{decimals}f}}".format, na_action="ignore")
    return column.map(_number, na_action="ignore")


def _number(value: float) -> str:
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e3 and not float(value).is_integer() else f"{value:.4g}"


def _words(name: str) -> str:
    return name.replace("_", " ").replace("roc auc", "ROC AUC")


def data_uri(png: bytes) -> str:
    """A picture that lies in the page itself, in few colours, as charts are stored, since a page holds many."""
    picture = Image.open(io.BytesIO(png))
    if picture.mode != "P":
        few = io.BytesIO()
        in_few_colours(picture.convert("RGB")).save(few, format="png", compress_level=COMPRESSION)
        png = min(few.getvalue(), png, key=len)
    # Of which run a picture is, is no part of what is seen: pages of the same content are the same.
    return f"data:image/png;base64,{base64.b64encode(without_text(png)).decode()}"
