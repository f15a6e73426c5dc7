"""Effective quantities of an RVE as functions of torch tensors, for a user's own training loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.rve.image import kind_of
from scalebridge.micro.rve.phases.phase import Phase
from scalebridge.micro.rve.phases.rigid import Rigid

if TYPE_CHECKING:
    from torch import Tensor

    from scalebridge.micro.rve.model import RVE


def effective_tensor(
    rve: RVE,
    parameters: Mapping[str, Tensor | float],
    *,
    orientation: Tensor | None = None,
    fraction: Tensor | None = None,
) -> Tensor:
    """Effective stiffness ``[g, g]`` in Pa (Mandel) or conductivity ``[d, d]`` in W/(m K), at rest, with gradients.

    A gradient takes no further solve, only the fields that the value leaves behind; a second derivative is refused.
    Each call starts from the fields of the last one on the same RVE, so a training loop gets cheaper as it settles.

    Args:
        rve: the image, its materials and options; its own constants hold wherever none is given here.
        parameters: ``"LABEL.NAME"`` to a constant, in the unit of the law: ``{"1.E": tensor(70e9)}``.
        orientation: in place of that of the RVE: directions ``[*image, 3]`` of any length, or local axes
            ``[*image, 3, 3]`` as columns.
        fraction: in place of those of the `SubVoxels` of the RVE: share ``[m]`` of the second phase.

    Returns:
        float64 on the device of the RVE.

    Raises:
        InputError: a name that is not known, a value out of its range, no convergence.
        ShapeError: a tensor of another shape.

    Source: the effective tangent is stationary in the fields (self-adjoint); e.g. Sigmund 1994, Int. J. Solids
    Structures 31.
    """
    from scalebridge.micro.rve.implicit import tangent_of

    return tangent_of(rve, _values(rve, parameters, orientation, fraction))


def mean_stress(
    rve: RVE,
    measure: Tensor,
    parameters: Mapping[str, Tensor | float],
    *,
    orientation: Tensor | None = None,
    fraction: Tensor | None = None,
) -> Tensor:
    """Mean stress ``[b, g]`` of laws without memory at ``measure [b, g]``, with gradients by it and by the constants.

    A gradient takes one linear solve per row with the tangent at the solution. The error of the stress and of its
    gradient is that of equilibrium, the tolerance of the RVE. Other arguments as in `effective_tensor`.

    Returns:
        in the dtype and on the device of ``measure``.

    Raises:
        InputError: a law with memory; equilibrium was not found; as `effective_tensor`.
        ShapeError: a tensor of another shape.
    """
    from scalebridge.micro.rve.implicit import stress_of

    for label, law in enumerate(rve.materials):
        if not isinstance(law, Phase | Rigid):
            raise InputError(
                f"The phase {label} of the RVE, '{law.name}', has memory, so the mean stress depends on the path; "
                "mean_stress takes laws without memory."
            )
    g = rve.inputs.size
    if measure.ndim != 2 or measure.shape[1] != g:
        raise ShapeError(f"The mean stress was asked for at a measure {tuple(measure.shape)}; it must be (b, {g}).")
    return stress_of(rve, measure, _values(rve, parameters, orientation, fraction))


def effective_expansion(
    rve: RVE,
    parameters: Mapping[str, Tensor | float],
    *,
    orientation: Tensor | None = None,
    fraction: Tensor | None = None,
) -> Tensor:
    """Effective thermal expansion ``[g]`` in 1/K (Mandel), with gradients; arguments as in `effective_tensor`.

    In plane strain it is the strain in the plane with none normal to it: (1 + nu) alpha of a single isotropic phase.

    Raises:
        InputError: laws that are not linear elastic, or without thermal expansion; as `effective_tensor`.
        ShapeError: a tensor of another shape.

    Source: Levin 1967, Mechanics of Solids 2.
    """
    from scalebridge.micro.rve.implicit import expansion_of

    if kind_of(rve.materials) != "small strain":
        raise InputError(f"The RVE has laws of {kind_of(rve.materials)}; thermal expansion needs laws of small strain.")
    for label, law in enumerate(rve.materials):
        if not isinstance(law, Rigid) and not (isinstance(law, Phase) and law.linear):
            raise InputError(
                f"The phase {label} of the RVE, '{law.name}', is not linear; thermal expansion needs linear elasticity."
            )
    return expansion_of(rve, _values(rve, parameters, orientation, fraction))


def _values(
    rve: RVE, parameters: Mapping[str, Tensor | float], orientation: Tensor | None, fraction: Tensor | None
) -> dict[str, Tensor]:
    """Return checked tensors by name."""
    import torch

    values = {}
    for name, value in parameters.items():
        _check_name(rve, name)
        tensor = torch.as_tensor(value, dtype=None if isinstance(value, torch.Tensor) else torch.float64)
        if tensor.ndim != 0 or not tensor.is_floating_point():
            raise ShapeError(
                f"The constant '{name}' has shape {tuple(tensor.shape)}; it must be one floating-point number."
            )
        values[name] = tensor
    if orientation is not None:
        image = rve.phases.shape
        if tuple(orientation.shape) not in ((*image, 3), (*image, 3, 3)):
            raise ShapeError(
                f"The orientation has shape {tuple(orientation.shape)}; it must be {(*image, 3)}, a direction per "
                f"voxel, or {(*image, 3, 3)}, its axes as columns."
            )
        values["orientation"] = orientation
    if fraction is not None:
        values["fraction"] = _checked_fraction(rve, fraction)
    for name, tensor in values.items():
        if not bool(torch.isfinite(tensor.detach()).all()):
            raise InputError(f"The values of '{name}' must be finite.")
    return values


def _check_name(rve: RVE, name: str) -> None:
    label, dot, constant = name.partition(".")
    if not (dot and constant and label.isdecimal() and int(label) < len(rve.materials)):
        raise InputError(
            f"The constant '{name}' names no phase of the RVE; write 'LABEL.NAME' with a label from 0 to "
            f"{len(rve.materials) - 1}, such as '0.E'."
        )


def _checked_fraction(rve: RVE, fraction: Tensor) -> Tensor:
    if rve.mixed is None:
        raise InputError("The RVE has no mixed voxels, so it takes no fractions; make it from SubVoxels.")
    if tuple(fraction.shape) != (len(rve.mixed.index),):
        raise ShapeError(
            f"The fractions have shape {tuple(fraction.shape)}; there must be one per mixed voxel, "
            f"({len(rve.mixed.index)},)."
        )
    held = fraction.detach()
    if bool((held < 0.0).any()) or bool((held > 1.0).any()):
        raise InputError("A fraction lies outside [0, 1]; keep them inside, for example by a sigmoid.")
    return fraction
