"""Expected improvement: run where the best value so far is most likely to be beaten, and by most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scalebridge.learn.acquisition.goal import Goal
from scalebridge.learn.acquisition.outlook import Outlook
from scalebridge.quantities import Floats, Space


@dataclass(frozen=True)
class ExpectedImprovement:
    """``E max(g - g*, 0)`` in closed form, g the normal value at the candidate and g* the best so far.

    Runs that are decided and not told count as what the mean says of them (kriging believer). Of noisy runs the best
    value is a lucky one; use `NoisyExpectedImprovement`.

    Args:
        output: which output, by name or number.
        way: ``"minimise"`` or ``"maximise"``.

    Raises:
        InputError: another way.

    Source: J. Močkus (1975); D. R. Jones, M. Schonlau, W. J. Welch, J. Global Optim. 13 (1998) 455;
    D. Ginsbourger, R. Le Riche, L. Carraro (2010) for the believer.
    """

    output: str | int = 0
    way: str = "minimise"

    def __post_init__(self) -> None:
        Goal(self.output, self.way)

    def score(self, outlook: Outlook) -> Floats:
        """Expected improvement ``[c]``, in the output's unit."""
        goal = Goal(self.output, self.way)
        known = np.concatenate([outlook.values, outlook.believed])
        mean = goal.gain(outlook.mean, outlook.outputs)
        std = outlook.std[:, goal.component(outlook.outputs)]
        return improvement(mean - float(goal.gain(known, outlook.outputs).max()), std)

    def best(self, values: Floats, outputs: Space) -> int:
        """Row of the best of ``values [b, m]``."""
        return Goal(self.output, self.way).best(values, outputs)


def improvement(lead: Floats, std: Floats) -> Floats:
    """``E max(lead + std z, 0)`` with z standard normal."""
    from scipy.special import ndtr

    # Beyond 38 deviations the density is zero in floating point.
    z = np.clip(lead / np.maximum(std, 1e-300), -38.0, 38.0)
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    expected: Floats = np.maximum(lead * ndtr(z) + std * density, 0.0)
    return expected
