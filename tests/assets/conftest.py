"""A small experiment, and all of its assets materialized once."""

from pathlib import Path

import dagster as dg
import pytest

from classification_assets.assets.comparison import comparison_leaderboard_asset, gallery_asset
from classification_assets.assets.report import comparison_report_asset


@pytest.fixture
def experiment(declared):
    return declared()


@pytest.fixture(scope="session")
def done(tmp_path_factory, declared, materialize_into) -> tuple[dg.ExecuteInProcessResult, Path]:
    """Everything of the small experiment and the comparison, materialized once, and the folder it is in."""
    experiment, folder = declared(), tmp_path_factory.mktemp("artifacts")
    comparisons = (
        comparison_leaderboard_asset([experiment]),
        gallery_asset([experiment]),
        comparison_report_asset([experiment]),
    )
    return materialize_into(folder, experiment, extra=comparisons), folder
