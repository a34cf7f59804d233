import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from classification_assets.learning.figures.canvas.style import THEMES
from classification_assets.learning.figures.roc_pr import roc_pr


def test_the_legend_says_the_areas_of_every_class_and_their_mean(predicted, names, texts):
    probabilities, labels = predicted(3)
    shown = texts(roc_pr(probabilities, labels, classes=names(3)))
    truth = np.eye(3)[labels]
    area = [roc_auc_score(truth[:, c], probabilities[:, c]) for c in range(3)]
    precision = [average_precision_score(truth[:, c], probabilities[:, c]) for c in range(3)]
    for c in range(3):
        assert f"{area[c]:.3f} · {precision[c]:.3f}  class {c}" in shown
    assert f"{np.mean(area):.3f} · {np.mean(precision):.3f}  macro" in shown


@pytest.mark.parametrize("C", [10, 20])
def test_of_many_classes_those_that_rank_worst_are_named(C, predicted, names, texts):
    probabilities, labels = predicted(C, 4000)
    area = [roc_auc_score(labels == c, probabilities[:, c]) for c in range(C)]
    shown = "\n".join(texts(roc_pr(probabilities, labels, classes=names(C))))
    for rank, c in enumerate(np.argsort(area)):
        assert (f"  class {c}\n" in shown) == (rank < 3)
    assert f"{C - 3} classes that rank better" in shown


def test_a_curve_of_many_rows_has_no_more_points_than_can_be_seen(predicted, names, saved):
    probabilities, labels = predicted(2, 200_000)
    figure = roc_pr(probabilities, labels, classes=names(2))
    assert max(len(line.get_xdata()) for ax in figure.axes for line in ax.lines) < 1000
    assert len(saved(figure, "svg")) < 200_000
    line = next(line for line in figure.axes[0].lines if line.get_color() == THEMES["light"].class_colour(1))
    area = np.trapezoid(line.get_ydata(), line.get_xdata())
    assert area == pytest.approx(roc_auc_score(labels, probabilities[:, 1]), abs=1e-3)


def test_a_class_without_rows_has_no_curve_and_the_note_says_so(predicted, names, texts):
    probabilities, labels = predicted(3)
    shown = "\n".join(texts(roc_pr(probabilities, labels % 2, classes=names(3))))
    assert "class 2" not in shown
    assert "classes without curves, because all or none of the rows are theirs: 1" in shown


def test_rows_of_one_class_alone_are_no_trouble(predicted, names, saved):
    probabilities, labels = predicted(2)
    assert saved(roc_pr(probabilities, labels * 0, classes=names(2)))


def test_probabilities_that_do_not_fit_are_refused(predicted, names):
    probabilities, labels = predicted(3)
    with pytest.raises(ValueError, match=r"must be \(400, 2\)"):
        roc_pr(probabilities, labels, classes=names(2))
