"""Lives under cyclic stress: Basquin's line in logarithms, with run-outs, and a fatigue limit where asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.data.cleansing.single import single
from scalebridge.errors import InputError, ShapeError
from scalebridge.learn.life.asked import central, numbers
from scalebridge.learn.life.laws import law_named
from scalebridge.learn.life.prediction import LifePosterior
from scalebridge.learn.life.regression import DRAWS, CensoredFit, CensoredRegression, demand_counted
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset

GRID = 40


@dataclass(frozen=True)
class StressLife:
    """``log10 N = a - k log10(S - L) + covariates c + scale e``: lives N of which some were not waited for.

    Args:
        law: of the life: ``"lognormal"`` or ``"weibull"``.
        scatter: ``"constant"``, or ``"stress"``: its logarithm is linear in that of the stress.
        limit: whether there is a fatigue limit L, one unknown stress between 0 and the lowest at which a specimen
            failed, every one as likely beforehand. Without, L = 0: Basquin's line.
        seed: of the draws from the posterior.

    Raises:
        InputError: a law or scatter that is not known.

    Source: O. H. Basquin, Proc. ASTM 10 (1910) 625-630; F. G. Pascual, W. Q. Meeker, Analysis of fatigue data with
    runouts based on a model with nonconstant standard deviation and a fatigue limit parameter, J. Test. Eval. 25
    (1997) 292-301.
    """

    law: str = "lognormal"
    scatter: str = "constant"
    limit: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        law_named(self.law)
        if self.scatter not in ("constant", "stress"):
            raise InputError(f"The scatter of a life was given as {self.scatter!r}; valid: constant, stress.")

    def fit(
        self,
        stress: ArrayLike,
        cycles: ArrayLike,
        censored: ArrayLike | None = None,
        covariates: ArrayLike | None = None,
    ) -> StressLifeFit:
        """Fit lives ``cycles [n]`` at ``stress [n]``.

        Args:
            stress: amplitude, maximum or range, positive, in any unit.
            cycles: to failure; of a run-out, those it survived.
            censored: ``[n]``: 0 failed, +1 run-out; none by default.
            covariates: ``[n, c]``, such as the stress ratio.

        Raises:
            InputError: stresses or lives that are not positive; data that leave a parameter open.
            ShapeError: arrays that do not pair.
        """
        s, n, extra = _arrays(stress, cycles, covariates)
        codes = np.zeros(len(s)) if censored is None else numbers(censored, "codes of censoring")
        if codes.shape != s.shape:
            raise ShapeError(
                f"The stress-life fit got {len(s)} lives and codes of shape {codes.shape}; give [{len(s)}]."
            )
        limits = self._limits(s, codes)
        centre = float(np.mean(np.log10(s)))
        model = CensoredRegression(
            self.law, scatter=None if self.scatter == "constant" else _stress_scatter, seed=self.seed
        )
        fits = tuple(model.fit(_inputs(s, extra, limit, centre), np.log10(n), codes) for limit in limits)
        return StressLifeFit(self, fits, limits, _weights(fits), centre, extra.shape[1])

    def fit_dataset(self, dataset: Dataset, stress: str, life: str, covariates: tuple[str, ...] = ()) -> StressLifeFit:
        """Fit the columns of a dataset, run-outs from its own censoring of the life.

        Raises:
            InputError: a gap, by its identifier: drop the rows first, or mark them as run-outs at a limit.
        """
        names = (stress, life, *covariates)
        for name in names:
            single(dataset, name)
        missing = np.isnan(dataset.numeric(names))
        bad = np.flatnonzero(missing.any(axis=1))
        if len(bad):
            rows = ", ".join(_called(dataset, int(i)) for i in bad[:5])
            where = " or ".join(n for n, column in zip(names, missing.T, strict=True) if column.any())
            raise InputError(
                f"'{dataset.name}' has a gap in {where} in {len(bad)} rows ({rows}); drop them, or mark "
                "run-outs at the limit of the test with mark_censored."
            )
        extra = dataset.numeric(covariates) if covariates else None
        return self.fit(dataset[stress], dataset[life], dataset.censored.get(life), extra)

    def _limits(self, stress: Floats, codes: Floats) -> Floats:
        if not self.limit:
            return np.zeros(1)
        failed = stress[codes == 0]
        if not len(failed):
            raise InputError("No specimen failed; a stress-life fit needs failures.")
        return np.asarray(failed.min() * (np.arange(GRID) + 0.5) / (GRID + 0.5), dtype=np.float64)


@dataclass(frozen=True)
class StressLifeFit:
    """A fitted `StressLife`.

    Attributes:
        model: what was fitted.
        fits: one per fatigue limit.
        limits: fatigue limits ``[g]`` in the unit of the stress; one zero where none was asked for.
        weights: posterior weight of each ``[g]``.
        centre: mean of log10 of the stress, about which the line is written.
        covariates: how many.
    """

    model: StressLife
    fits: tuple[CensoredFit, ...] = field(repr=False)
    limits: Floats
    weights: Floats
    centre: float
    covariates: int

    @property
    def best(self) -> CensoredFit:
        """The fit at the likeliest fatigue limit."""
        return self.fits[int(np.argmax(self.weights))]

    @property
    def slope(self) -> float:
        """Basquin's exponent k: ten per cent less stress is a life ``(1/.9)^k`` times as long."""
        return -float(self.best.beta[1])

    def slope_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Central interval of the exponent."""
        low, high = np.quantile(-self._draws[0][:, 1], central(level))
        return float(low), float(high)

    @property
    def scatter(self) -> float:
        """Scale of log10 N at the mean stress: the standard deviation of a log-normal life."""
        gamma = self.best.mode[len(self.best.beta) :]
        return float(np.exp(gamma[0]))

    def limit_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Central interval of the fatigue limit; (0, 0) where none was asked for."""
        at = np.quantile(self._draws[1], central(level))
        return float(at[0]), float(at[1])

    @cached_property
    def _draws(self) -> tuple[Floats, Floats]:
        """Draws of the parameters ``[s, k]`` and of the limit ``[s]``."""
        counts = np.floor(self.weights * DRAWS + 0.5).astype(int)
        taken = [(fit, count) for fit, count in zip(self.fits, counts, strict=True) if count]
        demand_counted(sum(fit.counted * count for fit, count in taken) / counts.sum())
        parts = [fit.drawn[0][:count] for fit, count in taken]
        return np.concatenate(parts), np.repeat(self.limits, counts)

    def life(self, stress: ArrayLike, covariates: ArrayLike | None = None) -> LifePosterior:
        """Distribution of log10 N of a further specimen at each ``stress [m]``.

        A stress below a fatigue limit of the posterior lives for ever there, which is said as 10^300 cycles.
        """
        s, _, extra = _arrays(stress, np.ones(np.size(stress)), covariates)
        if extra.shape[1] != self.covariates:
            raise ShapeError(f"The fit has {self.covariates} covariates and got {extra.shape[1]}; give as many.")
        draws, limits = self._draws
        p = 2 + self.covariates
        above = s[None, :] - limits[:, None]
        along = np.log10(np.where(above > 0, above, 1.0)) - self.centre
        location = draws[:, :1] + draws[:, 1:2] * along + draws[:, 2:p] @ extra.T
        log_scale = draws[:, p : p + 1] + draws[:, p + 1 :].sum(axis=1, keepdims=True) * along
        return LifePosterior(np.where(above > 0, location, 300.0), np.exp(log_scale), law_named(self.model.law))


def _stress_scatter(x: Floats) -> Floats:
    return np.column_stack([np.ones(len(x)), x[:, 0]])


def _inputs(stress: Floats, extra: Floats, limit: float, centre: float) -> Floats:
    # A run-out below a limit tried says nothing about the line: a stress as good as none.
    above = np.maximum(stress - limit, 1e-3 * stress)
    return np.column_stack([np.log10(above) - centre, extra])


def _weights(fits: tuple[CensoredFit, ...]) -> Floats:
    """Of each fatigue limit: its likelihood with the other parameters integrated out (Laplace)."""
    logs = np.array([f.log_likelihood + 0.5 * np.linalg.slogdet(f.covariance)[1] for f in fits])
    weight = np.exp(logs - logs.max())
    return np.asarray(weight / weight.sum())


def _arrays(stress: ArrayLike, cycles: ArrayLike, covariates: ArrayLike | None) -> tuple[Floats, Floats, Floats]:
    s, n = np.atleast_1d(numbers(stress, "stresses")), np.atleast_1d(numbers(cycles, "lives"))
    extra = np.zeros((len(s), 0)) if covariates is None else numbers(covariates, "covariates")
    extra = extra[:, None] if extra.ndim == 1 else extra
    if s.ndim != 1 or s.shape != n.shape or len(extra) != len(s):
        raise ShapeError(f"The stress-life fit got stresses {s.shape}, lives {n.shape}, covariates {extra.shape}.")
    for values, what in ((s, "stress"), (n, "life")):
        bad = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
        if len(bad):
            raise InputError(f"The {what} in row {bad[0] + 1} is {values[bad[0]]:g}; it must be positive and finite.")
    return s, n, extra


def _called(dataset: Dataset, row: int) -> str:
    return f"row {row + 1}" if dataset.index is None else str(dataset[dataset.index][row])
