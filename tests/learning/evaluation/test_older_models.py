"""An older model on new rows: read by its own preprocessing, and never scored on a row that it has learned from."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classification_assets.learning.evaluation.encoding import reads_rows
from classification_assets.learning.evaluation.scoring import evaluate
from classification_assets.learning.evaluation.surface import surfaces
from classification_assets.learning.evaluation.unfit_rows import UnfitRowsError
from classification_assets.learning.models.architectures import MLP, Tabular
from classification_assets.learning.models.fit import fit
from classification_assets.learning.packed.options import Training
from classification_assets.learning.preparation.folds import Fold, Folds
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.roles import Roles
from classification_assets.learning.tables.table import Table

QUICK = Training(members=2, max_epochs=3)
SMALL = MLP(name="small", hidden=(4,))


def noise(n, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 4)).round(6), columns=list("abcd"))
    return frame.assign(town=rng.choice(["Bern", "Oslo"], n), name=[f"{seed}-{i}" for i in range(n)]).assign(
        label=np.where(rng.random(n) < 0.5, "yes", "no")
    )


def table_of(frame, **roles):
    return Table.of_frame(frame.reset_index(drop=True), Roles(**({"drop": ("name",)} | roles)))


def split_of(table, seed=0, before=None):
    return Split.of(table, Folds(seed=seed), None if before is None else before.memory())


def scored(evaluation, fold, names):
    return set(np.asarray(names)[evaluation.row_numbers(fold)])


@pytest.mark.parametrize("by", ["id", "content"])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["grow", "shrink", "reorder", "relabel", "replace"]),
            st.booleans(),
            st.booleans(),
            st.integers(0, 2),
        ),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=12, deadline=None)
def test_no_history_of_materializations_scores_a_row_that_was_learned_from(by, history):
    """After each change the split is made anew or not, with another seed or not, and so is the model."""
    roles = {"id": "name", "drop": ()} if by == "id" else {}
    frame = noise(120)
    table = table_of(frame, **roles)
    split, made_of = split_of(table), frame
    model = fit(SMALL, split, QUICK)
    learned = {fold: set(frame["name"][split.fold == fold]) for fold in Fold}
    for step, (change, with_memory, retrains, seed) in enumerate(history):
        match change:
            case "grow":
                frame = pd.concat([frame, noise(40, step + 1)])
            case "shrink":
                frame = frame.sample(frac=0.8, random_state=step)
            case "reorder":
                frame = frame.sample(frac=1, random_state=step)[list(reversed(frame.columns))]
            case "relabel":
                changed = np.arange(len(frame)) % 7 == 0
                frame = frame.assign(label=np.where(changed, "yes", frame["label"]))
            case "replace":
                frame = noise(120, 100 + step)
        table = table_of(frame, **roles)
        split, made_of = split_of(table, seed, split if with_memory else None), frame
        if retrains:
            model = fit(SMALL, split, QUICK)
            learned = {fold: set(frame["name"][split.fold == fold]) for fold in Fold}
        try:
            evaluation = evaluate(model, split, table=table)
        except UnfitRowsError:
            continue  # it has learned from all rows of a fold
        names = made_of["name"].to_numpy()
        assert not scored(evaluation, Fold.TEST, names) & (learned[Fold.TRAIN] | learned[Fold.VALIDATION])
        assert not scored(evaluation, Fold.VALIDATION, names) & learned[Fold.TRAIN]
        for fold in (Fold.VALIDATION, Fold.TEST):
            there = len(split.rows(fold))
            assert len(evaluation.labels(fold)) + evaluation.left_out[fold.label] == there
            np.testing.assert_array_equal(evaluation.labels(fold), split.y[evaluation.row_numbers(fold)])


def test_noise_that_a_model_knows_by_heart_is_not_scored_as_if_it_could_be_predicted():
    table = table_of(noise(300))
    split, other = split_of(table), split_of(table, seed=1)
    by_heart = fit(MLP(hidden=(256, 256)), split, Training(members=2, max_epochs=120, early_stopping=False))
    p = by_heart.predict_proba(split.X[split.rows(Fold.TRAIN)])
    assert (p.argmax(1) == split.y[split.rows(Fold.TRAIN)]).mean() > 0.95
    found = evaluate(by_heart, other, table=table)
    assert found.left_out["test"] > 40
    accuracy, n = found.score(Fold.TEST, "accuracy")["value"], len(found.labels(Fold.TEST))
    assert accuracy == pytest.approx(0.5, abs=3 * 0.5 / np.sqrt(n))


def test_on_its_own_split_nothing_is_left_out_and_nothing_is_read_again():
    split = split_of(table_of(noise(150)))
    model = fit(SMALL, split, QUICK)
    assert not reads_rows(model, split)
    evaluation = evaluate(model, split)
    assert evaluation.left_out == {"validation": 0, "test": 0}
    np.testing.assert_array_equal(evaluation.probabilities(Fold.VALIDATION), model.validation_probabilities)


def test_validation_rows_that_moved_keep_the_probabilities_that_training_left_of_them():
    frame = noise(150)
    split = split_of(table_of(frame))
    model = fit(Tabular(name="t", kind="tabular", width=4), split, QUICK)
    shuffled = frame.sample(frac=1, random_state=3)
    table = table_of(shuffled)
    again = split_of(table, before=split)
    evaluation = evaluate(model, again, table=table)
    before = dict(
        zip(frame["name"][split.fold == Fold.VALIDATION], model.validation_probabilities, strict=True)
    )
    names = shuffled["name"].to_numpy()[evaluation.row_numbers(Fold.VALIDATION)]
    assert len(names) == len(before)
    for name, p in zip(names, evaluation.probabilities(Fold.VALIDATION), strict=True):
        np.testing.assert_array_equal(p, before[name])


@pytest.mark.parametrize(
    "architecture", [SMALL, Tabular(name="t", kind="tabular", width=4)], ids=["mlp", "tabular"]
)
def test_a_validation_row_that_comes_again_with_other_features_has_no_stored_probabilities(architecture):
    frame = noise(150)
    roles = {"id": "name", "drop": ()}
    split = split_of(table_of(frame, **roles))
    model = fit(architecture, split, QUICK)
    corrected = frame.copy()
    changed = split.rows(Fold.VALIDATION)[:10]
    corrected.loc[changed, list("abcd")] = 3.0
    table = table_of(corrected, **roles)
    again = split_of(table, before=split)
    evaluation = evaluate(model, again, table=table)
    rows = evaluation.row_numbers(Fold.VALIDATION)
    if architecture.learns_from_validation:
        assert not set(changed) & set(rows)
        assert evaluation.left_out["validation"] == len(changed)
    else:
        here = np.isin(rows, changed)
        assert here.sum() == len(changed)
        X = model.provenance.preprocessing.encode_rows(table.rows)
        np.testing.assert_allclose(
            evaluation.probabilities(Fold.VALIDATION)[here], model.predict_proba(X[rows[here]]), atol=1e-6
        )


def test_columns_in_another_order_are_read_by_their_names():
    rng = np.random.default_rng(0)
    frame = noise(400).assign(a=lambda d: rng.normal(size=400) + 4 * (d["label"] == "yes"))
    table = table_of(frame)
    split = split_of(table)
    model = fit(MLP(hidden=(8,)), split, Training(members=2, max_epochs=40))
    before = evaluate(model, split)
    turned = table_of(frame[["d", "label", "town", "c", "name", "b", "a"]])
    after = evaluate(model, split_of(turned, before=split), table=turned)
    assert after.score(Fold.TEST, "accuracy")["value"] == before.score(Fold.TEST, "accuracy")["value"] > 0.9
    np.testing.assert_allclose(after.probabilities(Fold.TEST), before.probabilities(Fold.TEST), atol=1e-6)


def test_a_category_that_only_the_older_model_knows_is_read_as_what_it_is():
    frame = noise(300).assign(town=lambda d: np.where(d["label"] == "yes", "Rome", "Bern"), a=0, b=0, c=0)
    frame["d"] = np.arange(300)
    split = split_of(table_of(frame))
    model = fit(MLP(hidden=()), split, Training(members=2, max_epochs=60, learning_rate=0.1))
    # In the new table's training fold there is no Rome.
    fresh = noise(200, 1).assign(town="Bern", a=0, b=0, c=0, d=lambda d: 1000 + np.arange(len(d)))
    again = split_of(table_of(fresh))
    fresh.loc[again.fold == Fold.TEST, "town"] = "Rome"
    table = table_of(fresh)
    evaluation = evaluate(model, split_of(table), table=table)
    yes = list(split.classes).index("yes")
    assert (evaluation.probabilities(Fold.TEST).argmax(1) == yes).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda d: d.assign(label=np.where(d["a"] > 1, "maybe", d["label"])),
            "knows the classes no, yes, got rows of",
        ),
        (lambda d: d.drop(columns="c"), "was trained on the columns .*, of which the table has no c"),
        (lambda d: d.assign(b="much"), "cannot read the rows: .*column 'b'"),
    ],
    ids=["a class more", "a column less", "words for numbers"],
)
def test_what_a_model_cannot_read_is_refused_with_what_is_wrong(change, said):
    model = fit(SMALL, split_of(table_of(noise(150))), QUICK)
    table = table_of(change(noise(150, 1)))
    with pytest.raises(UnfitRowsError, match=f"{said}.*train it again"):
        evaluate(model, split_of(table), table=table)


def test_a_model_that_does_not_say_what_it_has_learned_from_is_refused():
    split = split_of(table_of(noise(150)))
    older = dataclasses.replace(fit(SMALL, split, QUICK), learned=None)
    with pytest.raises(UnfitRowsError, match=r"does not say which rows it has learned from.*train it again"):
        evaluate(older, split)


def test_a_model_that_has_learned_from_all_rows_of_a_fold_is_refused():
    frame = noise(150)
    split = split_of(table_of(frame))
    model = fit(SMALL, split, QUICK)
    trained = table_of(frame[split.fold == Fold.TRAIN])
    with pytest.raises(UnfitRowsError, match=r"has learned from all \d+ rows of the validation fold"):
        evaluate(model, split_of(trained), table=trained)


def test_an_older_models_surface_is_what_it_says_of_the_points_of_the_new_plane():
    frame = noise(200)
    model = fit(SMALL, split_of(table_of(frame, drop=("name", "town"))), QUICK)
    turned = table_of(noise(200, 1)[["c", "d", "label", "b", "a"]], drop=())
    seen = surfaces(model, split_of(turned))
    assert np.isfinite(seen.probabilities).all()
    np.testing.assert_allclose(seen.probabilities.sum(-1), 1, atol=0.02)
