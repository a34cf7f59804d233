"""The champion's place: who takes it by the rule, who does not, and that every decision is kept with its reason."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from classification_assets.learning.artifacts import storage
from classification_assets.learning.artifacts.origin import MisfitError
from classification_assets.learning.check import Check
from classification_assets.learning.evaluation.promotion_rule import PromotionRule
from classification_assets.learning.registry import by_hand
from classification_assets.learning.registry.contest import Told, contest
from classification_assets.learning.registry.serving import MODEL, serving
from classification_assets.learning.tables.datasets import Moons
from classification_assets.learning.tables.roles import Roles
from classification_assets.learning.tables.table import Table

RULE = PromotionRule()


def decided(stored, rule=RULE, **told):
    return contest(stored.registry, stored.challenger, rule, "log_loss", told=Told(**told))


def test_the_first_model_that_beats_the_majority_class_is_champion(stored):
    challenger = stored.train()
    outcome = decided(stored, run="a")
    assert (outcome.word, outcome.decision.ground) == ("promoted", "first")
    version = stored.registry.champion()
    assert (version.number, version.architecture, version.run) == (1, "net", "a")
    assert version.model_version == challenger.model_version
    assert set(version.files) >= {
        MODEL,
        "evaluation.parquet",
        "MODEL_CARD.md",
        "decision.json",
        "reference.parquet",
    }


def test_what_serves_predicts_as_the_model_that_was_promoted(stored):
    challenger = stored.train()
    decided(stored)
    X = challenger.split.X[:50]
    served = serving(stored.registry.root, "small")
    np.testing.assert_array_equal(served.model.predict_proba(X), challenger.model.predict_proba(X))


def test_a_first_model_that_only_guesses_is_refused_and_nothing_serves(stored):
    rng = np.random.default_rng(0)
    frame = Moons(n_samples=400, noise=0.2).sample()
    stored.train(
        Table.of_frame(frame.assign(label=rng.integers(2, size=400)), Roles(target="label")), epochs=2
    )
    outcome = decided(stored)
    assert (outcome.word, outcome.decision.ground) == ("refused", "not better than the majority class")
    assert stored.registry.pointer() is None
    assert [entry.action for entry in stored.registry.entries()] == ["refused"]


def test_the_same_model_again_is_no_contest_and_is_not_logged(stored):
    stored.train()
    decided(stored)
    assert decided(stored).word == "unchanged"
    assert len(stored.registry.entries()) == 1


def test_a_better_challenger_takes_the_place(stored):
    stored.train(epochs=2)
    decided(stored)
    stored.train(epochs=60)
    outcome = decided(stored)
    assert (outcome.word, outcome.decision.ground) == ("promoted", "better")
    assert stored.registry.champion().number == 2
    assert outcome.decision.numbers["p_value"] < 0.05


def test_a_worse_challenger_is_refused_with_its_numbers_and_the_champion_stays(stored):
    stored.train(epochs=60)
    decided(stored)
    stored.train(epochs=2)
    outcome = decided(stored, run="night")
    assert (outcome.word, outcome.decision.ground) == ("refused", "not better")
    assert stored.registry.champion().number == 1
    entry = stored.registry.entries()[-1]
    assert (entry.action, entry.champion, entry.run) == ("refused", 1, "night")
    assert entry.decision["numbers"]["difference"] < 0
    assert "worse by" in entry.reason


def test_the_two_are_compared_on_rows_that_neither_has_learned_from(stored):
    stored.train(epochs=2)
    decided(stored)
    # All rows are dealt anew: the champion has learned from most of the new test rows.
    challenger = stored.train(epochs=60, split_seed=7)
    outcome = decided(stored, PromotionRule(min_rows=10))
    tested = int((challenger.split.fold == 2).sum())
    assert 0 < outcome.decision.numbers["rows"] < 0.5 * tested


def test_too_few_shared_rows_keep_the_champion(stored):
    stored.train(epochs=2)
    decided(stored)
    stored.train(epochs=60, split_seed=7)
    outcome = decided(stored, PromotionRule(min_rows=90))
    assert outcome.decision.ground == "too few rows"
    assert "at least 90 are needed" in outcome.decision.reason


def test_a_champion_that_knows_other_classes_is_replaced_by_rule_and_it_says_so(stored):
    stored.train()
    decided(stored)
    frame = Moons(n_samples=600, noise=0.1).sample()
    frame["label"] = np.where(frame["x1"] > 1.5, 2, frame["label"])
    stored.train(Table.of_frame(frame, Roles(target="label")), epochs=60)
    outcome = decided(stored)
    assert (outcome.word, outcome.decision.ground) == ("promoted", "cannot be evaluated")
    assert "can no longer be evaluated" in outcome.decision.reason
    assert "knows the classes 0, 1" in outcome.decision.reason


def test_a_champion_that_lacks_a_column_is_replaced_by_rule(stored):
    frame = Moons(n_samples=400, noise=0.2).sample()
    stored.train(Table.of_frame(frame.assign(extra=frame["x1"] + 1), Roles(target="label")))
    decided(stored)
    stored.train(Table.of_frame(frame, Roles(target="label")))
    outcome = decided(stored)
    assert outcome.decision.ground == "cannot be evaluated"
    assert "extra" in outcome.decision.reason


def test_a_champion_whose_file_is_damaged_is_replaced_by_rule(stored):
    stored.train()
    decided(stored)
    (stored.root / "small" / "champion" / "v0001" / MODEL).write_bytes(b"not a model")
    stored.train(seed=1)
    outcome = decided(stored)
    assert (outcome.word, outcome.decision.ground) == ("promoted", "cannot be evaluated")
    assert "damaged" in outcome.decision.reason


def test_a_run_of_an_older_tick_never_replaces_a_newer_champion(stored):
    stored.train(epochs=2)
    decided(stored, as_of=datetime(2026, 3, 2, tzinfo=UTC))
    stored.train(epochs=60)
    outcome = decided(stored, as_of=datetime(2026, 3, 1, tzinfo=UTC))
    assert (outcome.word, outcome.decision.ground) == ("refused", "older run")
    assert "2026-03-01" in outcome.decision.reason
    assert stored.registry.champion().number == 1


def test_a_champion_of_a_time_that_has_not_come_is_contested_as_any_other(stored):
    stored.train(epochs=2)
    decided(stored, as_of=datetime.now(UTC) + timedelta(days=400))
    stored.train(epochs=60)
    assert decided(stored, as_of=datetime.now(UTC)).word == "promoted"


def test_a_run_from_before_a_persons_rollback_replaces_nothing(stored):
    for day, epochs in ((1, 2), (5, 60)):
        stored.train(epochs=epochs)
        decided(stored, as_of=datetime(2026, 3, day, tzinfo=UTC))
    by_hand.roll_back(stored.registry, None, Told(as_of=datetime(2026, 3, 6, tzinfo=UTC)))
    stored.train(epochs=50, seed=1)
    assert decided(stored, as_of=datetime(2026, 3, 3, tzinfo=UTC)).decision.ground == "older run"
    assert stored.registry.champion().number == 1


def test_a_damaged_champion_is_replaced_by_its_own_model_on_a_night_without_a_change(stored):
    stored.train()
    decided(stored)
    (stored.root / "small" / "champion" / "v0001" / MODEL).write_bytes(b"torn")
    outcome = decided(stored)
    assert (outcome.word, outcome.decision.ground) == ("promoted", "cannot be evaluated")
    assert serving(stored.registry.root, "small").version.number == 2


@pytest.mark.parametrize("file", ["v0001/version.json", "decisions/000001.json"])
def test_a_damaged_record_of_the_past_stops_no_decision(stored, file):
    for epochs in (2, 60):
        stored.train(epochs=epochs)
        decided(stored)
    (stored.root / "small" / "champion" / file).write_text("")
    stored.train(epochs=1)
    assert decided(stored).word == "refused"


def test_the_classes_shares_that_a_first_model_must_beat_are_weighted_as_its_scores_are(stored):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(900, 2)), columns=["x1", "x2"])
    frame["label"] = rng.integers(2, size=900)
    frame["weight"] = np.where(frame["label"] == 1, 10.0, 1.0)
    stored.train(Table.of_frame(frame, Roles(target="label", weight="weight")), epochs=3)
    assert decided(stored).decision.ground == "not better than the majority class"


def test_a_model_that_a_person_took_back_does_not_come_again_by_itself(stored):
    stored.train(epochs=2)
    decided(stored)
    stored.train(epochs=60)
    decided(stored)
    by_hand.roll_back(stored.registry, None, Told(because="strange answers"))
    outcome = decided(stored)
    assert (outcome.word, outcome.decision.ground) == ("refused", "was replaced before")
    assert "strange answers" in outcome.decision.reason
    assert stored.registry.champion().number == 1


def test_a_pinned_champion_is_replaced_by_nobody_but_a_person(stored):
    stored.train(epochs=2)
    decided(stored)
    by_hand.pin(stored.registry, None, True, Told())
    stored.train(epochs=60)
    assert decided(stored).decision.ground == "pinned"
    by_hand.pin(stored.registry, None, False, Told())
    assert decided(stored).word == "promoted"


def test_a_challenger_that_fails_a_blocking_check_is_refused(stored):
    stored.train()
    check = Check(
        "strict", "Never passes.", lambda evaluation: (False, "accuracy 0.9, declared to be at least 1"), True
    )
    outcome = contest(stored.registry, stored.challenger, RULE, "log_loss", [check])
    assert (outcome.word, outcome.decision.ground) == ("refused", "a blocking check")
    assert "strict: accuracy 0.9" in outcome.decision.reason


def test_a_challenger_that_was_trained_again_since_the_leaderboard_is_refused_with_the_remedy(stored):
    stored.train()
    challenger = stored.challenger
    stored.train(seed=3)
    with pytest.raises(MisfitError, match=r"is another one now.*dagster asset materialize"):
        contest(stored.registry, challenger, RULE, "log_loss")
    assert stored.registry.pointer() is None


def test_only_so_many_old_versions_are_kept(stored):
    for seed in range(4):
        stored.train(seed=seed)
        by_hand.promote_challenger(
            stored.registry, stored.challenger, PromotionRule(keep=2), "log_loss", Told(because="a test")
        )
        if seed == 0:
            by_hand.pin(stored.registry, 1, True, Told())
    assert stored.registry.numbers() == [1, 3, 4]
    assert [entry.version for entry in stored.registry.entries() if entry.action == "promoted"] == [
        1,
        2,
        3,
        4,
    ]


def test_the_evaluation_of_a_version_knows_which_rows_it_was_tested_on(stored):
    challenger = stored.train()
    decided(stored)
    kept = storage.load(stored.registry.file(1, "evaluation.parquet"))
    rows = challenger.evaluation.rows
    np.testing.assert_array_equal(kept.rows["key"], challenger.split.keys[rows["row"]])


def test_a_version_carries_its_onnx_file_if_that_is_declared(stored):
    pytest.importorskip("onnx")
    stored.train()
    decided(stored, PromotionRule(onnx=True))
    assert stored.registry.file(1, "model.onnx").stat().st_size > 100
