"""What is read from a run of Mechanical APDL that is driven live."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, did_you_mean

STATISTICS: dict[str, Callable[[Any], Any]] = {
    "max": np.max,
    "min": np.min,
    "mean": np.mean,
    "max_abs": lambda values: np.max(np.abs(values)),
}


@dataclass(frozen=True)
class Value:
    """A value as the command ``*GET`` gives it: ``Value("NODE", 5, "U", "X")``.

    Args:
        entity, number, item, item_number, item2, item2_number: as in the command's manual page.
    """

    entity: str
    number: int | str = ""
    item: str = ""
    item_number: int | str = ""
    item2: str = ""
    item2_number: int | str = ""


@dataclass(frozen=True)
class Scalar:
    """A parameter that the script has set.

    Args:
        name: of the parameter.
    """

    name: str


@dataclass(frozen=True)
class Nodal:
    """A result at the selected nodes of the last set, by PyMAPDL's ``post_processing``.

    Args:
        quantity: ``"nodal_displacement"``, ``"nodal_eqv_stress"``, ``"nodal_temperature"``, ...
        component: of it, as ``"X"``; none for numbers.
        statistic: ``"max"``, ``"min"``, ``"mean"``, ``"max_abs"`` of the nodes that have a value (PyMAPDL gives 0 at
            the others, such as mid-side nodes); where left out all nodes must fit the output.
    """

    quantity: str
    component: str | None = None
    statistic: str | None = None

    def __post_init__(self) -> None:
        if not self.quantity.startswith("nodal_") or not self.quantity.isidentifier():
            raise InputError(f"A nodal result is '{self.quantity}'; give one as 'nodal_displacement'.")
        if self.statistic is not None and self.statistic not in STATISTICS:
            raise InputError(
                f"A nodal result has the statistic '{self.statistic}'{did_you_mean(self.statistic, STATISTICS)}"
            )


Reading = Value | Scalar | Nodal


def reduced(values: NDArray[np.float64], statistic: str | None) -> NDArray[np.float64]:
    """The values ``[n]``, or one of them."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    return flat if statistic is None else np.atleast_1d(np.asarray(STATISTICS[statistic](flat), dtype=np.float64))
