"""Effective conductivity of an RVE of phases with k(T), as a model of the temperature."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError, did_you_mean
from scalebridge.micro.rve.identity import material_identity
from scalebridge.micro.rve.model import RVE
from scalebridge.micro.rve.phases.conductor import AnisotropicConductor, Conductor, TemperatureConductor
from scalebridge.micro.rve.phases.void import Void
from scalebridge.models import Adapted, Runs, Scale, Structure
from scalebridge.quantities import Floats, Space, Variable

if TYPE_CHECKING:
    from scalebridge.micro.rve.assembly import Plane
    from scalebridge.microstructure import SubVoxels

# Of the output, by component: those of a tensor along the axes of the image.
AXES = {"11": (0, 0), "22": (1, 1), "33": (2, 2), "23": (1, 2), "13": (0, 2), "12": (0, 1)}


@dataclass(frozen=True, eq=False)
class ConductivityModel:
    """``temperature`` (K) to the effective ``conductivity`` of an image whose phases conduct with k(T).

    To first order in the separation of scales the temperature is uniform in an RVE, so that each row is one linear
    homogenisation at its temperature. The derivative by the temperature needs no further solve: the effective tensor is
    stationary in the fields, dK/dT = sum over phases of <E . E> dk/dT, E the fields of the unit gradients. Goes with
    `scalebridge.macro.Heat` of ``law="conductivity"``.

    Args:
        phases: labels ``[ny, nx]`` or ``[nz, ny, nx]``, or `SubVoxels`; see `RVE`.
        materials: one conductor per label, at least one a `TemperatureConductor`, all in one unit.
        component: ``"mean"``, a third (half, in the plane) of the trace; or ``"11"``, ``"22"``, ``"33"``, ``"23"``,
            ``"13"``, ``"12"``: direction 1 runs along the last axis of the image.
        voxel_size: see `RVE`; so are ``tolerance``, ``homogeneous``, ``discretisation``, ``orientation`` (of
            anisotropic conductors), ``precision`` and ``device``.
        plane: of a two-dimensional image: ``"strain"`` for the conductivity in the plane, ``"generalised"`` for that of
            a prism along direction 3, with all three directions.

    Raises:
        InputError: no phase with k(T), phases in different units or that do not conduct, tables without a common
            temperature, an unknown component; what `RVE` refuses.
    """

    rve: RVE
    materials: tuple[Any, ...]
    component: str

    def __init__(
        self,
        phases: ArrayLike | SubVoxels,
        materials: Sequence[Any],
        *,
        component: str = "mean",
        voxel_size: str | float | Sequence[str | float] | None = None,
        tolerance: float = 1e-6,
        homogeneous: bool = False,
        plane: Plane = "strain",
        discretisation: str = "rotated",
        orientation: ArrayLike | None = None,
        precision: Literal["double", "single"] = "double",
        device: str = "cpu",
    ) -> None:
        laws = _checked(materials)
        # One conductivity in place of each k(T): image, identity and options do not depend on its value.
        held = [Conductor(1.0, law.unit) if isinstance(law, TemperatureConductor) else law for law in laws]
        made = RVE(
            phases,
            held,
            voxel_size=voxel_size,
            tolerance=tolerance,
            homogeneous=homogeneous,
            plane=plane,
            discretisation=discretisation,
            orientation=orientation,
            precision=precision,
            device=device,
        )
        valid = ["mean", *(name for name, (i, j) in AXES.items() if max(i, j) < made.dim)]
        if component not in valid:
            raise InputError(f"The component of the conductivity is '{component}'{did_you_mean(str(component), valid)}")
        self._set(made, laws, component)
        _ = self.inputs

    def _set(self, rve: RVE, materials: tuple[Any, ...], component: str) -> None:
        for name, value in (("rve", rve), ("materials", materials), ("component", component)):
            object.__setattr__(self, name, value)

    @property
    def name(self) -> str:
        """``conductivity``."""
        return "conductivity"

    @property
    def version(self) -> str:
        """Version of the discretisation and of the solver."""
        return self.rve.version

    @functools.cached_property
    def inputs(self) -> Space:
        """The temperature in K, within all tables."""
        ranges = [law.limits for law in self._with_temperature.values() if law.limits is not None]
        if not ranges:
            return Space([Variable("temperature", "K", bounds=(0.0, None))])
        low, high = max(first for first, _ in ranges), min(last for _, last in ranges)
        if not low < high:
            raise InputError(
                f"The tables of k(T) have no range in common: one begins at {low:.6g} K and one ends at {high:.6g} K; "
                "add entries to them."
            )
        return Space([Variable("temperature", "K", bounds=(low, high))])

    @functools.cached_property
    def outputs(self) -> Space:
        """The effective conductivity, in the unit of the phases."""
        off_diagonal = self.component in ("23", "13", "12")
        unit = next(iter(self._with_temperature.values())).unit
        return Space([Variable("conductivity", unit, bounds=None if off_diagonal else (0.0, None))])

    @property
    def scale(self) -> Scale | None:
        """Finest voxel edge and longest edge of the image, where the voxel size is known."""
        return self.rve.scale

    @property
    def structure(self) -> Structure:
        """Nothing: a conductivity by itself derives from no potential."""
        return Structure()

    @functools.cached_property
    def finer(self) -> ConductivityModel:
        """The same model with every voxel split in two along each axis, for the error of its discretisation.

        Raises:
            InputError: composite voxels, which cannot be split.
        """
        made = object.__new__(ConductivityModel)
        made._set(self.rve.finer, self.materials, self.component)
        return made

    @property
    def fractions(self) -> Floats:
        """Volume fraction of each material ``[n_materials]``."""
        return self.rve.fractions

    def identity(self) -> Mapping[str, str]:
        """That of the RVE, with the component and the conductivities as functions of the temperature."""
        laws = {f"material.{k}": material_identity(law) for k, law in enumerate(self.materials)}
        made = {"name": "scalebridge.micro.ConductivityModel", "component": self.component}
        return {**self.rve.identity(), **laws, **made}

    def run(self, x: Floats) -> Runs:
        """Conductivity ``[b, 1]`` and its derivative by the temperature ``[b, 1, 1]`` at ``x [b, 1]`` in K.

        A row outside a table, or whose systems do not converge, has failed, with the reason.
        """
        rows = self.inputs.check(x, "The conductivity model")[:, 0]
        value, slope, cost = (np.full(len(rows), math.nan) for _ in range(3))
        reason = [""] * len(rows)
        for row, kelvin in enumerate(rows.tolist()):
            start = time.perf_counter()
            try:
                value[row], slope[row] = self._at(kelvin)
            except InputError as error:
                reason[row] = str(error)
            cost[row] = time.perf_counter() - start
        status = np.where([bool(r) for r in reason], "failed", "ok")
        return Runs(value[:, None], status, tuple(reason), cost, jacobian=slope[:, None, None])

    def at(self, temperature: str | float) -> RVE:
        """Return the RVE at one temperature in K, or a text such as ``"20 degC"``.

        Raises:
            InputError: a temperature outside a table.
        """
        laws = [law.at(temperature) if isinstance(law, TemperatureConductor) else law for law in self.materials]
        made = object.__new__(RVE)
        made.__setstate__({**self.rve.__getstate__(), "materials": tuple(laws)})
        return made

    def rename(self, **names: str) -> Adapted:
        """Return the same model with variables renamed."""
        return Adapted(self, names=names)

    @property
    def _with_temperature(self) -> dict[int, TemperatureConductor]:
        return {k: law for k, law in enumerate(self.materials) if isinstance(law, TemperatureConductor)}

    def _at(self, kelvin: float) -> tuple[float, float]:
        """Conductivity and its derivative at one temperature."""
        import torch

        from scalebridge.micro.rve.differentiable import effective_tensor

        if not (math.isfinite(kelvin) and kelvin > 0.0):
            raise InputError(f"The temperature is {kelvin:.6g} K; it must be positive and finite.")
        made, present = self.at(kelvin), self.fractions > 0.0
        laws = {k: law for k, law in self._with_temperature.items() if present[k]}
        held = {
            f"{k}.k": torch.tensor(law.at(kelvin).k, dtype=torch.float64, requires_grad=True) for k, law in laws.items()
        }
        tensor = effective_tensor(made, held)
        picked = tensor.trace() / len(tensor) if self.component == "mean" else tensor[AXES[self.component]]
        parts = torch.autograd.grad(picked, list(held.values()))
        slope = sum(float(part) * law.slope(kelvin) for part, law in zip(parts, laws.values(), strict=True))
        return float(picked.detach()), slope


def _checked(materials: Sequence[Any]) -> tuple[Any, ...]:
    """Return the materials once they conduct, in one unit, and one depends on the temperature."""
    laws = tuple(materials)
    for k, law in enumerate(laws):
        conducts = isinstance(law, Void) and law.kinematics == "conduction"
        if not (conducts or isinstance(law, Conductor | AnisotropicConductor | TemperatureConductor)):
            raise InputError(
                f"Material {k} of the conductivity model is {law!r}, which is no conductor; give for example "
                "sb.micro.Conductor('0.25 W/(m*K)')."
            )
    if not any(isinstance(law, TemperatureConductor) for law in laws):
        raise InputError(
            "No phase of the conductivity model depends on the temperature; use sb.micro.RVE(...).conductivity(), or "
            "give a sb.micro.TemperatureConductor."
        )
    units = sorted({law.unit for law in laws if not isinstance(law, Void)})
    if len(units) > 1:
        raise InputError(f"The conductivities of the phases are in {' and '.join(units)}; give all in one unit.")
    return laws
