"""What is found of a result is found once, for as long as there is the result."""

from dataclasses import replace
from weakref import ref

import pytest

from classification_assets.learning.sweeps.places import places
from classification_assets.learning.sweeps.remembered import remembered
from tests.learning.sweeps.made_up import made_up


@pytest.fixture
def result():
    return made_up(20)


def test_the_same_result_is_looked_at_once_and_another_one_again(result):
    asked = []

    @remembered
    def found(result):
        asked.append(result)
        return len(asked)

    other = replace(result)
    assert [found(result), found(result), found(other), found(result)] == [1, 1, 2, 1]


def test_a_result_that_nobody_has_any_more_is_not_kept(result):
    found = remembered(lambda result: "something")
    other = replace(result)
    kept = ref(other)
    found(other)
    del other
    assert kept() is None


def test_nothing_is_kept_of_what_could_not_be_found(result):
    tried = []

    @remembered
    def found(result):
        tried.append(result)
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            found(result)
    assert len(tried) == 2


def test_what_all_share_cannot_be_changed(result):
    with pytest.raises(ValueError, match="read-only"):
        places(result)[0] = 0
    frame = result.configurations()
    frame["score"] = 0
    assert not (result.configurations()["score"] == 0).any()
