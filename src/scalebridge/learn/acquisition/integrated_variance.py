"""Integrated variance: run where the deviation falls most on average over the space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scalebridge.learn.acquisition.outlook import Outlook
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class IntegratedVariance:
    """Reduction of the mean variance over the reference points by a run at each candidate (IMSE, ALC).

    With C_j the covariance of reference point j with the candidate, S that of the candidate with itself and N the
    noise, it is ``sum over j of weight_j trace(C_j (S + N)^-1 C_j')``, outputs in units of their spread: the
    `Posterior.reduction` of each reference point, weighted.

    Args:
        doubt: each run counts as noisy by this fraction of the root mean square deviation over the candidates. Without
            it pairs of runs huddle to read off derivatives, which only a surrogate that is exactly right could use.

    Source: D. A. Cohn, Z. Ghahramani, M. I. Jordan, JAIR 4 (1996) 129; J. Sacks et al., Stat. Sci. 4 (1989) 409.
    """

    doubt: float = 0.1

    reference = "space"

    def score(self, outlook: Outlook) -> Floats:
        """Fall of the mean variance ``[c]``."""
        weights = outlook.weights[:, None] / outlook.units**2
        cross = outlook.cross
        r, m, c, _ = cross.shape
        weighted = (cross * np.sqrt(weights)[:, :, None, None]).transpose(2, 3, 0, 1).reshape(c, m, r * m)
        moments = weighted @ weighted.transpose(0, 2, 1)
        doubt = self.doubt**2 * np.mean(outlook.std**2, axis=0)
        own = outlook.blocks + np.diag(outlook.noise_std**2 + doubt)
        score: Floats = np.trace(np.linalg.solve(own, moments), axis1=1, axis2=2)
        return score
