"""The source of rows comes back from JSON, also where a stored declaration is not valid any more."""

from classification_assets.learning.tables.datasets import Moons, TableFile
from classification_assets.learning.tables.source import Source

OUTDATED = {
    "kind": "table",
    "path": "rows.csv",
    "id": "visit",
    "separator": ";",
    "decimal": ",",
    "missing": ["?"],
    "a_field_of_an_earlier_version": 1,
}


def test_a_source_comes_back_and_says_only_what_there_is():
    for source in (
        Source(),
        Source(dataset=Moons(n_samples=40, noise=0.2), overridden={"seed": 3}),
        Source(dataset=TableFile(path="rows.csv"), format="csv", sha256="ab", without_label=2),
    ):
        assert Source.model_validate(source.model_dump(mode="json")) == source
    assert Source().model_dump(mode="json") == {}


def test_a_declaration_that_is_not_valid_any_more_is_kept_with_all_that_it_says():
    source = Source.model_validate({"dataset": OUTDATED, "overridden": {}})
    assert source.dataset is None
    assert source.declaration() == OUTDATED
    for name in ("path", "id", "separator", "decimal", "missing"):
        assert source.declared(name) == OUTDATED[name]
    assert source.declared("encoding") is None
    assert Source.model_validate(source.model_dump(mode="json")) == source
