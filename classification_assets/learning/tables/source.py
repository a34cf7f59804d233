"""Source of rows: the declaration by which they were drawn or read, and facts found meanwhile. Light to import."""

from __future__ import annotations

from typing import Any

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    ValidationError,
    model_serializer,
    model_validator,
)

from classification_assets.learning.declaration import Declaration
from classification_assets.learning.tables.column_reading import ReadColumn
from classification_assets.learning.tables.datasets import AnyDataset

_DATASET: TypeAdapter[AnyDataset] = TypeAdapter(AnyDataset)


class Source(Declaration):
    """Where rows came from; tables, splits and models keep it.

    A declaration that an earlier version has stored and that is not valid any more is kept as it is (`outdated`), so
    that a stored model can always be opened, and reads new files as it was told to.
    """

    dataset: AnyDataset | None = Field(None, description="The declaration, as used.")
    outdated: dict[str, Any] = Field({}, description="A stored declaration that is not valid any more.")
    overridden: dict[str, Any] = Field({}, description="Fields that a run had set otherwise than declared.")
    format: str = Field("", description="The format of the first file.")
    sha256: str = Field("", description="A hash of the files' content.")
    fingerprint: str = Field("", description="Of files elsewhere: what their server said of the content.")
    without_label: int = Field(0, description="Rows that were left out since they have no label.")
    readings: dict[str, ReadColumn] = Field(
        {}, description="Columns of words that were read as numbers or dates, and how."
    )
    notes: tuple[str, ...] = Field(
        (), description="What was unusual about the files, and how they were taken."
    )
    estimator: dict[str, Any] = Field(
        {}, description="What a NeuralClassifier remembers of its own parameters."
    )

    @model_validator(mode="before")
    @classmethod
    def _may_be_outdated(cls, value: Any) -> Any:
        if not isinstance(value, dict) or not isinstance(value.get("dataset"), dict):
            return value
        try:
            return value | {"dataset": _DATASET.validate_python(value["dataset"])}
        except ValidationError:
            return value | {"dataset": None, "outdated": value["dataset"]}

    @model_serializer(mode="wrap")
    def _what_is_told(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        told = handler(self)
        return {name: value for name, value in told.items() if value not in (None, "", 0, {}, (), [])}

    def declared(self, name: str) -> Any:
        """A field of the data set's declaration, also of an outdated one; None where it has none of that name."""
        return self.outdated.get(name) if self.dataset is None else getattr(self.dataset, name, None)

    def declaration(self) -> dict[str, Any]:
        """The data set's declaration as JSON, for reading; empty where there is none."""
        return self.outdated if self.dataset is None else self.dataset.model_dump(mode="json")
