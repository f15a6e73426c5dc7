"""What is asked of a fit and given to it, checked: levels, probabilities, numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError
from scalebridge.quantities import Floats


def central(level: float) -> list[float]:
    """Probabilities of the two ends of a central interval.

    Raises:
        InputError: a level that is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise InputError(f"The level of an interval is {level}; give a number between 0 and 1, as in 0.95.")
    return [0.5 - level / 2, 0.5 + level / 2]


def probability(p: float) -> float:
    """The probability of a quantile.

    Raises:
        InputError: none between 0 and 1, where alone a quantile is finite.
    """
    if not 0 < p < 1:
        raise InputError(f"A quantile was asked for at the probability {p}; give a number between 0 and 1, as in 0.1.")
    return p


def numbers(values: ArrayLike, what: str) -> Floats:
    """An array of floats.

    Raises:
        InputError: text that is no number, rows of different lengths.
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"The {what} hold something that is no number ({error}); give numbers only.") from error
