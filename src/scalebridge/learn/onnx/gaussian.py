"""Gaussian processes as graphs: covariances, posterior mean and deviation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from scalebridge.errors import InputError
from scalebridge.learn.around_prior import AroundPrior
from scalebridge.learn.averaged import Member, Output
from scalebridge.learn.covariance import Covariance
from scalebridge.learn.gaussian_posterior import FLOOR, Conditioned
from scalebridge.learn.gaussian_process import Fitted
from scalebridge.learn.heteroscedastic_gaussian_process import Heteroscedastic
from scalebridge.learn.independent import Independent
from scalebridge.learn.kernels import GradientKernel, SeparableKernel
from scalebridge.learn.onnx.graph import Answer, Graph, Value
from scalebridge.learn.onnx.predictors import scaled, unscaled
from scalebridge.learn.priors import LinearPrior, PowerLawPrior, Prior
from scalebridge.learn.sparse_gaussian_process import Sparse
from scalebridge.quantities import Floats

# The most that a learned noise may be of the scaled outputs' variance, as `scalebridge.learn.log_noise` has it.
MOST_NOISE = 4.0


def averaged(g: Graph, known: Fitted, x: str) -> Answer:
    """Mean and deviation of outputs that are averaged over their covariances."""
    if len(known.averaged.bent):
        raise InputError("a Gaussian process that learned from slopes has no graph; fit with gradients='ignore'.")
    at = g.divide(g.subtract(x, known.centre), known.extent)
    points = known.averaged.points.numpy()
    means, own, told = [], [], []
    for output in known.averaged.outputs:
        members = [_member(g, m, at, points) for m in output.members]
        means.append(g.divide(g.total(g.joined(members, 1), 1, keep=True), float(len(members))))
        own.append(g.add(diagonal(g, output.lead, at), _disagreement(g, members, means[-1])))
        told.append(_known(g, output, at, points))
    std = _deviation(g, own, told, np.array([o.noise for o in known.averaged.outputs]))
    mean = g.add(g.multiply(g.joined(means, 1), known.units), known.level)
    return Answer(mean, g.multiply(std, known.units))


def sparse(g: Graph, known: Sparse, x: str) -> Answer:
    """Mean and deviation of processes through inducing points."""
    at = scaled(g, known.x, x)
    mean, own, told = _processes(g, known.independent, at)
    std = _deviation(g, own, told, known.noise**2)
    return Answer(unscaled(g, known.y, mean), g.multiply(std, known.y.width))


def heteroscedastic(g: Graph, known: Heteroscedastic, x: str) -> Answer:
    """Mean and deviation of processes whose noise depends on the inputs."""
    at = scaled(g, known.x, x)
    mean, own, told = _processes(g, known.independent, at)
    levels, noises = np.array([n.level for n in known.noise]), Independent(tuple(n.process for n in known.noise))
    log, free, taken = _processes(g, noises, at)
    spread = g.least(g.subtract(g.joined(free, 1), g.joined(taken, 1)), 0.0)
    log = g.add(g.add(log, levels), g.multiply(spread, 0.5))
    variance = g.node("Exp", g.node("Min", log, float(np.log(MOST_NOISE))))
    std = _deviation(g, own, told, g.multiply(variance, known.few**2))
    return Answer(unscaled(g, known.y, mean), g.multiply(std, known.y.width))


def _processes(g: Graph, independent: Independent, x: str) -> tuple[str, list[str], list[str]]:
    """Mean ``[n, m]`` of independent processes; for each its own variance and what the runs take of it, ``[n, 1]``."""
    means, own, told = [], [], []
    for p in independent.processes:
        inverse = np.exp(-p.log_lengths.numpy())
        h = profile(g, p.profile, _squares(g, x, p.points.numpy(), inverse))[0]
        means.append(g.dot(h, p.variance * _column(p.coefficients)))
        own.append(g.rows(np.array([p.variance]), x))
        told.append(_summed_squares(g, g.dot(h, p.variance * p.root.numpy().T)))
    return g.joined(means, 1), own, told


def potential(g: Graph, known: AroundPrior, x: str) -> Answer:
    """Mean and deviation of a process around a parametric mean: a potential's gradient, or outputs apart.

    Raises:
        InputError: a kernel that has no graph.
    """
    c, at = known.conditioned, g.divide(x, known.extent)
    if isinstance(c.kernel, GradientKernel):
        mean, std = _gradient(g, c, c.kernel, known.coefficients.numpy(), at)
    elif isinstance(c.kernel, SeparableKernel):
        mean, std = _separable(g, c, c.kernel, known.coefficients.numpy(), at)
    else:
        raise InputError(f"a Gaussian process with a {type(c.kernel).__name__} has no graph.")
    return Answer(g.multiply(g.add(prior(g, known.prior, at), mean), known.units), g.multiply(std, known.units))


def prior(g: Graph, law: Prior, x: str) -> str:
    """Prior mean ``[n, m]``.

    Raises:
        InputError: a law that has no graph.
    """
    if isinstance(law, LinearPrior):
        return g.add(g.dot(x, law.slope.T), law.offset)
    if isinstance(law, PowerLawPrior):
        ax = g.dot(x, law.power)
        base = g.add(g.multiply(g.total(g.multiply(x, ax), 1, keep=True), law.t), 1.0)
        return g.add(g.dot(x, law.linear), g.multiply(g.node("Pow", base, law.p - 1), ax))
    raise InputError(f"a prior mean by {type(law).__name__} has no graph.")


def profile(g: Graph, name: str, s: str) -> tuple[str, str, str]:
    """A radial profile and its first two derivatives at squared distances, as `scalebridge.learn.radial` has them.

    Raises:
        InputError: a profile that has no graph.
    """
    if name == "squared_exponential":
        h = g.node("Exp", g.multiply(s, -0.5))
        return h, g.multiply(h, -0.5), g.multiply(h, 0.25)
    if name not in ("matern72", "matern52"):
        raise InputError(f"the profile '{name}' has no graph.")
    t = g.root(g.least(g.multiply(s, 7.0 if name == "matern72" else 5.0), 1e-24))
    decay, square = g.node("Exp", g.node("Neg", t)), g.multiply(t, t)
    three = g.multiply(decay, g.add(t, 1.0))
    five = g.multiply(decay, g.add(g.add(t, 1.0), g.divide(square, 3.0)))
    if name == "matern52":
        return five, g.multiply(three, -5 / 6), g.multiply(decay, 25 / 12)
    seven = g.add(g.add(g.add(t, 1.0), g.multiply(square, 0.4)), g.divide(g.multiply(square, t), 15.0))
    return g.multiply(decay, seven), g.multiply(five, -0.7), g.multiply(three, 0.7 * 7 / 6)


def between(g: Graph, c: Covariance, x: str, points: Floats) -> str:
    """Covariance ``[n, b]`` of ``x [n, d]`` with ``points [b, d]``."""
    trend = g.add(g.dot(x, float(c.slope) * points.T), float(c.level))
    return g.add(trend, curved(g, c, x, points))


def curved(g: Graph, c: Covariance, x: str, points: Floats) -> str:
    """The same without its linear trend and level."""
    total = ""
    for sign, mirrored in ((1.0, points), (-1.0, -points))[: 1 + c.odd]:
        h = profile(g, c.profile, _squares(g, x, mirrored, np.sqrt(c.scale.numpy())))[0]
        part = g.multiply(h, sign * float(c.variance))
        total = g.add(total, part) if total else part
        if c.additive:
            apart = g.subtract(g.widened(x, 1), mirrored)
            alone = profile(g, c.profile, g.multiply(g.multiply(apart, apart), c.alone.numpy()))[0]
            factor = sign * float(c.alone_variance) / len(c.scale)
            total = g.add(total, g.multiply(g.total(alone, 2), factor))
    return total


def diagonal(g: Graph, c: Covariance, x: str) -> str:
    """Variance ``[n, 1]`` at each point."""
    square = g.multiply(x, x)
    trend = g.multiply(g.total(square, 1, keep=True), float(c.slope))
    total = g.add(trend, float(c.level + c.total))
    if c.odd:
        apart = g.multiply(g.total(g.multiply(square, c.scale.numpy()), 1, keep=True), 4.0)
        total = g.subtract(total, g.multiply(profile(g, c.profile, apart)[0], float(c.variance)))
        if c.additive:
            alone = profile(g, c.profile, g.multiply(square, 4.0 * c.alone.numpy()))[0]
            factor = float(c.alone_variance) / len(c.scale)
            total = g.subtract(total, g.multiply(g.total(alone, 1, keep=True), factor))
    return total


def _member(g: Graph, member: Member, x: str, points: Floats) -> str:
    """Mean ``[n, 1]`` of one covariance; trend and level, whose coefficients nearly cancel, are summed beforehand."""
    c, weights = member.covariance, member.coefficients.numpy()
    trend = g.dot(x, float(c.slope) * (weights @ points)[:, None])
    return g.add(g.add(trend, float(c.level) * float(weights.sum())), g.dot(curved(g, c, x, points), weights[:, None]))


def _known(g: Graph, output: Output, x: str, points: Floats) -> str:
    """What the runs take of the variance ``[n, 1]``."""
    white = g.dot(between(g, output.lead, x, points), _inverse(output.factor.numpy()).T)
    return _summed_squares(g, white)


def _disagreement(g: Graph, members: Sequence[str], mean: str) -> str:
    """Variance ``[n, 1]`` of the members' means."""
    apart = g.subtract(g.joined(members, 1), mean)
    return g.divide(_summed_squares(g, apart), float(len(members)))


def _squares(g: Graph, x: str, points: Floats, inverse: Floats) -> str:
    """Squared distances ``[n, b]`` in lengths, whose inverses are given ``[d]``."""
    a, b = g.multiply(x, inverse), points * inverse
    both = g.add(g.total(g.multiply(a, a), 1, keep=True), np.square(b).sum(axis=1))
    return g.least(g.add(both, g.dot(a, -2.0 * b.T)), 0.0)


def _gradient(g: Graph, c: Conditioned, kernel: GradientKernel, coefficients: Floats, x: str) -> tuple[str, str]:
    scale, points, factor = c.scale.numpy(), c.points.numpy(), c.factor.numpy()
    b, d = points.shape
    mean, cross, own = "", "", _hessian(g, kernel.profile, g.multiply(x, 0.0), scale)
    for sign, apart in _differences(g, x, points, kernel.odd):
        u = g.multiply(apart, scale)
        _, h1, h2 = profile(g, kernel.profile, g.total(g.multiply(u, apart), 2))
        along = g.multiply(h2, g.total(g.multiply(u, coefficients), 2))
        bent = g.multiply(g.total(g.multiply(g.widened(along, 2), u), 1), -4.0 * sign)
        part = g.add(bent, g.dot(h1, -2.0 * sign * coefficients * scale))
        mean = g.add(mean, part) if mean else part
        block = g.multiply(_hessian(g, kernel.profile, apart, scale), float(sign))
        cross = g.add(cross, block) if cross else block
    if kernel.odd:
        own = g.subtract(own, _hessian(g, kernel.profile, g.multiply(x, 2.0), scale))
    # [n, b, d of the run, d of the point] to [n d of the point, b d].
    flat = g.node("Reshape", g.node("Transpose", cross, perm=[0, 3, 1, 2]), np.array([-1, b * d]))
    known = g.squares(g.dot(flat, c.variance * _inverse(factor).T), 1)
    white = g.node("Reshape", known, np.array([-1, d]))
    variance = g.multiply(g.total(g.multiply(own, np.eye(d)), 2), c.variance)
    return mean, _deviation(g, [variance], [white], np.zeros(d))


def _separable(g: Graph, c: Conditioned, kernel: SeparableKernel, coefficients: Floats, x: str) -> tuple[str, str]:
    """Outputs apart with one covariance; rows of the factor are run by run, output by output."""
    scale, points, m = c.scale.numpy(), c.points.numpy(), kernel.outputs
    mean = cross = ""
    for sign, apart in _differences(g, x, points, kernel.odd):
        h = profile(g, kernel.profile, g.total(g.multiply(g.multiply(apart, scale), apart), 2))[0]
        part = g.dot(h, sign * coefficients)
        mean = g.add(mean, part) if mean else part
        block = g.multiply(h, float(sign))
        cross = g.add(cross, block) if cross else block
    own = g.rows(np.array([c.variance]), x)
    if kernel.odd:
        mirrored = g.total(g.multiply(g.multiply(x, x), 4.0 * scale), 1, keep=True)
        own = g.subtract(own, g.multiply(profile(g, kernel.profile, mirrored)[0], c.variance))
    # Each output's row of the inverse factor, [b m, b m] as [b m, b] for the runs of that output.
    inverse = c.variance * _inverse(c.factor.numpy()).reshape(-1, len(points), m)
    known = [_summed_squares(g, g.dot(cross, inverse[:, :, k].T)) for k in range(m)]
    return mean, _deviation(g, [own] * m, known, np.zeros(m))


def _hessian(g: Graph, name: str, apart: str, scale: Floats) -> str:
    """``-2 h' L - 4 h'' (L delta)(L delta)'``, ``[..., d, d]``."""
    u = g.multiply(apart, scale)
    _, h1, h2 = profile(g, name, g.total(g.multiply(u, apart), -1))
    outer = g.multiply(g.widened(u, -1), g.widened(u, -2))
    corner = np.array([-1, -2])
    straight = g.multiply(g.node("Unsqueeze", h1, corner), -2.0 * np.diag(scale))
    return g.subtract(straight, g.multiply(g.multiply(g.node("Unsqueeze", h2, corner), 4.0), outer))


def _differences(g: Graph, x: str, points: Floats, odd: bool) -> Iterator[tuple[int, str]]:
    """``x - points`` and, for an odd response, ``x + points`` with the other sign, ``[n, b, d]``."""
    wide = g.widened(x, 1)
    yield 1, g.subtract(wide, points)
    if odd:
        yield -1, g.add(wide, points)


def _inverse(factor: Floats) -> Floats:
    """Inverse of a lower triangular factor."""
    from scipy.linalg import solve_triangular

    inverse: Floats = solve_triangular(factor, np.eye(len(factor)), lower=True)
    return inverse


def _column(values: Any) -> Floats:
    column: Floats = values.numpy()[:, None]
    return column


def _summed_squares(g: Graph, a: str) -> str:
    """Sum of squares ``[n, 1]`` of every row."""
    return g.total(g.multiply(a, a), 1, keep=True)


def _deviation(g: Graph, own: Sequence[str], known: Sequence[str], noise: Value) -> str:
    """The root ``[n, m]`` of what the runs leave of a variance, and of the noise; the floor is the posterior's."""
    variance = g.joined(own, 1)
    floor = g.multiply(g.node("ReduceMean", g.node("Abs", variance), keepdims=0), FLOOR)
    left = g.add(g.least(g.subtract(variance, g.joined(known, 1)), 0.0), floor)
    return g.root(g.add(left, noise))
