"""The RVE as a model: macroscopic strain in, mean stress and consistent tangent out."""

from __future__ import annotations

import functools
import hashlib
import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.rve.image import checked_image, checked_materials
from scalebridge.micro.rve.phases.phase import Phase, positive
from scalebridge.micro.rve.response import LocalFields, Response
from scalebridge.models import Adapted, Runs, Scale, Structure
from scalebridge.models.function import source_digest
from scalebridge.quantities import Floats, Space, Variable

if TYPE_CHECKING:
    from scalebridge.micro.rve.homogenise import Homogeniser

_COMPONENTS = "Mandel components 11, 22, sqrt2 12; 1 along the columns of the image, 2 along its rows"


@dataclass(frozen=True, eq=False)
class RVE:
    """A periodic image of phases in plane strain, homogenised by FFT.

    Input ``strain`` ``[3]`` (unit 1) and output ``stress`` ``[3]`` (Pa) are Mandel components (11, 22,
    sqrt2 12), 1 along the columns of the image and 2 along its rows; e33 = 0. The stress is the gradient
    of the mean strain energy density (J/m^3); rows do not depend on each other or on their order.
    Method: Willot's rotated scheme, displacement-based conjugate gradients preconditioned by a homogeneous
    medium, inexact Newton with line search, load steps where that fails.

    Args:
        phases: labels ``[ny, nx]``, each an index into ``materials``; any grid, odd or even.
        materials: one `Phase` per label.
        pixel_size: edge of a pixel in m or as a text such as ``"1.3 um"``; it gives the model its scale and
            displacements their unit, and has no influence on the stress.
        tolerance: stress out of balance relative to the stress; between 1e-12 and 1e-2.
        homogeneous: say so where a single phase is meant.
        device: where to compute, ``"cpu"`` or ``"cuda"``.

    Raises:
        InputError: an image that is not a two-dimensional array of labels, a label without material, a
            material without pixels, one phase only without ``homogeneous``, a tolerance out of range.
    """

    phases: NDArray[np.int64]
    materials: tuple[Phase, ...]
    pixel_size: float | None
    tolerance: float
    homogeneous: bool
    device: str
    _lock: threading.Lock = field(repr=False)

    def __init__(
        self,
        phases: ArrayLike,
        materials: Sequence[Phase],
        *,
        pixel_size: str | float | None = None,
        tolerance: float = 1e-6,
        homogeneous: bool = False,
        device: str = "cpu",
    ) -> None:
        image = checked_image(phases)
        if not (math.isfinite(tolerance) and 1e-12 <= tolerance <= 1e-2):
            raise InputError(f"The tolerance of the RVE is {tolerance}; it must lie between 1e-12 and 1e-2.")
        size = None if pixel_size is None else positive(pixel_size, "m", "The pixel size of the RVE")
        for name, value in (
            ("phases", image),
            ("materials", checked_materials(image, materials, homogeneous)),
            ("pixel_size", size),
            ("tolerance", float(tolerance)),
            ("homogeneous", bool(homogeneous)),
            ("device", str(device)),
        ):
            object.__setattr__(self, name, value)
        self.__setstate__({})

    @property
    def name(self) -> str:
        """``rve``."""
        return "rve"

    @property
    def version(self) -> str:
        """Version of the discretisation and of the solver."""
        return "1"

    @functools.cached_property
    def inputs(self) -> Space:
        """The macroscopic strain, ``[3]``."""
        return Space([Variable("strain", "1", (3,), kind="symmetric", description=_COMPONENTS)])

    @functools.cached_property
    def outputs(self) -> Space:
        """The mean stress, ``[3]`` in Pa."""
        return Space([Variable("stress", "Pa", (3,), kind="symmetric", description=_COMPONENTS)])

    @property
    def scale(self) -> Scale | None:
        """Pixel and longer edge of the image, where the pixel size is known."""
        if self.pixel_size is None:
            return None
        return Scale(length=(self.pixel_size, self.pixel_size * max(self.phases.shape)))

    @property
    def structure(self) -> Structure:
        """Derives from a potential; even where every phase is."""
        return Structure(potential=True, even=all(m.even for m in self.materials))

    @functools.cached_property
    def finer(self) -> RVE:
        """The same RVE with every pixel split in 2 x 2, for the error of its discretisation."""
        return RVE(
            np.repeat(np.repeat(self.phases, 2, axis=0), 2, axis=1),
            self.materials,
            pixel_size=None if self.pixel_size is None else 0.5 * self.pixel_size,
            tolerance=self.tolerance,
            homogeneous=self.homogeneous,
            device=self.device,
        )

    @property
    def fractions(self) -> Floats:
        """Area fraction of each material ``[n_materials]``."""
        counts = np.bincount(self.phases.ravel(), minlength=len(self.materials))
        found: Floats = counts / self.phases.size
        return found

    def identity(self) -> Mapping[str, str]:
        """Name, version, digest of the image, the materials with their constants, the tolerance."""
        digest = hashlib.sha256(self.phases.tobytes()).hexdigest()[:16]
        made = {
            "name": "scalebridge.micro.RVE",
            "version": self.version,
            "phases": f"{self.phases.shape}:{digest}",
            "tolerance": repr(self.tolerance),
        }
        return made | {f"material.{k}": _material_identity(m) for k, m in enumerate(self.materials)}

    def run(self, x: Floats) -> Runs:
        """Mean stress and tangent at the strains ``x [b, 3]``; a row that fails has a status and a reason."""
        response = self.homogenise(x)
        status = np.where(response.converged, "ok", "failed")
        return Runs(response.stress, status, response.reason, response.cost_s, jacobian=response.tangent)

    def homogenise(self, strain: ArrayLike) -> Response:
        """Mean stress, tangent, energy and how they were found, at ``strain [b, 3]`` (Mandel)."""
        x = self.inputs.check(strain, "The RVE")
        finite: NDArray[np.bool_] = np.asarray(np.isfinite(x).all(axis=1))
        parts = [self._timed(x[rows]) for rows in self._chunks(np.flatnonzero(finite))]
        return _assemble(parts, finite)

    def stiffness(self) -> Floats:
        """Effective stiffness at zero strain ``[3, 3]`` in Pa (Mandel).

        Raises:
            InputError: the linear systems do not converge at this contrast.
        """
        with self._lock:
            unit = self._solver.localisation
        if not bool(unit.converged.all()):
            moduli = [law.parameters[0].value for law in self.materials]
            raise InputError(
                f"The stiffness of the RVE was not found in {int(unit.cg.max())} iterations "
                f"at the contrast {max(moduli) / min(moduli):.1e}; bring the moduli of the phases closer together."
            )
        found: Floats = unit.tangent[0].cpu().numpy().copy()
        return found

    def localise(self, strain: ArrayLike) -> LocalFields:
        """Fields of every pixel under one macroscopic ``strain [3]`` (Mandel).

        Raises:
            ShapeError: any other shape.
            InputError: a strain that is not finite.
        """
        import torch

        macro = np.asarray(strain, dtype=np.float64)
        if macro.shape != (3,):
            raise ShapeError(f"The RVE was asked to localise a strain of shape {macro.shape}; it takes one [3].")
        if not np.isfinite(macro).all():
            raise InputError(f"The RVE was asked to localise the strain {macro.tolist()}; it must be finite.")
        with self._lock:
            fields, reason = self._solver.fields(torch.as_tensor(macro[None], device=self._solver.composite.device))
        return LocalFields(
            macro,
            fields.strain[0].cpu().numpy(),
            fields.stress[0].cpu().numpy(),
            fields.axial_stress[0].cpu().numpy(),
            self._displacement(macro, fields.displacement[0].cpu().numpy()),
            "pixel" if self.pixel_size is None else "m",
            reason[0],
        )

    def rename(self, **names: str) -> Adapted:
        """Return the same model with variables renamed."""
        return Adapted(self, names=names)

    def __getstate__(self) -> dict[str, Any]:
        """Leave solver, lock and other caches behind: another process makes its own."""
        kept = ("phases", "materials", "pixel_size", "tolerance", "homogeneous", "device")
        return {name: self.__dict__[name] for name in kept}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Take a state and a lock of its own: the solver's work arrays serve one thread at a time."""
        self.__dict__.update(state)
        object.__setattr__(self, "_lock", threading.Lock())

    @functools.cached_property
    def _solver(self) -> Homogeniser:
        from scalebridge.micro.rve.composite import Composite
        from scalebridge.micro.rve.equilibrium import Control
        from scalebridge.micro.rve.homogenise import Homogeniser, available_device

        composite = Composite(self.phases, self.materials, available_device(self.device))
        return Homogeniser(composite, Control(tolerance=self.tolerance))

    def _chunks(self, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        with self._lock:
            size = self._solver.chunk
        return [rows[i : i + size] for i in range(0, len(rows), size)]

    def _timed(self, x: Floats) -> Response:
        import torch

        start = time.perf_counter()
        with self._lock:
            found = self._solver.run(torch.as_tensor(x, device=self._solver.composite.device))
        names = ("stress", "tangent", "energy", "hill_mandel", "residual", "newton", "cg")
        columns: list[Any] = [getattr(found, name).cpu().numpy() for name in names]
        seconds = (time.perf_counter() - start) / len(x)
        columns += [found.reason, np.full(len(x), seconds)]
        return Response(*columns)

    def _displacement(self, macro: Floats, fluctuation: Floats) -> Floats:
        ny, nx = self.phases.shape
        y, x = np.mgrid[: ny + 1, : nx + 1].astype(np.float64)
        shear = macro[2] / math.sqrt(2.0)
        total = np.pad(fluctuation, ((0, 0), (0, 1), (0, 1)), mode="wrap")
        total[0] += macro[0] * x + shear * y
        total[1] += shear * x + macro[1] * y
        found: Floats = total * (self.pixel_size or 1.0)
        return found


def _material_identity(law: Phase) -> str:
    kind = type(law)
    constants = ", ".join(f"{p.name}={p.value!r} {p.unit}" for p in law.parameters)
    # Our own laws change with the version of the RVE; a user's law with its source.
    source = "" if kind.__module__.startswith("scalebridge.") else f" {source_digest(kind)}"
    return f"{kind.__module__}.{kind.__qualname__}({constants}){source}"


def _assemble(parts: Sequence[Response], finite: NDArray[np.bool_]) -> Response:
    """Put the rows that were run back among those whose strain was not finite."""
    b = len(finite)

    def scattered(name: str, shape: tuple[int, ...], empty: float, kind: type) -> Any:
        out: NDArray[Any] = np.full((b, *shape), empty, dtype=kind)
        if parts:
            out[finite] = np.concatenate([getattr(p, name) for p in parts])
        return out

    found = iter([r for p in parts for r in p.reason])
    return Response(
        scattered("stress", (3,), math.nan, np.float64),
        scattered("tangent", (3, 3), math.nan, np.float64),
        scattered("energy", (), math.nan, np.float64),
        scattered("hill_mandel", (), math.nan, np.float64),
        scattered("residual", (), math.nan, np.float64),
        scattered("newton", (), 0, np.int64),
        scattered("cg", (), 0, np.int64),
        tuple(next(found) if good else "the strain is not finite" for good in finite),
        scattered("cost_s", (), 0.0, np.float64),
    )
