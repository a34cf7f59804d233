"""<experiment>/champion: the version that serves, and the decision whether the challenger takes its place."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

import dagster as dg
from pydantic import Field, model_validator

from classification_assets.assets import shown
from classification_assets.assets.asset import experiment_asset
from classification_assets.assets.asset_checks import checks_of
from classification_assets.assets.freshness import freshness_of
from classification_assets.assets.materialization import Run
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.declaration import Declaration, field_error
from classification_assets.learning.evaluation.promotion_rule import PromotionRule

if TYPE_CHECKING:
    from classification_assets.learning.registry.challenger import Challenger
    from classification_assets.learning.registry.contest import Outcome, Told
    from classification_assets.learning.registry.registry import Registry

MLFLOW = "CLASSIFICATION_ASSETS_MLFLOW"
"""The address of an MLflow server in whose registry champions are shown."""

SHOWN = 50
"""Entries of the log that the UI shows."""


class ByHand(Declaration):
    """A person's own decision, in the configuration of a run; by default the rule decides."""

    action: Literal["decide", "promote", "roll_back", "pin", "release"] = Field(
        "decide",
        description="decide: by the rule. promote: the challenger, or a version that is kept. roll_back: to the "
        "version that served before, or to that of the number. pin: nothing takes its place. release: undo that.",
    )
    version: int | None = Field(None, ge=1, description="The number of a version that is kept.")
    because: str = Field("", description="The reason, for the log; a promotion by hand needs one.")

    @model_validator(mode="after")
    def _says_why(self) -> ByHand:
        if self.action == "promote" and not self.because.strip():
            raise field_error(
                type(self), "because", "a promotion by hand needs a reason, for the log", self.because
            )
        if self.action == "decide" and self.version is not None:
            raise field_error(
                type(self),
                "version",
                "the rule decides on the challenger; to serve a version, promote it",
                self.version,
            )
        return self


def champion_asset(experiment: NamedExperiment) -> dg.AssetsDefinition:
    """The asset of the version that serves."""
    blocking = [check for check in checks_of("evaluation", experiment) if check.blocking]

    @experiment_asset(
        experiment,
        "champion",
        stored_as="json",
        inputs=["leaderboard"],
        overrides={"rule": experiment.promotion, "by_hand": ByHand()},
        uses=[*experiment.all_declared(), experiment.promotion],
        kinds={"pytorch"},
        accelerated=True,
        freshness=freshness_of(experiment),
    )
    def champion(rule, by_hand, leaderboard, run: Run):
        """The model that serves: the leader of the leaderboard takes its place only if it is really better."""
        from classification_assets.learning.artifacts.storage import Published
        from classification_assets.learning.registry.challenger import Challenger
        from classification_assets.learning.registry.contest import Told, contest
        from classification_assets.learning.registry.registry import Registry

        registry = Registry(run.root(), experiment.name)
        told = Told(run.id, run.as_of, because=by_hand.because)
        challenger = Challenger.stored(registry.root, experiment.name)
        if by_hand.action == "decide":
            outcome = contest(
                registry,
                challenger,
                rule,
                experiment.metric,
                blocking,
                told,
                run.device,
                experiment.with_network_class,
            )
        else:
            outcome = _decided_by_hand(registry, challenger, experiment, rule, by_hand, told)
        if warning := published_elsewhere(registry, outcome):
            run.warn(warning)
        # The registry has published it under its own lock.
        published = Published(registry.pointer_file, data_version(registry, outcome))
        return published, shows(registry, outcome), outcome

    return champion


def _decided_by_hand(
    registry: Registry,
    challenger: Challenger,
    experiment: NamedExperiment,
    rule: PromotionRule,
    by_hand: ByHand,
    told: Told,
) -> Outcome:
    from classification_assets.learning.registry import by_hand as hand

    number = by_hand.version
    match by_hand.action:
        case "promote":
            if number is None:
                return hand.promote_challenger(registry, challenger, rule, experiment.metric, told)
            pointer = hand.promote_version(registry, number, told)
        case "roll_back":
            pointer = hand.roll_back(registry, number, told)
        case action:
            pointer = hand.pin(registry, number, action == "pin", told)
    return hand.as_outcome(pointer)


def published_elsewhere(registry: Registry, outcome: Outcome) -> str:
    """Show a new champion in MLflow's registry, where the environment names one; a warning if that does not work."""
    if not (address := os.environ.get(MLFLOW)) or outcome.word not in ("promoted", "rolled back"):
        return ""
    from classification_assets.publishing.mlflow_registry import PublicationError, publish

    try:
        publish(registry, tracking_uri=address)
    except (PublicationError, ValueError) as error:
        # The champion serves all the same, and `python -m classification_assets.publish` makes up for it.
        return f"{registry.experiment}: the champion was not published: {error}"
    return ""


def data_version(registry: Registry, outcome: Outcome) -> str:
    """Dagster's data version: which version serves."""
    if outcome.pointer is None:
        return "none"
    version = registry.version(outcome.pointer.version)
    return f"{version.name}-{version.model_version}"


def shows(registry: Registry, outcome: Outcome) -> dict[str, dg.MetadataValue]:
    """Metadata of a decision for the UI: its reason first, then who was champion when."""
    from classification_assets.learning.registry import history

    decision, pointer = outcome.decision, outcome.pointer
    metadata = {
        "decision": dg.MetadataValue.text(outcome.word),
        "reason": dg.MetadataValue.text(decision.reason),
        **shown.table(history.decisions(registry).head(SHOWN), "who was champion when"),
        **shown.table(history.versions(registry), "versions"),
    }
    if pointer is not None:
        version = registry.version(pointer.version)
        metadata |= {
            "champion": dg.MetadataValue.text(f"{version.name}, {version.architecture}"),
            "model file": dg.MetadataValue.path(
                str(registry.folder_of(version.number) / "model.safetensors")
            ),
            **shown.scalars({"version": version.number}),
        }
    numbers = {f"decision_{name}": value for name, value in decision.numbers.items()}
    return metadata | shown.scalars(numbers)
