"""Data sets as declarations. One is chosen by its `kind`; adding a kind is adding a class to the union."""

from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, Field

from classification_assets.learning.tables.datasets.blobs import Blobs
from classification_assets.learning.tables.datasets.circles import Circles
from classification_assets.learning.tables.datasets.dataset import Dataset, GeneratedDataset
from classification_assets.learning.tables.datasets.moons import Moons
from classification_assets.learning.tables.datasets.spirals import Spirals
from classification_assets.learning.tables.datasets.tables import (
    OwnTable,
    ShippedTable,
    TableFile,
    TableFunction,
)
from classification_assets.learning.tables.reading.file_format import Format, UnlabelledFile
from classification_assets.learning.tables.roles import Roles

_Kind = Blobs | Moons | Circles | Spirals | TableFile | TableFunction | ShippedTable


def _of_a_kind(value: Any) -> Any:
    # Pydantic's own message does not say which kinds there are.
    if isinstance(value, Dataset) or (isinstance(value, dict) and "kind" in value):
        return value
    kinds = ", ".join(kind.model_fields["kind"].default for kind in get_args(_Kind))
    raise ValueError(
        f"a data set is of one kind ({kinds}), as in {{kind: table, path: rows.csv}}, got {value!r}"
    )


AnyDataset = Annotated[_Kind, Field(discriminator="kind"), BeforeValidator(_of_a_kind)]

__all__ = [
    "AnyDataset",
    "Blobs",
    "Circles",
    "Dataset",
    "Format",
    "GeneratedDataset",
    "Moons",
    "OwnTable",
    "Roles",
    "ShippedTable",
    "Spirals",
    "TableFile",
    "TableFunction",
    "UnlabelledFile",
]
