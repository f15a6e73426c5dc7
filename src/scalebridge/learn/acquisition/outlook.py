"""What a surrogate says of candidates, given the runs that are already decided: what acquisitions look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from scalebridge.models import Posterior
from scalebridge.quantities import Floats, Space

# Relative to the variance before any decision: what rounding may leave.
JITTER = 1e-9


@dataclass(frozen=True)
class Outlook:
    """A joint posterior at candidates and reference points, its covariance downdated by decided runs.

    A decided run lowers the variance around it as soon as it is decided, whatever it will return; that is what
    spreads a batch out. The mean waits for the value.

    Args:
        posterior: at the candidates, then the reference points, then those decided before, ``n`` points in all.
        outputs: space of the ``m`` outputs.
        candidates: number ``c`` of candidates.
        weights: of the reference points ``[r]``, adding up to 1.
        units: ``[m]``, deviation of each output over the runs: outputs are added up in these units.
        noise_std: ``[m]`` of a run.
        values: what the runs so far returned ``[b, m]``.
        runs: where they were made ``[b, d]``, each component in units of its extent over the candidates.
        points: all the points ``[n, d]``, in the same units.
        decided: indices of points whose runs are decided.
        white: ``[k, n, m]``, their whitened covariance with every point.
    """

    posterior: Posterior
    outputs: Space
    candidates: int
    weights: Floats
    units: Floats
    noise_std: Floats
    values: Floats
    runs: Floats
    points: Floats
    decided: tuple[int, ...] = ()
    white: Floats = field(default_factory=lambda: np.zeros((0, 1, 1)), repr=False)
    # What does not change with a decision, computed once.
    _kept: dict[str, Any] = field(default_factory=dict, repr=False)

    def given(self, point: int) -> Outlook:
        """The outlook once a run at a point is decided."""
        white = self._white
        columns = covariance(self.posterior, [point])[:, :, 0, :]
        columns = columns - np.einsum("kna,kb->nab", white, white[:, point])
        own = columns[point] + np.diag(self.noise_std**2)
        floor = JITTER * np.diag(self._blocks[point]).max() + 1e-300
        factor = np.linalg.cholesky(0.5 * (own + own.T) + floor * np.eye(len(own)))
        # Solving [m, m] against [m, n m].
        added = np.linalg.solve(factor, np.moveaxis(columns, 2, 0).reshape(len(own), -1))
        rows = added.reshape(len(own), *columns.shape[:2])
        return replace(self, decided=(*self.decided, point), white=np.concatenate([white, rows]))

    @property
    def mean(self) -> Floats:
        """Mean at the candidates ``[c, m]``."""
        return self.posterior.mean[: self.candidates]

    @property
    def blocks(self) -> Floats:
        """Covariance between the outputs at each candidate ``[c, m, m]``."""
        white = self._white[:, : self.candidates]
        blocks: Floats = self._blocks[: self.candidates] - np.einsum("kna,knb->nab", white, white)
        own = np.einsum("naa->na", blocks)
        # A view of the diagonal: rounding may leave a negative variance where a run is decided.
        own[...] = np.maximum(own, JITTER * np.einsum("naa->na", self._blocks[: self.candidates]))
        return blocks

    @property
    def std(self) -> Floats:
        """Standard deviation at the candidates ``[c, m]``."""
        deviation: Floats = np.sqrt(np.einsum("naa->na", self.blocks))
        return deviation

    @property
    def cross(self) -> Floats:
        """Covariance ``[r, m, c, m]`` of the reference points with the candidates."""
        c, r = self.candidates, len(self.weights)
        if "cross" not in self._kept:
            self._kept["cross"] = covariance(self.posterior, range(c, c + r))[:c].transpose(2, 3, 0, 1)
        white = self._white
        downdate = np.tensordot(white[:, c : c + r], white[:, :c], axes=(0, 0))
        cross: Floats = self._kept["cross"] - downdate
        return cross

    @property
    def believed(self) -> Floats:
        """Mean at the points decided ``[k, m]``, the best guess of what they will return."""
        return self.posterior.mean[list(self.decided)]

    def samples(self, n: int) -> Floats:
        """Joint samples ``[n, points, m]`` at all points, the same after every decision."""
        if "samples" not in self._kept:
            self._kept["samples"] = self.posterior.sample(n)
        samples: Floats = self._kept["samples"]
        return samples

    @property
    def _white(self) -> Floats:
        return self.white if len(self.white) else np.zeros((0, *self.posterior.mean.shape))

    @property
    def _blocks(self) -> Floats:
        if "blocks" not in self._kept:
            self._kept["blocks"] = self.posterior.blocks
        blocks: Floats = self._kept["blocks"]
        return blocks


class Acquisition(Protocol):
    """What a run at a candidate is worth. A frozen configuration with one function.

    Optional members, read with ``getattr``: ``reference`` (``"space"`` for points that stand for the space,
    ``"runs"`` for the runs so far; none by default), ``look(surrogate, x) -> Posterior`` (what it looks at, the
    surrogate's posterior by default), ``best(values [b, m], outputs) -> int`` (the run around which candidates
    are also sought).
    """

    def score(self, outlook: Outlook) -> Floats:
        """Worth of each candidate ``[c]``; the largest is run."""


def covariance(posterior: Posterior, points: Any) -> Floats:
    """Covariance ``[n, m, k, m]`` of every point with ``k`` of them, by index.

    A posterior with a member ``covariance(rows, columns) -> [rows m, columns m]`` is asked for it at once; the
    contract alone needs one functional per column.
    """
    n, m = posterior.mean.shape
    index: NDArray[np.int64] = np.asarray(list(points), dtype=np.int64)
    between = getattr(posterior, "covariance", None)
    if between is not None:
        joint: Floats = between(np.arange(n), index).reshape(n, m, len(index), m)
        return joint
    columns = np.empty((n, m, len(index), m))
    for k, point in enumerate(index):
        for a in range(m):
            unit = np.zeros((n, m))
            unit[point, a] = 1.0
            columns[:, :, k, a] = posterior.functional(unit).cov
    return columns


def options_of(acquisition: object) -> Mapping[str, Any]:
    """The optional members of an acquisition, None where it has none."""
    return {name: getattr(acquisition, name, None) for name in ("reference", "look", "best")}
