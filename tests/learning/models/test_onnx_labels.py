"""A classifier in ONNX Runtime names the class, as it was, of rows that `encode` has encoded."""

from datetime import date

import numpy as np
import onnxruntime
import pytest

from tests.learning.two_moons import CODES, FRAME, X, classifier, y

DAYS = np.array([date(2024, 2, 28), date(2024, 2, 29)], object)[CODES]


@pytest.mark.parametrize(
    "labels",
    [y, y.astype(object), CODES, CODES == 1, CODES / 2.0, DAYS],
    ids=lambda labels: str(labels.dtype),
)
def test_the_label_is_the_predicted_class(labels, tmp_path):
    model = classifier(max_epochs=5).fit(FRAME, labels if labels.dtype != np.float64 else 2 * labels)
    model.to_onnx(tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    assert [output.name for output in session.get_outputs()] == ["probabilities", "label"]
    probabilities, label = session.run(None, {"X": model.encode(FRAME)})
    expected = [day.isoformat() if isinstance(day, date) else day for day in model.predict(FRAME).tolist()]
    assert label.tolist() == expected
    assert type(label.tolist()[0]) is type(expected[0])
    np.testing.assert_allclose(probabilities, model.predict_proba(FRAME), atol=1e-6)


def test_rows_are_encoded_as_the_fitted_preprocessing_does(people):
    frame, labels = people
    model = classifier(max_epochs=2).fit(frame, labels)
    encoded = model.encode(frame)
    assert (encoded.shape, encoded.dtype) == ((300, 6), np.float32)
    np.testing.assert_array_equal(encoded, model.fitted_.provenance.preprocessing.encode(frame))


def test_columns_of_numbers_are_encoded_as_they_are():
    np.testing.assert_array_equal(classifier(max_epochs=2).fit(X, y).encode(X), X.astype(np.float32))
