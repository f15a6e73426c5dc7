"""Numbers of vectors and tensors that do not depend on the axes.

A symmetric tensor is a matrix ``(3, 3)``, or its components ``(6,)`` in the order xx, yy, zz, xy, yz, zx (of VTK and
CalculiX), each once; ``(4,)`` are xx, yy, zz, xy of plane strain and of a body of revolution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scalebridge.errors import InputError
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scalebridge.data.fields.field import Field

# Where component i of six stands in the matrix.
_PLACES = ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (2, 0))


def matrices(field: Field) -> Floats:
    """Symmetric tensors as matrices ``[..., 3, 3]``.

    Raises:
        InputError: values of another shape.
    """
    values, shape = field.values, field.shape
    if shape == (3, 3):
        return 0.5 * (values + np.swapaxes(values, -1, -2))
    if shape not in ((6,), (4,)):
        raise InputError(
            f"The field '{field.name}' has values of the shape {shape}, which are no symmetric tensors; they have the "
            "shape (3, 3), (6,) in the order xx, yy, zz, xy, yz, zx, or (4,) without yz and zx."
        )
    found = np.zeros((*values.shape[:-1], 3, 3))
    for k in range(shape[0]):
        i, j = _PLACES[k]
        found[..., i, j] = found[..., j, i] = values[..., k]
    return found


def norm(field: Field) -> Field:
    """Length of vectors, Frobenius' norm of tensors, size of numbers: see `Field.norm`."""
    name, values = f"{field.name}_norm", field.values
    if field.shape == ():
        return field.with_values(np.abs(values), name=name)
    if field.shape in ((6,), (4,)):
        values = matrices(field)
    places = len(field.values.shape) - len(field.shape)
    flat = values.reshape(*field.values.shape[:places], -1)
    return field.with_values(np.sqrt(np.square(flat).sum(axis=-1)), name=name)


def von_mises(field: Field) -> Field:
    """Von Mises' equivalent stress: see `Field.von_mises`."""
    full = matrices(field)
    deviator = full - np.trace(full, axis1=-2, axis2=-1)[..., None, None] / 3 * np.eye(3)
    values = np.sqrt(1.5 * np.square(deviator).sum(axis=(-2, -1)))
    return field.with_values(values, name=f"{field.name}_von_mises", description="von Mises equivalent")


def principal(field: Field) -> Field:
    """Principal values, the largest first: see `Field.principal`."""
    full = matrices(field)
    known = ~np.isnan(full).any(axis=(-2, -1))
    values = np.full(full.shape[:-1], np.nan)
    values[known] = np.linalg.eigvalsh(full[known])[..., ::-1]
    return field.with_values(values, name=f"{field.name}_principal", description="principal values, largest first")
