"""The asset `champion`: what it shows, what a person decides in a run's configuration, and what predictions serve."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import numpy as np
import pytest
from upath import UPath

from classification_assets.assets.champion import ByHand
from classification_assets.assets.materialization import AS_OF
from classification_assets.learning.artifacts.storage import load
from classification_assets.learning.classifier import load_classifier
from classification_assets.learning.registry.registry import NoChampionError, Registry
from tests.assets.materialized import materialization

QUICK = {"members": 2, "max_epochs": 2}
LONG = {"members": 2, "max_epochs": 60, "learning_rate": 0.03}
SERVED = '+key:"small/predictions"'
"""What is served and all that it is made of: no figures."""
ROWS = {"kind": "moons", "n_samples": 600, "noise": 0.2}


@pytest.fixture
def place(declared, materialize_into, tmp_path):
    """An experiment with rows to predict, in a storage of its own."""
    (tmp_path / "new.csv").write_text("x1,x2\n0.1,0.2\n-0.5,1.0\n")
    return Place(declared, materialize_into, tmp_path)


class Place:
    def __init__(self, declared, materialize_into, folder):
        self.declared, self.materialize_into, self.folder = declared, materialize_into, folder

    @property
    def registry(self):
        return Registry(UPath(self.folder / "artifacts"), "small")

    def run(self, selection=SERVED, training=LONG, **options):
        experiment = self.declared(
            dataset=ROWS,
            architectures=[{"name": "narrow", "hidden": [8]}],
            training=training,
            predict={"path": str(self.folder / "new.csv")},
            **options.pop("declared", {}),
        )
        return self.materialize_into(self.folder / "artifacts", experiment, selection=selection, **options)

    def by_hand(self, **config):
        return self.run(
            'key:"small/champion"',
            run_config={"ops": {"small__champion": {"config": config}}},
            raise_on_error=False,
        )

    def predictions(self):
        return load(self.folder / "artifacts" / "small" / "predictions.parquet")


def shown(result):
    return materialization(result, "small/champion").metadata


def test_the_first_run_makes_a_champion_and_shows_why(place):
    told = shown(place.run())
    assert told["decision"].value == "promoted"
    assert "the first champion: log loss" in told["reason"].value
    assert told["champion"].value == "v0001, narrow"
    assert told["version"].value == 1
    (record,) = told["who was champion when"].records
    assert record.data["champion"] == "v0001"


def test_a_better_night_takes_the_place_and_its_numbers_are_followed(place):
    place.run(training=QUICK)
    told = shown(place.run())
    assert (told["decision"].value, told["version"].value) == ("promoted", 2)
    assert told["decision_difference"].value > 0.002
    assert told["decision_p_value"].value < 0.05


def test_a_worse_night_leaves_champion_and_predictions_as_they_were(place):
    place.run()
    before = place.predictions()
    result = place.run(training=QUICK)
    assert result.success
    told = shown(result)
    assert (told["decision"].value, told["version"].value) == ("refused", 1)
    assert "worse by" in told["reason"].value
    after = place.predictions()
    assert after.about["version"] == "v0001"
    np.testing.assert_array_equal(after.rows.frame().to_numpy(float), before.rows.frame().to_numpy(float))


def test_what_serves_is_what_load_classifier_opens_by_the_experiments_name(place, monkeypatch):
    place.run()
    place.run(training=QUICK)  # leads the leaderboard, and does not serve
    monkeypatch.setenv("CLASSIFICATION_ASSETS_STORAGE", str(place.folder / "artifacts"))
    rows = np.array([[0.1, 0.2], [-0.5, 1.0]])
    served = load_classifier("small").predict_proba(rows)
    np.testing.assert_allclose(served, place.predictions().rows.frame()[["p_0", "p_1"]].to_numpy(), atol=1e-6)
    np.testing.assert_array_equal(served, load_classifier("small", version=1).predict_proba(rows))


def test_nothing_has_changed_is_no_decision_and_keeps_the_data_version(place):
    first = place.run()
    again = place.run('key:"small/champion"')
    assert shown(again)["decision"].value == "unchanged"
    versions = {
        materialization(result, "small/champion").tags["dagster/data_version"] for result in (first, again)
    }
    assert len(versions) == 1
    assert len(place.registry.entries()) == 1


def test_a_person_rolls_back_from_the_launchpad(place):
    place.run(training=QUICK)
    place.run()
    told = shown(place.by_hand(action="roll_back", because="strange answers"))
    assert told["decision"].value == "rolled back"
    assert told["champion"].value.startswith("v0001")
    assert "strange answers" in told["reason"].value
    place.run('key:"small/predictions"')
    assert place.predictions().about["version"] == "v0001"


def test_a_person_promotes_what_the_rule_refused_and_must_say_why(place):
    place.run()
    place.run(training=QUICK)
    failed = place.by_hand(action="promote")
    assert not failed.success
    assert place.registry.champion().number == 1
    told = shown(place.by_hand(action="promote", because="the new sensor"))
    assert (told["decision"].value, told["version"].value) == ("promoted", 2)
    assert place.registry.entries()[-1].because == "the new sensor"


def test_a_person_pins_and_releases(place):
    place.run(training=QUICK)
    assert shown(place.by_hand(action="pin"))["decision"].value == "pinned"
    assert "is pinned" in shown(place.run())["reason"].value
    assert shown(place.by_hand(action="release"))["decision"].value == "released"
    assert shown(place.run('key:"small/champion"'))["decision"].value == "promoted"


@pytest.mark.parametrize(
    ("config", "field"),
    [({"action": "promote"}, "because"), ({"version": 3}, "version"), ({"action": "delete"}, "action")],
)
def test_a_decision_by_hand_that_makes_no_sense_names_the_field(config, field):
    with pytest.raises(ValueError, match=field):
        ByHand.model_validate(config)


def test_a_run_of_an_older_tick_replaces_nothing(place):
    place.run(training=QUICK)
    earlier = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    told = shown(place.run(tags={AS_OF: earlier}))
    assert told["decision"].value == "refused"
    assert "this run is of" in told["reason"].value


def test_a_blocking_bound_keeps_a_challenger_from_being_promoted_also_when_it_is_asked_alone(place):
    strict = {"checks": {"accuracy": {"min": 0.999, "blocking": True}}}
    assert not place.run(declared=strict, raise_on_error=False).success
    place.run('key:"small/leaderboard"', declared=strict)
    told = shown(place.run('key:"small/champion"', declared=strict))
    assert told["decision"].value == "refused"
    assert "fails accuracy_within_bounds" in told["reason"].value


def test_a_first_challenger_that_is_refused_leaves_the_predictions_out_and_the_run_ends_well(place):
    result = place.run(training={"members": 2, "max_epochs": 1, "learning_rate": 1e-6})
    assert shown(result)["decision"].value == "refused"
    assert result.success
    assert not (place.folder / "artifacts" / "small" / "predictions.parquet").exists()
    told = {
        check.description
        for check in result.get_asset_check_evaluations()
        if check.asset_key.path[-1] == "predictions"
    }
    assert told
    assert all("does not beat the majority class" in sentence for sentence in told)
    with pytest.raises(NoChampionError, match="the last challenger was refused: there is no champion yet"):
        place.registry.champion()


def test_predictions_before_any_decision_fail_and_say_what_to_materialize(place):
    result = place.run('key:"small/predictions"', raise_on_error=False)
    error = next(event for event in result.all_events if event.is_step_failure).step_failure_data.error
    assert "nothing was promoted yet. Materialize it" in str(error)


def test_the_champion_counts_as_overdue_only_where_a_schedule_is_declared(declared):
    def policy(**changes):
        from classification_assets.component import experiment_definitions

        assets = experiment_definitions(declared(**changes)).assets
        (spec,) = [spec for asset in assets for spec in asset.specs if spec.key.path[-1] == "champion"]
        return spec.freshness_policy

    assert policy() is None
    nightly = policy(retrain={"schedule": "0 3 * * *"})
    assert nightly.fail_window.to_timedelta() == timedelta(hours=36)
    assert isinstance(nightly, dg.FreshnessPolicy)
