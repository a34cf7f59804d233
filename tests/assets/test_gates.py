"""Gates: a bad delivery is not stored, nothing downstream is made of it, and the UI shows the sentence."""

import dagster as dg
import numpy as np
import pandas as pd
import pytest
import yaml

from classification_assets.learning.artifacts.storage import load, origin_of


def rows(n=300, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 3)).round(4), columns=["a", "b", "c"])
    return frame.assign(label=np.where(frame["a"] + 0.3 * rng.normal(size=n) > 0, "yes", "no"))


BAD = {
    "same_columns": rows().drop(columns="c"),
    "same_classes": rows()
    .query("label == 'yes'")
    .assign(
        label=["yes", "maybe"] * (len(rows().query("label == 'yes'")) // 2)
        + ["yes"] * (len(rows().query("label == 'yes'")) % 2)
    ),
    "rows_there": rows(100),
    "labels_alike": rows().query("label == 'yes' or a < -1.2"),
    "new_classes_are_no_slips": rows().assign(
        label=lambda frame: frame["label"].where(frame.index > 3, "yess")
    ),
    "nothing_leaks_now": rows().assign(b=lambda frame: (frame["label"] == "yes") * 1.0),
}


@pytest.fixture
def place(declared, materialize_into, tmp_path):
    return Place(declared, materialize_into, tmp_path)


class Place:
    def __init__(self, declared, materialize_into, folder):
        self.declared, self.materialize_into, self.folder = declared, materialize_into, folder
        self.instance = dg.DagsterInstance.ephemeral()

    def deliver(self, frame, selection='+key:"small/champion"', **options):
        frame.to_csv(self.folder / "rows.csv", index=False)
        experiment = self.declared(
            dataset={"kind": "table", "path": str(self.folder / "rows.csv"), "target": "label"},
            architectures=["linear"],
            training={"members": 2, "max_epochs": 30, "learning_rate": 0.03},
            **options.pop("declared", {}),
        )
        return self.materialize_into(
            self.folder / "out",
            experiment,
            selection=selection,
            raise_on_error=False,
            instance=self.instance,
            **options,
        )

    def stored(self):
        return {
            path.relative_to(self.folder): path.read_bytes()
            for path in sorted((self.folder / "out").rglob("*"))
            if path.is_file() and path.name != ".lock"
        }


@pytest.mark.parametrize("gate", BAD)
def test_a_bad_delivery_changes_nothing_that_is_stored_and_says_why(place, gate):
    assert place.deliver(rows()).success
    before = place.stored()
    result = place.deliver(BAD[gate])
    assert not result.success
    assert place.stored() == before
    failed = {
        check.check_name: check
        for check in result.get_asset_check_evaluations()
        if not check.passed and check.blocking
    }
    assert gate in failed
    assert failed[gate].severity == dg.AssetCheckSeverity.ERROR
    error = next(event for event in result.all_events if event.is_step_failure).step_failure_data
    assert failed[gate].description in error.user_failure_data.description
    assert not [event for event in result.all_events if event.is_step_success and "model" in event.step_key]


def test_later_runs_do_not_pick_up_what_was_refused(place):
    assert place.deliver(rows()).success
    accepted = origin_of(place.folder / "out/small/dataset.parquet").version
    assert not place.deliver(BAD["rows_there"]).success
    assert place.deliver(BAD["rows_there"], 'key:"small/split" or key:"small/linear/model"').success
    assert origin_of(place.folder / "out/small/split.parquet").inputs["small/dataset"] == accepted


def test_a_change_that_is_meant_is_let_through_by_the_runs_configuration(place):
    assert place.deliver(rows()).success
    refused = place.deliver(BAD["rows_there"])
    (sentence,) = [
        check.description
        for check in refused.get_asset_check_evaluations()
        if check.check_name == "rows_there"
    ]
    config = yaml.safe_load(sentence.partition("with the configuration ")[2])
    assert place.deliver(BAD["rows_there"], run_config=config).success
    assert load(place.folder / "out/small/dataset.parquet").rows.n_rows == 100
    assert place.deliver(BAD["rows_there"]).success  # it is the accepted one now


def test_a_gate_that_is_declared_open_stays_open(place):
    assert place.deliver(rows()).success
    assert place.deliver(BAD["same_columns"], declared={"gates": {"same_columns": False}}).success


def test_a_refused_delivery_is_not_tried_again_within_its_run(place):
    assert place.deliver(rows()).success
    result = place.deliver(BAD["rows_there"])
    assert not [event for event in result.all_events if event.is_step_up_for_retry]
