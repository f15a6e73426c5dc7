"""Deviations of any surrogate brought to the size of its errors on rows it had not seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, did_you_mean
from scalebridge.learn.calibration.certificate import Certificate, worst_third
from scalebridge.learn.calibration.frames import spread_or_one
from scalebridge.learn.calibration.metrics import check_level, crps_normal
from scalebridge.learn.calibration.rescaled import Rescaled
from scalebridge.learn.calibration.splits import deal, duplicate_of
from scalebridge.learn.calibration.wrapped import Wrapped, digest_of, fit_on
from scalebridge.learn.learner import Data, checked
from scalebridge.models import Functional, Posterior, Surrogate
from scalebridge.quantities import Floats

GRID = (np.arange(400) + 0.5) / 400
FEWEST_FOR_A_CURVE = 20


@dataclass(frozen=True)
class Curve:
    """Which of its own levels the surrogate should have named: ``claimed [q]`` at ``found [q]``, both rising."""

    found: Floats
    claimed: Floats

    def __call__(self, p: float | Floats) -> Floats:
        """The surrogate's level whose quantile holds a share ``p``."""
        claimed: Floats = np.clip(np.interp(p, self.found, self.claimed), 1e-6, 1 - 1e-6)
        return claimed


@dataclass(frozen=True)
class Learned:
    """What fitting finds.

    Args:
        data: the runs.
        model: fitted on all of them.
        stretch: ``[m]``, factor of the distance of quantiles from the mean.
        factor: ``[m]``, factor of the deviations; differs from ``stretch`` where a curve bends the law.
        curves: one per output, or none.
        degrees: of freedom of Student's t, by which quantiles reach further than the normal law's; 0 for none.
    """

    data: Data
    model: Surrogate
    stretch: Floats
    factor: Floats
    curves: tuple[Curve, ...]
    degrees: int = 0


@dataclass(frozen=True)
class Recalibrated(Wrapped):
    """A surrogate with recalibrated deviations; its mean and derivative are those of the surrogate inside.

    The rows are held back fold by fold; the model that is kept learns from all of them. The certificate's coverage is
    found on the same rows that set the factor, and a little too good for that where they are few.

    Args:
        surrogate: any, unfitted.
        by: ``"likelihood"`` or ``"crps"``: one factor per output for all deviations, by the greatest likelihood or the
            smallest CRPS (which a few large errors move less, and which may leave the interval too narrow);
            ``"student"``: that of the likelihood, every specimen counting once, with quantiles further out by Student's
            t, for a factor that few specimens tell; ``"isotonic"``: the whole calibration curve.
        level: of the interval in the certificate.
        folds: parts of the rows.
        seed: of the folds.

    Raises:
        InputError: an unknown way; on fitting, fewer rows than folds, or than twenty for a curve.

    Source: V. Kuleshov, N. Fenner and S. Ermon, Accurate uncertainties for deep learning using calibrated regression
    (2018), for the curve.
    """

    surrogate: Surrogate
    by: str = "likelihood"
    level: float = 0.9
    folds: int = 5
    seed: int = 0
    fitted: Learned | None = None
    certificate: Certificate | None = None

    def __post_init__(self) -> None:
        valid = ("likelihood", "crps", "student", "isotonic")
        if self.by not in valid:
            raise InputError(f"Deviations cannot be recalibrated by '{self.by}'{did_you_mean(self.by, valid)}")
        check_level(self.level)

    @property
    def name(self) -> str:
        """Name of the surrogate inside, with what was done to it."""
        return f"recalibrated_{self.surrogate.name}"

    @property
    def model(self) -> Surrogate:
        """The fitted surrogate whose mean is given."""
        return self._known.model

    @property
    def runs(self) -> Data:
        """All runs it was given."""
        return self._known.data

    def identity(self) -> Mapping[str, str]:
        """Way, options, what is inside, and a digest of the calibration."""
        inside = {
            f"inside_{k}": v for k, v in (self.fitted.model if self.fitted else self.surrogate).identity().items()
        }
        settings = f"{self.by} {self.level} {self.folds} {self.seed}"
        return {"name": self.name, "version": self.version, "settings": settings, **inside} | (
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
        """Return this surrogate fitted and recalibrated; ``specimens [b]`` are labels of rows that stay together."""
        data = checked(self.title, self.inputs, self.outputs, x, y, noise_std, jacobian)
        n = len(data)
        if n < (FEWEST_FOR_A_CURVE if self.by == "isotonic" else self.folds):
            raise InputError(
                f"{self.title} got {n} rows; give at least {self.folds}, one per fold, and at least "
                f'{FEWEST_FOR_A_CURVE} for by="isotonic".'
            )
        same = duplicate_of(np.concatenate([data.x, data.y], axis=1)) if specimens is None else np.asarray(specimens)
        part = deal(n, min(self.folds, len(np.unique(same))), seed=self.seed, groups=same)
        mean, std = np.empty_like(data.y), np.empty_like(data.y)
        for k in range(part.max() + 1):
            posterior = fit_on(self.surrogate, data, part != k).posterior(data.x[part == k])
            mean[part == k], std[part == k] = posterior.mean, posterior.std
        error = np.abs(data.y - mean).max(axis=0)
        if (error[std.max(axis=0) == 0] > 0).any():
            raise InputError(
                f"{self.title} claims no deviation at rows it has not seen, which no factor makes "
                'honest; use Conformal(surrogate, score="absolute").'
            )
        std = np.maximum(std, 1e-6 * std.max(axis=0) + 1e-300)
        stretch, factor, curves = _learn(self.by, data.y, mean, std)
        specimens, degrees = len(np.unique(same)), 0
        if self.by == "student":
            stretch = factor = _by_specimen(data.y, mean, std, same)
            degrees = max(specimens - 1, 1)
        model = fit_on(self.surrogate, data, slice(None))
        reach = stretch * _student(degrees, 0.5 * (1 + self.level))
        ends = _interval(mean, reach * std, curves, self.level)
        known = Learned(data, model, stretch, factor, curves, degrees)
        return replace(self, fitted=known, certificate=self._certified(known, mean, std, ends, specimens))

    def posterior(self, x: Floats) -> RecalibratedPosterior:
        """Recalibrated posterior at ``x [n, d]``."""
        k = self._known
        limits = (self.outputs.lower, self.outputs.upper)
        return RecalibratedPosterior(k.model.posterior(x), k.stretch, k.factor, k.curves, limits, k.degrees)

    @property
    def _known(self) -> Learned:
        if self.fitted is None:
            raise InputError(f"{self.title} is not fitted; call fit(x, y) and use what it returns.")
        return self.fitted

    def _certified(
        self, known: Learned, mean: Floats, std: Floats, ends: tuple[Floats, Floats], specimens: int
    ) -> Certificate:
        x, y = known.data.x, known.data.y
        z = NormalDist().inv_cdf(0.5 * (1 + self.level))
        covered = (y >= ends[0]) & (y <= ends[1])
        worst, where = worst_third(covered, x, self.inputs)
        spread = spread_or_one(y)
        return Certificate(
            method=self.by,
            score="deviation, coverage on the rows that set it",
            level=self.level,
            guarantee=0.0,
            rows=len(x),
            specimens=specimens,
            groups={},
            coverage=float(covered.mean()),
            coverage_before=float(np.mean(np.abs(y - mean) <= z * std)),
            width=float(np.mean((ends[1] - ends[0]) / spread)),
            width_before=float(np.mean(2 * z * std / spread)),
            worst=worst,
            where=where,
            digest=digest_of(self.by, known.factor, *(np.stack([c.found, c.claimed]) for c in known.curves)),
        )


@dataclass(frozen=True)
class RecalibratedPosterior:
    """Posterior at ``n`` points; see `scalebridge.models.Posterior`.

    Args:
        base: posterior of the model inside.
        stretch: ``[m]``, factor of the distance of quantiles from the mean.
        factor: ``[m]``, factor of the deviations: the covariance is scaled by it.
        curves: one per output, or none.
        limits: lower and upper bounds of the outputs, ``[m]`` each.
        degrees: of freedom of Student's t, by which quantiles reach further than the base's; 0 for none.
    """

    base: Posterior
    stretch: Floats
    factor: Floats
    curves: tuple[Curve, ...]
    limits: tuple[Floats, Floats]
    degrees: int = 0

    @property
    def mean(self) -> Floats:
        """Mean ``[n, m]``."""
        return self.base.mean

    @property
    def _joint(self) -> Rescaled:
        shape = self.base.mean.shape
        return Rescaled(self.base, np.broadcast_to(self.factor, shape), np.zeros(shape))

    @property
    def std(self) -> Floats:
        """Standard deviation ``[n, m]``."""
        std: Floats = self.base.std * self.factor
        return std

    @property
    def blocks(self) -> Floats:
        """Covariance between the outputs at each point ``[n, m, m]``."""
        return self._joint.blocks

    def quantile(self, p: float) -> Floats:
        """Quantile ``[n, m]``: that of the base, stretched; with a curve, at the level which the curve names."""
        check_level(p)
        quantile = self.base.quantile(p)
        if self.curves:
            quantile = np.stack([self.base.quantile(float(c(p)))[:, a] for a, c in enumerate(self.curves)], axis=1)
        stretch = self.stretch * _student(self.degrees, p)
        return np.clip(self.mean + stretch * (quantile - self.mean), *self.limits)

    def sample(self, n: int, seed: int = 0) -> Floats:
        """Joint samples ``[n_samples, n, m]``."""
        return np.clip(self.mean + self._joint.deviations(n, seed), *self.limits)

    def functional(self, weights: Floats) -> Functional:
        """Distribution of ``sum(weights * f)``."""
        return self._joint.functional(weights)

    def reduction(
        self,
        weights: Floats,
        candidates: NDArray[np.int64],
        noise_std: Floats | None = None,
        given: NDArray[np.int64] | None = None,
    ) -> Floats:
        """How much a run at each candidate would reduce the variance of ``sum(weights * f)``, ``[c]``."""
        return self._joint.reduction(weights, candidates, noise_std, given)


def likelihood_factor(y: Floats, mean: Floats, std: Floats) -> Floats:
    """The factor ``[m]`` of the deviations with the greatest normal likelihood: the rms of standardised errors."""
    factor: Floats = np.sqrt(np.mean(((y - mean) / std) ** 2, axis=0))
    return factor


def _by_specimen(y: Floats, mean: Floats, std: Floats, labels: NDArray[Any]) -> Floats:
    """The rms of standardised errors ``[m]``, each specimen of ``labels [b]`` counting once."""
    square = ((y - mean) / std) ** 2
    factor: Floats = np.sqrt(np.mean([square[labels == v].mean(axis=0) for v in np.unique(labels)], axis=0))
    return factor


def _student(degrees: int, p: float) -> float:
    """By how much the quantile ``p`` of Student's t lies further out than that of the normal law; 1 of no degrees."""
    if not degrees:
        return 1.0
    from scipy.stats import t

    # Both are zero in the middle, where their ratio has a limit.
    upper = 0.5 + max(abs(p - 0.5), 1e-6)
    return float(t.ppf(upper, degrees) / NormalDist().inv_cdf(upper))


def crps_factor(y: Floats, mean: Floats, std: Floats) -> Floats:
    """The factor ``[m]`` of the deviations with the smallest mean CRPS."""
    from scipy.optimize import minimize_scalar

    centre = np.log(np.maximum(likelihood_factor(y, mean, std), 1e-12))

    def loss(column: int) -> Callable[[float], float]:
        rows = (slice(None), slice(column, column + 1))
        return lambda t: float(crps_normal(y[rows], mean[rows], np.exp(t) * std[rows])[0])

    found = [
        minimize_scalar(loss(a), bounds=(c - 5.0, c + 1.0), method="bounded", options={"xatol": 1e-6}).x
        for a, c in enumerate(centre)
    ]
    factor: Floats = np.exp(np.array(found, dtype=np.float64))
    return factor


def isotonic_curve(claimed: Floats) -> Curve:
    """The calibration curve of levels ``[k]`` at which a surrogate placed what it then saw, by isotonic regression."""
    from sklearn.isotonic import IsotonicRegression

    levels = np.sort(claimed)
    found = (np.arange(len(levels)) + 1) / (len(levels) + 1)
    regression = IsotonicRegression(y_min=0.0, y_max=1.0).fit(found, levels)
    at = np.concatenate([[0.0], found, [1.0]])
    return Curve(at, np.concatenate([[0.0], regression.predict(found), [1.0]]))


def _learn(by: str, y: Floats, mean: Floats, std: Floats) -> tuple[Floats, Floats, tuple[Curve, ...]]:
    """Stretch ``[m]`` of quantiles, factor ``[m]`` of deviations, curves."""
    stretch = (likelihood_factor if by in ("likelihood", "student") else crps_factor)(y, mean, std)
    if by != "isotonic":
        return stretch, stretch, ()
    from scipy.special import ndtr, ndtri

    # A level cannot name what lies six deviations out: the curve bends a law of about the right width.
    curves = tuple(isotonic_curve(column) for column in ndtr((y - mean) / (stretch * std)).T)
    # The root mean square of the recalibrated law about the mean that is given.
    bent = [float(np.sqrt(np.mean(ndtri(curve(GRID)) ** 2))) for curve in curves]
    return stretch, stretch * np.array(bent), curves


def _interval(mean: Floats, std: Floats, curves: tuple[Curve, ...], level: float) -> tuple[Floats, Floats]:
    from scipy.special import ndtri

    low, high = (
        ndtri(np.array([float(curve(p)) for curve in curves]) if curves else p)
        for p in (0.5 * (1 - level), 0.5 * (1 + level))
    )
    return mean + low * std, mean + high * std
