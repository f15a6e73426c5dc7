"""A named, shaped quantity with a unit and bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from numbers import Integral, Real

from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities.units import check_unit

KINDS = ("array", "symmetric", "category", "field")
# Kinds whose samples all have as many components as the declared shape says.
FIXED = ("array", "symmetric")


@dataclass(frozen=True)
class Variable:
    """A named, shaped quantity with unit and bounds: what flows between models.

    Args:
        name: an identifier.
        unit: a pint unit; ``"1"`` for none.
        shape: shape of one sample; ``()`` for a number.
        bounds: ``(lower, upper)`` in ``unit`` for every component; ``None`` on a side for no bound.
        kind: ``"array"``, or ``"symmetric"`` for a symmetric tensor in Mandel components
            (plane strain 3: 11, 22, sqrt2*12; solid 6), so that energies have true gradients;
            ``"category"`` for text (a specimen's identifier, a tree), ``"field"`` for arrays whose shape may differ
            from sample to sample (images). The last two have no fixed size.
        description: one line for people.

    Raises:
        InputError: a name that is no identifier, an unknown kind, bounds that are not ordered.
    """

    name: str
    unit: str = "1"
    shape: tuple[int, ...] = ()
    bounds: tuple[float | None, float | None] | None = None
    kind: str = "array"
    description: str = ""

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and self.name.isidentifier()):
            raise InputError(f"A variable is named '{self.name}', which is no identifier; use letters, digits and '_'.")
        check_unit(self.unit, f"The variable '{self.name}'")
        if self.kind not in KINDS:
            raise InputError(f"The variable '{self.name}' has the kind '{self.kind}'{did_you_mean(self.kind, KINDS)}")
        if not _is_shape(self.shape):
            raise InputError(
                f"The variable '{self.name}' has the shape {self.shape!r}; give a tuple of whole numbers of at least "
                "1, as in (3,), or () for a number."
            )
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))
        if self.bounds is not None and not _is_pair(self.bounds):
            raise InputError(
                f"The variable '{self.name}' has the bounds {self.bounds!r}; give (lower, upper), numbers in "
                f"'{self.unit}' or None for no bound."
            )
        if self.kind == "symmetric" and self.shape not in ((3,), (6,)):
            raise InputError(
                f"The symmetric variable '{self.name}' has the shape {self.shape}; "
                "Mandel components have shape (3,) in plane strain and (6,) in a solid."
            )
        if not self.is_fixed and self.shape:
            raise InputError(
                f"The {self.kind} '{self.name}' has the shape {self.shape}; a {self.kind} is declared with shape ()."
            )
        if self.kind == "category" and (self.unit != "1" or self.bounds is not None):
            raise InputError(f"The category '{self.name}' is text and has neither unit nor bounds; leave them out.")
        if self.bounds is not None:
            object.__setattr__(self, "bounds", tuple(self.bounds))
        lower, upper = self.limits
        if math.isnan(lower) or math.isnan(upper) or lower >= upper:
            raise InputError(
                f"The variable '{self.name}' has the bounds {self.bounds}; the lower must be below the upper."
            )

    @property
    def is_fixed(self) -> bool:
        """Whether every sample has as many components (a category and a field have none to count)."""
        return self.kind in FIXED

    @property
    def size(self) -> int:
        """Number of components.

        Raises:
            InputError: a category or a field, which has no fixed size.
        """
        if not self.is_fixed:
            raise InputError(
                f"The variable '{self.name}' is a {self.kind} and has no fixed size; leave it out with space.numeric "
                "(of a dataset: only(...) with columns of numbers), or turn it into numbers first."
            )
        return math.prod(self.shape)

    @property
    def limits(self) -> tuple[float, float]:
        """Bounds as floats, infinite where there is none."""
        lower, upper = self.bounds or (None, None)
        return (-math.inf if lower is None else float(lower), math.inf if upper is None else float(upper))

    def renamed(self, name: str) -> Variable:
        """Return the same quantity under another name."""
        return replace(self, name=name)


def _is_shape(shape: object) -> bool:
    return isinstance(shape, tuple | list) and all(isinstance(n, Integral) and int(n) >= 1 for n in shape)


def _is_pair(bounds: object) -> bool:
    if not isinstance(bounds, tuple | list) or len(bounds) != 2:
        return False
    return all(b is None or (isinstance(b, Real) and not isinstance(b, bool)) for b in bounds)
