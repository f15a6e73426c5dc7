"""Global fit: run where the surrogate is unsure and departs from the nearest run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scalebridge.learn.acquisition.outlook import Outlook
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class GlobalFit:
    """Expected improvement for global fit: ``(mean - value of the nearest run)^2 + variance``.

    Where the response is steep a stationary surrogate is surer than it should be; the departure from the nearest run
    sends runs there. Decided runs count as what the mean says of them. Outputs in units of their spread.

    Source: C. Q. Lam, W. I. Notz, Statistics and Applications 6 (2008) 211 (EIGF).
    """

    def score(self, outlook: Outlook) -> Floats:
        """Expected square of the departure ``[c]``."""
        from scipy.spatial import cKDTree

        known = np.concatenate([outlook.values, outlook.believed])
        places = np.concatenate([outlook.runs, outlook.points[list(outlook.decided)]])
        nearest = np.asarray(cKDTree(places).query(outlook.points[: outlook.candidates])[1])
        square = (outlook.mean - known[nearest]) ** 2 + outlook.std**2
        score: Floats = (square / outlook.units**2).sum(axis=1)
        return score
