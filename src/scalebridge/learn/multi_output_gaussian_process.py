"""A Gaussian process over outputs that have something in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from scalebridge.learn.coregionalised import Coregionalised, Layout, informed, search
from scalebridge.learn.evidence import few_rows, whole
from scalebridge.learn.gaussian_posterior import GaussianPosterior
from scalebridge.learn.learner import Data, Learner, one_of
from scalebridge.learn.radial import PROFILES
from scalebridge.learn.scaling import Scaling
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class MultiOutput:
    """What fitting finds.

    Args:
        x, y: scaling of the inputs and outputs.
        conditioned: the processes of all outputs.
        noise: ``[m]``, learned deviation of the scaled outputs' noise.
    """

    x: Scaling
    y: Scaling
    conditioned: Coregionalised
    noise: Floats


@dataclass(frozen=True)
class MultiOutputGaussianProcess(Learner[MultiOutput]):
    """Gaussian process by the linear model of coregionalisation; see `scalebridge.models.Surrogate`.

    Each output is a sum of processes common to all, with a loading of its own on each, of one process that it has
    alone, and of its own noise: ``B = A A' + diag``, every process with its own lengths. So outputs that are
    not related cost each other nothing, and where they are, sums and differences of them are as certain as they are.
    The learned noise is part of the posterior, independent at every point and output; a declared ``noise_std`` is
    not. Time is cubic in runs times outputs: up to about 1500.

    Args:
        inputs, outputs, margin: as in `Learner`.
        rank: number of common processes; more than outputs are not used.
        profile: ``"matern72"`` or ``"squared_exponential"``.
        iterations: of L-BFGS, at most.
        seed: of the rows drawn for the first search.

    Source: M. A. Alvarez, L. Rosasco, N. D. Lawrence, Kernels for vector-valued functions: a review, Found. Trends
    Mach. Learn. 4 (2012) 195-266, sections 4.2 and 4.3; P. Goovaerts, Geostatistics for natural resources evaluation
    (1997).
    """

    rank: int = 2
    profile: str = "matern72"
    iterations: int = 60
    seed: int = 0

    name = "multi_output_gaussian_process"

    def _check_options(self) -> None:
        whole(self.title, "rank", self.rank, 1)
        whole(self.title, "iterations", self.iterations, 1)
        one_of(self.title, "profile", self.profile, tuple(PROFILES))

    def _learn(self, data: Data) -> MultiOutput:
        x, y = Scaling.of(data.x), Scaling.of(data.y)
        at, value, noise = (torch.from_numpy(a) for a in (x(data.x), y(data.y), (data.noise_std / y.width) ** 2))
        layout = Layout(at.shape[1], value.shape[1], min(self.rank, value.shape[1]))
        values = search(layout, at, value, noise, self.profile, self.iterations, self.seed)
        few = few_rows(data.x)
        conditioned = informed(layout, values, at, value, noise, self.profile, few)
        return MultiOutput(x, y, conditioned, few * np.exp(layout.own(torch.from_numpy(values))[:, -1].numpy()))

    def correlation(self) -> Floats:
        """Correlation ``[m, m]`` between the outputs before any run, at one point and without noise."""
        total = self.state.conditioned.mixing.sum(0).numpy()
        size = np.sqrt(np.diag(total))
        told: Floats = total / size / size[:, None]
        return told

    def _mean(self, x: Floats) -> tuple[Floats, Floats]:
        s = self.state
        value, slope = s.conditioned.mean(torch.from_numpy(s.x(x)))
        return s.y.back(value.numpy()), slope.numpy() * s.y.width[:, None] / s.x.width

    def posterior(self, x: Floats) -> GaussianPosterior:
        """Joint posterior at ``x [n, d]``."""
        s = self.state
        x = self.inputs.check(x, self.title)
        bounds = (self.outputs.lower, self.outputs.upper)
        residual = np.broadcast_to((s.noise * s.y.width) ** 2, (len(x), len(s.noise)))
        at = torch.from_numpy(s.x(x))
        return GaussianPosterior(self.predict(x)[0], at, s.conditioned, s.y.width, bounds, residual)
