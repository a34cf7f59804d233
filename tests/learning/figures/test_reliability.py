import numpy as np
import pytest
from matplotlib.collections import LineCollection

from classification_assets.learning.evaluation.metrics import calibration_error
from classification_assets.learning.figures.reliability import reliability


@pytest.mark.parametrize("C", [2, 10, 20])
@pytest.mark.parametrize("N", [20, 5_000])
def test_points_lie_at_the_accuracy_of_the_rows_of_their_confidence(C, N, predicted):
    probabilities, labels = predicted(C, N)
    figure = reliability(probabilities, labels)
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    line = max(figure.axes[0].lines, key=lambda line: line.get_linewidth())
    for x, y in line.get_xydata():
        bin_ = int(x * 15)
        own = np.minimum((confidence * 15).astype(int), 14) == bin_
        assert x == pytest.approx(confidence[own].mean())
        assert y == pytest.approx(right[own].mean())


def test_the_interval_of_many_rows_is_narrow_and_holds_the_point(predicted):
    probabilities, labels = predicted(2, 50_000)
    ax = reliability(probabilities, labels).axes[0]
    (bars,) = [artist for artist in ax.collections if isinstance(artist, LineCollection)]
    line = max(ax.lines, key=lambda line: line.get_linewidth()).get_xydata()
    for (x, y), (low, high) in zip(line, bars.get_segments(), strict=True):
        assert low[0] == high[0] == pytest.approx(x)
        assert low[1] < y < high[1] < low[1] + 0.08


def test_calibrated_probabilities_lie_on_the_diagonal(predicted):
    ax = reliability(*predicted(3, 200_000)).axes[0]
    line = max(ax.lines, key=lambda line: line.get_linewidth()).get_xydata()
    np.testing.assert_allclose(*line.T, atol=0.06)


def test_the_legend_says_the_calibration_error_before_and_after(predicted, texts):
    probabilities, labels = predicted(3)
    before = probabilities**2 / (probabilities**2).sum(1, keepdims=True)
    shown = texts(reliability(probabilities, labels, before=before))
    assert f"calibrated: ECE {calibration_error(labels, probabilities):.3f}" in shown
    assert f"before: ECE {calibration_error(labels, before):.3f}" in shown
    assert not any("before" in text for text in texts(reliability(probabilities, labels)))


def test_the_bars_are_the_rows_that_are_right_and_wrong(predicted):
    probabilities, labels = predicted(3)
    strip = reliability(probabilities, labels).axes[1]
    right, wrong = ([bar.get_height() for bar in bars] for bars in strip.containers)
    assert sum(right) == pytest.approx((probabilities.argmax(1) == labels).sum())
    assert sum(wrong) == pytest.approx((probabilities.argmax(1) != labels).sum())


def test_labels_that_do_not_fit_are_refused(predicted):
    probabilities, labels = predicted(3)
    with pytest.raises(ValueError, match=r"got \(400, 3\) and \(5,\)"):
        reliability(probabilities, labels[:5])
    with pytest.raises(ValueError, match="N > 0"):
        reliability(probabilities[:0], labels[:0])
