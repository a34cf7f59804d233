"""NeuralClassifier, scikit-learn's door to all of `learning`, and opening a stored one."""

from classification_assets.learning.classifier.estimator import NeuralClassifier
from classification_assets.learning.classifier.opening import is_experiment, load_classifier

__all__ = ["NeuralClassifier", "is_experiment", "load_classifier"]
