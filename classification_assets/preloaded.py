"""The process from which steps are forked: all declarations, and the libraries that steps need, are loaded.

Dagster's forkserver imports it once a run (see `executor`).
"""

import os

# There are as many steps at one time as cores: more threads would wait for one another. A person may say otherwise.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from tempfile import TemporaryDirectory

import dagster as dg
import matplotlib.backends.backend_agg  # noqa: F401
import scipy.spatial
import scipy.stats  # noqa: F401
import sklearn.decomposition
import sklearn.metrics  # noqa: F401

import classification_assets.learning.classifier
import classification_assets.learning.figures.displays
import classification_assets.learning.reports.report  # noqa: F401
from classification_assets.definitions import everything

everything().get_repository_def().get_all_jobs()


@dg.asset
def _nothing() -> None: ...


# What SQLAlchemy and Dagster make when they are first used, half a second's work, need not be made by every step.
with (
    TemporaryDirectory(prefix="classification-assets-") as _folder,
    dg.DagsterInstance.local_temp(_folder, overrides={"telemetry": {"enabled": False}}) as _instance,
):
    _silent = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    dg.materialize([_nothing], instance=_instance, run_config=_silent)
