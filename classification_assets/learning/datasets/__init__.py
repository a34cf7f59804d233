"""Data sets as declarations. One is chosen by its `kind`; adding a kind is adding a class to the union."""

from typing import Annotated

from pydantic import Field

from classification_assets.learning.datasets.blobs import Blobs
from classification_assets.learning.datasets.circles import Circles
from classification_assets.learning.datasets.dataset import Dataset, GeneratedDataset
from classification_assets.learning.datasets.moons import Moons
from classification_assets.learning.datasets.roles import Roles
from classification_assets.learning.datasets.spirals import Spirals
from classification_assets.learning.datasets.tables import (
    Format,
    ShippedTable,
    TableFile,
    TableFunction,
    UnlabelledFile,
)

AnyDataset = Annotated[
    Blobs | Moons | Circles | Spirals | TableFile | TableFunction | ShippedTable, Field(discriminator="kind")
]

__all__ = [
    "AnyDataset",
    "Blobs",
    "Circles",
    "Dataset",
    "Format",
    "GeneratedDataset",
    "Moons",
    "Roles",
    "ShippedTable",
    "Spirals",
    "TableFile",
    "TableFunction",
    "UnlabelledFile",
]
