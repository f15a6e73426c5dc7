"""Which yarn lies above at each crossing of a fabric."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, did_you_mean

# Repeat along both directions, and whether warp j lies above weft i.
_REPEATS = {"plain": 2, "basket": 4, "twill": 4, "satin": 5}


def weave_pattern(pattern: str | ArrayLike) -> NDArray[np.bool_]:
    """Return where warp ``j`` lies above weft ``i``, ``[warps, wefts]``.

    Args:
        pattern: "plain", "basket" (2 x 2), "twill" (2/2), "satin" (five harnesses, step two), or a table of zeros and
            ones ``[warps, wefts]``.

    Raises:
        InputError: an unknown name, or no table of zeros and ones.
    """
    if isinstance(pattern, str):
        if pattern not in _REPEATS:
            raise InputError(f"The weave '{pattern}' is not known{did_you_mean(pattern, _REPEATS)}")
        n = _REPEATS[pattern]
        j, i = np.indices((n, n))
        rules = {"plain": (i + j) % 2 == 0, "basket": (i // 2 + j // 2) % 2 == 0, "twill": (i - j) % 4 < 2}
        return np.asarray(rules.get(pattern, (i - 2 * j) % 5 != 0), dtype=np.bool_)
    table = np.asarray(pattern)
    if table.ndim != 2 or table.size == 0 or not np.isin(table, (0, 1)).all():
        raise InputError(
            f"The weave is a table of the shape {table.shape}; give zeros and ones [warps, wefts], one where the warp "
            "lies above."
        )
    return table.astype(np.bool_)
