"""NeuralClassifier, scikit-learn's door to all of `learning`, and opening a stored one."""

from classification_assets.learning.classifier.estimator import NeuralClassifier
from classification_assets.learning.classifier.opening import is_experiment, load_classifier
from classification_assets.learning.classifier.packed_search import PackedSearchCV

__all__ = ["NeuralClassifier", "PackedSearchCV", "is_experiment", "load_classifier"]
