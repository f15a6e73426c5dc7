"""A pore space as a model: pressure gradient in, Darcy flux out."""

from __future__ import annotations

import functools
import hashlib
import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.flow.image import Mask, fluid_mask, positive, voxel_edges
from scalebridge.micro.flow.result import LocalFlow, Permeability
from scalebridge.models import Adapted, Runs, Scale, Structure
from scalebridge.quantities import Floats, Space, Variable

if TYPE_CHECKING:
    from scalebridge.micro.flow.solve import Boundary, PoreSpace, Watch

_COMPONENTS = "x, y, z; x along the last axis of the image"
_BOUNDARIES = ("periodic", "mirror", "walls")


@dataclass(frozen=True, eq=False)
class PoreFlow:
    """Stokes flow through the pores of a voxel image, on a CPU.

    As a model: input ``pressure_gradient`` ``[dim]`` (Pa/m), output ``velocity`` ``[dim]`` (m/s), the Darcy flux
    ``-K/mu . pressure_gradient``; components x, y, z with x along the last axis of the image. It needs a voxel
    size and a viscosity; `permeability` and `localise` do without them.

    Method: staggered (MAC) finite differences with one pressure per fluid voxel, no slip on the solid; the fluid
    unknowns alone are solved for, by MINRES with multigrid (see `micro.flow.stokes`). Pores that do not reach
    through the cell are left out first. The channel of n voxels has K = n^2/12 + 1/6 in place of n^2/12: throats of
    few voxels conduct too well, by 2/n^2, so compare with `finer` where the pores are narrow.

    Args:
        phases: labels or booleans ``[ny, nx]`` or ``[nz, ny, nx]``.
        fluid: label of the pores or several of them, ``True`` or ``False`` for a boolean image, or a boolean mask of
            the shape of ``phases``; label 0 if not given.
        voxel_size: edge of a voxel in m or as a text such as ``"5 um"``, or one per axis of the image.
        viscosity: in Pa*s or as a text such as ``"1 mPa*s"``.
        boundary: how the cell ends.

            - ``"periodic"``: the image repeats. The right choice for a cell that does; on a cut from a rock, pores
              that end at one side meet grains at the other and the permeability comes out low.
            - ``"mirror"``: pressure is given on the two ends, which the flow crosses at right angles; no flow and no
              friction on the sides. The same as the image repeated by reflection, the usual choice for a rock.
            - ``"walls"``: as ``"mirror"`` with sides that do not slip, a sample in a sleeve.

            With the last two the tensor is diagonal.
        tolerance: relative error of the permeability of the voxels, and of fields in the norm of the dissipation;
            between 1e-10 and 1e-1. It does not speak of the error made by the voxels.

    Raises:
        InputError: an image that is not one of labels, no fluid, fluid everywhere (infinite permeability), a voxel
            size or viscosity that is not positive, a tolerance out of range, another boundary.
    """

    fluid: Mask
    voxel_size: tuple[float, ...] | None
    viscosity: float | None
    boundary: Boundary
    tolerance: float
    _lock: threading.Lock = field(repr=False)

    def __init__(
        self,
        phases: ArrayLike,
        *,
        fluid: int | bool | Sequence[int] | ArrayLike | None = None,
        voxel_size: str | float | Sequence[str | float] | None = None,
        viscosity: str | float | None = None,
        boundary: Boundary = "periodic",
        tolerance: float = 1e-6,
    ) -> None:
        if boundary not in _BOUNDARIES:
            raise InputError(
                f"The boundary of a pore flow is {boundary!r}; valid: {', '.join(repr(b) for b in _BOUNDARIES)}."
            )
        if not (isinstance(tolerance, int | float) and 1e-10 <= tolerance <= 1e-1):
            raise InputError(f"The tolerance of a pore flow is {tolerance}; it must lie between 1e-10 and 1e-1.")
        mask = fluid_mask(phases, fluid)
        if mask.all() and boundary != "walls":
            raise InputError(
                "Every voxel of a pore flow is fluid, so that its permeability is infinite; "
                "check which label marks the pores, or pass boundary='walls' if the image is a duct."
            )
        given = None if viscosity is None else positive(viscosity, "Pa*s", "The viscosity of a pore flow")
        for name, value in (
            ("fluid", mask),
            ("voxel_size", voxel_edges(voxel_size, mask.ndim)),
            ("viscosity", given),
            ("boundary", boundary),
            ("tolerance", float(tolerance)),
        ):
            object.__setattr__(self, name, value)
        self.__setstate__({})

    @property
    def name(self) -> str:
        """``pore_flow``."""
        return "pore_flow"

    @property
    def version(self) -> str:
        """Version of the discretisation and of the solver."""
        return "1"

    @property
    def dim(self) -> int:
        """2 or 3."""
        return self.fluid.ndim

    @functools.cached_property
    def inputs(self) -> Space:
        """The macroscopic pressure gradient, ``[dim]`` in Pa/m."""
        return Space([Variable("pressure_gradient", "Pa/m", (self.dim,), description=_COMPONENTS)])

    @functools.cached_property
    def outputs(self) -> Space:
        """The Darcy flux, ``[dim]`` in m/s."""
        return Space([Variable("velocity", "m/s", (self.dim,), description=_COMPONENTS)])

    @property
    def scale(self) -> Scale | None:
        """Smallest edge of a voxel and longest edge of the cell, where the voxel size is known."""
        if self.voxel_size is None:
            return None
        extent = max(n * h for n, h in zip(self.fluid.shape, self.voxel_size, strict=True))
        return Scale(length=(min(self.voxel_size), extent))

    @property
    def structure(self) -> Structure:
        """Linear and symmetric: derives from an even potential."""
        return Structure(potential=True, even=True)

    @functools.cached_property
    def finer(self) -> PoreFlow:
        """The same pores with every voxel split in two each way, for the error of the discretisation.

        It takes the voxels at their word, and part of what it finds is friction at their corners, which a smooth
        pore does not have: of spheres with 32 voxels a cell, the permeability is within about 2 % of the exact one
        as it is and 3 % to 9 % below it once split.
        """
        mask = self.fluid
        for axis in range(self.dim):
            mask = np.repeat(mask, 2, axis=axis)
        return PoreFlow(
            mask,
            fluid=True,
            voxel_size=None if self.voxel_size is None else [0.5 * h for h in self.voxel_size],
            viscosity=self.viscosity,
            boundary=self.boundary,
            tolerance=self.tolerance,
        )

    @property
    def porosity(self) -> float:
        """Fluid voxels over all voxels, isolated pores included."""
        return float(self.fluid.mean())

    @property
    def expected_memory(self) -> int:
        """Bytes that `permeability` will take, about: known before it starts."""
        return int(self.fluid.sum()) * (1250 if self.dim == 3 else 700)

    def identity(self) -> Mapping[str, str]:
        """Name, version, digest of the image, voxel size, viscosity, boundary, tolerance."""
        digest = hashlib.sha256(np.packbits(self.fluid).tobytes()).hexdigest()[:16]
        return {
            "name": "scalebridge.micro.PoreFlow",
            "version": self.version,
            "fluid": f"{self.fluid.shape}:{digest}",
            "voxel_size": repr(self.voxel_size),
            "viscosity": repr(self.viscosity),
            "boundary": self.boundary,
            "tolerance": repr(self.tolerance),
        }

    def permeability(self, axes: str | Sequence[str] = "all", *, progress: Watch = None) -> Permeability:
        """Permeability along one axis (``"x"``), several (``"xy"``, ``["x", "z"]``) or ``"all"``.

        The entries are corrected by the residual, so that their error is the square of that of the fields. Along
        directions in which the pores do not connect it is zero and the result says so in its ``note``.

        Args:
            axes: directions; x runs along the last axis of the image, y along the one before, z along the first.
            progress: called after every iteration with a `Progress`.

        Raises:
            InputError: an unknown axis; a solve that does not converge.
        """
        from scalebridge.micro.flow.solve import permeability

        names = self._axes(axes)
        along = [self.dim - 1 - "xyz".index(n) for n in names]
        return permeability(self._space, along, names, self._edge, progress)

    def localise(self, pressure_gradient: ArrayLike, *, progress: Watch = None) -> LocalFlow:
        """Velocity and pressure in every pore under one macroscopic ``pressure_gradient [dim]`` (x, y, z).

        In Pa/m, answered in m/s and Pa, where voxel size and viscosity are known; otherwise both are 1.

        Raises:
            ShapeError: any other shape.
            InputError: not finite; several components at once between walls; a solve that does not converge.
        """
        from scalebridge.micro.flow.solve import local_flow

        macro = np.asarray(pressure_gradient, dtype=np.float64)
        if macro.shape != (self.dim,):
            raise ShapeError(
                f"The pore flow was asked to localise a pressure gradient of shape {macro.shape}; it takes one "
                f"[{self.dim}]."
            )
        if not np.isfinite(macro).all():
            raise InputError(f"The pore flow was asked to localise {macro.tolist()}; it must be finite.")
        if self.boundary == "walls" and np.count_nonzero(macro) > 1:
            raise InputError(
                f"The pore flow has walls on its sides and was asked to localise {macro.tolist()}; "
                "give a pressure gradient along one axis, or use boundary='periodic' or 'mirror'."
            )
        flow = local_flow(self._space, (-macro[::-1]).tolist(), progress)
        if self._edge is None or self.viscosity is None:
            return flow
        speed = self._edge**2 / self.viscosity
        return replace(
            flow,
            velocity=speed * flow.velocity,
            faces=tuple(speed * f for f in flow.faces),
            pressure=self._edge * flow.pressure,
            darcy_flux=speed * flow.darcy_flux,
            dissipation=speed * flow.dissipation,
            velocity_unit="m/s",
            pressure_unit="Pa",
        )

    def run(self, x: ArrayLike) -> Runs:
        """Darcy flux and its jacobian ``-K/mu`` at the pressure gradients ``x [b, dim]``.

        Raises:
            InputError: without a voxel size or a viscosity.
        """
        gradient = self.inputs.check(x, "The pore flow")
        edge, viscosity = self._physical()
        started = time.perf_counter()
        try:
            with self._lock:
                mobility: Floats = self._full.voxel2 * edge**2 / viscosity
        except InputError as error:
            return Runs.refused(len(gradient), self.dim, "failed", str(error), time.perf_counter() - started)
        finite = np.array([bool(np.isfinite(row).all()) for row in gradient], dtype=np.bool_)
        values = -np.where(finite[:, None], gradient, 0.0) @ mobility.T
        cost = (time.perf_counter() - started) / max(len(gradient), 1)
        return Runs(
            np.where(finite[:, None], values, math.nan),
            np.where(finite, "ok", "failed"),
            tuple("" if f else "the pressure gradient is not finite" for f in finite),
            np.full(len(gradient), cost),
            jacobian=np.broadcast_to(-mobility, (len(gradient), self.dim, self.dim)).copy(),
        )

    def rename(self, **names: str) -> Adapted:
        """Return the same model with variables renamed."""
        return Adapted(self, names=names)

    def __getstate__(self) -> dict[str, Any]:
        """Leave lock and caches behind."""
        kept = ("fluid", "voxel_size", "viscosity", "boundary", "tolerance")
        return {name: self.__dict__[name] for name in kept}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Take a state and a lock of its own."""
        self.__dict__.update(state)
        object.__setattr__(self, "_lock", threading.Lock())

    @property
    def _edge(self) -> float | None:
        return None if self.voxel_size is None else self.voxel_size[-1]

    @functools.cached_property
    def _space(self) -> PoreSpace:
        from scalebridge.micro.flow.solve import PoreSpace

        edges = (1.0,) * self.dim if self.voxel_size is None else self.voxel_size
        return PoreSpace(self.fluid, tuple(h / edges[-1] for h in edges), self.boundary, self.tolerance)

    @functools.cached_property
    def _full(self) -> Permeability:
        return self.permeability()

    def _physical(self) -> tuple[float, float]:
        """Edge of a voxel in m and viscosity in Pa*s."""
        if self._edge is None or self.viscosity is None:
            missing = "voxel_size='5 um'" if self._edge is None else "viscosity='1 mPa*s'"
            raise InputError(
                f"The pore flow cannot be run as a model without voxel size and viscosity; pass for example {missing}."
            )
        return self._edge, self.viscosity

    def _axes(self, axes: str | Sequence[str]) -> tuple[str, ...]:
        valid = "xyz"[: self.dim]
        names = tuple(valid) if isinstance(axes, str) and axes == "all" else tuple(axes)
        if not names or len(set(names)) < len(names) or any(n not in tuple(valid) for n in names):
            raise InputError(
                f"The permeability of a pore flow was asked for along {axes!r}; valid: 'all' or distinct letters of "
                f"'{valid}', where x runs along the last axis of the image."
            )
        return names
