"""Query by committee: run where several surrogates of the same runs disagree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scalebridge.errors import InputError
from scalebridge.learn.acquisition.outlook import Outlook
from scalebridge.learn.low_rank import LowRankPosterior
from scalebridge.models import Posterior, Surrogate
from scalebridge.quantities import Floats

FOLDS = 8


@dataclass(frozen=True)
class QueryByCommittee:
    """Deviation of the members' means, outputs in units of their spread.

    The members' deviations are the factor of a covariance, by which a decided run takes away the disagreement that it
    will settle: a batch spreads out.

    Args:
        members: surrogates of the same spaces, of other kinds or options, fitted anew on the runs; by default the
            surrogate itself eight times, each time without an eighth of the runs.

    Raises:
        InputError: a single member, or members of other spaces, once it is asked to look.

    Source: H. S. Seung, M. Opper, H. Sompolinsky, COLT (1992) 287; A. Krogh, J. Vedelsby, NIPS 7 (1995) 231.
    """

    members: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", tuple(self.members))
        if len(self.members) == 1:
            raise InputError("A committee was given one member, which agrees with itself; give two or more, or none.")

    def score(self, outlook: Outlook) -> Floats:
        """Disagreement ``[c]``."""
        score: Floats = ((outlook.std / outlook.units) ** 2).sum(axis=1) ** 0.5
        return score

    def look(self, surrogate: Surrogate, x: Floats) -> Posterior:
        """The members' mean and what they disagree on, at ``x [n, d]``."""
        means = np.stack([member.predict(x)[0] for member in self._fitted(surrogate)])
        centre = means.mean(axis=0)
        factor = np.moveaxis(means - centre, 0, 2) / np.sqrt(len(means) - 1)
        # A trace of independent variance: where all agree there is nothing to divide by.
        trace = np.full_like(centre, 1e-12 * float(np.mean(factor**2)) + 1e-300)
        return LowRankPosterior(centre, factor, trace)

    def _fitted(self, surrogate: Surrogate) -> list[Surrogate]:
        x, y, noise = surrogate.data
        for member in self.members:
            if (member.inputs.size, member.outputs.size) != (surrogate.inputs.size, surrogate.outputs.size):
                raise InputError(
                    f"The member '{member.name}' of a committee has {member.inputs.size} inputs and "
                    f"{member.outputs.size} outputs beside {surrogate.inputs.size} and {surrogate.outputs.size}; "
                    "build all members from the same spaces."
                )
        if self.members:
            return [member.fit(x, y, noise) for member in self.members]
        folds = min(FOLDS, len(x))
        if folds < 2:
            raise InputError(f"A committee needs at least two runs to differ; there is {len(x)}.")
        rows = np.arange(len(x))
        kept = [rows[rows % folds != k] for k in range(folds)]
        return [surrogate.fit(x[k], y[k], noise[k]) for k in kept]
