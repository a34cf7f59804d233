"""Tables of one's own: a file, a function that returns a frame, and the ones that scikit-learn brings along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from classification_assets.learning.declaration import ImportPath, field_error, imported
from classification_assets.learning.tables.datasets.dataset import Dataset
from classification_assets.learning.tables.reading.file_format import PATH, Format
from classification_assets.learning.tables.roles import Roles

if TYPE_CHECKING:
    from pandas import DataFrame

    from classification_assets.learning.tables.rows import LoadedRows


class OwnTable(Roles, Dataset):
    """Base of the kinds of table whose columns' roles are declared."""

    @property
    def roles(self) -> Roles:
        return Roles(**self.own)

    def sample(self, seed: int | None = None) -> DataFrame:
        return self.read().rows.frame()


class TableFile(OwnTable, Format):
    """A table in a file, or a folder of Parquet files."""

    fixed: ClassVar[frozenset[str]] = frozenset({"path", "test"})

    kind: Literal["table"] = Field(
        "table", description="A file: CSV, TSV, Parquet, JSON Lines, or a folder of Parquet."
    )
    path: str = Field(min_length=1, description=PATH)
    test: str | None = Field(
        None, min_length=1, description="A file of its own whose rows are the test fold; paths as above."
    )

    @model_validator(mode="after")
    def _test_is_another_file(self) -> TableFile:
        if self.test == self.path:
            raise field_error(
                type(self),
                "test",
                "the test fold's file is the table's own; rows may not be in both",
                self.path,
            )
        return self

    def read(self) -> LoadedRows:
        from classification_assets.learning.tables.reading.read import read_files

        return read_files(self.path, self.test, self.written, self.roles)


class TableFunction(OwnTable):
    """A table that a function of one's own returns: a pandas or polars frame, or an Arrow table."""

    kind: Literal["python"] = Field("python", description="A function that returns a frame.")
    path: ImportPath = Field(description="Where the function is: package.module:function.")
    arguments: dict[str, Any] = Field(default_factory=dict, description="Keyword arguments of the function.")

    def read(self) -> LoadedRows:
        from classification_assets.learning.tables.recognition import Spelling, rows_as_read
        from classification_assets.learning.tables.rows import LoadedRows, MemoryRows

        where = f"dataset {self.path}"
        rows = MemoryRows.of_any(imported(self.path, "dataset")(**self.arguments), where)
        read = [*self.feature_names(rows.names, self.path), self.weight, self.time]
        names = [name for name in read if name is not None]
        typed, readings = rows_as_read(rows, names, self.columns, Spelling())
        return LoadedRows(typed, readings=readings)


class ShippedTable(Dataset):
    """One of the small tables that scikit-learn brings along; the labels are their names."""

    fixed: ClassVar[frozenset[str]] = frozenset({"name"})

    kind: Literal["sklearn"] = Field("sklearn", description="A table that scikit-learn brings along.")
    name: Literal["iris", "wine", "breast_cancer", "digits"] = Field(description="Which one.")

    def sample(self, seed: int | None = None) -> DataFrame:
        import numpy as np
        from sklearn import datasets

        bunch = getattr(datasets, f"load_{self.name}")(as_frame=True)
        label = np.asarray(bunch.target_names)[bunch.target]
        return bunch.data.assign(label=label if self.name == "digits" else label.astype(object))
