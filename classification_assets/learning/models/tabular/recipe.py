"""The recipe for tables: networks of several kinds on inner folds, chosen and calibrated on rows they never saw.

One pack trains every kind on every inner fold of the training and validation folds' rows. Its checkpoints are
candidates: a candidate's logits are averaged over its folds and calibrated, and a greedy selection on the
out-of-fold log loss blends some of them, which is early stopping and the choice of kinds at once. Linear models
of the same folds, fitted to their optimum, are candidates too, and where columns are few, models linear in their
products: where the truth is that simple, or columns are correlated, no network comes as near to it in its steps.

Each part's contribution was measured, and so was what does not help: docs/tabular-recipe.md. The parts come from
Gorishniy et al. 2022 (periodic and piecewise-linear embeddings of numbers), Holzmüller et al. 2024 (RealMLP), Caruana
et al. 2004 (greedy ensemble selection) and Guo et al. 2017 (temperatures).

Shapes: K members (kind by kind, within a kind fold by fold), P candidates (checkpoint by checkpoint, within one
kind by kind), N rows of the table, n rows that are learned from, D features, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
import torch
from torch import Tensor

from classification_assets.learning.models.architectures import Tabular
from classification_assets.learning.models.blend import Blend
from classification_assets.learning.models.divergence import divergence
from classification_assets.learning.models.fitted import FittedModel, Pack, Provenance
from classification_assets.learning.models.tabular.candidates import Candidate, linear_candidates
from classification_assets.learning.models.tabular.inner_folds import InnerFolds
from classification_assets.learning.models.tabular.plan import Plan
from classification_assets.learning.models.tabular.selection import Choice, choose
from classification_assets.learning.models.tabular.stopping import KindStopping
from classification_assets.learning.packed.arithmetic import threads_for
from classification_assets.learning.packed.memory import in_halves
from classification_assets.learning.packed.networks.tabular import Kind, PackedTabular
from classification_assets.learning.packed.options import Training
from classification_assets.learning.packed.training import OnEpoch, TrainingResult, train
from classification_assets.learning.preparation.duplicates import copy_numbers
from classification_assets.learning.preparation.features import Standardized
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split, features_of

KINDS = (
    Kind("dense", "dense", frequency=0.1, label_smoothing=0.05),
    Kind("axis", "axis", frequency=0.3),
    Kind("ramp", "ramp", label_smoothing=0.05, learning_rate=1.5),
)

"""The kinds of network that are trained on every inner fold."""

EPOCHS = (1, 2, 3, 4, 8, 12, 18, 24)
"""Epochs with a checkpoint, the last one the end; geometric, since small tables are learned within a few."""

MAY_STOP = EPOCHS[3:-1]
"""Epochs after which a kind may stop for good."""

LEARNING_RATE, BETAS, WARMUP = 8e-3, (0.9, 0.95), 0.1

FLOOR_ROWS = 0.2
"""The uniform distribution's weight in the blend, counted in rows: it keeps every row's log loss bounded."""

START_ROWS = 20_000
"""Rows, at most, to which the initial weights of waves are fitted."""

CHOICE_ROWS = 20_000
"""Rows, at most, whose out-of-fold predictions calibrate and choose."""

_MOST_LOGITS = 2**27
"""Numbers, at most, in all candidates' logits on those rows."""


@dataclass(frozen=True)
class Task:
    """All that training, candidates and blend have in common.

    Attributes
    ----------
    architecture : Tabular
        As declared, but with the width that the plan gives it.
    plan : Plan
    split : Split
    learned : array (n,)
        The rows that are learned from: those of the training and validation folds.
    folds : InnerFolds
    kinds : list of K kinds
    X : (N, D)
        The table's features on the device.
    weight : array (N,), optional
        Row weights, with a mean of 1 over the rows that are learned from.
    first_seed : int
        The first member's seed; the others' count on from it.
    """

    architecture: Tabular
    plan: Plan
    split: Split
    learned: np.ndarray
    folds: InnerFolds
    kinds: list[Kind]
    X: Tensor | Standardized
    weight: np.ndarray | None
    first_seed: int

    @classmethod
    def of(cls, architecture: Tabular, split: Split, training: Training, device: str) -> Self:
        """Deal out the inner folds and prepare the features.

        Raises
        ------
        ValueError
            If there are fewer than two rows to learn from.
        """
        learned = np.flatnonzero(split.fold != Fold.TEST)
        if len(learned) < 2:
            raise ValueError(f"{architecture.name} needs at least 2 rows to learn from, got {len(learned)}")
        plan = Plan.of(len(learned), architecture.width)
        together = _together(split, learned)
        folds = InnerFolds.of(learned, split.y, plan.folds, plan.repeats, training.seed, **together)
        return cls(
            architecture=architecture.replaced(width=architecture.width or plan.width),
            plan=plan,
            split=split,
            learned=learned,
            folds=folds,
            kinds=[kind for kind in KINDS for _ in range(folds.members)],
            X=features_of(split, device),
            weight=_weight(split, learned, architecture.class_weight),
            first_seed=training.seeds[0],
        )

    @property
    def n_classes(self) -> int:
        """C."""
        return len(self.split.classes)

    @property
    def multiplications(self) -> int:
        """Multiplications in the hidden layers of one candidate on all rows."""
        return 2 * self.plan.width**2 * self.plan.repeats * len(self.learned)

    def seeds(self, members: Sequence[int]) -> list[int]:
        """The seeds of some members."""
        return [self.first_seed + member for member in members]

    def network(self, members: Sequence[int]) -> PackedTabular:
        """Some members as a pack whose weights are yet to be set."""
        network = self.architecture.build(self.X.shape[1], self.n_classes, self.seeds(members))
        assert isinstance(network, PackedTabular)
        return network.to(self.X.device)


def fit(
    architecture: Tabular,
    split: Split,
    training: Training,
    device: str = "cpu",
    on_epoch: OnEpoch | None = None,
    threads: int | None = None,
) -> FittedModel:
    """Train the networks, calibrate and choose.

    Members whose loss stopped being finite are left out.

    Raises
    ------
    ValueError
        If there are fewer than two rows to learn from.
    FloatingPointError
        If no member could be trained.
    """
    task = Task.of(architecture, split, training, device)
    trained = train_kinds(task, training, on_epoch, threads)
    alive = _alive(task, trained)
    if not alive.any():
        raise divergence(architecture.name, trained, training, task.X, task.learned)
    with threads_for(task.multiplications, threads):
        candidates = network_candidates(task, trained)
        candidates += linear_candidates(task.X, split.y, task.weight, task.folds, task.n_classes)
        choice = choose_candidates(task, candidates)
        blend, validation_probabilities = blended(task, candidates, choice)
    return FittedModel(
        state={name: value.detach().cpu() for name, value in blend.state_dict().items()},
        provenance=Provenance(
            architecture=architecture,
            training=training,
            packs=tuple(Pack(kind=pack.kind, seeds=pack.seeds) for pack in blend.networks()),
            classes=tuple(split.classes),
            preprocessing=split.preprocessing,
            source=split.source,
            overridden={},
            versions=Provenance.current_versions(),
            sizes={"width": task.plan.width} if architecture.width is None else {},
        ),
        history={name: value.numpy() for name, value in trained.history.items()},
        best_step=_best_steps(candidates, choice, alive),
        validation_probabilities=validation_probabilities,
    )


def train_kinds(
    task: Task, training: Training, on_epoch: OnEpoch | None = None, threads: int | None = None
) -> TrainingResult:
    """Train every kind on every inner fold, with the checkpoints of `EPOCHS`."""
    X, plan, folds = task.X, task.plan, task.folds
    y = torch.from_numpy(task.split.y).to(X.device)
    weight = None if task.weight is None else torch.from_numpy(task.weight).to(X.device)
    counted = task.learned if task.weight is None else task.learned[task.weight[task.learned] > 0]
    some = X[torch.from_numpy(counted[:: 1 + len(counted) // START_ROWS]).to(X.device)]
    options = _options(training, task.kinds, plan)

    def train_some(members: Sequence[int]) -> TrainingResult:
        kinds = [task.kinds[member] for member in members]
        network = task.network(members)
        network.start(kinds, some)
        return train(
            network,
            X,
            y,
            folds.seen_by(members),
            folds.unseen_by(members),
            options.of_members(members),
            task.seeds(members),
            n_classes=task.n_classes,
            weight=weight,
            checkpoints=[epoch * plan.epoch_steps for epoch in EPOCHS],
            on_epoch=KindStopping([kind.name for kind in kinds], MAY_STOP, on_epoch),
            epoch_steps=plan.epoch_steps,
            threads=threads,
            betas=BETAS,
            warmup=WARMUP,
        )

    return in_halves(train_some, range(len(task.kinds)), together=folds.members)


def network_candidates(task: Task, trained: TrainingResult) -> list[Candidate]:
    """The surviving members of each kind at each checkpoint that the kind reached."""
    alive = _alive(task, trained)
    ends = _ends(trained).reshape(alive.shape)

    def pack(step: int, kind: int) -> PackedTabular:
        members = kind * task.folds.members + np.flatnonzero(alive[kind])
        network, index = task.network(members.tolist()), torch.from_numpy(members).to(task.X.device)
        state = {name: value[index] for name, value in trained.checkpoints[step].items()}
        network.load_state_dict(state, assign=True)
        return network.eval()

    return [
        Candidate(np.flatnonzero(alive[kind]), partial(pack, step, kind), kind=kind, step=step)
        for step in trained.checkpoints
        for kind in np.flatnonzero(alive.any(1)).tolist()
        if step <= ends[kind, alive[kind]].max()
    ]


def choose_candidates(task: Task, candidates: Sequence[Candidate]) -> Choice:
    """Weights and temperatures of the candidates, by their out-of-fold log loss."""
    folds, y, learned = task.folds, task.split.y, task.learned
    rows = folds.some(min(CHOICE_ROWS, max(1, _MOST_LOGITS // (len(candidates) * task.n_classes))))
    known = folds.with_others(y[learned])[rows]
    return choose(
        torch.stack([candidate.out_of_fold(folds, task.X, rows) for candidate in candidates]),
        torch.from_numpy(y[learned[rows]]),
        _deciding(known, None if task.weight is None else task.weight[learned[rows]]),
        _floor(task),
        torch.tensor([candidate.networks for candidate in candidates], device="cpu"),
        task.plan.networks,
    )


def blended(task: Task, candidates: Sequence[Candidate], choice: Choice) -> tuple[Blend, np.ndarray]:
    """The blend of the chosen candidates, and its out-of-fold probabilities (V, C) of the validation fold's rows."""
    chosen = choice.weights.nonzero().flatten()
    taken = [candidates[index] for index in chosen.tolist()]
    blend = Blend(
        [candidate.blended() for candidate in taken],
        choice.weights[chosen],
        choice.temperatures[chosen],
        _floor(task),
    )
    validation = np.flatnonzero(task.split.fold[task.learned] == Fold.VALIDATION)
    out_of_fold = [candidate.out_of_fold(task.folds, task.X, validation).unsqueeze(0) for candidate in taken]
    return blend, blend.blended(out_of_fold).numpy()


def _options(training: Training, kinds: Sequence[Kind], plan: Plan) -> Training:
    # A default is nobody's choice, and it is another network's.
    rate = LEARNING_RATE if training.learning_rate == Training().learning_rate else training.learning_rate
    assert not isinstance(rate, tuple)  # `Tabular.trained_with` refuses it
    return training.replaced(
        members=len(kinds),
        max_epochs=EPOCHS[-1],
        batch_size=plan.batch_size,
        learning_rate=tuple(rate * kind.learning_rate for kind in kinds),
        schedule="cosine",
        early_stopping=False,
        label_smoothing=tuple(kind.label_smoothing for kind in kinds),
    )


def _weight(split: Split, learned: np.ndarray, class_weight: str) -> np.ndarray | None:
    """Row weights (N,) float32 with a mean of 1 over the rows that are learned from; None where all count alike."""
    if split.weight is None and class_weight == "none":
        return None
    weight = np.ones(len(split.y)) if split.weight is None else split.weight.astype(np.float64)
    if class_weight == "balanced":
        totals = np.bincount(split.y[learned], weight[learned], minlength=len(split.classes))
        weight = weight / np.where(totals > 0, totals, 1)[split.y]
    return (weight / weight[learned].mean()).astype(np.float32)


def _together(split: Split, learned: np.ndarray) -> dict[str, np.ndarray | None]:
    """The numbers that keep rows in one inner fold: groups or timestamps of the table, or else those of copies."""
    if split.group is None and split.timestamp is None:
        return {"copy": copy_numbers(split.X, split.y, learned)}
    return {"group": split.group, "timestamp": split.timestamp}


def _deciding(known: np.ndarray, weight: np.ndarray | None) -> Tensor:
    """The weights, with a mean of 1, of the rows (m,) that calibrate and choose.

    A row whose class occurs only in its fold counts nothing: a member that never saw the fold cannot know the class.
    """
    weight = np.ones(len(known)) if weight is None else weight
    if (weight * known).any():
        weight = weight * known
    return torch.from_numpy((weight / weight.mean()).astype(np.float32))


def _floor(task: Task) -> float:
    """The share of the uniform distribution in the blend."""
    return FLOOR_ROWS / len(task.learned)


def _alive(task: Task, trained: TrainingResult) -> np.ndarray:
    """True for each member that could be trained; a row for each kind."""
    return (trained.best_step >= 0).cpu().numpy().reshape(len(KINDS), task.folds.members)


def _ends(trained: TrainingResult) -> np.ndarray:
    """The last step (K,) of each member."""
    reached = trained.history["validation_loss"].isfinite()
    return torch.where(reached, trained.history["step"].unsqueeze(1), 0).amax(0).numpy()


def _best_steps(candidates: Sequence[Candidate], choice: Choice, alive: np.ndarray) -> np.ndarray:
    """The step (K,) of each member's kind that weighs most, of a kind outside the blend its best; -1: failed."""
    steps = np.full(alive.shape, -1, np.int64)
    for kind in np.flatnonzero(alive.any(1)):
        its = [index for index, candidate in enumerate(candidates) if candidate.kind == kind]
        best = max(its, key=lambda index: (float(choice.weights[index]), -float(choice.losses[index])))
        step = candidates[best].step
        assert step is not None  # networks have one
        steps[kind, alive[kind]] = step
    return steps.reshape(-1)
