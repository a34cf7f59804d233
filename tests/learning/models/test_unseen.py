"""Cells of rows to predict whose category was never seen are counted, told by column and row, and bounded."""

import numpy as np
import pandas as pd
import pytest

from classification_assets.learning.artifacts.storage import load, save
from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.models.checks import predictable, predictions_checks
from classification_assets.learning.models.fit import fit
from classification_assets.learning.models.predictions import predict_file, unseen_in_file
from classification_assets.learning.packed.options import Training
from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.datasets import TableFile, UnlabelledFile
from classification_assets.learning.tables.table import Table
from classification_assets.predict import main


def parcels(n=120, seed=0):
    """Parcels with a code that begins with a zero, the label depends on."""
    rng = np.random.default_rng(seed)
    code = rng.choice(["01067", "04103", "09111"], n)
    frame = pd.DataFrame(
        {"code": code, "kind": rng.choice(["box", "bag"], n), "mass": rng.normal(5, 1, n).round(2)}
    )
    return frame.assign(label=np.where(code == "01067", "late", "early"))


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    path = tmp_path_factory.mktemp("parcels") / "parcels.csv"
    parcels().to_csv(path, index=False)
    return Split.of(Table.of(TableFile(path=str(path))), Folds())


@pytest.fixture(scope="module")
def fitted(split):
    return fit(MLP(name="narrow", hidden=(6,)), split, Training(members=2, max_epochs=10))


@pytest.fixture
def new(tmp_path):
    """Writes rows to predict, and gives the declaration of the file."""

    def new(frame, ending="csv", **declared):
        path = tmp_path / f"new.{ending}"
        match ending:
            case "csv":
                frame.to_csv(path, index=False)
            case "parquet":
                frame.to_parquet(path)
            case "jsonl":
                frame.to_json(path, orient="records", lines=True)
        return UnlabelledFile(path=str(path), **declared)

    return new


def without_zeros(n=40):
    frame = parcels(n, seed=1).drop(columns="label")
    return frame.assign(code=frame["code"].astype(int))


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_codes_that_lost_their_zeros_fail_both_checks_with_how_many_and_an_example(
    split, fitted, new, ending
):
    declared = new(without_zeros(), ending)
    (check,) = predictions_checks(declared)
    for passed, sentence in (predictable(declared).judge(split), check.judge(predict_file(fitted, declared))):
        assert not passed
        assert "40 of 40 cells of column 'code' (such as '" in sentence
        assert "seen were '0" in sentence
        assert "more than 10 %" in sentence
        assert "'kind'" not in sentence
    assert predictable(declared).judge(split)[1].startswith("all 40 rows of ")


def test_each_row_says_how_many_of_its_cells_were_never_seen(fitted, new):
    frame = parcels(6, seed=1)
    frame.loc[2, "code"] = "99999"
    frame.loc[4, ["code", "kind"]] = ["99999", "tube"]
    frame.loc[5, ["code", "kind"]] = None  # a gap is no category
    found = predict_file(fitted, new(frame))
    assert found.rows.frame()["never_seen"].tolist() == [0, 0, 1, 0, 2, 0]
    assert {name: told["cells"] for name, told in found.about["unseen"].items()} == {"code": 2, "kind": 1}


@pytest.mark.parametrize(("bound", "passes"), [(0.05, True), (0.025, False), (0, False), (1, True)])
def test_the_share_of_a_column_that_may_be_unseen_is_declared(split, fitted, new, bound, passes):
    frame = parcels(40, seed=1)
    frame.loc[[3, 5], "kind"] = "tube"
    declared = new(frame, unseen=bound)
    (check,) = predictions_checks(declared)
    for passed, sentence in (predictable(declared).judge(split), check.judge(predict_file(fitted, declared))):
        assert passed == passes
        assert "2 of 40 cells of column 'kind' (such as 'tube', seen were 'b" in sentence


def test_rows_of_known_categories_pass_and_say_so(split, new):
    declared = new(parcels(40, seed=1))
    assert predictable(declared).judge(split) == (
        True,
        f"all 40 rows of {declared.path} can be predicted; every category was seen in training",
    )
    assert unseen_in_file(split, declared).columns == {}


def test_cells_are_counted_over_batches(fitted, new, monkeypatch):
    monkeypatch.setattr("classification_assets.learning.models.predictions.HELD_BYTES", 4 * 2 * 2 * 7)
    found = predict_file(fitted, new(without_zeros()))
    assert found.about["unseen"]["code"]["cells"] == 40
    assert found.rows.frame()["never_seen"].tolist() == [1] * 40


def test_the_command_warns_and_writes_all_the_same(fitted, new, tmp_path, capsys):
    save(fitted, tmp_path / "model.safetensors")
    path = new(without_zeros()).path
    assert main([str(tmp_path / "model.safetensors"), path, str(tmp_path / "out.parquet")]) == 0
    assert "warning: categories that were never seen in training are in 40 of 40 cells of column 'code'" in (
        capsys.readouterr().err
    )
    again = load(tmp_path / "out.parquet")
    assert again.some(3).columns.tolist()[:4] == ["row", "label", "disagreement", "never_seen"]


def test_predictions_stored_by_an_earlier_version_are_not_judged(fitted, new):
    found = predict_file(fitted, new(parcels(10)))
    del found.about["unseen"]
    (check,) = predictions_checks(new(parcels(10)))
    assert check.judge(found)[0]
