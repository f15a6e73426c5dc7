"""Outputs of a skew law brought to an even scale, by a power that the runs choose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.learn.learner import Data
from scalebridge.learn.scaling import Scaling
from scalebridge.learn.transforms.curved import Curved, curved
from scalebridge.learn.transforms.transform import Transform, columns_of, names_given
from scalebridge.learn.transforms.warps import Power, Same, Warp, YeoJohnson
from scalebridge.quantities import Floats, Space

POWERS = (1.0, 0.75, 0.5, 1 / 3, 0.25, 0.1, 0.0)
SIGNED = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
LENGTHS, NUGGETS = (0.5, 1.0, 2.0, 4.0), (1e-4, 1e-2)
# Fewer runs tell nothing of a power; of more, so many choose it.
FEWEST, MOST = 10, 300
# By how much the log likelihood must grow before an output is curved at all.
WORTH = 2.0


@dataclass(frozen=True)
class Warped(Transform):
    """Learn a power of each output: Box and Cox's where all runs are positive, Yeo and Johnson's elsewhere.

    Args:
        outputs: names; by default all.
        by: ``"auto"``: the power under which a process of fixed form predicts each run best from all others; or the
            power itself, 0 (the logarithm) to 1 (nothing), or to 2 where large values are many.

    Raises:
        InputError: a power out of its range; on fitting, an output that is not known.

    Source: E. Snelson, C. E. Rasmussen and Z. Ghahramani, Warped Gaussian processes (2003), for the likelihood of a
    warped output; S. Sundararajan and S. S. Keerthi, Predictive approaches for choosing hyperparameters in Gaussian
    processes, Neural Computation 13 (2001) 1103-1118, for leaving one out.
    """

    outputs: tuple[str, ...] | None = None
    by: str | float = "auto"

    def __post_init__(self) -> None:
        if self.outputs is not None:
            object.__setattr__(self, "outputs", names_given(self.outputs, "Warped"))
        number = isinstance(self.by, int | float) and not isinstance(self.by, bool)
        if self.by != "auto" and not (number and 0 <= float(self.by) <= 2):
            raise InputError(f'Warped got by = {self.by!r}; give "auto" or a power from 0 to 2.')

    def fit(self, data: Data, inputs: Space, outputs: Space) -> Curved:
        """Choose a power for each output."""
        names = outputs.names if self.outputs is None else self.outputs
        chosen = {a for name in names for a in columns_of(outputs, name, "Warped")}
        judge = _Judge.of(data.x) if self.by == "auto" and len(data) >= FEWEST else None
        warps = tuple(self._warp(y, judge) if a in chosen else Same() for a, y in enumerate(data.y.T))
        words = tuple(
            f"{name} to the power {w.power:g}"
            for name, w in zip(outputs.component_names, warps, strict=True)
            if isinstance(w, Power | YeoJohnson)
        )
        return curved(data, inputs, outputs, warps, words)

    def _warp(self, y: Floats, judge: _Judge | None) -> Warp:
        if self.by != "auto":
            return _with_power(y, float(self.by))
        if judge is None or np.ptp(y) <= 1e-12 * np.abs(y).max():
            return Same()
        candidates = [_with_power(y, p) for p in (POWERS if y.min() > 0 else SIGNED)]
        scores = [judge(w, y) for w in candidates]
        best = int(np.argmax(scores))
        plain = judge(Same(), y)
        return candidates[best] if scores[best] > plain + WORTH else Same()


def _with_power(y: Floats, power: float) -> Warp:
    if power == 1:
        return Same()
    if y.min() > 0 and power < 1:
        # A power of two: other units of the output change no bit of what is learned, as far as they are such.
        unit = float(2.0 ** np.round(np.log2(y).mean()))
        return Power(power, unit, 1e-3 * float(y.min()) / unit, 20 * float(y.max()) / unit)
    centre, unit = float(np.median(y)), float(y.std()) or float(np.abs(y).max()) or 1.0
    return YeoJohnson(power, centre, unit, 20 * (1 + float(np.abs(y - centre).max()) / unit))


@dataclass(frozen=True)
class _Judge:
    """Predicts each run from all others by processes of fixed form, whatever the power of the outputs."""

    rows: NDArray[np.int64]
    inverses: tuple[Floats, ...]

    @staticmethod
    def of(x: Floats) -> _Judge:
        rows = np.unique(np.linspace(0, len(x) - 1, min(len(x), MOST)).astype(np.int64))
        at = Scaling.of(x[rows])(x[rows])
        distance = np.sqrt(((at[:, None] - at[None]) ** 2).sum(axis=2) / at.shape[1])
        inverses = []
        for length in LENGTHS:
            r = np.sqrt(5.0) * distance / length
            kernel = (1 + r + r**2 / 3) * np.exp(-r) + 100.0
            inverses += [np.linalg.inv(kernel + nugget * np.eye(len(rows))) for nugget in NUGGETS]
        return _Judge(rows, tuple(inverses))

    def __call__(self, warp: Warp, y: Floats) -> float:
        """Log likelihood of each run given all others, in the output's own units."""
        z, slope = warp.back(y[self.rows])
        z = (z - z.mean()) / (z.std() or 1.0)
        jacobian = float(np.log(slope / (warp.back(y[self.rows])[0].std() or 1.0)).sum())
        return jacobian + max(_left_out(inverse, z) for inverse in self.inverses)


def _left_out(inverse: Floats, z: Floats) -> float:
    precision = np.diag(inverse)
    error = (inverse @ z) / precision
    variance = float(np.mean(error**2 * precision))
    return float(0.5 * np.log(precision).sum() - 0.5 * len(z) * np.log(max(variance, 1e-300)))
