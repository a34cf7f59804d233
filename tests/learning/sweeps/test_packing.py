"""Packing: networks of one shape share packs that are about as full, and a sweep's work is known before it begins."""

from collections import Counter

import numpy as np
import pytest

from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.sweeps.packing import tasks_of, work_at_most, work_of
from tests.learning.sweeps.members import members
from tests.learning.sweeps.searches import small


def tasks(every, rows, **options):
    return list(tasks_of(every, rows, 3, "cpu", options.pop("fingerprint", ""), True, **options))


def test_networks_of_one_shape_share_packs_and_no_pack_is_much_emptier_than_another(rows):
    every = members(MLP(hidden=(4,)), [{"learning_rate": 0.01}] * 70 + [{"width": 5}] * 3)
    found = tasks(every, rows)
    assert [len(task.members) for task in found] == [35, 35, 3]
    assert all(len({member.configuration.shape for member in task.members}) == 1 for task in found)
    names = Counter(member.name for task in found for member in task.members)
    assert names == Counter(member.name for member in every)


@pytest.mark.parametrize(
    "values",
    [{"width": 5}, {"depth": 2}, {"activation": "tanh"}, {"normalization": "batch"}, {"batch_size": 9}],
)
def test_what_a_pack_must_have_in_common_parts_it(rows, values):
    assert len(tasks(members(MLP(hidden=(4,)), [{}, values]), rows)) == 2


def test_what_members_may_have_of_their_own_does_not_part_them(rows):
    own = [
        {"learning_rate": 0.2, "weight_decay": 0.3},
        {"dropout": 0.2, "mixup": 0.1},
        {"label_smoothing": 0.1},
    ]
    assert len(tasks(members(MLP(hidden=(4,)), own), rows)) == 1


def test_networks_so_large_that_few_fit_are_parted(rows):
    (few,), many = (
        tasks(members(MLP(hidden=(3,)), [{}] * 4), rows),
        tasks(members(MLP(hidden=(4096, 4096)), [{}] * 4), rows),
    )
    assert len(few.members) == 4
    assert len(many) == 4


def test_a_pack_is_known_by_everything_that_it_follows_from(rows):
    def key(values=None, **options):
        return tasks(members(MLP(hidden=(4,)), [values or {"learning_rate": 0.01}]), rows, **options)[0].key

    assert key() == key()
    lies = [{(0, 0, 0): (name, place)} for name, place in (("a", 0), ("a", 1), ("b", 0))]
    keys = [key(), key(fingerprint="other"), key({"learning_rate": 0.02}), *(key(lies=each) for each in lies)]
    assert len(set(keys)) == len(keys)


def test_wider_networks_and_more_epochs_are_more_work(rows):
    narrow, wide = tasks(members(MLP(hidden=(4,)), [{}, {"width": 400}]), rows)
    assert work_of(narrow) < work_of(wide)
    work = [
        work_at_most(small(networks, {"width": {"low": 4, "high": high}, "depth": [0, 2]}), 100)
        for networks, high in ((10, 8), (20, 8), (20, 256))
    ]
    assert np.all(np.diff(work) > 0)
    assert work_at_most(small(4, {"hidden": [[], [9]]}), 100) > work_at_most(small(4, {"hidden": [[]]}), 100)
