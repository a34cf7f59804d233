"""Features of encoded rows, as a network sees them: the arithmetic half of the preprocessing, on any device."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from classification_assets.learning.preparation.columns import AnyColumn, Categorical, Date, Numeric

BOUND = 10.0
"""Standard deviations up to which a number is taken as it is; beyond, it grows with the logarithm."""


class Features(nn.Module):
    """Encoded rows (N, D), NaN where missing, to features (N, F) float32.

    In this order: numbers, truth values and dates, standardized; for columns that had gaps in training whether
    the value was missing; for some whether a number is one of theirs that stand out; sine and cosine of a date's
    periods; one-hot categories; how frequent the category is.

    Numbers whose tails are heavy are bent before: d knees from the median they become ± log(1 + d).

    Beyond `BOUND` deviations z becomes ±10 (1 + log(|z| / 10)): it goes on smoothly and keeps the order, but a
    value a thousand deviations out can no longer saturate or blow up a network.
    """

    def __init__(self, columns: Sequence[AnyColumn]) -> None:
        super().__init__()
        self.numbers = [
            column_index for column_index, column in enumerate(columns) if not isinstance(column, Categorical)
        ]
        self.dates = [
            (column_index, column.periods)
            for column_index, column in enumerate(columns)
            if isinstance(column, Date)
        ]
        self.gaps = [column_index for column_index, column in enumerate(columns) if column.indicator]
        self.own = [
            (column_index, _exact(column.own).float())
            for column_index, column in enumerate(columns)
            if isinstance(column, Numeric) and column.own
        ]
        self.categories = [
            (column_index, column.shown, _exact(column.frequency).float())
            for column_index, column in enumerate(columns)
            if isinstance(column, Categorical)
        ]
        self.plain = self.numbers == list(range(len(columns)))
        own = [column for column in columns if not isinstance(column, Categorical)]
        self.mean = _exact([column.mean for column in own])
        self.scale = _exact([column.scale for column in own])
        self.fill = _exact([column.fill for column in own])
        knees = {
            column_index: column.knee
            for column_index, column in enumerate(own)
            if isinstance(column, Numeric)
        }
        bent = {column_index: knee for column_index, knee in knees.items() if knee is not None}
        self.bent = list(bent)
        self.knee = _exact(list(bent.values()))
        # The median is where nothing is bent.
        self.straight = self.fill.index_fill(0, torch.tensor(self.bent, dtype=torch.int64, device="cpu"), 0.0)
        self.names = [column.name for column in own] + [
            f"{columns[column_index].name} is missing" for column_index in self.gaps
        ]
        for column_index, values in self.own:
            self.names += [f"{columns[column_index].name} = {value:.7g}" for value in values.tolist()]
        for column_index, periods in self.dates:
            name = columns[column_index].name
            self.names += [
                f"{wave} of {name} in {period:g} days" for period in periods for wave in ("sine", "cosine")
            ]
        for column in columns:
            if isinstance(column, Categorical):
                self.names += [f"{column.name} = {value}" for value in column.categories[: column.shown]]
                self.names += [f"frequency of {column.name}"] * bool(column.frequency)

    @property
    def width(self) -> int:
        """F."""
        return len(self.names)

    def forward(self, X: Tensor) -> Tensor:
        # In double precision, which MPS does not have: a mean may be many times its scale.
        exact = torch.float32 if X.device.type == "mps" else torch.float64
        mean, scale, fill = (own.to(X.device, exact) for own in (self.mean, self.scale, self.straight))
        x = (X if self.plain else X[:, self.numbers]).to(exact)
        if self.bent:
            middle, knee = (own.to(X.device, exact) for own in (self.fill[self.bent], self.knee))
            distance = (x[:, self.bent] - middle) / knee
            x = x.clone()
            x[:, self.bent] = distance.sign() * distance.abs().log1p()
        parts = [_bounded((x - mean).div_(scale), (fill - mean) / scale).float()]
        if self.gaps:
            parts.append(X[:, self.gaps].isnan().float())
        for column_index, values in self.own:
            parts.append((X[:, column_index].unsqueeze(1) == values.to(X.device)).float())
        for column_index, periods in self.dates:
            for period in periods:
                angle = X[:, column_index].to(exact) * (2 * math.pi / period)
                wave = torch.stack([angle.sin(), angle.cos()], 1)
                parts.append(wave.nan_to_num(0.0).float())
        for column_index, shown, frequency in self.categories:
            code = X[:, column_index].round()
            parts.append((code.unsqueeze(1) == torch.arange(shown, device=X.device)).float())
            if len(frequency):
                # A missing value is as rare as can be: it has a feature of its own.
                known = code.nan_to_num(len(frequency) - 1).clamp(0, len(frequency) - 1).long()
                parts.append(frequency.to(X.device)[known].unsqueeze(1))
        return parts[0] if len(parts) == 1 else torch.cat(parts, 1)

    def filled(self, X: Tensor) -> Tensor:
        """X (N, D) without gaps: medians, and the most frequent category."""
        fill = torch.zeros(X.shape[1], dtype=torch.float32, device=X.device)
        fill[self.numbers] = self.fill.to(X.device, torch.float32)
        return torch.where(X.isnan(), fill, X)


def _exact(numbers: Sequence[float]) -> Tensor:
    """Numbers in double precision on the CPU, whatever the caller has made PyTorch's defaults."""
    return torch.tensor(numbers, dtype=torch.float64, device="cpu")


def _bounded(z: Tensor, fill: Tensor) -> Tensor:
    """Standardized numbers (N, M) without gaps and, far out, growing with the logarithm only."""
    if not z.numel():
        return z
    # Most tables need neither, and looking takes a tenth of the time.
    low, high = z.aminmax()
    if low.isnan():
        z = torch.where(z.isnan(), fill, z)
        low, high = z.aminmax()
    if low >= -BOUND and high <= BOUND:
        return z
    inner = z.clamp(-BOUND, BOUND)
    rest = z - inner
    return inner + BOUND * rest.sign() * torch.log1p(rest.abs() / BOUND)


class Stacked:
    """Rows of several sources of N rows each, one below the other.

    Parameters
    ----------
    sources : sequence of `Standardized`
    """

    def __init__(self, sources: Sequence[Standardized]) -> None:
        self.sources, self.device = list(sources), sources[0].device
        self.n_rows, width = sources[0].shape
        self.shape = torch.Size((self.n_rows * len(sources), width))

    def __getitem__(self, index: Tensor) -> Tensor:
        return self.index_select(0, index.flatten()).view(*index.shape, self.shape[1])

    def index_select(self, dim: int, index: Tensor) -> Tensor:
        """As a tensor's."""
        rows = torch.empty((len(index), self.shape[1]), dtype=torch.float32, device=self.device)
        source = index // self.n_rows
        for number, own in enumerate(self.sources):
            here = (source == number).nonzero().squeeze(1)
            if len(here):
                rows[here] = own.index_select(dim, index[here] % self.n_rows)
        return rows


class Standardized:
    """Rows (N, D) whose features (N, F) are computed when they are asked for: a large table is not copied.

    Parameters
    ----------
    X : Tensor (N, D) float32
        Encoded rows.
    features : module
        Maps them to what a network sees.
    """

    def __init__(self, X: Tensor, features: Features) -> None:
        self.X, self.features, self.device = X, features, X.device
        self.shape = torch.Size((len(X), features.width))

    def __getitem__(self, index: Tensor) -> Tensor:
        return self.index_select(0, index.flatten()).view(*index.shape, self.shape[1])

    def index_select(self, dim: int, index: Tensor) -> Tensor:
        """As a tensor's."""
        return self.features(self.X.index_select(dim, index))
