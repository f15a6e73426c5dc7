"""A Gaussian process that learns how its noise changes with the inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from scalebridge.learn.evidence import few_rows, whole
from scalebridge.learn.gaussian_posterior import GaussianPosterior
from scalebridge.learn.independent import Independent
from scalebridge.learn.learner import Data, Learner, one_of
from scalebridge.learn.log_noise import LogNoise, Repeats, learn_noise
from scalebridge.learn.radial import PROFILES
from scalebridge.learn.scaling import Scaling
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class Heteroscedastic:
    """What fitting finds.

    Args:
        x, y: scaling of the inputs and outputs.
        independent: one process per output.
        noise: of each output.
        few: factor on the noise's deviation, for few rows.
    """

    x: Scaling
    y: Scaling
    independent: Independent
    noise: tuple[LogNoise, ...]
    few: float


@dataclass(frozen=True)
class HeteroscedasticGaussianProcess(Learner[Heteroscedastic]):
    """Gaussian process with a noise that depends on the inputs; see `scalebridge.models.Surrogate`.

    The logarithm of the noise's variance is a Gaussian process too; both are found together on a variational bound of
    the evidence, which prefers one level of noise where the runs show no other. Repeats of a row are used as
    such. The learned noise is part of the posterior, independent at every point; a declared ``noise_std`` is not,
    and what is learned is the scatter beyond it. Time is cubic in the number of different rows: up to a thousand.

    Args:
        inputs, outputs, margin: as in `Learner`.
        profile: ``"matern72"`` or ``"squared_exponential"``.
        iterations: of L-BFGS, at most.
        seed: of the rows drawn for the first search.

    Source: M. Lazaro-Gredilla, M. K. Titsias, Variational heteroscedastic Gaussian process regression, ICML 2011.
    """

    profile: str = "matern72"
    iterations: int = 100
    seed: int = 0

    name = "heteroscedastic_gaussian_process"

    def _check_options(self) -> None:
        whole(self.title, "iterations", self.iterations, 1)
        one_of(self.title, "profile", self.profile, tuple(PROFILES))

    def _learn(self, data: Data) -> Heteroscedastic:
        x, y = Scaling.of(data.x), Scaling.of(data.y)
        at, value, noise = x(data.x), y(data.y), (data.noise_std / y.width) ** 2
        found = [
            learn_noise(Repeats.of(at, value[:, a], noise[:, a]), self.profile, self.iterations, self.seed)
            for a in range(value.shape[1])
        ]
        few = few_rows(data.x)
        independent = Independent(tuple(process.widened(few) for process, _ in found))
        return Heteroscedastic(x, y, independent, tuple(noise for _, noise in found), few)

    def _mean(self, x: Floats) -> tuple[Floats, Floats]:
        s = self.state
        value, slope = s.independent.mean(torch.from_numpy(s.x(x)))
        return s.y.back(value.numpy()), slope.numpy() * s.y.width[:, None] / s.x.width

    def noise_std(self, x: Floats) -> Floats:
        """Standard deviation ``[n, m]`` of the learned noise at ``x [n, d]``."""
        s = self.state
        at = torch.from_numpy(s.x(self.inputs.check(x, self.title)))
        variance = torch.stack([noise.variance(at) for noise in s.noise], dim=1)
        std: Floats = s.few * s.y.width * np.sqrt(variance.numpy())
        return std

    def posterior(self, x: Floats) -> GaussianPosterior:
        """Joint posterior at ``x [n, d]``."""
        s = self.state
        x = self.inputs.check(x, self.title)
        bounds = (self.outputs.lower, self.outputs.upper)
        at, residual = torch.from_numpy(s.x(x)), self.noise_std(x) ** 2
        return GaussianPosterior(self.predict(x)[0], at, s.independent, s.y.width, bounds, residual)
