"""Polynomial chaos as a graph."""

from __future__ import annotations

import math

import numpy as np

from scalebridge.learn.onnx.graph import Answer, Graph
from scalebridge.learn.onnx.predictors import unscaled
from scalebridge.learn.polynomial_chaos import Expanded
from scalebridge.learn.polynomials import Basis, Powers


def polynomial_chaos(g: Graph, known: Expanded, x: str) -> Answer:
    """Mean and deviation of the expansions, one per output."""
    degree = max(int(e.powers.max(initial=0)) for e in known.expansions)
    univariate = _univariate(g, known.basis, x, degree)
    means, stds = [], []
    for e, width in zip(known.expansions, known.y.width, strict=True):
        terms = _products(g, univariate, e.powers, x)
        means.append(g.dot(terms, e.coefficients[:, None]))
        inner = g.squares(g.multiply(g.dot(terms, e.root), np.float64(width)), 1)
        stds.append(g.root(g.add(inner, np.square(e.rest * width))))
    return Answer(unscaled(g, known.y, g.joined(means, 1)), g.stacked(stds, 1))


def _univariate(g: Graph, basis: Basis, x: str, degree: int) -> str:
    """Values ``[n, d, degree + 1]`` of the orthonormal polynomials of each input, by their recursions."""
    t = g.divide(g.subtract(x, basis.centre), basis.width)
    values = [g.rows(np.ones(len(basis.centre)), x)]
    for k in range(degree):
        rise = np.where(basis.uniform, (2 * k + 1) / (k + 1), 1.0)
        following = g.multiply(g.multiply(t, rise), values[-1])
        if k:
            following = g.subtract(following, g.multiply(values[-2], np.where(basis.uniform, k / (k + 1), float(k))))
        values.append(following)
    order = np.arange(degree + 1)
    hermite = np.array([1 / math.sqrt(math.factorial(k)) for k in order])
    return g.multiply(g.stacked(values, 2), np.where(basis.uniform[:, None], np.sqrt(2 * order + 1), hermite))


def _products(g: Graph, univariate: str, powers: Powers, x: str) -> str:
    """The products ``[n, P]`` with the degrees ``powers [P, d]``."""
    product = g.rows(np.ones(len(powers)), x)
    for j in np.flatnonzero(powers.any(axis=0)):
        product = g.multiply(product, g.take(g.take(univariate, j, 1), powers[:, j], 1))
    return product
