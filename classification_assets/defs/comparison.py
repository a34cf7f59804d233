"""All experiments side by side."""

import dagster as dg

from classification_assets.assets.comparison import comparison_leaderboard_asset, gallery_asset
from classification_assets.assets.report import comparison_report_asset
from classification_assets.component import declared_experiments


@dg.definitions
def comparison(context: dg.ComponentLoadContext) -> dg.Definitions:
    """The leaderboard and the gallery over every declared experiment."""
    experiments = [component.experiment for component in declared_experiments(context)]
    if not experiments:
        return dg.Definitions()
    return dg.Definitions(
        assets=[
            comparison_leaderboard_asset(experiments),
            gallery_asset(experiments),
            comparison_report_asset(experiments),
        ]
    )
