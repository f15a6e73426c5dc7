"""Quantities of interest: what a macro model can be asked for, declared by boundary, direction or region.

Each is a frozen description; ``on(discrete)`` makes the linear functional of a discrete problem from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Protocol

import numpy as np

from scalebridge.errors import InputError, did_you_mean
from scalebridge.macro.discrete import Discrete, Functional
from scalebridge.quantities import Floats
from scalebridge.quantities.units import magnitude

Length = float | str
AXES = ("x", "y", "z")
MANDEL = {"xx": (0, 1.0), "yy": (1, 1.0), "xy": (2, float(np.sqrt(0.5)))}


class QuantityOfInterest(Protocol):
    """A description that becomes a linear functional of a discrete problem."""

    unit: ClassVar[str]

    def on(self, discrete: Discrete) -> Functional:
        """Return the functional; raise `InputError` where the problem has no such boundary, point or component."""


@dataclass(frozen=True)
class Region:
    """A part of the body, independent of the mesh.

    Args:
        box: ``((x0, x1), (y0, y1), ...)``; quadrature points inside count fully. Let its edges be mesh lines.
        near: a point, with ``radius``: the weight ``(1 - (r/radius)²)²`` falls smoothly to zero at the radius.
        radius: of the neighbourhood.
    """

    box: Sequence[tuple[Length, Length]] | None = None
    near: Sequence[Length] | None = None
    radius: Length | None = None

    def weights(self, points: Floats) -> Floats:
        """Return the weight at points ``[..., dim]``."""
        weight = np.ones(points.shape[:-1])
        dim = points.shape[-1]
        if self.box is not None:
            if len(self.box) != dim:
                raise InputError(f"The region's box has {len(self.box)} sides in a body of {dim} dimensions.")
            for axis, (low, high) in enumerate(self.box):
                low, high = (magnitude(v, "m", "The region's box") for v in (low, high))
                weight = weight * ((points[..., axis] >= low) & (points[..., axis] <= high))
        if self.near is not None:
            radius = magnitude(0.0 if self.radius is None else self.radius, "m", "The region's radius")
            if len(self.near) != dim or radius <= 0:
                raise InputError(
                    f"The region near {tuple(self.near)} has the radius {self.radius}; "
                    f"give a point of {dim} coordinates and a positive radius such as '2 mm'."
                )
            centre = np.array([magnitude(v, "m", "The region's point") for v in self.near])
            square = ((points - centre) ** 2).sum(-1) / radius**2
            weight = weight * np.clip(1 - square, 0.0, None) ** 2
        return weight


WHOLE = Region()


@dataclass(frozen=True)
class ReactionForce:
    """Force that the support or grip on a boundary exerts on the body in a direction (N)."""

    unit: ClassVar[str] = "N"
    boundary: str
    direction: str = "x"

    def on(self, discrete: Discrete) -> Functional:
        """Return the functional."""
        axis = _axis(self.direction, discrete, "The reaction force")
        return _reaction(
            discrete, self.boundary, axis, f"The reaction force on '{self.boundary}' along {self.direction}"
        )


@dataclass(frozen=True)
class HeatFlow:
    """Heat that enters the body through a boundary of prescribed temperature (W)."""

    unit: ClassVar[str] = "W"
    boundary: str

    def on(self, discrete: Discrete) -> Functional:
        """Return the functional."""
        return _reaction(discrete, self.boundary, 0, f"The flow through '{self.boundary}'")


@dataclass(frozen=True)
class MeanDisplacement:
    """Mean displacement of a boundary in a direction (m)."""

    unit: ClassVar[str] = "m"
    boundary: str
    direction: str = "x"

    def on(self, discrete: Discrete) -> Functional:
        """Return the functional."""
        return _boundary_mean(discrete, self.boundary, _axis(self.direction, discrete, "The mean displacement"))


@dataclass(frozen=True)
class MeanTemperature:
    """Mean temperature of a boundary, or of a region where no boundary is given (K)."""

    unit: ClassVar[str] = "K"
    boundary: str | None = None
    region: Region = WHOLE

    def on(self, discrete: Discrete) -> Functional:
        """Return the functional."""
        if self.boundary is not None:
            return _boundary_mean(discrete, self.boundary, 0)
        cells = discrete.space.cells
        weights = _normalised(self.region, discrete)
        return Functional(dofs=discrete.scatter((weights[..., None] * cells.values).sum(1)))


@dataclass(frozen=True)
class TemperatureAt:
    """Temperature at a point (K)."""

    unit: ClassVar[str] = "K"
    point: Sequence[Length]

    def on(self, discrete: Discrete) -> Functional:
        """Return the functional."""
        point = np.array([magnitude(v, "m", "The point of a temperature") for v in self.point])
        if len(point) != discrete.space.dim:
            raise InputError(f"The point {tuple(self.point)} needs {discrete.space.dim} coordinates.")
        at, values = discrete.space.evaluation(point)
        dofs = np.zeros(discrete.size)
        np.add.at(dofs, at, values)
        return Functional(dofs=dofs)


@dataclass(frozen=True)
class MeanStress:
    """Mean of a stress component, "xx", "yy" or "xy", over a region (Pa); the whole body where none is given."""

    unit: ClassVar[str] = "Pa"
    component: str = "xx"
    region: Region = WHOLE

    def on(self, discrete: Discrete) -> Functional:
        """Return the functional."""
        index, factor = _mandel(self.component)
        return Functional(values=_at_component(_normalised(self.region, discrete), index, factor, 3))


@dataclass(frozen=True)
class MeanStrain:
    """Mean of a strain component, "xx", "yy" or "xy" (half the shear angle), over a region."""

    unit: ClassVar[str] = "1"
    component: str = "xx"
    region: Region = WHOLE

    def on(self, discrete: Discrete) -> Functional:
        """Return the functional."""
        index, factor = _mandel(self.component)
        weights = factor * _normalised(self.region, discrete)
        return Functional(dofs=discrete.scatter((weights[..., None] * discrete.gradients[:, :, index]).sum(1)))


@dataclass(frozen=True)
class MeanFlux:
    """Mean of a component of the heat flux down the gradient, over a region (W/m²); for ``law="flux"``."""

    unit: ClassVar[str] = "W/m^2"
    direction: str = "x"
    region: Region = WHOLE

    def on(self, discrete: Discrete) -> Functional:
        """Return the functional."""
        if discrete.scaled:
            raise InputError('A mean flux needs Heat(law="flux"); with law="conductivity" ask for HeatFlow(boundary).')
        index = _space_axis(self.direction, discrete.space.dim, "The mean flux")
        return Functional(values=_at_component(_normalised(self.region, discrete), index, 1.0, discrete.space.dim))


@dataclass(frozen=True)
class MeanGradient:
    """Mean of a component of the temperature gradient over a region (K/m)."""

    unit: ClassVar[str] = "K/m"
    direction: str = "x"
    region: Region = WHOLE

    def on(self, discrete: Discrete) -> Functional:
        """Return the functional."""
        index = _space_axis(self.direction, discrete.space.dim, "The mean gradient")
        weights = _normalised(self.region, discrete)
        return Functional(dofs=discrete.scatter((weights[..., None] * discrete.gradients[:, :, index]).sum(1)))


KINDS: dict[str, type] = {
    "reaction_force": ReactionForce,
    "mean_displacement": MeanDisplacement,
    "mean_stress": MeanStress,
    "mean_strain": MeanStrain,
    "heat_flow": HeatFlow,
    "mean_temperature": MeanTemperature,
    "temperature_at": TemperatureAt,
    "mean_flux": MeanFlux,
    "mean_gradient": MeanGradient,
}


def described(name: str, entry: Any) -> QuantityOfInterest:
    """Return a description from itself or from a mapping such as ``{"kind": "reaction_force", "boundary": "right"}``.

    Raises:
        InputError: an unknown kind or option.
    """
    if not isinstance(entry, Mapping):
        if not hasattr(entry, "on"):
            raise InputError(
                f"The quantity of interest '{name}' was given as {entry!r}; "
                "give one of scalebridge.macro such as ReactionForce('right', 'x')."
            )
        described_already: QuantityOfInterest = entry
        return described_already
    options = dict(entry)
    kind = str(options.pop("kind", ""))
    if kind not in KINDS:
        raise InputError(f"The quantity of interest '{name}' has the kind '{kind}'{did_you_mean(kind, KINDS)}")
    known = [f.name for f in fields(KINDS[kind])]
    for key in options:
        if key not in known:
            raise InputError(f"The quantity of interest '{name}' has no option '{key}'{did_you_mean(key, known)}")
    if isinstance(options.get("region"), Mapping):
        try:
            options["region"] = Region(**options["region"])
        except TypeError as error:
            raise InputError(
                f"The region of '{name}' has the options {', '.join(options['region'])}; valid: box, near, radius."
            ) from error
    try:
        quantity: QuantityOfInterest = KINDS[kind](**options)
    except TypeError as error:
        raise InputError(f"The quantity of interest '{name}' needs the options {', '.join(known)}.") from error
    return quantity


def known_quantity(quantities: Mapping[str, QuantityOfInterest], name: str) -> QuantityOfInterest:
    """Return the description of that name; raise `InputError` where there is none."""
    if name not in quantities:
        raise InputError(f"The macro model has no quantity of interest '{name}'{did_you_mean(name, quantities)}")
    return quantities[name]


def _reaction(discrete: Discrete, boundary: str, component: int, owner: str) -> Functional:
    """Sum of the residual over a boundary; elsewhere it is what the load is, and at corners part of a neighbour's."""
    held = discrete.components * discrete.space.on(boundary) + component
    if not np.isin(held, discrete.fixed).all():
        raise InputError(
            f"{owner} was asked for, but nothing is prescribed there that it would answer to: it is given by the load, "
            "or zero; ask for it on a boundary whose value is prescribed."
        )
    residual = np.zeros(discrete.size)
    residual[held] = 1.0
    return Functional(residual=residual)


def _axis(direction: str, discrete: Discrete, owner: str) -> int:
    return _space_axis(direction, discrete.components, owner)


def _space_axis(direction: str, dim: int, owner: str) -> int:
    if direction not in AXES[:dim]:
        raise InputError(f"{owner} has the direction '{direction}'{did_you_mean(str(direction), AXES[:dim])}")
    return AXES.index(direction)


def _mandel(component: str) -> tuple[int, float]:
    if component not in MANDEL:
        raise InputError(f"A mean stress or strain has the component '{component}'{did_you_mean(component, MANDEL)}")
    return MANDEL[component]


def _normalised(region: Region, discrete: Discrete) -> Floats:
    """Return weights ``[e, q]`` of a mean over a region; the nearest cell where no quadrature point lies in it."""
    cells = discrete.space.cells
    weights = region.weights(cells.points) * discrete.weights
    if weights.sum() <= 0:
        if region.near is None:
            raise InputError(f"The region {region} holds no point of the body; give one that lies inside it.")
        point = np.array([magnitude(v, "m", "The region's point") for v in region.near])
        weights = np.zeros_like(weights)
        cell = discrete.space.nearest(point)
        weights[cell] = discrete.weights[cell]
    return np.asarray(weights / weights.sum())


def _at_component(weights: Floats, index: int, factor: float, size: int) -> Floats:
    values = np.zeros((*weights.shape, size))
    values[..., index] = factor * weights
    return values


def _boundary_mean(discrete: Discrete, boundary: str, component: int) -> Functional:
    facets = discrete.space.facets(boundary)
    local = (facets.weights[..., None] * facets.values).sum(1) / facets.weights.sum()
    dofs = np.zeros(discrete.size)
    np.add.at(dofs, discrete.components * facets.dofs + component, local)
    return Functional(dofs=dofs)
