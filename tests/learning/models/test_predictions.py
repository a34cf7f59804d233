"""Rows without labels are predicted from a file, in batches, whatever order its columns have."""

import re

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from classification_assets.learning.artifacts.storage import load, save
from classification_assets.learning.models import predictions
from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.models.checks import predictable
from classification_assets.learning.models.fit import fit
from classification_assets.learning.models.predictions import check_file, predict_file
from classification_assets.learning.packed.options import Training
from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.datasets import TableFile, UnlabelledFile
from classification_assets.learning.tables.table import Table
from classification_assets.predict import main

CLASSES = ["ill", "well"]


def people(n=150, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "id": [f"p{row}" for row in range(n)],
            "age": rng.normal(40, 9, n).round(1),
            "town": rng.choice(["Oslo", "Rome"], n),
            "smoker": rng.choice([True, False], n),
            "day": pd.date_range("2020-01-01", periods=n).astype(str),
        }
    )
    return frame.assign(label=np.where(frame["age"] + 9 * frame["smoker"] > 44, "ill", "well"))


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    """People in their folds."""
    folder = tmp_path_factory.mktemp("people")
    people().to_csv(folder / "people.csv", index=False, sep=";", decimal=",", encoding="latin-1")
    declared = TableFile(
        path=str(folder / "people.csv"), id="id", separator=";", decimal=",", encoding="latin-1"
    )
    return Split.of(Table.of(declared), Folds())


@pytest.fixture(scope="module")
def model(split, tmp_path_factory):
    """A stored model of people, with its fitted classifier."""
    folder = tmp_path_factory.mktemp("model")
    training = Training(members=3, max_epochs=20)
    fitted = fit(MLP(name="narrow", hidden=(6,)), split, training)
    save(fitted, folder / "model.safetensors")
    return fitted, folder / "model.safetensors"


@pytest.fixture
def new(tmp_path):
    """Writes rows without labels, and gives the declaration of the file."""

    def new(frame=None, name="new.csv", **declared):
        frame = people(40, seed=1).drop(columns="label") if frame is None else frame
        path = tmp_path / name
        if name.endswith(".parquet"):
            frame.to_parquet(path)
        else:
            # As the model's own table was written.
            frame.to_csv(path, index=False, sep=";", decimal=",", encoding="latin-1")
        return UnlabelledFile(path=str(path), **declared)

    return new


def test_each_row_gets_its_label_probabilities_and_uncertainty(model, new):
    fitted, _ = model
    found = predict_file(fitted, new()).rows.frame()
    frame = people(40, seed=1)
    p, _, members = fitted.member_predictions(fitted.provenance.preprocessing.encode(frame))
    assert found.columns.tolist() == ["id", "label", "p_ill", "p_well", "disagreement", "never_seen"]
    assert found["id"].tolist() == frame["id"].tolist()
    np.testing.assert_allclose(found[["p_ill", "p_well"]], p, atol=1e-6)
    assert found["label"].tolist() == [CLASSES[code] for code in p.argmax(1)]
    assert (found["label"] == frame["label"]).mean() > 0.7
    distance = np.abs(members - members.mean(0)).sum(2).mean(0) / 2
    np.testing.assert_allclose(found["disagreement"], distance, atol=1e-6)


def test_the_order_of_columns_and_others_beside_them_do_not_matter(model, new):
    expected = predict_file(model[0], new()).rows.frame()
    frame = people(40, seed=1).drop(columns="label")
    for changed, name in (
        (frame[frame.columns[::-1]].assign(extra=1), "a.csv"),
        (frame.assign(smoker=frame["smoker"].map({True: "yes", False: "no"})), "b.csv"),
        (frame.assign(day=pd.to_datetime(frame["day"])), "c.parquet"),
    ):
        pd.testing.assert_frame_equal(
            predict_file(model[0], new(changed, name)).rows.frame(), expected, check_dtype=False
        )


def test_a_file_may_be_written_otherwise_than_the_models_own(model, new, tmp_path):
    expected = predict_file(model[0], new()).rows.frame()
    people(40, seed=1).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(ValueError, match="perhaps separator: ',' is right"):
        predict_file(model[0], UnlabelledFile(path=str(tmp_path / "a.csv")))
    declared = UnlabelledFile(path=str(tmp_path / "a.csv"), separator=",", decimal=".")
    found = predict_file(model[0], declared).rows.frame()
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_rows_whose_words_have_decimal_commas_are_predicted_as_the_models_own(model, new, tmp_path, ending):
    expected = predict_file(model[0], new()).rows.frame()
    frame = people(40, seed=1)
    path = tmp_path / f"new.{ending}"

    def write(ages):
        written = frame.assign(age=ages)
        if ending == "parquet":
            written.to_parquet(path)
        else:
            written.to_json(path, orient="records", lines=True)

    write(frame["age"].astype(str).str.replace(".", ","))
    found = predict_file(model[0], UnlabelledFile(path=str(path))).rows.frame()
    pd.testing.assert_frame_equal(found, expected)
    write(frame["age"].astype(str))
    with pytest.raises(ValueError, match=rf"new\.{ending}: column 'age' holds numbers, but not in row 0: '"):
        predict_file(model[0], UnlabelledFile(path=str(path)))


def test_batches_of_any_size_give_the_same(model, new, monkeypatch):
    expected = predict_file(model[0], new()).rows.frame()
    monkeypatch.setattr(predictions, "HELD_BYTES", 4 * 3 * 2 * 7)
    pd.testing.assert_frame_equal(predict_file(model[0], new()).rows.frame(), expected, rtol=1e-5)


def test_gaps_and_values_that_were_never_seen_are_no_error(model, new):
    frame = people(40, seed=1).assign(town="Atlantis", smoker=None)
    frame.loc[3, "age"] = np.nan
    found = predict_file(model[0], new(frame)).rows.frame()
    assert np.isfinite(found[["p_ill", "p_well", "disagreement"]].to_numpy()).all()


def test_rows_without_a_name_are_numbered(model, new):
    found = predict_file(model[0], new(people(40).drop(columns=["id", "label"]))).rows.frame()
    assert found["row"].tolist() == list(range(40))


@pytest.mark.parametrize(
    ("change", "declared", "words"),
    [
        (
            {"drop": ["age", "day"]},
            {},
            r"new\.csv: missing columns: age, day; expected are age, town, smoker, day; there are: ",
        ),
        ({"age": "old"}, {}, r"new\.csv: column 'age' holds numbers, but not in row 0: 'old'"),
        ({"smoker": "maybe"}, {}, r"new\.csv: column 'smoker' is boolean.* row 0: 'maybe'"),
        ({"day": "monday"}, {}, r"new\.csv: column 'day' is a date.* row 0: 'monday'"),
        ({}, {"id": "name"}, r"new\.csv: id: there is no column 'name'; there are: id, age"),
        (
            {"label": range(40)},
            {"id": "label"},
            "the id column 'label' has the name of a column of the predictions",
        ),
    ],
)
def test_what_cannot_be_predicted_is_named_with_column_and_row_before_anything_is_trained(
    model, split, new, change, declared, words
):
    frame = people(40).drop(columns="label").assign(**{k: v for k, v in change.items() if k != "drop"})
    unlabelled = new(frame.drop(columns=change.get("drop", [])), **declared)
    with pytest.raises(ValueError, match=words):
        predict_file(model[0], unlabelled)
    with pytest.raises(ValueError, match=words):
        check_file(split, unlabelled)


def test_a_wrong_type_in_parquet_is_named_with_its_row(model, split, new):
    unlabelled = new(people(40).assign(age=np.where(np.arange(40) == 7, np.inf, 30.0)), "new.parquet")
    words = r"new\.parquet: every feature must be a finite number.*'age', row 7: inf"
    with pytest.raises(ValueError, match=words):
        predict_file(model[0], unlabelled)
    with pytest.raises(ValueError, match=words):
        check_file(split, unlabelled)


def test_rows_that_can_be_predicted_are_counted(split, new):
    assert check_file(split, new()) == 40


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, r"new\.parquet: there is no such file or folder"),
        (b"PAR1 and no more", r"new\.parquet: is no Parquet file, or a damaged one"),
    ],
)
def test_a_file_that_cannot_be_read_fails_a_check_and_raises_nothing(split, tmp_path, content, words):
    if content:
        (tmp_path / "new.parquet").write_bytes(content)
    check = predictable(UnlabelledFile(path=str(tmp_path / "new.parquet")))
    passed, sentence = check.judge(split)
    assert not passed
    assert re.search(words, sentence)
    assert "models are trained all the same" in sentence
    assert not check.blocking


def test_a_file_that_can_be_predicted_passes_the_check(split, new):
    passed, sentence = predictable(new()).judge(split)
    assert passed
    assert sentence.startswith("all 40 rows of ")


def test_predictions_come_back_from_their_file(model, new, tmp_path):
    predicted = predict_file(model[0], new())
    save(predicted, tmp_path / "predictions.parquet")
    again = load(tmp_path / "predictions.parquet")
    pd.testing.assert_frame_equal(again.rows.frame(), predicted.rows.frame())
    assert again.about == predicted.about
    assert again.counts()["rows"].sum() == 40


# The command


def test_the_command_writes_what_the_function_gives(model, new, tmp_path, capsys):
    people(40, seed=1).to_csv(tmp_path / "new.csv", index=False, sep=";", decimal=",")
    assert main([str(model[1]), str(tmp_path / "new.csv"), str(tmp_path / "out.parquet")]) == 0
    expected = predict_file(model[0], new()).rows.frame()
    pd.testing.assert_frame_equal(pq.read_table(tmp_path / "out.parquet").to_pandas(), expected)
    assert "out.parquet: 40 rows; ill: " in capsys.readouterr().out


def test_a_path_on_the_command_line_is_meant_wherever_it_lies(model, tmp_path, monkeypatch):
    people(40, seed=1).to_csv(tmp_path / "new.csv", index=False, sep=";", decimal=",")
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    assert main([str(model[1]), "../new.csv", "out.parquet"]) == 0


def test_a_name_that_says_no_format_needs_it_beside(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    people(40, seed=1).to_csv("new.data", index=False, sep=";", decimal=",")
    assert main([str(model[1]), "new.data", "out.parquet"]) == 2
    assert main([str(model[1]), "new.data", "out.parquet", "--format", "csv"]) == 0


def test_predictions_do_not_take_the_place_of_the_rows(model, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    people(40, seed=1).to_parquet("new.parquet")
    assert main([str(model[1]), "./new.parquet", str(tmp_path / "new.parquet")]) == 2
    assert "would take the place of the rows" in capsys.readouterr().err
    assert main([str(model[1]), ".", "out.parquet"]) == 2
    assert main([str(model[1]), str(tmp_path), "./new.parquet"]) == 2
    assert main([str(model[1]), str(tmp_path), "deep/out.parquet"]) == 2
    assert capsys.readouterr().err.count("would lie among the rows") == 3
    assert "p_ill" not in pq.read_schema("new.parquet").names


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no.safetensors", "new.csv", "out.parquet"], "no artifact at no.safetensors"),
        (
            ["MODEL", "new.csv", "out.parquet", "--separator", "ab"],
            "error: separator: String should have at most 1 character, got 'ab'\n",
        ),
        (
            ["MODEL", "new.csv", "out.parquet", "--encoding", "foo"],
            "error: encoding: there is no encoding 'foo'",
        ),
        (
            ["MODEL", "new.csv", "out.parquet", "--format", "xls"],
            "error: format: Input should be 'auto', 'csv'",
        ),
        (["MODEL", "lost.csv", "out.parquet"], "there is no such file or folder"),
        (
            ["MODEL", "new.csv", "out.csv"],
            "predictions are written as Parquet, to a name that ends in .parquet",
        ),
        (["MODEL", "new.csv", "out.parquet", "--id", "x"], "id: there is no column 'x'"),
        (["MODEL", "new.csv", "out.parquet", "--device", "cuda:7"], "cuda"),
    ],
)
def test_what_the_command_cannot_use_is_told_and_nothing_is_written(
    model, tmp_path, monkeypatch, capsys, arguments, words
):
    monkeypatch.chdir(tmp_path)
    people(40, seed=1).to_csv("new.csv", index=False, sep=";", decimal=",")
    assert main([str(model[1]) if word == "MODEL" else word for word in arguments]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out.parquet").exists()
