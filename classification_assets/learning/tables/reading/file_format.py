"""How a file of rows is written, as a person declares it. Light to import."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from classification_assets.learning.declaration import Declaration, field_error

MISSING = ("", "?", "-", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None", "none")


PATH = (
    "The file, compressed or not (.gz, .bz2, .xz, .zst, .zip), or a folder of Parquet files: an absolute path, any "
    "fsspec URL (http:// needs the extra `http`, s3:// the extra `s3`), or a path relative to the folder in which "
    "Dagster runs, which it may not leave. "
    "CLASSIFICATION_ASSETS_DATA, if set, lists the folders and URLs that everything must be in."
)


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
    skip_rows: int = Field(0, ge=0, description="Lines of CSV and TSV before the header that are not read.")
    comment: str | None = Field(
        None,
        min_length=1,
        max_length=1,
        description="Lines of CSV and TSV that begin with this sign are not read.",
    )
    header: bool = Field(True, description="Whether the first line of CSV and TSV holds the columns' names.")
    names: tuple[str, ...] = Field(
        (), description="The columns' names where there is no header; default: column_1, column_2, …"
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
        "around words do not count. In JSON Lines and Parquet they do so where numbers or dates are words.",
    )
    day_first: bool | None = Field(
        None,
        description="Whether 01/02/2024 is in February. Default: as a column tells, by a day after the 12th.",
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

    @model_validator(mode="after")
    def _names_stand_once(self) -> Self:
        if self.names and self.header:
            raise field_error(
                type(self),
                "names",
                "a header names the columns; say that there is none (header: false)",
                self.names,
            )
        return self

    @property
    def written(self) -> Format:
        """How the file is written, of a declaration that says more."""
        return Format(**{name: getattr(self, name) for name in Format.model_fields})


class UnlabelledFile(Format):
    """Rows without labels, for which predictions are wanted.

    How the file is written is, where it is not said, as of the data set's own file.
    """

    path: str = Field(min_length=1, description=PATH)
    id: str | None = Field(
        None,
        description="The column that names the row. Default: the data set's; without one, rows are numbered.",
    )
    unseen: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Share of a column's cells, at most, that may hold a category which training has never seen; above "
        "it a check fails.",
    )
