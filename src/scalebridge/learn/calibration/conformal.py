"""Conformal prediction on top of any surrogate: intervals that hold in finite samples, whatever the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, did_you_mean
from scalebridge.learn.calibration import ranks
from scalebridge.learn.calibration.calibration import Calibration, Scored, scored
from scalebridge.learn.calibration.certificate import Certificate, left_out, worst_third
from scalebridge.learn.calibration.conformal_posterior import ConformalPosterior
from scalebridge.learn.calibration.frames import FRAMES, spread_or_one
from scalebridge.learn.calibration.metrics import check_level
from scalebridge.learn.calibration.splits import deal, duplicate_of, shuffled
from scalebridge.learn.calibration.wrapped import Wrapped, digest_of, fit_on
from scalebridge.learn.learner import Data, checked
from scalebridge.models import Surrogate
from scalebridge.quantities import Floats

# A split learns from no fewer.
LEARN_FROM = 2
METHODS = ("split", "cv+", "jackknife+")
Groups = Callable[[Floats], NDArray[Any]] | str | None


@dataclass(frozen=True)
class Conformal(Wrapped):
    """A surrogate whose intervals cover new rows at the level asked for, if they come as the old ones did.

    The mean and its derivative are those of the surrogate inside. ``posterior(x).interval()`` is the conformal
    interval of each output, ``posterior(x).band()`` the simultaneous one over all outputs (over a whole field, where
    the output is one); deviations are those of the normal law with the same width.

    Args:
        surrogate: any, unfitted.
        method: ``"cv+"`` learns from all rows and fits ``folds + 1`` times; proven is ``2 level - 1``, found is about
            ``level``. ``"jackknife+"`` leaves out one row at a time. ``"split"`` fits once, on what is not held back;
            proven is ``level``.
        score: ``"normalised"`` by the posterior's deviation; ``"absolute"``, one width everywhere; ``"quantile"``,
            from the posterior's own quantiles (conformalised quantile regression).
        level: coverage of the interval.
        groups: calibrate each group apart (Mondrian), so that each is covered at the level: the name of an input
            whose values are the groups, or a function from ``x [n, d]`` to labels ``[n]``.
        folds: of ``"cv+"``.
        share: of the rows held back by ``"split"``; more where the level needs more.
        seed: of every random choice.

    Raises:
        InputError: an unknown method or score, a level or share outside (0, 1); on fitting, too few rows for the
            level, with the number needed.

    Source: R. F. Barber, E. Candes, A. Ramdas and R. Tibshirani, Predictive inference with the jackknife+ (2021);
    V. Vovk, Conditional validity of inductive conformal predictors (2012), for groups.
    """

    surrogate: Surrogate
    method: str = "cv+"
    score: str = "normalised"
    level: float = 0.9
    groups: Groups = None
    folds: int = 5
    share: float = 0.3
    seed: int = 0
    fitted: Calibration | None = None
    certificate: Certificate | None = None

    def __post_init__(self) -> None:
        for what, word, valid in (("method", self.method, METHODS), ("score", self.score, tuple(FRAMES))):
            if word not in valid:
                raise InputError(f"A conformal surrogate has no {what} '{word}'{did_you_mean(word, valid)}")
        check_level(self.level)
        if not 0 < self.share < 1 or self.folds < 2:
            raise InputError(
                f"A conformal surrogate got a share of {self.share:g} and {self.folds} folds; "
                "give a share between 0 and 1 and at least two folds."
            )
        names = self.surrogate.inputs.component_names
        if isinstance(self.groups, str) and self.groups not in names:
            raise InputError(f"There is no input '{self.groups}' to group by{did_you_mean(self.groups, names)}")

    @property
    def name(self) -> str:
        """Name of the surrogate inside, with what was done to it."""
        return f"conformal_{self.surrogate.name}"

    @property
    def model(self) -> Surrogate:
        """The fitted surrogate whose mean is given."""
        return self._known.model

    @property
    def runs(self) -> Data:
        """All runs it was given, calibration rows too."""
        return self._known.data

    def identity(self) -> Mapping[str, str]:
        """Method, options, what is inside, and a digest of the calibration."""
        inside = {
            f"inside_{k}": v for k, v in (self.fitted.model if self.fitted else self.surrogate).identity().items()
        }
        return {"name": self.name, "version": self.version, "settings": self._settings, **inside} | (
            {"calibration": self.certificate.digest} if self.certificate else {}
        )

    def fit(
        self,
        x: Floats,
        y: Floats,
        noise_std: Floats | None = None,
        jacobian: Floats | None = None,
        *,
        specimens: ArrayLike | None = None,
    ) -> Self:
        """Return this surrogate fitted and calibrated on ``x [b, d]``, ``y [b, m]``.

        Args:
            x, y, noise_std, jacobian: the runs; intervals are for values as they were measured, noise included.
            specimens: ``[b]`` labels; rows of one specimen are never on both sides, and each specimen counts as much
                as any other. By default every row stands alone, and equal rows count once.

        Raises:
            InputError: runs that cannot be learned from, or too few for the level.
        """
        data = checked(self.title, self.inputs, self.outputs, x, y, noise_std, jacobian)
        units = _units(data, specimens)
        labels = self._labels(data.x)
        rows, part = self._dealt(len(data), units, labels)

        held = [np.isin(np.arange(len(data)), rows[part == k]) for k in range(part.max() + 1)]
        parts = tuple(fit_on(self.surrogate, data, ~out) for out in held)
        model = parts[0] if self.method == "split" else fit_on(self.surrogate, data, slice(None))
        spreads = np.stack([spread_or_one(data.y[~out]) for out in held])
        scores = scored(parts, spreads, part, rows, data, self.score, self.level)
        size = np.sqrt(np.mean(scores.std**2, axis=0))
        known = Calibration(
            data, model, parts, spreads, rows, part, self.score, self.level, scores.scores, size, size,
            _at(units, rows), _at(labels, rows),
        )  # fmt: skip
        return self._calibrated(known, scores)

    def posterior(self, x: Floats) -> ConformalPosterior:
        """Calibrated posterior at ``x [n, d]``."""
        x = self.inputs.check(x, self.title)
        limits = (self.outputs.lower, self.outputs.upper)
        return ConformalPosterior(self.model.posterior(x), self._known, x, self._labels(x), limits)

    @property
    def _known(self) -> Calibration:
        if self.fitted is None:
            raise InputError(f"{self.title} is not fitted; call fit(x, y) and use what it returns.")
        return self.fitted

    @property
    def _settings(self) -> str:
        by = self.groups if isinstance(self.groups, str) else getattr(self.groups, "__qualname__", "")
        return f"{self.method} {self.score} {self.level} {by} {self.folds} {self.share} {self.seed}"

    def _labels(self, x: Floats) -> NDArray[Any] | None:
        if self.groups is None:
            return None
        if isinstance(self.groups, str):
            return x[:, self.inputs.component_names.index(self.groups)]
        labels = np.asarray(self.groups(x))
        if labels.shape != (len(x),):
            raise InputError(
                f"The groups of '{self.name}' have the shape {labels.shape} for {len(x)} rows; "
                "give a function from x [n, d] to one label per row."
            )
        return labels

    def _dealt(
        self, n: int, units: NDArray[Any] | None, labels: NDArray[Any] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows that are scored, and by which part."""
        index, order = shuffled(n, seed=self.seed, groups=units, strata=labels)
        what = "rows" if units is None else "distinct specimens"
        if self.method != "split":
            ranks.check_rows(len(order), self.level, self.title, what)
            folds = len(order) if self.method == "jackknife+" else min(self.folds, len(order))
            return np.arange(n), deal(n, max(folds, 2), seed=self.seed, groups=units, strata=labels)
        strata = 1 if labels is None else len(np.unique(labels))
        least = ranks.rows_needed(self.level) * strata + (strata - 1)
        if least + LEARN_FROM > len(order):
            raise InputError(
                f"{self.title} got {len(order)} {what}, but an interval of {100 * self.level:g} % holds back {least} "
                f"of them and learns from the rest; give at least {least + LEARN_FROM}, better {3 * least}."
            )
        share = max(round(self.share * len(order)), least) / len(order)
        # Evenly along an order that runs through one stratum after the other.
        steps = np.floor(share * np.arange(len(order) + 1) + ranks.ROUNDING)
        rows = np.flatnonzero(np.isin(index, order[np.diff(steps) > 0]))
        return rows, np.zeros(len(rows), dtype=np.int64)

    def _calibrated(self, known: Calibration, found: Scored) -> Self:
        for label in [None] if known.groups is None else np.unique(known.groups):
            chosen = slice(None) if label is None else np.flatnonzero(known.groups == label)
            owner = "The calibration" if label is None else f"The group '{label}'"
            known.check_rows(np.arange(len(known.rows))[chosen], self.level, owner)
        weights = None if known.specimens is None else ranks.specimen_weights(known.specimens)
        width = np.maximum(ranks.upper_quantile(found.scores, self.level, weights) * found.unit + found.half, 0.0)
        z = NormalDist().inv_cdf(0.5 * (1 + self.level))
        size = known.typical
        most = np.where(size > 0, np.sqrt(np.mean(width**2, axis=0)) / np.where(size > 0, size, 1.0) / z, 0.0)
        return replace(self, fitted=replace(known, most=most), certificate=self._certified(known, width, found))

    def _certified(self, known: Calibration, half: Floats, found: Scored) -> Certificate:
        covered = left_out(known.scores, self.level, known.specimens, known.groups)
        x, y = known.data.x[known.rows], known.data.y[known.rows]
        worst, where = worst_third(covered, x, self.inputs)
        spread = spread_or_one(known.data.y)
        return Certificate(
            method=self.method,
            score=self.score,
            level=self.level,
            guarantee=self.level if self.method == "split" else max(0.0, round(2 * self.level - 1, 12)),
            rows=len(known.rows),
            specimens=len(known.rows) if known.specimens is None else len(np.unique(known.specimens)),
            groups=_counts(known.groups),
            coverage=float(covered.mean()),
            coverage_before=float(np.mean((y >= found.lower) & (y <= found.upper))),
            width=float(np.mean(2 * half / spread)),
            width_before=float(np.mean((found.upper - found.lower) / spread)),
            worst=worst,
            where=where,
            digest=digest_of(self._settings, known.scores, known.rows),
        )


def _units(data: Data, specimens: ArrayLike | None) -> NDArray[Any] | None:
    """What counts as one draw: the specimens; equal rows, where there are any; else nothing but the rows."""
    if specimens is not None:
        labels = np.asarray(specimens)
        if labels.shape != (len(data),):
            raise InputError(f"Specimens have the shape {labels.shape} for {len(data)} rows; give one label per row.")
        return labels
    same = duplicate_of(np.concatenate([data.x, data.y], axis=1))
    return same if len(np.unique(same)) < len(same) else None


def _counts(groups: NDArray[Any] | None) -> dict[str, int]:
    if groups is None:
        return {}
    names, counts = np.unique(groups, return_counts=True)
    return {str(name): int(count) for name, count in zip(names, counts, strict=True)}


def _at(labels: NDArray[Any] | None, rows: NDArray[np.int64]) -> NDArray[Any] | None:
    return None if labels is None else labels[rows]
