"""A view is declared by words or by two names; what there is not is refused with what there is."""

import pytest
from pydantic import ValidationError

from classification_assets.learning.evaluation.view import View


def test_what_is_not_declared_is_left_to_the_number_of_features():
    assert View().plane == "auto"
    assert View.model_validate({"plane": ["width", "height"]}).plane == ("width", "height")


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"plane": "best"}, "'auto', 'pca' or 'matrix'"),
        ({"plane": ["width"]}, "tuple"),
        ({"plane": ["width", "width"]}, "'width' twice"),
        ({"features": 5}, "less than or equal to 4"),
        ({"plan": "pca"}, "did you mean 'plane'"),
    ],
)
def test_a_mistake_is_said_in_words(declared, words):
    with pytest.raises(ValidationError, match=words):
        View.model_validate(declared)


def test_a_feature_that_there_is_not_is_named_with_those_that_there_are():
    with pytest.raises(ValueError, match=r"'heigth'.*did you mean 'height'\? features are width, height"):
        View(plane=("width", "heigth")).check(["width", "height"])
    with pytest.raises(ValueError, match="and 88 more"):
        View(plane=("a", "b")).check([f"x{index}" for index in range(100)])
    View(plane=("height", "width")).check(["width", "height"])


def test_declaring_one_imports_nothing_heavy(imported_by):
    loaded = imported_by("import classification_assets.learning.evaluation.view")
    assert not loaded & {"torch", "sklearn", "pandas", "matplotlib", "scipy"}
