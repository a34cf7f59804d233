"""An experiment on a table of one's own, with gaps, words and dates, materialized with Dagster in this process."""

import gc
import gzip
import io
import logging
import tempfile
import zipfile

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from classification_assets.component import experiment_definitions
from classification_assets.learning.artifacts.storage import load
from classification_assets.learning.classifier import load_classifier
from classification_assets.learning.preparation.checks import dataset_checks, table_checks
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.gates import gate_checks
from classification_assets.learning.tables.reading import csv_files, local_files, text_files
from tests.assets.materialized import materialization


def visits(n=240, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "patient": [f"p{number // 2:03d}" for number in range(n)],
            "age": rng.normal(40, 9, n).round(1),
            "town": rng.choice(["Oslo", "Rome", "Zürich", "Bonn"], n),
            "smoker": rng.choice([True, False], n),
            "day": pd.date_range("2020-01-01", periods=n).astype(str),
            "cost": rng.lognormal(3, 2, n),
            "weight": rng.uniform(0.5, 1.5, n),
        }
    )
    risk = frame["age"] + 8 * frame["smoker"] + 9 * (frame["town"] == "Oslo")
    frame["outcome"] = pd.cut(risk, [-np.inf, 41, 50, np.inf], labels=["well", "ill", "very ill"]).astype(str)
    frame.loc[rng.choice(n, 30, replace=False), "age"] = np.nan
    frame.loc[rng.choice(n, 10, replace=False), "town"] = None
    return frame


@pytest.fixture(scope="module")
def done(tmp_path_factory, declared, materialize_into):
    """Everything of an experiment on a table, materialized once: the run, and the folder it is in."""
    folder = tmp_path_factory.mktemp("artifacts")
    visits().to_csv(folder / "visits.csv.gz", index=False)
    visits(seed=2).drop(columns="outcome").to_parquet(folder / "new.parquet")
    experiment = declared(
        "visits",
        dataset={
            "kind": "table",
            "path": str(folder / "visits.csv.gz"),
            "target": "outcome",
            "group": "patient",
            "weight": "weight",
        },
        predict={"path": str(folder / "new.parquet"), "id": "patient"},
        training={"members": 3, "max_epochs": 60, "learning_rate": 0.03},
    )
    return materialize_into(folder, experiment), folder


def test_every_asset_of_a_table_materializes(done):
    result, folder = done
    assert result.success
    for kind in ("model.safetensors", "evaluation.parquet", "boundary.png"):
        assert (folder / "visits" / "narrow" / kind).is_file()


def test_the_dataset_keeps_all_columns_and_their_roles(done):
    table = load(done[1] / "visits" / "dataset.parquet")
    assert table.frame.columns.tolist() == visits().columns.tolist()
    assert table.roles.group == "patient"
    assert len(table.source.sha256) == 64


def test_the_split_keeps_patients_together_and_gaps_as_gaps(done):
    split = load(done[1] / "visits" / "split.parquet")
    patient = visits()["patient"].to_numpy()
    folds = [set(patient[split.rows(fold)]) for fold in Fold]
    assert not folds[0] & folds[1]
    assert not folds[0] & folds[2]
    assert np.isnan(split.X[:, 0]).sum() == 30
    assert split.weight.mean() == pytest.approx(1, abs=0.1)


def test_the_model_takes_frames_as_they_are_and_answers_in_their_words(done):
    classifier = load_classifier(done[1] / "visits" / "narrow" / "model.safetensors")
    rows = visits(seed=1).head(20).assign(town="Atlantis", extra=1).astype(object)
    rows.loc[2, ["age", "smoker", "day"]] = None
    assert set(classifier.predict(rows)) <= {"well", "ill", "very ill"}
    assert np.isfinite(classifier.predict_proba(rows)).all()


def test_what_changed_in_the_file_changes_the_data_version(done, materialize_into, declared, tmp_path):
    frame = visits()
    versions = []
    for change in (0, 0, 1):
        frame.loc[0, "age"] = 30 + change
        frame.to_csv(tmp_path / "a.csv", index=False)
        dataset = {"kind": "table", "path": str(tmp_path / "a.csv"), "target": "outcome", "drop": ["patient"]}
        result = materialize_into(tmp_path, declared("own", dataset=dataset), selection='key:"own/dataset"')
        versions.append(materialization(result, "own/dataset").tags["dagster/data_version"])
    assert versions[0] == versions[1] != versions[2]


def test_a_table_that_cannot_be_used_fails_its_dataset_with_the_reason(declared, materialize_into, tmp_path):
    visits().to_csv(tmp_path / "a.csv", index=False)
    experiment = declared(
        "own", dataset={"kind": "table", "path": str(tmp_path / "a.csv"), "target": "result"}
    )
    with pytest.raises(ValueError, match=r"a\.csv: target: there is no column 'result'"):
        materialize_into(tmp_path, experiment, selection='key:"own/dataset"')


def packed(text):
    with io.BytesIO() as opened:
        with zipfile.ZipFile(opened, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", text)
        return opened.getvalue()


def text_of(frame):
    return frame.to_csv(index=False).encode()


BOMB = b"outcome,age\n" + b"0,0\n" * 2**20

NEVER_CLOSED = text_of(visits()) + b'p1,"' + b"x" * 2**18

BAD_FILES = {
    "a.csv.gz": (gzip.compress(BOMB), "unpacks to more than 200 times its size"),
    "a.csv.zip": (packed(BOMB), "unpacks to more than 200 times its size"),
    "field.csv": (NEVER_CLOSED, "a row is longer than 65,536 bytes; is a quotation mark not closed"),
    "field.jsonl": (b'{"outcome": "' + b"x" * 2**18 + b'"}', "line 1 is longer than 65,536 characters"),
    "classes.csv": (
        text_of(
            pd.DataFrame({"age": range(30_000), "outcome": [f"c{row % 10_000}" for row in range(30_000)]})
        ),
        "there are 10,000 classes, and at most 1,000 can be told apart here",
    ),
    "names.csv": (
        text_of(pd.DataFrame({"age": range(500), "outcome": [f"c{row}" for row in range(500)]})),
        "every row has a label of its own",
    ),
    "one.csv": (text_of(visits().assign(outcome="well")), "two classes or more are needed"),
    "empty.csv": (b"", "is empty; a table has a header and rows"),
    "latin.csv": (text_of(visits()).decode().encode("latin-1"), "is not utf-8: byte"),
    "cut.parquet": (b"PAR1 and no more", "is no Parquet file, or a damaged one"),
}


@pytest.mark.parametrize("name", [*BAD_FILES, "changing.csv"])
def test_a_file_that_cannot_be_used_leaves_what_was_stored(
    name, declared, materialize_into, tmp_path, monkeypatch
):
    monkeypatch.setattr(local_files, "LEAST_LIMIT", 2**20)
    monkeypatch.setattr(text_files, "LONGEST", 2**16)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    (tmp_path / "good.csv").write_bytes(text_of(visits()))
    content, words = BAD_FILES.get(name, (text_of(visits()), "changed while it was read; nothing was stored"))
    (tmp_path / name).write_bytes(content)

    def experiment(path):
        return declared("own", dataset={"kind": "table", "path": str(tmp_path / path), "target": "outcome"})

    def stored():
        return {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}

    declare = {"kind": "table", "path": str(tmp_path / "good.csv"), "target": "outcome", "drop": ["patient"]}
    good = declared("own", dataset=declare)
    assert materialize_into(tmp_path / "out", good, selection='key:"own/dataset"').success
    before = stored()
    if name == "changing.csv":
        open_csv = csv_files.pa.csv.open_csv

        def open_and_change(*arguments):
            (tmp_path / name).write_bytes(text_of(visits(300)))
            return open_csv(*arguments)

        monkeypatch.setattr(csv_files.pa.csv, "open_csv", open_and_change)
    with pytest.raises(ValueError, match=words):
        materialize_into(tmp_path / "out", experiment(name), selection='key:"own/dataset"')
    assert stored() == before
    gc.collect()
    assert not list((tmp_path / "temporary").iterdir())


def test_the_dataset_shows_its_profile_and_checks_it(done):
    result, _ = done
    shown = materialization(result, "visits/dataset").metadata
    assert shown["missing_share"].value == pytest.approx((30 + 10) / 240 / 5, abs=1e-3)
    records = {record.data["column"]: record.data for record in shown["columns"].records}
    assert records["age"]["missing"] == 0.125
    assert (records["patient"]["used as"], records["age"]["used as"]) == ("group", "numeric")
    checks = {
        evaluation.check_name: evaluation.passed
        for evaluation in result.get_asset_check_evaluations()
        if evaluation.asset_key == dg.AssetKey(["visits", "dataset"])
    }
    assert checks["nothing_leaks"]
    assert set(checks) == {check.name for check in (*dataset_checks(), *table_checks(), *gate_checks())}


def test_the_champion_predicts_the_rows_without_labels(done):
    result, folder = done
    predicted = load(folder / "visits" / "predictions.parquet")
    first = load(folder / "visits" / "leaderboard.parquet").board["architecture"].iloc[0]
    assert (predicted.about["architecture"], predicted.about["version"]) == (first, "v0001")
    frame = predicted.rows.frame()
    assert frame["patient"].tolist() == visits(seed=2)["patient"].tolist()
    classifier = load_classifier(folder / "visits" / first / "model.safetensors")
    np.testing.assert_allclose(
        frame[["p_ill", "p_very ill", "p_well"]], classifier.predict_proba(visits(seed=2)), atol=1e-5
    )
    shown = materialization(result, "visits/predictions").metadata
    assert shown["dagster/row_count"].value == 240
    assert shown["made by"].value == f"v0001, {first}"
    assert shown["champion"].asset_key == dg.AssetKey(["visits", "champion"])
    assert shown["rows without labels"].value.endswith("new.parquet")
    assert sum(record.data["share"] for record in shown["predicted classes"].records) == pytest.approx(
        1, abs=1e-3
    )
    assert list(shown["some of the rows"].records[0].data)[1:4] == ["label", "disagreement", "never_seen"]
    checks = {
        evaluation.check_name: (evaluation.passed, evaluation.description)
        for evaluation in result.get_asset_check_evaluations()
        if evaluation.asset_key == dg.AssetKey(["visits", "predictions"])
    }
    assert set(checks) == {"no_drift", "categories_are_known"}
    assert checks["categories_are_known"] == (True, "every category was seen in training")


def test_without_rows_to_predict_there_are_no_predictions(declared):
    keys = {key.to_user_string() for asset in experiment_definitions(declared()).assets for key in asset.keys}
    assert "small/predictions" not in keys


def unlabelled_checks(result):
    return [
        evaluation
        for evaluation in result.get_asset_check_evaluations()
        if evaluation.check_name == "rows_are_predictable"
    ]


@pytest.fixture
def told_early(declared, materialize_into, tmp_path):
    """An experiment whose rows to predict lack a column, and the run, with its log, that failed for that."""
    visits().to_csv(tmp_path / "a.csv", index=False)
    visits(seed=2).drop(columns="age").to_csv(tmp_path / "new.csv", index=False)
    experiment = declared(
        "own",
        dataset={
            "kind": "table",
            "path": str(tmp_path / "a.csv"),
            "target": "outcome",
            "drop": ["patient"],
        },
        predict={"path": str(tmp_path / "new.csv")},
        training={"members": 3, "max_epochs": 60, "learning_rate": 0.03},
    )
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialize_into(tmp_path / "out", experiment, instance=instance, raise_on_error=False)
        yield experiment, result, instance.all_logs(result.run_id)


def test_rows_that_cannot_be_predicted_are_told_before_training_and_keep_no_model_from_being_made(
    told_early, materialize_into, tmp_path
):
    experiment, result, log = told_early
    (check,) = unlabelled_checks(result)
    assert not check.passed
    assert "new.csv: missing columns: age" in check.description
    warned = next(index for index, line in enumerate(log) if line.level >= logging.WARNING)
    assert log[warned].user_message.startswith("check rows_are_predictable of own/split failed: ")
    started = [
        index
        for index, line in enumerate(log)
        if line.is_dagster_event and line.dagster_event.is_step_start and line.step_key.endswith("__model")
    ]
    assert started
    assert warned < min(started)
    failed = [event.step_key for event in result.all_events if event.is_step_failure]
    assert failed == ["own__predictions"]
    assert (tmp_path / "out" / "own" / "report.html").is_file()

    # Once the file is right, the predictions alone are made.
    visits(seed=2).to_csv(tmp_path / "new.csv", index=False)
    assert materialize_into(tmp_path / "out", experiment, selection='key:"own/predictions"').success


def test_rows_that_can_be_predicted_pass_a_check_of_the_split(done):
    (check,) = unlabelled_checks(done[0])
    assert check.passed
    assert check.asset_key == dg.AssetKey(["visits", "split"])
