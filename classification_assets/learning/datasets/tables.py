"""Tables of one's own: a file, a function that returns a frame, and the ones that scikit-learn brings along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from classification_assets.learning.datasets.dataset import Dataset
from classification_assets.learning.datasets.roles import Roles
from classification_assets.learning.declaration import Declaration, ImportPath, field_error, imported

if TYPE_CHECKING:
    from pandas import DataFrame

    from classification_assets.learning.rows import Read

MISSING = ("", "?", "-", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None", "none")


PATH = (
    "The file, compressed or not (.gz, .bz2, .xz, .zst, .zip), or a folder of Parquet files: an absolute path, any "
    "fsspec URL (http:// needs the extra `http`, s3:// the extra `s3`), or a path relative to the folder in which "
    "Dagster runs, which it may not leave. "
    "CLASSIFICATION_ASSETS_DATA, if set, lists the folders and URLs that everything must be in."
)


class OwnTable(Roles, Dataset):
    """Base of the kinds of table whose columns' roles are declared."""

    @property
    def roles(self) -> Roles:
        return Roles(**self.own)

    def sample(self, seed: int | None = None) -> DataFrame:
        return self.read().rows.frame()


class Format(Declaration):
    """How a file is written."""

    format: Literal["auto", "csv", "tsv", "parquet", "jsonl"] = Field(
        "auto", description="auto: by the name's ending."
    )
    separator: str | None = Field(
        None,
        min_length=1,
        max_length=1,
        description="Between the values of CSV; default: a comma (tsv: a tab).",
    )
    decimal: Literal[".", ","] = Field(
        ".",
        description="Before a number's fraction in CSV and TSV, and in JSON Lines and Parquet where numbers of a "
        "feature or the weight are words. With a comma, 1.234,5 is 1234.5, 1.234 is 1234 and 1.5 is no number.",
    )
    encoding: str = Field("utf-8", description="Of CSV, TSV and JSON Lines, such as utf-8, latin-1, utf-16.")
    missing: tuple[str, ...] = Field(
        MISSING,
        description="Words in CSV and TSV that say a value is missing, all of them; an empty one always does. Spaces "
        "around words do not count.",
    )

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        import codecs

        try:
            return codecs.lookup(encoding).name
        except LookupError as error:
            raise ValueError(
                f"there is no encoding {encoding!r}; known are utf-8, latin-1, cp1252, utf-16 and more"
            ) from error

    @property
    def written(self) -> Format:
        """How the file is written, of a declaration that says more."""
        return Format(**{name: getattr(self, name) for name in Format.model_fields})


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

    def read(self) -> Read:
        from classification_assets.learning.reading import read_files

        return read_files(self)


class TableFunction(OwnTable):
    """A table that a function of one's own returns: a pandas or polars frame, or an Arrow table."""

    kind: Literal["python"] = Field("python", description="A function that returns a frame.")
    path: ImportPath = Field(description="Where the function is: package.module:function.")
    arguments: dict[str, Any] = Field(default_factory=dict, description="Keyword arguments of the function.")

    def read(self) -> Read:
        from classification_assets.learning.rows import MemoryRows, Read

        place = f"dataset {self.path}"
        return Read(MemoryRows.of_any(imported(self.path, "dataset")(**self.arguments), place))


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


class UnlabelledFile(Format):
    """Rows without labels, for which predictions are wanted.

    How the file is written is, where it is not said, as of the data set's own file.
    """

    path: str = Field(min_length=1, description=PATH)
    id: str | None = Field(
        None,
        description="The column that names the row. Default: the data set's; without one, rows are numbered.",
    )
