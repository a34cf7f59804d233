"""Records that a run leaves of its assets: materializations and versions."""

import dagster as dg

from classification_assets.component import experiment_definitions


def materialization(result: dg.ExecuteInProcessResult, key: str) -> dg.AssetMaterialization:
    (found,) = [
        event.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(key.split("/"))
    ]
    return found


def versions(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    return {
        event.asset_key.to_user_string(): event.materialization.tags["dagster/data_version"]
        for event in result.get_asset_materialization_events()
    }


def code_versions(experiment) -> dict[str, str]:
    definitions = experiment_definitions(experiment)
    return {
        spec.key.to_user_string(): spec.code_version
        for asset in definitions.assets or ()
        for spec in asset.specs
    }
