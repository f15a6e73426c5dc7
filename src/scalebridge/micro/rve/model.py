"""The RVE as a model: macroscopic strain in, mean stress and consistent tangent out."""

from __future__ import annotations

import functools
import math
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.rve.discretisations import DISCRETISATIONS
from scalebridge.micro.rve.identity import digest_of, material_identity
from scalebridge.micro.rve.image import (
    checked_image,
    checked_materials,
    checked_rotations,
    checked_spacing,
    kind_of,
)
from scalebridge.micro.rve.loads import checked_load
from scalebridge.micro.rve.phases.damage import NonlocalPhase
from scalebridge.micro.rve.phases.phase import HistoryPhase
from scalebridge.micro.rve.physics import physics
from scalebridge.micro.rve.response import LocalFields, Response
from scalebridge.models import Adapted, Runs, Scale, Structure
from scalebridge.quantities import Floats, Space

if TYPE_CHECKING:
    from scalebridge.micro.rve.assembly import Plane
    from scalebridge.micro.rve.fast import Watch
    from scalebridge.micro.rve.homogenise import Homogeniser
    from scalebridge.micro.rve.memory import Plan
    from scalebridge.micro.rve.paths import PathResponse, RVEState
    from scalebridge.microstructure import SubVoxels

PLANES = ("strain", "stress", "generalised")
PRECISIONS = ("double", "single")
_KEPT = (
    "phases",
    "materials",
    "voxel_size",
    "tolerance",
    "homogeneous",
    "plane",
    "discretisation",
    "orientation",
    "precision",
    "device",
    "mixed",
)


@dataclass(frozen=True, eq=False)
class RVE:
    """A periodic image of phases, homogenised by FFT: elasticity, any law of small or finite strain, conduction.

    What goes in and comes out depends on the laws: ``strain`` to ``stress`` (Pa), both Mandel components (11, 22,
    sqrt2 12 in the plane; 11, 22, 33, sqrt2 23, sqrt2 13, sqrt2 12 in space); ``deformation_gradient`` to
    first Piola-Kirchhoff ``stress``; ``gradient`` (K/m) to ``flux`` (W/m^2). Direction 1 runs along the last axis of
    the image, 2 along the one before, 3 along the first of three. The stress is the gradient of the mean energy
    density; rows do not depend on each other or on their order.
    Method: displacement-based conjugate gradients preconditioned by a homogeneous medium, on Willot's rotated scheme
    or another discretisation; inexact Newton with line search, load steps where that fails.

    Args:
        phases: labels ``[ny, nx]`` or ``[nz, ny, nx]``, each an index into ``materials``; any grid, odd or even; or
            `SubVoxels`, whose mixed voxels hold a laminate of two phases.
        materials: one law per label.
        voxel_size: edge of a voxel in m or as a text such as ``"1.3 um"``, or one per axis of the image. It gives the
            model its scale and displacements their unit; only ratios between axes have influence on the stress.
        tolerance: stress out of balance relative to the stress; between 1e-12 and 1e-2.
        homogeneous: say so where a single phase is meant.
        plane: of a two-dimensional image: plane ``"strain"``, plane ``"stress"``, or ``"generalised"``: uniform in
            direction 3 with all six macroscopic strains.
        discretisation: ``"rotated"`` (HEX8 with reduced integration), ``"hexahedra"`` or ``"moulinec_suquet"``.
        orientation: per voxel, the direction of the local axis 1 ``[*grid, 3]`` or all local axes ``[*grid, 3, 3]`` as
            columns; for laws that are not isotropic.
        precision: ``"double"``, or ``"single"`` for fields in float32 with reductions in float64. Mean stress and
            tangent then differ by less than 1e-6 of themselves (rigid phases beside: 1e-5); the residual and the
            local fields by rounding, some 1e-5 times the contrast, which equilibrium cannot fall below.
        device: where to compute, ``"cpu"`` or ``"cuda"``.

    Raises:
        InputError: an image that is no array of labels, a label without material, a material without voxels, one
            phase only without ``homogeneous``, laws of different kinds, an option out of range.
    """

    phases: NDArray[np.int64]
    materials: tuple[Any, ...]
    voxel_size: tuple[float, ...] | None
    tolerance: float
    homogeneous: bool
    plane: Plane
    discretisation: str
    orientation: Floats | None
    precision: str
    device: str
    mixed: SubVoxels | None
    lock: threading.RLock = field(repr=False)

    def __init__(
        self,
        phases: ArrayLike | SubVoxels,
        materials: Sequence[Any],
        *,
        voxel_size: str | float | Sequence[str | float] | None = None,
        tolerance: float = 1e-6,
        homogeneous: bool = False,
        plane: Plane = "strain",
        discretisation: str = "rotated",
        orientation: ArrayLike | None = None,
        precision: Literal["double", "single"] = "double",
        device: str = "cpu",
    ) -> None:
        mixed: Any = phases if hasattr(phases, "fraction") else None
        labels: Any = phases if mixed is None else mixed.labels
        image = checked_image(labels)
        if not (math.isfinite(tolerance) and 1e-12 <= tolerance <= 1e-2):
            raise InputError(f"The tolerance of the RVE is {tolerance}; it must lie between 1e-12 and 1e-2.")
        _one_of("plane", plane, PLANES)
        if image.ndim == 3 and plane != "strain":
            raise InputError(
                f"The image of the RVE has three dimensions {image.shape}; plane='{plane}' is for two, so leave it out."
            )
        _one_of("discretisation", discretisation, DISCRETISATIONS)
        _one_of("precision", precision, PRECISIONS)
        values = (
            image,
            checked_materials(image, materials, homogeneous, mixed),
            checked_spacing(voxel_size, image.ndim),
            float(tolerance),
            bool(homogeneous),
            plane,
            discretisation,
            checked_rotations(orientation, image.shape),
            precision,
            str(device),
            mixed,
        )
        self.__setstate__(dict(zip(_KEPT, values, strict=True)))

    @property
    def name(self) -> str:
        """``rve``."""
        return "rve"

    @property
    def version(self) -> str:
        """Version of the discretisation and of the solver."""
        return "2"

    @property
    def dim(self) -> int:
        """Directions of the macroscopic measure: 3 in space and in generalised plane strain, else 2."""
        return 3 if self.plane == "generalised" else self.phases.ndim

    @functools.cached_property
    def inputs(self) -> Space:
        """The macroscopic strain (deformation gradient, gradient)."""
        return Space([physics(kind_of(self.materials), self.dim).input])

    @functools.cached_property
    def outputs(self) -> Space:
        """The mean stress (flux)."""
        return Space([physics(kind_of(self.materials), self.dim).output])

    @property
    def scale(self) -> Scale | None:
        """Finest voxel edge and longest edge of the image, where the voxel size is known."""
        if self.voxel_size is None:
            return None
        edges = [h * n for h, n in zip(self.voxel_size, self.phases.shape, strict=True)]
        return Scale(length=(min(self.voxel_size), max(edges)))

    @property
    def structure(self) -> Structure:
        """Derives from a potential unless a law has memory; even where every law says so, rigid phases aside."""
        remembers = [isinstance(m, HistoryPhase | NonlocalPhase) for m in self.materials]
        even = [getattr(m, "even", not with_memory) for m, with_memory in zip(self.materials, remembers, strict=True)]
        return Structure(potential=not any(remembers), even=all(even))

    @functools.cached_property
    def finer(self) -> RVE:
        """The same RVE with every voxel split in two along each axis, for the error of its discretisation.

        Raises:
            InputError: an RVE of composite voxels, whose image cannot be split; a law with a length in voxels.
        """
        if self.mixed is not None:
            raise InputError("An RVE of composite voxels cannot be split; make it from the finer image instead.")
        if self._has_length and self.voxel_size is None:
            raise InputError(
                "A law of the RVE has a length, in voxels as there is no voxel_size; give one to split them."
            )
        options = {name: self.__dict__[name] for name in _KEPT[3:-1]}
        image, axes = self.phases, self.orientation
        for axis in range(image.ndim):
            image = np.repeat(image, 1 if image.shape[axis] == 1 else 2, axis=axis)
            if axes is not None:
                axes = np.repeat(axes, image.shape[axis] // axes.shape[axis], axis=axis)
        size = None
        if self.voxel_size is not None:
            size = [h * n / m for h, n, m in zip(self.voxel_size, self.phases.shape, image.shape, strict=True)]
        return RVE(image, self.materials, voxel_size=size, **{**options, "orientation": axes})

    @property
    def fractions(self) -> Floats:
        """Volume fraction of each material ``[n_materials]``."""
        n = len(self.materials)
        if self.mixed is not None:
            return np.array([self.mixed.volume(k) for k in range(n)])
        found: Floats = np.bincount(self.phases.ravel(), minlength=n) / self.phases.size
        return found

    def identity(self) -> Mapping[str, str]:
        """Name, version, digests of the image and its fields, the materials with their constants, the options."""
        made = {
            "name": "scalebridge.micro.RVE",
            "version": self.version,
            "phases": f"{self.phases.shape}:{digest_of(self.phases)}",
            "tolerance": repr(self.tolerance),
            "discretisation": self.discretisation,
            "plane": self.plane if self.phases.ndim == 2 else "none",
            "precision": self.precision,
        }
        if self.voxel_size is not None and self._has_length:
            made["voxel_size"] = repr(self.voxel_size)
        elif self.voxel_size is not None and len(set(self.voxel_size)) > 1:
            made["aspect"] = repr(tuple(h / self.voxel_size[-1] for h in self.voxel_size))
        if self.orientation is not None:
            made["orientation"] = digest_of(self.orientation)
        if self.mixed is not None:
            m = self.mixed
            made["mixed"] = digest_of(m.index, m.first, m.second, m.fraction, m.normal)
        return made | {f"material.{k}": material_identity(m) for k, m in enumerate(self.materials)}

    def run(self, x: Floats) -> Runs:
        """Mean stress and tangent at the inputs ``x [b, g]``; a row that fails has a status and a reason."""
        response = self.homogenise(x)
        status = np.where(response.converged, "ok", "failed")
        return Runs(response.stress, status, response.reason, response.cost_s, jacobian=response.tangent)

    def homogenise(self, measure: ArrayLike, *, stress: ArrayLike | None = None) -> Response:
        """Mean stress, tangent, energy and how they were found.

        Args:
            measure: ``[b, g]``: strain (Mandel), deformation gradient or gradient, flattened in C order.
            stress: ``[g]`` or ``[b, g]``: prescribed mean stress in the components of ``measure`` that are NaN, the
                same in every row; other components are not read.

        Raises:
            ShapeError: another shape.
            InputError: a law with memory, which needs a path; a stress that is not finite.
        """
        if self.solver.composite.remembers:
            raise InputError(
                "The RVE holds a law with memory, so its stress depends on the path; use rve.path(...) or step(...)."
            )
        prescribed = checked_load(self.inputs.check(measure, "The RVE"), stress)
        parts = [self._timed(prescribed.rows(rows)) for rows in self._chunks(np.flatnonzero(prescribed.finite))]
        return _assemble(parts, prescribed.finite, self.inputs.size)

    def stiffness(self, *, progress: Watch | None = None) -> Floats:
        """Effective stiffness at rest ``[g, g]`` in Pa (Mandel).

        ``progress`` is called with the number of load cases solved and their number.

        Raises:
            InputError: conduction; the linear systems do not converge at this contrast.
        """
        if kind_of(self.materials) == "conduction":
            raise InputError("The RVE conducts and has no stiffness; use rve.conductivity().")
        return self._effective(progress)

    def conductivity(self, *, progress: Watch | None = None) -> Floats:
        """Effective conductivity ``[d, d]`` in W/(m K).

        ``progress`` is called with the number of load cases solved and their number.

        Raises:
            InputError: laws of mechanics; the linear systems do not converge at this contrast.
        """
        if kind_of(self.materials) != "conduction":
            raise InputError("The RVE has laws of mechanics and no conductivity; use rve.stiffness().")
        return self._effective(progress)

    def thermal_expansion(self) -> Floats:
        """Effective thermal expansion ``[g]`` in 1/K (Mandel), of linear elastic laws; see `effective_expansion`.

        Raises:
            InputError: other laws, or one without thermal expansion.
        """
        from scalebridge.micro.rve.differentiable import effective_expansion

        found: Floats = effective_expansion(self, {}).cpu().numpy()
        return found

    def plan(self) -> Plan:
        """Return the memory that the effective tensor (nonlinear laws: one load) will take; nothing is run."""
        from scalebridge.micro.rve.memory import plan_of

        return plan_of(self)

    def localise(self, measure: ArrayLike, *, stress: ArrayLike | None = None) -> LocalFields:
        """Fields of every voxel under one macroscopic ``measure [g]``; ``stress`` as in `homogenise`.

        Raises:
            ShapeError: any other shape.
            InputError: not finite; a law with memory.
        """
        if self.solver.composite.remembers:
            raise InputError("The RVE holds a law with memory, so its fields depend on the path; use rve.path(...).")
        noun = physics(kind_of(self.materials), self.dim).noun
        given, whole = np.asarray(measure, dtype=np.float64), next(iter(self.inputs)).shape
        if given.shape not in (whole, (self.inputs.size,)):
            raise ShapeError(
                f"The RVE was asked to localise a {noun} of shape {given.shape}; it takes one {list(whole)}."
            )
        macro = given.reshape(-1)
        prescribed = checked_load(macro[None], stress)
        if not prescribed.finite.all():
            raise InputError(f"The RVE was asked to localise the {noun} {macro.tolist()}; it must be finite.")
        from scalebridge.micro.rve.fields import local_fields

        with self.lock:
            return local_fields(self, self.solver.fields(prescribed.load(self.solver.composite.device)))

    def path(
        self,
        measure: ArrayLike,
        *,
        stress: ArrayLike | None = None,
        time: ArrayLike | None = None,
        tangent: bool = False,
        start: RVEState | None = None,
        checkpoint: str | Path | None = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> PathResponse:
        """Follow a load path step by step; a step that fails is taken in halves from the last one that held.

        Args:
            measure: ``[n, g]``, at the end of each step; NaN where ``stress`` is prescribed.
            stress: ``[g]`` or ``[n, g]``: prescribed mean stress where ``measure`` is NaN.
            time: ``[n]``, in s, rising from that of ``start``; by default one second a step.
            tangent: whether to find the consistent tangent of each step.
            start: a state to go on from; by default the virgin material.
            checkpoint: a file kept up to date after each step; where it exists, the path goes on from there.
            progress: called with the number of steps done and of all steps, after each step.

        Raises:
            ShapeError: another shape.
            InputError: a load that is not finite, times that do not rise, a checkpoint of another path.
        """
        from scalebridge.micro.rve.paths import follow_path

        return follow_path(self, measure, stress, time, tangent, start, checkpoint, progress)

    def state0(self, b: int) -> tuple[RVEState, ...]:
        """Return ``b`` states of the virgin material."""
        from scalebridge.micro.rve.paths import to_standing, to_state

        with self.lock:
            return (to_state(to_standing(self, None)),) * b

    def step(self, state: Sequence[RVEState], x: Floats, dt: float = 1.0) -> tuple[tuple[RVEState, ...], Runs]:
        """Take one step of ``dt`` seconds to ``x [b, g]``; return the new states, and stress and consistent tangent.

        A row that fails keeps its state and has a status and a reason.
        """
        from scalebridge.micro.rve.paths import step_rows

        return step_rows(self, state, self.inputs.check(x, "The RVE"), dt)

    def rename(self, **names: str) -> Adapted:
        """Return the same model with variables renamed."""
        return Adapted(self, names=names)

    def _repr_html_(self) -> str:
        from scalebridge.micro.rve.notebook import rve_html

        return rve_html(self)

    def __getstate__(self) -> dict[str, Any]:
        """Leave solver, lock and other caches behind: another process makes its own."""
        return {name: self.__dict__[name] for name in _KEPT}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Take a state and a lock of its own: the solver's work arrays serve one thread at a time."""
        self.__dict__.update(state)
        object.__setattr__(self, "lock", threading.RLock())

    @functools.cached_property
    def solver(self) -> Homogeniser:
        """The solver, made on first use; its work arrays serve one thread at a time, under `lock`."""
        from scalebridge.micro.rve.build import build

        self.plan().check("The RVE")
        return build(self)

    @property
    def _has_length(self) -> bool:
        return any(isinstance(m, NonlocalPhase) for m in self.materials)

    @property
    def _rescue(self) -> str:
        return "bring" if self.discretisation == "hexahedra" else "use discretisation='hexahedra' or bring"

    def _effective(self, progress: Watch | None) -> Floats:
        with self.lock:
            self.solver.watch = progress
            unit = self.solver.effective
        if not bool(unit.converged.all()):
            what = "conductivity" if kind_of(self.materials) == "conduction" else "stiffness"
            raise InputError(
                f"The {what} of the RVE was not found in {int(unit.cg.max())} iterations at the contrast "
                f"{self.solver.contrast:.1e}; {self._rescue} the constants of the phases closer together."
            )
        found: Floats = unit.tangent[0].cpu().numpy().copy()
        return found

    def _chunks(self, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        with self.lock:
            size = self.solver.chunk
        return [rows[i : i + size] for i in range(0, len(rows), size)]

    def _timed(self, prescribed: Any) -> Response:
        start = time.perf_counter()
        with self.lock:
            found = self.solver.run(prescribed.load(self.solver.composite.device))
        names = ("measure", "stress", "tangent", "energy", "hill_mandel", "residual", "newton", "cg")
        columns: list[Any] = [getattr(found, name).cpu().numpy() for name in names]
        seconds = (time.perf_counter() - start) / len(prescribed.measure)
        columns += [found.reason, np.full(len(prescribed.measure), seconds)]
        return Response(*columns)


def _one_of(name: str, value: str, valid: Collection[str]) -> None:
    if value not in valid:
        from scalebridge.errors import did_you_mean

        raise InputError(f"The {name} of the RVE is '{value}'{did_you_mean(str(value), valid)}")


def _assemble(parts: Sequence[Response], finite: NDArray[np.bool_], g: int) -> Response:
    """Put the rows that were run back among those whose load was not finite."""
    b = len(finite)

    def scattered(name: str, shape: tuple[int, ...], empty: float, kind: type) -> Any:
        out: NDArray[Any] = np.full((b, *shape), empty, dtype=kind)
        if parts:
            out[finite] = np.concatenate([getattr(p, name) for p in parts])
        return out

    found = iter([r for p in parts for r in p.reason])
    return Response(
        scattered("measure", (g,), math.nan, np.float64),
        scattered("stress", (g,), math.nan, np.float64),
        scattered("tangent", (g, g), math.nan, np.float64),
        scattered("energy", (), math.nan, np.float64),
        scattered("hill_mandel", (), math.nan, np.float64),
        scattered("residual", (), math.nan, np.float64),
        scattered("newton", (), 0, np.int64),
        scattered("cg", (), 0, np.int64),
        tuple(next(found) if good else "the load is not finite" for good in finite),
        scattered("cost_s", (), 0.0, np.float64),
    )
