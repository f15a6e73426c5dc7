"""Error of a mean from averages over ever longer blocks, with the plateau found by rule.

Source: H. Flyvbjerg, H. G. Petersen, Error estimates on averages of correlated data, J. Chem. Phys. 91 (1989) 461;
plateau: R. M. Lee et al., Phys. Rev. E 83 (2011) 066706: the first block length b with b^3 > 2 n (s_b / s_1)^4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.data.averaging.series import checked_series
from scalebridge.quantities import Floats


@dataclass(frozen=True, eq=False)
class Blocking:
    """Standard error of a mean against the length of the blocks.

    Attributes:
        lengths: of the blocks ``[k]`` in samples: 1, 2, 4, ...
        std_error: of the mean ``[k]``, as if blocks of that length were independent.
        std_error_std: standard deviation of that estimate ``[k]``.
        plateau: index of the length to take, ``None`` where the series is too short to have one.
    """

    lengths: NDArray[np.int64]
    std_error: Floats
    std_error_std: Floats
    plateau: int | None


def blocking(values: ArrayLike) -> Blocking:
    """Halve the series by averaging neighbours, and watch the error of the mean rise to its plateau.

    Args:
        values: ``[n]``, at least 4, equilibrated.
    """
    series = checked_series(values, "The series", 4)
    n = len(series)
    lengths: list[int] = []
    errors: list[float] = []
    stds: list[float] = []
    while len(series) >= 4:
        m = len(series)
        error = float(np.std(series)) / np.sqrt(m - 1)
        lengths.append(n // m if not lengths else 2 * lengths[-1])
        errors.append(error)
        stds.append(error / np.sqrt(2 * (m - 1)))
        series = 0.5 * (series[: m - m % 2 : 2] + series[1::2])
    return Blocking(np.array(lengths), np.array(errors), np.array(stds), _plateau(lengths, errors, n))


def _plateau(lengths: list[int], errors: list[float], n: int) -> int | None:
    if errors[0] == 0:
        return 0
    for k, (length, error) in enumerate(zip(lengths, errors, strict=True)):
        if float(length) ** 3 > 2 * n * (error / errors[0]) ** 4:
            return k
    return None
