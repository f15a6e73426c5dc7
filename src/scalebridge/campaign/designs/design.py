"""A design: where to run a model, and how well that covers its space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError
from scalebridge.quantities import Floats, Space
from scalebridge.quantities.cube import Cube

# Points at which the covering radius is looked for.
PROBES = 4096


@dataclass(frozen=True)
class DesignQuality:
    """How a design fills the unit cube; distances are Euclidean there, whose diagonal is ``sqrt(d)``.

    Args:
        n: number of rows.
        d: number of components.
        discrepancy: centred L2 discrepancy (Hickernell 1998); 0 is perfectly even.
        minimum_distance: smallest distance between two rows; infinite for one row.
        coverage: largest distance from a point of the cube to its nearest row (covering radius), the largest over
            4096 Sobol points; 0 is full coverage.
    """

    n: int
    d: int
    discrepancy: float
    minimum_distance: float
    coverage: float

    def __str__(self) -> str:
        return (
            f"{self.n} rows in {self.d} components: discrepancy {self.discrepancy:.3g}, "
            f"minimum distance {self.minimum_distance:.3g}, coverage {self.coverage:.3g}"
        )


@dataclass(frozen=True)
class Design:
    """Where to run a model.

    Args:
        x: the rows ``[n, d]``, in the units of the space.
        space: the space they lie in; every variable has bounds.
        method: how it was made; ``"given"`` for rows of your own.
        seed: of the random choices.
        log: names of the variables on a logarithmic scale, or True for all.
        options: options of the method, for `extend`.
        given: the first so many rows were there before; they have been run already.

    Raises:
        InputError: bounds are missing, or a row is not finite or lies outside them.
        ShapeError: rows of another width than the space.
    """

    x: Floats
    space: Space
    method: str = "given"
    seed: int = 0
    log: bool | Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    given: int = 0

    def __post_init__(self) -> None:
        cube = Cube(self.space, self.log)
        x = cube.space.check(self.x, "A design").copy()
        if not np.isfinite(x).all() or not cube.space.inside(x).all():
            row = int(np.argmin(np.isfinite(x).all(axis=1) & cube.space.inside(x)))
            raise InputError(
                f"A design has row {row} = {x[row].tolist()} outside the bounds of its space; "
                "leave it out or widen the bounds."
            )
        x.setflags(write=False)
        for name, value in (("x", x), ("space", cube.space), ("log", cube.log)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))

    def __len__(self) -> int:
        return len(self.x)

    @property
    def cube(self) -> Cube:
        """The map between the space and the unit cube."""
        return Cube(self.space, self.log)

    @property
    def unit(self) -> Floats:
        """The rows in the unit cube ``[n, d]``."""
        return np.clip(self.cube.to_unit(self.x), 0.0, 1.0)

    @property
    def new(self) -> Floats:
        """The rows that were not there before ``[n - given, d]``."""
        return self.x[self.given :]

    def describe(self) -> DesignQuality:
        """How evenly the rows fill the space."""
        from scipy.spatial import cKDTree
        from scipy.stats import qmc

        u = self.unit
        n, d = u.shape
        if n == 0:
            return DesignQuality(0, d, float("nan"), float("inf"), float("inf"))
        tree = cKDTree(u)
        probes = qmc.Sobol(d, scramble=False).random(PROBES)
        nearest = float(tree.query(u, k=2)[0][:, 1].min()) if n > 1 else float("inf")
        return DesignQuality(n, d, float(np.sqrt(qmc.discrepancy(u))), nearest, float(tree.query(probes)[0].max()))

    def __repr__(self) -> str:
        already = f", {self.given} of them made before" if self.given else ""
        return f"Design({self.method!r}, {len(self.x)} rows of {', '.join(self.space.names)}{already})"


def from_unit(
    cube: Cube, u: Floats, method: str, seed: int, options: Mapping[str, Any] | None = None, after: Design | None = None
) -> Design:
    """The design of the rows ``u [n, d]`` of the unit cube, behind those of ``after``."""
    x = cube.to_space(u)
    x = x if after is None else np.concatenate([after.x, x])
    return Design(x, cube.space, method, seed, cube.log, options or {}, 0 if after is None else len(after))


def count(n: Any, owner: str, least: int = 1, what: str = "n") -> int:
    """Return ``n`` as a whole number of at least ``least``; raise `InputError` otherwise."""
    if isinstance(n, bool) or not isinstance(n, Integral) or int(n) < least:
        raise InputError(f"{owner} was given {what} = {n!r}; give a whole number of at least {least}.")
    return int(n)


def given(x: ArrayLike, space: Any, log: bool | Sequence[str] = ()) -> Design:
    """The design of rows of your own ``x [n, d]``, in the units of the space; `extend` goes on from there."""
    rows: Any = x
    return Design(rows, Space(space), log=log)
