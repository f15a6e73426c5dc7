"""A Gaussian process for many runs, through inducing points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from scalebridge.learn.evidence import exact_search, few_rows, minimise, process_prior
from scalebridge.learn.gaussian_posterior import GaussianPosterior
from scalebridge.learn.independent import Independent, Process
from scalebridge.learn.inducing import Rows, greedy_rows, informed, negative_bound
from scalebridge.learn.learner import Data, Learner, least, one_of
from scalebridge.learn.radial import PROFILES
from scalebridge.learn.scaling import Scaling
from scalebridge.quantities import Floats

# Rows of the first of two searches, at most.
SEARCHED = 5000


@dataclass(frozen=True)
class Sparse:
    """What fitting finds.

    Args:
        x, y: scaling of the inputs and outputs.
        independent: one process per output.
        noise: ``[m]``, learned deviation of the scaled outputs' noise.
        bounds: ``[m]``, the collapsed bound of the scaled outputs' log evidence.
    """

    x: Scaling
    y: Scaling
    independent: Independent
    noise: Floats
    bounds: Floats


@dataclass(frozen=True)
class SparseGaussianProcess(Learner[Sparse]):
    """Gaussian process by the variational free energy of inducing points; see `scalebridge.models.Surrogate`.

    For 1e3 to 1e5 runs: time O(b u^2), memory O(b + u^2), u inducing points for each output. They are rows, chosen
    greedily by the variance that is left, then lengths (one per input), deviation and noise by L-BFGS on the
    collapsed bound, twice. The bound never exceeds the evidence of the exact process and reaches it when every row
    is an inducing point. The learned noise is part of the posterior, independent at every point; a declared
    ``noise_std`` is not.

    Args:
        inputs, outputs, margin: as in `Learner`.
        inducing: u, at most.
        profile: ``"matern72"`` or ``"squared_exponential"``.
        iterations: of L-BFGS, at most, on some of the rows; half as many follow on all.
        seed: of the rows drawn for the first search.

    Source: M. K. Titsias, Variational learning of inducing variables in sparse Gaussian processes, AISTATS 2009.
    """

    inducing: int = 200
    profile: str = "matern72"
    iterations: int = 30
    seed: int = 0

    name = "sparse_gaussian_process"

    def _check_options(self) -> None:
        least(self.title, "inducing", self.inducing, 1)
        least(self.title, "iterations", self.iterations, 1)
        one_of(self.title, "profile", self.profile, tuple(PROFILES))

    def _learn(self, data: Data) -> Sparse:
        x, y = Scaling.of(data.x), Scaling.of(data.y)
        at, value, noise = (torch.from_numpy(a) for a in (x(data.x), y(data.y), (data.noise_std / y.width) ** 2))
        found = [self._output(Rows(at, value[:, a].clone(), noise[:, a].clone())) for a in range(value.shape[1])]
        few = few_rows(len(data), at.shape[1])
        return Sparse(
            x,
            y,
            Independent(tuple(process.widened(few) for process, _, _ in found)),
            np.array([few * noise for _, noise, _ in found]),
            np.array([bound for _, _, bound in found]),
        )

    def _output(self, rows: Rows) -> tuple[Process, float, float]:
        values = exact_search(rows.x, rows.value, rows.noise, self.profile, self.seed)
        prior, profile = process_prior(rows.x.shape[1]), self.profile
        points = rows.x[:1]
        for some, iterations in ((rows.drawn(SEARCHED, self.seed), self.iterations), (rows, self.iterations // 2 + 1)):
            chosen = greedy_rows(rows.x, torch.from_numpy(values[:-2]), profile, self.inducing, self.seed)
            points = rows.x[chosen].clone()
            loss = partial(negative_bound, rows=some, points=points, profile=profile)
            values, _ = minimise(loss, values, prior, iterations)
        process = informed(values, rows, points, profile)
        return process, float(np.exp(values[-1])), -negative_bound(values, rows, points, profile)[0]

    def _mean(self, x: Floats) -> tuple[Floats, Floats]:
        s = self.state
        value, slope = s.independent.mean(torch.from_numpy(s.x(x)))
        return s.y.back(value.numpy()), slope.numpy() * s.y.width[:, None] / s.x.width

    def posterior(self, x: Floats) -> GaussianPosterior:
        """Joint posterior at ``x [n, d]``."""
        s = self.state
        x = self.inputs.check(x, self.title)
        bounds = (self.outputs.lower, self.outputs.upper)
        residual = np.broadcast_to((s.noise * s.y.width) ** 2, (len(x), len(s.noise)))
        at = torch.from_numpy(s.x(x))
        return GaussianPosterior(self.predict(x)[0], at, s.independent, s.y.width, bounds, residual)
