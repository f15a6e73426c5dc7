"""The step by which columns of inputs are learned as logarithms and outputs through rising maps."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scalebridge.learn.learner import Data
from scalebridge.learn.transforms.positive import SafeLog
from scalebridge.learn.transforms.transform import Inside, Step
from scalebridge.learn.transforms.warped_posterior import WarpedPosterior, mean_and_slopes
from scalebridge.learn.transforms.warps import Same, Warp
from scalebridge.models import Posterior
from scalebridge.quantities import Floats, Space

# Part of the runs' extent by which points are moved to see how the variance changes.
SHORT = 1e-4


@dataclass(frozen=True)
class Curved(Step):
    """Logarithms of inputs, rising maps of outputs.

    The mean of a curved output depends on the deviation inside, whose derivative no surrogate tells: it is taken by
    central differences, all else by the chain rule.

    Args:
        inputs, outputs: of the inside.
        logged: ``[d]``, inputs of which the logarithm is learned.
        logarithm: of these; the other columns of it are not used.
        warps: one per output.
        extent: ``[d]``, of the runs.
        told: in words.
    """

    inputs: Space
    outputs: Space
    logged: NDArray[np.bool_]
    logarithm: SafeLog
    warps: tuple[Warp, ...]
    extent: Floats
    words: tuple[str, ...]

    @property
    def told(self) -> tuple[str, ...]:
        """What was curved, and how."""
        return self.words

    def inward(self, data: Data) -> Data:
        """Logarithms and what the outputs are maps of; noise by the slope of the map."""
        pairs = [warp.back(data.y[:, a]) for a, warp in enumerate(self.warps)]
        y, slope = (np.stack(part, axis=1) for part in zip(*pairs, strict=True))
        return Data(self._points(data.x)[0], y, data.noise_std * slope)

    def predict(self, inside: Inside, x: Floats) -> tuple[Floats, Floats]:
        """Mean and derivative."""
        z, dz = self._points(x)
        mean, slope = inside.predict(z)
        slope = slope * dz[:, None, :]
        curved = [a for a, warp in enumerate(self.warps) if not isinstance(warp, Same)]
        if not curved:
            return mean, slope
        std = inside.posterior(z).std
        d_std = self._std_slope(inside, x, std)
        mean, slope = mean.copy(), slope.copy()
        for a in curved:
            mean[:, a], by_mean, by_std = mean_and_slopes(self.warps[a], mean[:, a], std[:, a])
            slope[:, a] = by_mean[:, None] * slope[:, a] + by_std[:, None] * d_std[:, a]
        return mean, slope

    def posterior(self, inside: Inside, x: Floats) -> Posterior:
        """Posterior of which `predict` gives the mean."""
        base = inside.posterior(self._points(x)[0])
        return base if all(isinstance(w, Same) for w in self.warps) else WarpedPosterior(base, self.warps)

    def contains(self, inside: Inside, x: Floats) -> NDArray[np.bool_]:
        """The domain inside."""
        return inside.contains(self._points(x)[0])

    def _points(self, x: Floats) -> tuple[Floats, Floats]:
        """Inputs inside ``[n, d]`` and their derivatives ``[n, d]``, column by column."""
        logs, slope = self.logarithm(x)
        return np.where(self.logged, logs, x), np.where(self.logged, slope, 1.0)

    def _std_slope(self, inside: Inside, x: Floats, std: Floats) -> Floats:
        """Derivative of the deviation inside ``[n, m, d]``; between the steps of a step function it is zero."""
        slope = np.zeros((*std.shape, x.shape[1]))
        if not inside.smooth:
            return slope
        for j, width in enumerate(self.extent):
            shift = np.zeros(x.shape[1])
            shift[j] = SHORT * width
            ends = [inside.posterior(self._points(x + s * shift)[0]).std ** 2 for s in (1, -1)]
            # The variance is smooth where the deviation has a kink: at a run.
            slope[:, :, j] = (ends[0] - ends[1]) / (2 * shift[j])
        return np.divide(slope, 2 * std[:, :, None], out=np.zeros_like(slope), where=std[:, :, None] > 0)


def curved(
    data: Data,
    inputs: Space,
    outputs: Space,
    warps: tuple[Warp, ...],
    words: tuple[str, ...],
    logged: NDArray[np.bool_] | None = None,
    offset: Floats | None = None,
) -> Curved:
    """The step for data of these spaces; ``logged [d]`` inputs with their ``offset [d]``."""
    d = inputs.size
    logged = np.zeros(d, dtype=bool) if logged is None else logged
    offset = np.zeros(d) if offset is None else np.where(logged, offset, 0.0)
    logarithm = SafeLog.of(np.where(logged, data.x, 1.0), offset)
    size = np.abs(data.x).max(axis=0)
    extent = np.maximum(np.ptp(data.x, axis=0), 1e-6 * np.where(size > 0, size, 1.0))
    starts = np.cumsum([0, *(v.size for v in inputs)])
    whole = [logged[s : s + v.size].any() for v, s in zip(inputs, starts, strict=False)]
    inside = [
        replace(v, unit="1", bounds=None, kind="array", description=f"log {v.name}") if w else v
        for v, w in zip(inputs, whole, strict=True)
    ]
    starts = np.cumsum([0, *(v.size for v in outputs)])
    parts = [warps[s : s + v.size] for v, s in zip(outputs, starts, strict=False)]
    outer = [
        v if all(isinstance(w, Same) for w in part) else replace(v, unit="1", bounds=None, kind="array")
        for v, part in zip(outputs, parts, strict=True)
    ]
    return Curved(Space(inside), Space(outer), logged, logarithm, warps, extent, words)
