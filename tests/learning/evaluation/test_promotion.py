"""Champion against challenger: promoted for the better only, and for a difference that is more than noise."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import ttest_rel

from classification_assets.learning.evaluation.evaluation import Evaluation
from classification_assets.learning.evaluation.metrics import row_losses
from classification_assets.learning.evaluation.promotion import SharedRows, decide, decide_first
from classification_assets.learning.evaluation.promotion_rule import PromotionRule

RULE = PromotionRule()


def answers(y, skill, rng, n_classes=2):
    """Probabilities that name the right class as surely as `skill` says, with noise."""
    logits = rng.normal(size=(len(y), n_classes))
    logits[np.arange(len(y)), y] += skill
    p = np.exp(logits)
    return (p / p.sum(1, keepdims=True)).astype(np.float32)


def shared(n=400, champion=1.0, challenger=1.0, seed=0, n_classes=2, **told):
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n)
    first, second = (answers(y, skill, rng, n_classes) for skill in (champion, challenger))
    return SharedRows(y, first, second, [f"c{index}" for index in range(n_classes)], **told)


def test_a_challenger_that_is_much_better_is_promoted():
    decision = decide(shared(champion=0.5, challenger=2.0), "log_loss", RULE)
    assert decision.promoted
    assert decision.ground == "better"
    assert decision.numbers["p_value"] < 0.01
    assert decision.numbers["difference"] > RULE.margin


def test_a_challenger_that_is_much_worse_is_refused():
    decision = decide(shared(champion=2.0, challenger=0.5), "log_loss", RULE)
    assert (decision.promoted, decision.ground) == (False, "not better")
    assert decision.numbers["difference"] < 0
    assert decision.numbers["p_value"] > 0.9


@pytest.mark.parametrize("metric", ["log_loss", "brier_score", "accuracy", "balanced_accuracy", "macro_f1"])
def test_a_copy_of_the_champion_is_refused_by_every_metric(metric):
    rows = shared()
    copy = SharedRows(rows.y, rows.champion, rows.champion.copy(), rows.classes)
    decision = decide(copy, metric, PromotionRule(margin=0))
    assert not decision.promoted
    assert decision.numbers["p_value"] == 1


@pytest.mark.parametrize("metric", ["log_loss", "brier_score", "accuracy", "balanced_accuracy", "macro_f1"])
def test_every_metric_knows_which_direction_is_better(metric):
    decision = decide(shared(champion=0.2, challenger=3.0), metric, RULE)
    assert decision.promoted
    assert decision.numbers["low"] > 0


def test_noise_alone_promotes_no_more_often_than_the_level_says():
    rule = PromotionRule(margin=0, recall_drop=1)
    promoted = [decide(shared(n=120, seed=seed), "log_loss", rule).promoted for seed in range(300)]
    # 5 of 100, and what chance adds in 300 tries (99.9 %)
    assert np.mean(promoted) < 0.05 + 3.1 * np.sqrt(0.05 * 0.95 / 300)


def test_a_real_difference_below_the_margin_keeps_the_champion():
    decision = decide(shared(n=4000, champion=1.0, challenger=1.3), "log_loss", PromotionRule(margin=0.5))
    assert (decision.promoted, decision.ground) == (False, "below the margin")
    assert "0.5" in decision.reason


def test_the_randomization_test_agrees_with_the_paired_t_test():
    rows = shared(n=2000, champion=1.0, challenger=1.04)
    losses = [row_losses(rows.y, p) for p in (rows.champion, rows.challenger)]
    expected = ttest_rel(*losses, alternative="greater").pvalue
    assert decide(rows, "log_loss", RULE).numbers["p_value"] == pytest.approx(expected, abs=0.03)


def test_a_class_that_is_recalled_much_worse_keeps_the_champion():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [950, 50])
    champion = np.where(y[:, None] == np.arange(2), 0.7, 0.3)
    challenger = np.tile([0.95, 0.05], (1000, 1))  # never names the rare class, and is better on average
    champion[rng.choice(950, 400, replace=False)] = [0.45, 0.55]
    decision = decide(
        SharedRows(y, champion.astype("f4"), challenger.astype("f4"), ["common", "rare"]), "log_loss", RULE
    )
    assert (decision.promoted, decision.ground) == (False, "recall of a class")
    assert "class rare is worse by 1.000" in decision.reason
    assert decision.recall["rare"] == -1


def test_too_few_rows_say_how_many_are_needed():
    decision = decide(shared(n=29, challenger=5), "log_loss", RULE)
    assert (decision.promoted, decision.ground) == (False, "too few rows")
    assert "29 rows" in decision.reason
    assert "at least 30" in decision.reason


def test_a_tie_says_how_many_rows_would_show_the_margin():
    decision = decide(shared(n=50), "log_loss", RULE)
    assert decision.ground == "not better"
    assert f"about {decision.numbers['needed_rows']:,.0f} rows would show" in decision.reason


def test_rows_of_one_group_count_once():
    group = np.repeat(np.arange(20), 20)
    decision = decide(shared(n=400, challenger=5, group=group), "log_loss", RULE)
    assert decision.ground == "too few rows"
    assert "20 groups of rows" in decision.reason


def test_rows_of_no_weight_do_not_count():
    weight = np.zeros(400, np.float32)
    weight[:10] = 1
    assert decide(shared(n=400, challenger=5, weight=weight), "log_loss", RULE).ground == "too few rows"


@given(st.integers(30, 300), st.floats(-2, 4), st.floats(-2, 4), st.integers(2, 5), st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_what_is_promoted_is_better_whatever_the_rows(n, champion, challenger, n_classes, seed):
    rows = shared(n, champion, challenger, seed, n_classes)
    decision = decide(rows, "log_loss", RULE)
    if decision.promoted:
        losses = [row_losses(rows.y, p).mean() for p in (rows.champion, rows.challenger)]
        assert losses[0] - losses[1] >= RULE.margin - 1e-6
        assert min(decision.recall.values()) >= -RULE.recall_drop - 1e-6
    back = SharedRows(rows.y, rows.challenger, rows.champion, rows.classes)
    assert not (decision.promoted and decide(back, "log_loss", RULE).promoted)


def first(rows, metric="log_loss", shares=(0.5, 0.5)):
    frame = pd.DataFrame(
        {"fold": 2, "label": rows.y, "p_0": rows.challenger[:, 0], "p_1": rows.challenger[:, 1]}
    )
    evaluation = Evaluation(frame, pd.DataFrame(), {"classes": ["a", "b"]})
    return decide_first(evaluation, np.array(shares), metric, RULE)


@pytest.mark.parametrize("metric", ["log_loss", "accuracy", "macro_f1"])
def test_the_first_champion_must_beat_the_majority_class(metric):
    assert first(shared(challenger=2), metric).ground == "first"
    refused = first(shared(challenger=0), metric)
    assert (refused.promoted, refused.ground) == (False, "not better than the majority class")
    assert "always naming the largest class would give" in refused.reason


def test_a_first_model_of_a_rare_class_is_judged_by_the_metric_and_not_by_accuracy():
    """One row in fifty: no accuracy is better than that of naming the other class always, but probabilities can be."""
    rng = np.random.default_rng(0)
    y = (rng.random(2000) < 0.02).astype(int)
    chance = np.where(y == 1, 0.3, 0.01)
    rows = SharedRows(y, None, np.column_stack([1 - chance, chance]).astype("f4"), ["a", "b"])
    assert first(rows, "log_loss", (0.98, 0.02)).promoted
    assert not first(rows, "accuracy", (0.98, 0.02)).promoted


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("margin", -1),
        ("significance", 0),
        ("significance", 0.6),
        ("recall_drop", 2),
        ("min_rows", 3),
        ("keep", 0),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(field, value):
    with pytest.raises(ValidationError, match=field):
        PromotionRule(**{field: value})
