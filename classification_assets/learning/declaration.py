"""What every declaration has in common: frozen, strict, and worded so that YAML and run configuration agree."""

import re
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict

_NAME = re.compile(r"[a-z0-9_]+")
MAX_NAME = 60


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise ValueError(
            f"a name is 1 to {MAX_NAME} lower-case letters, digits and underscores ([a-z0-9_]+), however: {name!r}"
        )
    return name


Name = Annotated[str, AfterValidator(_checked_name)]
"""The name of an experiment or an architecture; it becomes a part of asset keys and of paths."""


class Declaration(BaseModel):
    """Base of everything that a person declares: immutable, and an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def replaced(self, **changes: Any) -> Self:
        """A copy with some fields changed, validated like a declaration written by hand.

        Raises
        ------
        pydantic.ValidationError
            If a field is unknown or its value breaks one of the declaration's rules.
        """
        declared = {name: getattr(self, name) for name in self.model_fields_set}
        return type(self).model_validate(declared | changes)
