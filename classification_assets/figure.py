"""A stored figure in another format: python -m classification_assets.figure moons/deep_relu/boundary --format svg."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classification_assets.assets.drawings import Drawing


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw a figure again from the stored artifacts; 0 if it went well, 2 if something cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m classification_assets.figure",
        description="A figure as an asset stores it, as SVG or PNG, drawn again from the stored artifacts.",
    )
    parser.add_argument(
        "asset",
        nargs="?",
        help="the key of an asset, as moons/deep_relu/boundary (default: list all figures)",
    )
    parser.add_argument("--name", help="which of the asset's figures, as confusion_matrix")
    parser.add_argument("--format", choices=("svg", "png"), default="svg", help="default: svg")
    parser.add_argument(
        "--to", help="the file to write: a path or URL (default: here, moons_deep_relu_boundary.svg)"
    )
    parser.add_argument(
        "--storage", default="", help="the folder or URL of all artifacts (default: as Dagster's)"
    )
    given = parser.parse_args(arguments)

    from upath import UPath

    from classification_assets.assets.drawings import drawings
    from classification_assets.component import project_experiments
    from classification_assets.learning.artifacts.files import ArtifactError
    from classification_assets.learning.artifacts.origin import MisfitError
    from classification_assets.learning.figures.canvas.export import png, svg
    from classification_assets.resources.artifact_store import ArtifactStore, MissingArtifactError

    known = list(drawings(project_experiments()))
    if given.asset is None:
        print("\n".join(_called(own) for own in known))
        return 0
    try:
        drawing = _found(known, given.asset, given.name)
        file = given.to or f"{'_'.join([*drawing.asset[:-1], drawing.name])}.{given.format}"
        if not file.endswith(f".{given.format}"):
            raise ValueError(
                f"--to: a name that ends in .{given.format} is needed for --format {given.format}, got {file}"
            )
        figure = drawing.drawn(ArtifactStore(folder=given.storage))
        UPath(file).write_bytes((svg if given.format == "svg" else png)(figure))
    except (ValueError, OSError, ArtifactError, MisfitError, MissingArtifactError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(file)
    return 0


def _found(known: Sequence[Drawing], asset: str, name: str | None) -> Drawing:
    """The one figure that is meant.

    Raises
    ------
    ValueError
        If there is none of that key and name, or more than one.
    """
    keys = list(dict.fromkeys("/".join(own.asset) for own in known))
    if asset not in keys:
        close = get_close_matches(asset, keys, 3)
        meant = f"did you mean {' or '.join(close)}?" if close else "without a key, all figures are listed"
        raise ValueError(f"{asset} is no asset with a figure; {meant}")
    own = [each for each in known if "/".join(each.asset) == asset]
    chosen = [each for each in own if each.name == (name or each.name)]
    if len(chosen) != 1:
        names = ", ".join(each.name for each in own)
        raise ValueError(f"{asset}: --name must be one of {names}, got {name or 'none'}")
    return chosen[0]


def _called(drawing: Drawing) -> str:
    """The text to write on the command line for it."""
    asset = "/".join(drawing.asset)
    return asset if drawing.asset[-1] == drawing.name else f"{asset} --name {drawing.name}"


if __name__ == "__main__":
    sys.exit(main())
