"""Many columns or a field as inputs: compressed before they are learned from, with the loss in the posterior."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.learn.calibration.rescaled import Rescaled
from scalebridge.learn.inner import counted, prototype, with_spaces
from scalebridge.learn.learner import Data, Learner, least, one_of
from scalebridge.learn.pod import POD
from scalebridge.learn.reduced_outputs import variable_widths
from scalebridge.learn.scaling import Scaling
from scalebridge.learn.spread import Spread, fit_spread, same_rows, unknown
from scalebridge.models import Functional, Posterior, Surrogate
from scalebridge.quantities import Floats

METHODS = ("pca", "pls")
FOLDS = 5
# Scatter that the directions left out may cause, in deviations of an output; tried while it helps.
LEVELS = (0.0, 0.03, 0.1, 0.3, 0.6)
# Directions of partial least squares that are tried where no number is given.
MOST = 10
# A further one must take this part off the squared error.
GAIN = 0.9


@dataclass(frozen=True)
class Directions:
    """Coordinates ``z = x / width @ rows'`` of inputs; not centred, so that a single run has some as well.

    Args:
        width: ``[d]``.
        rows: ``[k, d]``.
        lossless: whether all inputs of the runs can be had back from z.
    """

    width: Floats
    rows: Floats
    lossless: bool

    def __call__(self, x: Floats) -> Floats:
        """Coordinates ``[n, k]`` of ``x [n, d]``."""
        z: Floats = (x / self.width) @ self.rows.T
        return z


@dataclass(frozen=True)
class CompressedInputs:
    """What fitting finds.

    Args:
        directions: of the inputs.
        model: the fitted surrogate of z.
        spread: what its deviations are worth at rows not seen, in units of the outputs' ``width [m]``.
        width: ``[m]``.
    """

    directions: Directions
    model: Surrogate
    spread: Spread
    width: Floats


@dataclass(frozen=True)
class ScatteredPosterior:
    """A surrogate's posterior, its deviations rescaled, with independent scatter; see `scalebridge.models.Posterior`.

    Args:
        mean: ``[n, m]``.
        joint: the covariance.
        bounds: lower and upper bounds of the outputs, ``[m]`` each.
    """

    mean: Floats
    joint: Rescaled
    bounds: tuple[Floats, Floats]

    @property
    def std(self) -> Floats:
        """Standard deviation ``[n, m]``."""
        return self.joint.std

    @property
    def blocks(self) -> Floats:
        """Covariance between the outputs at each point ``[n, m, m]``."""
        return self.joint.blocks

    def quantile(self, p: float) -> Floats:
        """Quantile ``[n, m]`` of the normal marginals, kept inside the bounds."""
        from scipy.stats import norm

        quantile: Floats = np.clip(self.mean + float(norm.ppf(p)) * self.std, *self.bounds)
        return quantile

    def sample(self, n: int, seed: int = 0) -> Floats:
        """Joint samples ``[n_samples, n, m]``."""
        samples: Floats = np.clip(self.mean + self.joint.deviations(n, seed), *self.bounds)
        return samples

    def functional(self, weights: Floats) -> Functional:
        """Distribution of ``sum(weights * f)``."""
        return self.joint.functional(weights)

    def reduction(
        self,
        weights: Floats,
        candidates: NDArray[np.int64],
        noise_std: Floats | None = None,
        given: NDArray[np.int64] | None = None,
    ) -> Floats:
        """How much a run at each candidate would reduce the variance of ``sum(weights * f)``, ``[c]``."""
        return self.joint.reduction(weights, candidates, noise_std, given)


@dataclass(frozen=True)
class ReducedInputs(Learner[CompressedInputs]):
    """A surrogate of many input columns by a few directions of them; see `scalebridge.models.Surrogate`.

    Where directions are left out, what they do to the outputs is scatter to the surrogate inside: it is told of it as
    noise, of the size with which it foretells rows left out best, and its posterior is brought to its errors there.

    Args:
        inputs, outputs, margin: as in `Learner`.
        learner: of the outputs from the directions: a surrogate, whose options are kept and whose spaces are replaced,
            or a class or function of ``(inputs, outputs)`` that makes one, or the name of one.
        method: ``"pca"``, directions in which the inputs vary most, whether the outputs follow or not; ``"pls"``,
            directions in which inputs and outputs vary together (partial least squares), which sees only what is
            linear in part: of an even function it sees nothing.
        energy: share of the inputs' energy to keep by ``"pca"``, each variable in units of its own deviation.
        components: number of directions instead; by default for ``"pls"`` that of the least cross-validated error.
        seed: of the folds.

    Raises:
        InputError: an unknown method, an option out of its range.

    Source: H. Wold, Soft modelling by latent variables (1975); S. Wold, M. Sjostrom and L. Eriksson, PLS-regression,
    Chemom. Intell. Lab. Syst. 58 (2001) 109-130; as scikit-learn does it.
    """

    learner: Any = "gaussian_process"
    method: str = "pca"
    energy: float = 0.99
    components: int | None = None
    seed: int = 0

    name = "reduced_inputs"

    def _check_options(self) -> None:
        one_of(self.title, "method", self.method, METHODS)
        if self.components is not None:
            least(self.title, "components", self.components, 1)
        if not 0 < self.energy <= 1:
            raise InputError(f"{self.title} got energy = {self.energy!r}; give a share above 0 and at most 1.")
        object.__setattr__(self, "learner", prototype(self.title, self.learner, counted("z", 1), self.outputs))

    @property
    def smooth(self) -> bool:
        """Whether the surrogate inside is."""
        return bool(getattr(self.learner, "smooth", True))

    def _learn(self, data: Data) -> CompressedInputs:
        labels, width = same_rows(data.x), Scaling.of(data.y).width
        few, fold = labels.max() + 1 < FOLDS, _dealt(labels, self.seed)
        count = self.components
        if self.method == "pls" and count is None:
            count = 1 if few else self._count(data, fold)
        directions = self._directions(data.x, data.y, count)
        level, spread = 0.0, Spread(np.ones(len(width)), np.zeros(len(width)))
        if few and not directions.lossless:
            spread = Spread(np.ones(len(width)), np.full(len(width), unknown(labels.max() + 1)))
        elif not directions.lossless:
            level, spread = self._scatter(data, fold, count, width)
        return CompressedInputs(directions, self._fitted(directions, data, level * width), spread, width)

    def _directions(self, x: Floats, y: Floats, count: int | None) -> Directions:
        width = variable_widths(self.inputs, x)
        scaled = x / width
        found = (POD(1.0) if self.method == "pls" else POD(self.energy, count)).fit(scaled)
        # One direction at least, for the surrogate inside to have an input.
        rows = found.modes if len(found.modes) else np.eye(1, x.shape[1])
        lossless = len(found.modes) == len(found.energies)
        value = Scaling.of(y)(y)
        if self.method == "pls" and len(rows) > 1 and value.any():
            k = min(count or 1, len(rows))
            rows, lossless = _least_squares(scaled, value, k).x_rotations_.T, k == len(rows)
        return Directions(width, rows, lossless)

    def _count(self, data: Data, fold: NDArray[np.int64]) -> int:
        """As many as the linear law foretells best with, and more as long as the surrogate inside gains by them."""
        x, y = data.x / variable_widths(self.inputs, data.x), Scaling.of(data.y)(data.y)
        folds = np.unique(fold)
        most = min(MOST, x.shape[1], int(min(np.sum(fold != v) for v in folds)) - 1)
        errors = np.zeros(most)
        for k in range(most):
            for v in folds:
                law = _least_squares(x[fold != v], y[fold != v], k + 1)
                errors[k] += float(np.sum((y[fold == v] - law.predict(x[fold == v]).reshape(-1, y.shape[1])) ** 2))
        best, width = int(np.argmin(errors)) + 1, Scaling.of(data.y).width
        least_error = np.inf
        for k in range(best, most + 1):
            error = float(np.sum((self._left_out(data, fold, k, 0.0 * width)[0] / width) ** 2))
            if error > GAIN * least_error:
                break
            best, least_error = k, error
        return best

    def _left_out(
        self, data: Data, fold: NDArray[np.int64], count: int | None, scatter: Floats
    ) -> tuple[Floats, Floats]:
        """Errors at rows left out and the deviations claimed there, ``[b, m]`` each."""
        error, std = np.empty_like(data.y), np.empty_like(data.y)
        for v in np.unique(fold):
            rows, out = np.flatnonzero(fold != v), fold == v
            directions = self._directions(data.x[rows], data.y[rows], count)
            told = self._fitted(directions, _some(data, rows), scatter).posterior(directions(data.x[out]))
            error[out], std[out] = data.y[out] - told.mean, told.std
        return error, std

    def _scatter(self, data: Data, fold: NDArray[np.int64], count: int | None, width: Floats) -> tuple[float, Spread]:
        """The scatter to tell the surrogate inside of, and what its deviations are then worth."""
        noise, best = data.noise_std / width, np.inf
        chosen = 0.0, Spread(np.ones(len(width)), np.zeros(len(width)))
        for level in LEVELS:
            error, std = (part / width for part in self._left_out(data, fold, count, level * width))
            spread = fit_spread(error, std, noise, np.ones(len(width)))
            variance = spread.std(std) ** 2 + noise**2 + 1e-12
            unlikely = float(np.mean(np.log(variance) + error**2 / variance))
            if unlikely >= best:
                break
            best, chosen = unlikely, (level, spread)
        return chosen

    def _fitted(self, directions: Directions, data: Data, scatter: Floats) -> Surrogate:
        made = with_spaces(self.learner, counted("z", len(directions.rows)), self.outputs)
        noise = np.sqrt(data.noise_std**2 + scatter**2)
        slopes = None
        if data.jacobian is not None:
            slopes = (data.jacobian * directions.width) @ np.linalg.pinv(directions.rows)
        fitted: Surrogate = made.fit(directions(data.x), data.y, noise if noise.any() else None, slopes)
        return fitted

    def _mean(self, x: Floats) -> tuple[Floats, Floats]:
        s = self.state
        mean, slope = s.model.predict(s.directions(x))
        return mean, slope @ (s.directions.rows / s.directions.width)

    def posterior(self, x: Floats) -> Posterior:
        """Joint posterior at ``x [n, d]``."""
        s = self.state
        base = s.model.posterior(s.directions(self.inputs.check(x, self.title)))
        if not s.spread.rest.any() and (s.spread.follows == 1).all():
            return base
        shape, bounds = base.mean.shape, (self.outputs.lower, self.outputs.upper)
        rest = np.broadcast_to((s.spread.rest * s.width) ** 2, shape)
        return ScatteredPosterior(base.mean, Rescaled(base, np.broadcast_to(s.spread.follows, shape), rest), bounds)


def _least_squares(x: Floats, y: Floats, k: int) -> Any:
    from sklearn.cross_decomposition import PLSRegression

    with warnings.catch_warnings():
        # An output that is explained, or that does not vary in a fold, is left out of further directions.
        warnings.simplefilter("ignore")
        return PLSRegression(n_components=k, scale=False).fit(x, y)


def _dealt(labels: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """A fold for each row; rows of one label share it."""
    count = int(labels.max()) + 1
    fold: NDArray[np.int64] = (np.random.default_rng(seed).permutation(count) % FOLDS)[labels]
    return fold


def _some(data: Data, rows: NDArray[np.int64]) -> Data:
    slopes = None if data.jacobian is None else data.jacobian[rows]
    return Data(data.x[rows], data.y[rows], data.noise_std[rows], slopes)
