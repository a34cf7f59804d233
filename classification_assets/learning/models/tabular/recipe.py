"""The recipe for tables: networks of several kinds on inner folds, chosen and calibrated on rows they never saw.

One pack trains every kind on every inner fold of the training and validation folds' rows. Its checkpoints are
candidates: a candidate's logits are averaged over its folds and calibrated, and a greedy selection on the
out-of-fold log loss blends some of them, which is early stopping and the choice of kinds at once. Linear models
of the same folds, fitted to their optimum, are candidates too, and where columns are few, models linear in their
products: where the truth is that simple, or columns are correlated, no network comes as near to it in its steps.

What each part gives, as the rise of the mean test log loss without it (36 tables of 113 to 1,950 rows, two splits,
0.333 with everything; a standard error is 0.002 to 0.005): folds averaged 0.023; the kinds, only one of which is
left, 0.020 to 0.022, and without dense, axis, ramp 0.007, 0.004, 0.008; temperatures 0.005; checkpoints 0.021; the
mean of logits instead of probabilities 0.003; label smoothing (one split) 0.006. On 105 tables, two splits each,
linear models 0.004 and products beside them 0.002 (where columns are few 0.004), with a standard error of 0.001;
choosing on bootstraps 0.001 (0.001; of one table with 250 rows 0.15). A sixth inner fold would give 0.001 (0.001) and
take a fifth longer.

Of what it is given: on 16 tables with columns of words, 256 features of categories instead of 32 a column give 0.017
(0.046 on the six with a column of 40 to 1,000 words), no waves on features of two values 0.003 (0.002); on 13 tables
with heavy tails, two splits, bending them gives 0.009 (0.004). Features of their own for usual and listed numbers
give 0.026 on adult's incomes, 0.005 on spambase, and nothing that chance does not on six others.

Time, as CPU seconds a fit of 31 tables of 113 to 900 rows, two splits: 2.6, and 1.3 since kinds stop, larger tables
alone have the longest epochs and a step is fused; the mean log loss rose by 0.0007 (0.0007). Worse: five members a
kind where there are few rows (0.0012, of one table 0.15), 15 networks in the blend (0.0024, standard error 0.0013).
On 47 tables of fewer than 500 rows, 94 fits, 40 networks in the blend instead of 20 give 0.0034 (0.0013) and more
draws to choose on 0.0007; half the hidden units and waves (0.0005 worse, 0.0015) pay for them. With more rows twice
the networks give 0.0006.

Not better: a kind without waves, or one nearly linear that is trained like the others, more folds or repeats, twice
the waves, input noise, mixup, shorter schedules, weights by expectation maximization or drawn towards equal ones,
products of more columns, more of the best linear model where nothing is really better, linear models of random waves
or of ramps, networks that start from the linear models, half or a quarter of the learning rate or a thousand times
the weight decay on few rows.

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
from classification_assets.learning.models.fitted import FittedModel, Pack, Provenance
from classification_assets.learning.models.tabular.candidates import Candidate, linear_candidates
from classification_assets.learning.models.tabular.inner_folds import InnerFolds
from classification_assets.learning.models.tabular.selection import Choice, choose
from classification_assets.learning.models.tabular.stopping import KindStopping
from classification_assets.learning.packed.memory import in_halves
from classification_assets.learning.packed.networks.tabular import Kind, PackedTabular
from classification_assets.learning.packed.options import Training
from classification_assets.learning.packed.training import OnEpoch, TrainingResult, failure, train
from classification_assets.learning.preparation.duplicates import copy_numbers
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split, features_of

KINDS = (
    Kind("dense", "dense", frequency=0.1, label_smoothing=0.05),
    Kind("axis", "axis", frequency=0.3),
    Kind("ramp", "ramp", label_smoothing=0.05, learning_rate=1.5),
)

EPOCHS = (1, 2, 3, 4, 8, 12, 18, 24)
"""Those with a checkpoint, the last one the end; geometric, since small tables are learned within a few."""

MAY_STOP = EPOCHS[3:-1]
"""Those after which a kind may stop for good."""

LEARNING_RATE, BETAS, WARMUP = 8e-3, (0.9, 0.95), 0.1

FLOOR = 0.2
"""Rows' worth of the uniform distribution that is mixed into the blend: no row's log loss is unbounded."""

STARTED_ON = 20_000
"""Rows, at most, that tell the initial weights where the rows are."""

CHOSEN_ON = 20_000
"""Rows, at most, whose out-of-fold predictions calibrate and choose."""

_NUMBERS = 2**27
"""Of all candidates' logits on those rows, at most."""


@dataclass(frozen=True)
class Plan:
    """How much is trained: twice the rows cost less than twice the time, on a table of any size.

    Attributes
    ----------
    networks : int
        In the blend, at most: a candidate is as many as its kind has folds, and each takes its time at prediction.
        Where rows are few, many narrow ones do better than few wide ones and take the same time.
    """

    folds: int
    repeats: int
    epoch_steps: int
    batch_size: int
    width: int
    networks: int

    @classmethod
    def of(cls, n_rows: int, width: int | None = None) -> Self:
        """For a table of so many rows, with a width of one's own or the one that suits them."""
        few, larger = n_rows < 500, max(1.0, n_rows / 2000)
        width = width or (32 if few else 32 * round(2 * max(1.0, n_rows / 20_000) ** 0.25))
        return cls(
            folds=5 if n_rows < 50_000 else 4,
            repeats=2 if few else 1,
            epoch_steps=16 if few else round(45 * (n_rows / 2000) ** 0.4),
            batch_size=8 * round(4 * larger**0.5),
            width=width,
            networks=40 if few and width <= 32 else 20,
        )


def fit(
    architecture: Tabular,
    split: Split,
    training: Training,
    device: str = "cpu",
    on_epoch: OnEpoch | None = None,
    threads: int | None = None,
) -> FittedModel:
    """Train the networks, calibrate and choose.

    Members whose loss stopped being finite are left out. The first of `seeds` is the first member's, the others
    count on from it.

    Raises
    ------
    ValueError
        If there are fewer than two rows to learn from.
    FloatingPointError
        If no member could be trained.
    """
    learned = np.flatnonzero(split.fold != Fold.TEST)
    if len(learned) < 2:
        raise ValueError(f"{architecture.name} needs at least 2 rows to learn from, however: {len(learned)}")
    plan, n_classes = Plan.of(len(learned), architecture.width), len(split.classes)
    sizes = {"width": plan.width} if architecture.width is None else {}
    sized = architecture.replaced(**sizes)
    together = _together(split, learned)
    folds = InnerFolds.of(learned, split.y, plan.folds, plan.repeats, training.seed, **together)
    kinds = [kind for kind in KINDS for _ in range(folds.members)]
    seeds = range(training.seeds[0], training.seeds[0] + len(kinds))
    used = _options(training, kinds, plan)
    X, y = features_of(split, device), torch.from_numpy(split.y).to(device)
    weight = _weight(split, learned, architecture.class_weight)
    row_weight = None if weight is None else torch.from_numpy(weight).to(device)
    counted = learned if weight is None else learned[weight[learned] > 0]
    some = X[torch.from_numpy(counted[:: 1 + len(counted) // STARTED_ON]).to(device)]

    def packed(members: Sequence[int]) -> PackedTabular:
        own = [seeds[member] for member in members]
        network = sized.build(X.shape[1], n_classes, own).to(device)
        assert isinstance(network, PackedTabular)
        return network

    def train_some(members: Sequence[int]) -> TrainingResult:
        network = packed(members)
        network.start([kinds[member] for member in members], some)
        return train(
            network,
            X,
            y,
            folds.seen_by(members),
            folds.unseen_by(members),
            used.of_members(members),
            [seeds[member] for member in members],
            n_classes=n_classes,
            weight=row_weight,
            checkpoints=[epoch * plan.epoch_steps for epoch in EPOCHS],
            on_epoch=KindStopping([kinds[member].name for member in members], MAY_STOP, on_epoch),
            epoch_steps=plan.epoch_steps,
            threads=threads,
            betas=BETAS,
            warmup=WARMUP,
        )

    trained = in_halves(train_some, range(len(kinds)), together=folds.members)
    alive = (trained.best_step >= 0).cpu().numpy().reshape(len(KINDS), folds.members)
    if not alive.any():
        raise failure(architecture.name, trained, training, X, learned)

    def pack(step: int, kind: int) -> PackedTabular:
        """The surviving members of a kind as they were at a checkpoint."""
        members = kind * folds.members + np.flatnonzero(alive[kind])
        network, index = packed(members.tolist()), torch.from_numpy(members).to(device)
        own = {name: value[index] for name, value in trained.checkpoints[step].items()}
        network.load_state_dict(own, assign=True)
        return network.eval()

    ends = _ends(trained).reshape(alive.shape)
    snapshots = [
        (step, kind)
        for step in trained.checkpoints
        for kind in np.flatnonzero(alive.any(1)).tolist()
        if step <= ends[kind, alive[kind]].max()
    ]
    candidates = [
        Candidate(np.flatnonzero(alive[kind]), partial(pack, step, kind)) for step, kind in snapshots
    ]
    candidates += linear_candidates(X, split.y, weight, folds, n_classes)

    floor = FLOOR / len(learned)
    rows = folds.some(min(CHOSEN_ON, max(1, _NUMBERS // (len(candidates) * n_classes))))
    known = folds.with_others(split.y[learned])[rows]
    choice = choose(
        torch.stack([candidate.out_of_fold(folds, X, rows) for candidate in candidates]),
        torch.from_numpy(split.y[learned[rows]]),
        _deciding(known, None if weight is None else weight[learned[rows]]),
        floor,
        torch.tensor([candidate.networks for candidate in candidates]),
        plan.networks,
    )
    selected = choice.weights.nonzero().flatten()
    taken = [candidates[index] for index in selected.tolist()]
    packs = [candidate.blended() for candidate in taken]
    blend = Blend(packs, choice.weights[selected], choice.temperatures[selected], floor)

    validation = np.flatnonzero(split.fold[learned] == Fold.VALIDATION)
    honest = [candidate.out_of_fold(folds, X, validation).unsqueeze(0) for candidate in taken]
    return FittedModel(
        state={name: value.detach().cpu() for name, value in blend.state_dict().items()},
        provenance=Provenance(
            architecture=architecture,
            training=training,
            packs=tuple(Pack(kind=network.kind, seeds=network.seeds) for network in packs),
            classes=tuple(split.classes),
            preprocessing=split.preprocessing,
            source=split.source,
            overridden={},
            versions=Provenance.current_versions(),
            sizes=sizes,
        ),
        history={name: value.numpy() for name, value in trained.history.items()},
        best_step=_best_steps(snapshots, choice, alive),
        validation_probabilities=blend.blended(honest).numpy(),
    )


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
    """Of each row of the table, (N,) float32 with a mean of 1 over the rows that are learned from."""
    if split.weight is None and class_weight == "none":
        return None
    weight = np.ones(len(split.y)) if split.weight is None else split.weight.astype(np.float64)
    if class_weight == "balanced":
        of_class = np.bincount(split.y[learned], weight[learned], minlength=len(split.classes))
        weight = weight / np.where(of_class > 0, of_class, 1)[split.y]
    return (weight / weight[learned].mean()).astype(np.float32)


def _together(split: Split, learned: np.ndarray) -> dict[str, np.ndarray | None]:
    """What keeps rows in one inner fold: what kept them in one fold of the table, or else that they are copies."""
    if split.group is None and split.timestamp is None:
        return {"copy": copy_numbers(split.X, split.y, learned)}
    return {"group": split.group, "timestamp": split.timestamp}


def _deciding(known: np.ndarray, weight: np.ndarray | None) -> Tensor:
    """How much each of some rows (m,) of those learned from has to say, with a mean of 1.

    A row whose class is in its own fold alone says nothing: whoever never saw that fold knows of no such class.
    """
    weight = np.ones(len(known)) if weight is None else weight
    if (weight * known).any():
        weight = weight * known
    return torch.from_numpy((weight / weight.mean()).astype(np.float32))


def _ends(trained: TrainingResult) -> np.ndarray:
    """The last step (K,) of each member."""
    there = trained.history["validation_loss"].isfinite()
    return torch.where(there, trained.history["step"].unsqueeze(1), 0).amax(0).numpy()


def _best_steps(snapshots: Sequence[tuple[int, int]], choice: Choice, alive: np.ndarray) -> np.ndarray:
    """The step (K,) of each member's kind that weighs most, of a kind outside the blend its best; -1: failed."""
    steps = np.full(alive.shape, -1, np.int64)
    for kind in np.flatnonzero(alive.any(1)):
        own = [index for index, (_, other) in enumerate(snapshots) if other == kind]
        best = max(own, key=lambda index: (float(choice.weights[index]), -float(choice.losses[index])))
        steps[kind, alive[kind]] = snapshots[best][0]
    return steps.reshape(-1)
