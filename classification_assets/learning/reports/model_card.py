"""MODEL_CARD.md: what a published model's folder says of itself, with the metadata block that Hugging Face reads."""

from __future__ import annotations

from typing import Any

import pandas as pd
import yaml

from classification_assets.learning.evaluation.evaluation import Evaluation
from classification_assets.learning.models.fitted import FittedModel
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.printable import code_in_markdown, in_markdown
from classification_assets.learning.reports.rendering import rendered

NAME = "MODEL_CARD.md"

_METRICS = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_precision": "Macro precision",
    "macro_recall": "Macro recall",
    "macro_f1": "Macro F1",
    "roc_auc": "ROC AUC",
    "average_precision": "Average precision",
    "log_loss": "Log loss",
    "brier_score": "Brier score",
    "expected_calibration_error": "Expected calibration error",
}


def model_card(fitted: FittedModel, name: str, evaluation: Evaluation | None = None) -> str:
    """A model's card in Markdown; `name` is experiment/architecture.

    Without an evaluation it says that there is none yet.
    """
    provenance = fitted.provenance
    architecture, training = provenance.architecture, provenance.training
    experiment = name.partition("/")[0]
    networks = sum(len(pack.seeds) for pack in provenance.packs)
    linear = provenance.members - networks
    made_of = f"{networks} neural networks" + (f" and {linear} linear models" if linear else "")
    classes = [str(label) for label in provenance.classes]
    used = fitted.hyperparameters()
    told = {"temperature": ", ".join(f"{value:.3g}" for value in fitted.state["temperatures"].tolist())}
    more = _facts(told | provenance.overridden)
    seeds = [str(seed) for pack in provenance.packs for seed in pack.seeds]
    return rendered(
        "model_card.md.jinja",
        title=name,
        name=name,
        results=_results(name, evaluation) if evaluation else "",
        description=(
            f"An ensemble of {made_of} (`{architecture.kind}`) for {len(classes)} classes and "
            f"{len(provenance.preprocessing.names)} features, made by classification_assets."
        ),
        file="model.safetensors",
        module=", module=YourClass" if fitted.module is not None else "",
        columns=_listed([str(column) for column in provenance.preprocessing.names]),
        classes=_listed(classes),
        data=_markdown(_facts(provenance.source.declaration())),
        training=_markdown(pd.concat([used.set_axis(more.columns, axis=1), more])),
        calibrated=(
            "on rows that the networks had not seen, out of inner cross-validation folds"
            if architecture.learns_from_validation
            else "on a validation fold"
        ),
        n_test=evaluation.n_counted(Fold.TEST) if evaluation else 0,
        note=in_markdown(provenance.note),
        scores=_markdown(_scores(evaluation)) if evaluation else "",
        by_class=_markdown(evaluation.class_table()) if evaluation else "",
        truth=_truth(evaluation) if evaluation else "",
        confidence=_markdown(evaluation.confidence_table()) if evaluation else "",
        again=(
            f"Seeds: {training.seed} (networks: {_listed(seeds)}). "
            f"Versions: {', '.join(f'{package} {own}' for package, own in provenance.versions.items())}.\n\n"
            "```bash\ndagster asset materialize -m classification_assets.definitions "
            f"--select '+key:\"{name}/evaluation\"'\n```\n\nThe experiment `{experiment}` declares everything else."
        ),
    )


def _results(name: str, evaluation: Evaluation) -> str:
    """The block `model-index` of Hugging Face's metadata."""
    scores = evaluation.overall(Fold.TEST)
    experiment = name.partition("/")[0]
    metrics = [
        {"type": metric, "name": words, "value": round(scores[metric], 6)}
        for metric, words in _METRICS.items()
        if pd.notna(scores[metric])
    ]
    result = {
        "task": {"type": "tabular-classification"},
        "dataset": {"type": experiment, "name": experiment, "split": "test"},
        "metrics": metrics,
    }
    index = {"model-index": [{"name": name, "results": [result]}]}
    # Libyaml writes the same in a tenth of the time, where PyYAML has it.
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return yaml.dump(index, Dumper=dumper, sort_keys=False, allow_unicode=True)


def _scores(evaluation: Evaluation) -> pd.DataFrame:
    rows = []
    for metric, words in _METRICS.items():
        score = evaluation.score(Fold.TEST, metric)
        spread = f" ± {score['spread']:.3f}" if pd.notna(score["spread"]) else ""
        if pd.notna(score["value"]):
            interval = f" [{score['low']:.3f}, {score['high']:.3f}]" if pd.notna(score["low"]) else ""
            rows.append({"score": words, "test fold": f"{score['value']:.3f}{interval}{spread}"})
    return pd.DataFrame(rows)


def _truth(evaluation: Evaluation) -> str:
    try:
        best = evaluation.score(Fold.TEST, "accuracy", "bayes")["value"]
        lowest = evaluation.score(Fold.TEST, "log_loss", "bayes")["value"]
    except KeyError:
        return ""
    return (
        f"The data are generated, so the best that is possible on these rows is known: accuracy {best:.3f}, "
        f"log loss {lowest:.3f}."
    )


def _facts(values: dict[str, Any]) -> pd.DataFrame:
    told = {name: value for name, value in values.items() if value is not None}
    return pd.DataFrame({"option": list(told), "value": [str(value) for value in told.values()]})


def _markdown(frame: pd.DataFrame) -> str:
    """A table in Markdown."""

    def cell(value: Any) -> str:
        text = f"{value:.3f}" if isinstance(value, float) and not value.is_integer() else f"{value}"
        return in_markdown(text)

    head = "| " + " | ".join(cell(name) for name in frame.columns) + " |"
    rows = ["| " + " | ".join(map(cell, row)) + " |" for row in frame.itertuples(index=False)]
    return "\n".join([head, "| " + " | ".join(["---"] * frame.shape[1]) + " |", *rows])


def _listed(names: list[str], most: int = 40) -> str:
    shown = ", ".join(map(code_in_markdown, names[:most]))
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
