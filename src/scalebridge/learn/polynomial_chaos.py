"""Sparse polynomial chaos: terms chosen by least angles, the degree by the leave-one-out error."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from scalebridge.learn.learner import Data, Learner, least
from scalebridge.learn.low_rank import LowRankPosterior, grouped
from scalebridge.learn.polynomials import Basis, Powers, hyperbolic
from scalebridge.learn.scaling import Scaling
from scalebridge.learn.spread import nearest, unknown
from scalebridge.quantities import Floats

# Degrees that are tried after the best one so far.
PATIENCE = 2
# Columns that earlier ones explain but for this part of their length are left out.
DEPENDENT = 1e-7


@dataclass(frozen=True)
class Expansion:
    """The terms of one output, scaled to unit deviation.

    Args:
        powers: ``[P, d]``, the first zero.
        coefficients: ``[P]``.
        root: ``[P, P]``, a root of the coefficients' covariance.
        rest: standard deviation of what the terms leave out.
        error: leave-one-out error relative to the output's variance, corrected for the number of terms.
    """

    powers: Powers
    coefficients: Floats
    root: Floats
    rest: float
    error: float


@dataclass(frozen=True)
class Expanded:
    """One expansion per output, in one basis."""

    basis: Basis
    x: Scaling
    y: Scaling
    expansions: tuple[Expansion, ...]


@dataclass(frozen=True)
class PolynomialChaos(Learner[Expanded]):
    """Sparse polynomial chaos expansion; see `scalebridge.models.Surrogate`.

    Legendre polynomials on the declared bounds of the inputs (Hermite on the data's deviation where there are
    none), so that variances are those of independent uniform (normal) inputs. The posterior is that of linear
    regression on the chosen terms; what they leave out is shared by points with the same nearest run.

    Args:
        inputs, outputs, margin: as in `Learner`.
        degree: the highest that is tried.
        norm: of the hyperbolic truncation, in (0, 1]; 1 keeps all terms up to the degree.
        terms: candidates at most; a degree that has more is not tried.

    Source: G. Blatman, B. Sudret, Adaptive sparse polynomial chaos expansion based on least angle regression,
    J. Comput. Phys. 230 (2011) 2345-2367.
    """

    degree: int = 14
    norm: float = 0.75
    terms: int = 3000

    name = "polynomial_chaos"

    def _check_options(self) -> None:
        least(self.title, "degree", self.degree, 1)
        least(self.title, "norm", self.norm, 0.1)
        least(self.title, "terms", self.terms, 2)

    def _learn(self, data: Data) -> Expanded:
        basis, x, y = Basis.of(self.inputs, data.x), Scaling.of(data.x), Scaling.of(data.y)
        noise = data.noise_std / y.width
        columns = zip(y(data.y).T, noise.T, strict=True)
        return Expanded(basis, x, y, tuple(self._expansion(basis, data.x, value, std) for value, std in columns))

    def _expansion(self, basis: Basis, x: Floats, value: Floats, noise: Floats) -> Expansion:
        d = x.shape[1]
        best, waited = _constant(d, value), 0
        for degree in range(1, self.degree + 1):
            powers = hyperbolic(d, degree, self.norm, self.terms)
            if powers is None or waited > PATIENCE or len(x) < 3:
                break
            found = _selected(basis.values(x, powers), powers, value)
            waited = 0 if found.error < best.error else waited + 1
            best = found if found.error < best.error else best
        # Noise explains what is left at most to nine tenths.
        rest = np.sqrt(max(best.rest**2 - float(np.mean(noise**2)), 0.1 * best.rest**2))
        return Expansion(best.powers, best.coefficients, best.root, float(rest), best.error)

    def _mean(self, x: Floats) -> tuple[Floats, Floats]:
        s = self.state
        mean = np.stack([s.basis.values(x, e.powers) @ e.coefficients for e in s.expansions], axis=1)
        slope = np.stack([s.basis.derivative(x, e.powers, e.coefficients) for e in s.expansions], axis=1)
        return s.y.back(mean), slope * s.y.width[:, None]

    def posterior(self, x: Floats) -> LowRankPosterior:
        """Joint posterior at ``x [n, d]``."""
        s, m = self.state, self.outputs.size
        x = self.inputs.check(x, self.title)
        factor = np.zeros((len(x), m, sum(len(e.powers) for e in s.expansions)))
        first = 0
        for k, e in enumerate(s.expansions):
            factor[:, k, first : first + len(e.powers)] = s.basis.values(x, e.powers) @ e.root * s.y.width[k]
            first += len(e.powers)
        rest = np.broadcast_to(np.array([e.rest for e in s.expansions]) * s.y.width, (len(x), m))
        near = np.broadcast_to(nearest(s.x(x), s.x(self.known.x))[:, None, None], (len(x), m, 1))
        shared = grouped(near, rest) if rest.any() else None
        bounds = (self.outputs.lower, self.outputs.upper)
        return LowRankPosterior(self.predict(x)[0], factor, np.zeros((len(x), m)), shared, bounds)

    @property
    def errors(self) -> Floats:
        """Leave-one-out error of each output, relative to its variance ``[m]``."""
        return np.array([e.error for e in self.state.expansions])

    def sobol_indices(self) -> tuple[Floats, Floats]:
        """First-order and total Sobol indices ``[m, d]`` each, of independent inputs as the basis takes them.

        Source: B. Sudret, Global sensitivity analysis using polynomial chaos expansions, Reliab. Eng. Syst. Saf. 93
        (2008) 964-979.
        """
        first, total = np.zeros((2, self.outputs.size, self.inputs.size))
        for k, e in enumerate(self.state.expansions):
            square, active = e.coefficients**2, e.powers > 0
            alone = active.sum(axis=1) == 1
            variance = max(float(square[active.any(axis=1)].sum()), 1e-300)
            first[k] = (square[:, None] * (active & alone[:, None])).sum(axis=0) / variance
            total[k] = (square[:, None] * active).sum(axis=0) / variance
        return first, total


def _constant(d: int, value: Floats) -> Expansion:
    """No term but the mean, as uncertain as a further value of the same law."""
    b, zero = len(value), np.zeros((1, d), dtype=np.int64)
    rest = unknown(b) * (float(value.std()) if b > 2 else 1.0)
    return Expansion(zero, np.array([value.mean()]), np.zeros((1, 1)), rest, 1.0 if rest else 0.0)


def _selected(columns: Floats, powers: Powers, value: Floats) -> Expansion:
    """The number of terms with the least corrected leave-one-out error, along the path of least angles."""
    order = np.array([0, *_entering(columns, value)])
    q, r = np.linalg.qr(columns[:, order])
    length, left = np.linalg.norm(columns[:, order], axis=0), np.abs(np.diag(r))
    dependent = np.flatnonzero(left < DEPENDENT * np.maximum(length, 1e-300))
    count = min(int(dependent[0]) if len(dependent) else len(order), len(value) - 2)
    q, r, order = q[:, :count], r[:count, :count], order[:count]
    b, terms = len(value), np.arange(1, count + 1)
    residual = value[:, None] - np.cumsum(q * (q.T @ value), axis=1)
    free = np.maximum(1 - np.cumsum(q**2, axis=1), 1e-12)
    inverse = np.linalg.inv(r)
    # Chapelle, Vapnik and Bengio's factor for terms that were chosen with the same data.
    factor = b / (b - terms) * (1 + np.cumsum(np.square(inverse).sum(axis=0)))
    error = factor * np.mean((residual / free) ** 2, axis=0)
    k = int(np.argmin(error)) + 1
    variance = float(factor[k - 1] * np.mean(residual[:, k - 1] ** 2 / free[:, k - 1]))
    spread = max(float(np.var(value)), 1e-300)
    part = inverse[:k, :k]
    coefficients = part @ (q[:, :k].T @ value)
    return Expansion(
        powers[order[:k]],
        coefficients,
        part * np.sqrt(variance),
        float(np.sqrt(variance)),
        float(error[k - 1]) / spread,
    )


def _entering(columns: Floats, value: Floats) -> list[int]:
    """The columns in the order in which least angle regression takes them in, the constant left out."""
    from sklearn.linear_model import lars_path

    centred = columns - columns.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    usable = np.flatnonzero(length > 1e-10 * np.sqrt(len(value)))
    target = value - value.mean()
    if not len(usable) or not target.any():
        return []
    with warnings.catch_warnings():
        # A path that ends early where columns depend on each other still names those before.
        warnings.simplefilter("ignore")
        steps = min(len(usable), len(value) - 2)
        _, active, _ = lars_path(centred[:, usable] / length[usable], target, method="lar", max_iter=steps)
    return [int(usable[i]) for i in active]
