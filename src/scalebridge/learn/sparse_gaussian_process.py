"""A Gaussian process for many runs, through inducing points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from scalebridge.learn.evidence import exact_search, few_rows, whole
from scalebridge.learn.gaussian_posterior import GaussianPosterior
from scalebridge.learn.independent import Independent, Process
from scalebridge.learn.inducing import Rows, greedy_rows, informed, negative_bound, optimised
from scalebridge.learn.learner import Data, Learner, one_of
from scalebridge.learn.radial import PROFILES
from scalebridge.learn.scaling import Scaling
from scalebridge.quantities import Floats

# Rows of the searches before the last, at most.
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

    For 1e3 to 1e5 runs: time O(b u^2), memory O(b + u^2), u inducing points for each output. They begin as rows,
    chosen greedily by the variance that is left, and move with the lengths (one per input), deviation and noise by
    L-BFGS on the collapsed bound, on some of the rows and at last on all. The bound never exceeds the evidence of
    the exact process and reaches it when every row is an inducing point. The learned noise is part of the posterior,
    independent at every point; a declared ``noise_std`` is not.

    Args:
        inputs, outputs, margin: as in `Learner`.
        inducing: u, at most.
        profile: ``"matern72"`` or ``"squared_exponential"``.
        iterations: of L-BFGS, at most, on 5000 rows; where there are more, a quarter of it follows on all.
        seed: of the rows drawn for the first search.

    Source: M. K. Titsias, Variational learning of inducing variables in sparse Gaussian processes, AISTATS 2009.
    """

    inducing: int = 200
    profile: str = "matern72"
    iterations: int = 60
    seed: int = 0

    name = "sparse_gaussian_process"

    def _check_options(self) -> None:
        whole(self.title, "inducing", self.inducing, 1)
        whole(self.title, "iterations", self.iterations, 1)
        one_of(self.title, "profile", self.profile, tuple(PROFILES))

    def _learn(self, data: Data) -> Sparse:
        x, y = Scaling.of(data.x), Scaling.of(data.y)
        at, value, noise = (torch.from_numpy(a) for a in (x(data.x), y(data.y), (data.noise_std / y.width) ** 2))
        found = [self._output(Rows(at, value[:, a].clone(), noise[:, a].clone())) for a in range(value.shape[1])]
        few = few_rows(data.x)
        return Sparse(
            x,
            y,
            Independent(tuple(process.widened(few) for process, _, _ in found)),
            np.array([few * noise for _, noise, _ in found]),
            np.array([bound for _, _, bound in found]),
        )

    def _output(self, rows: Rows) -> tuple[Process, float, float]:
        profile, some = self.profile, rows.drawn(SEARCHED, self.seed)
        values = exact_search(rows.x, rows.value, rows.noise, profile, self.seed)
        values, _ = optimised(values, self._chosen(values, rows), some, profile, self.iterations // 2 + 1, False)
        points = self._chosen(values, rows)
        # Where every row is one of them, nothing is gained by moving them.
        moving = len(points) < len(rows.x)
        values, points = optimised(values, points, some, profile, self.iterations, moving)
        if len(some.x) < len(rows.x):
            values, points = optimised(values, points, rows, profile, self.iterations // 4 + 1, moving)
        process = informed(values, rows, points, profile)
        return process, float(np.exp(values[-1])), -negative_bound(values, points, rows, profile)[0]

    def _chosen(self, values: Floats, rows: Rows) -> Tensor:
        log_lengths = torch.from_numpy(values[:-2])
        return rows.x[greedy_rows(rows.x, log_lengths, self.profile, self.inducing, self.seed)].clone()

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
