"""Flow across a square array of cylinders: drag or permeability as a micro model, by OpenFOAM's simpleFoam.

::

    cylinders = CylinderArray(diameter="20 um", quantity="permeability").fix(reynolds_number=0)
    sb.solve(sb.macro.Darcy(...), cylinders, qoi="flow_rate_left", rtol=0.02)
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from string import Template

import numpy as np

from scalebridge.errors import InputError, ScaleBridgeError, did_you_mean
from scalebridge.models import Runs, Scale
from scalebridge.models.adapt import Adapted
from scalebridge.models.program import Limits, working_folder
from scalebridge.models.program.folders import check_keep
from scalebridge.quantities import Floats, Space
from scalebridge.quantities.units import magnitude
from scalebridge.simulators.openfoam.case import Case
from scalebridge.simulators.openfoam.cylinder_mesh import THICKNESS, block_mesh
from scalebridge.simulators.openfoam.forces import read_forces
from scalebridge.simulators.openfoam.function_objects import read_function_object
from scalebridge.simulators.openfoam.installation import release

QUANTITIES = {"drag": ("1", 0.0, None), "permeability": ("m^2", 0.0, None)}
# Below this Reynolds number inertia changes the drag by less than the solver's tolerance: its part is of order Re^2.
CREEPING = 1e-3
# With inertia the error of a mesh is no longer of one order, and what two meshes differ by passes zero: the deviation
# is at least this share of the value per Reynolds number, at the resolution 24. On meshes twice as fine the drag
# differs by up to 0.3 % at a Reynolds number of 20 (solid fractions 0.05 to 0.6), by 0.04 % at 5 (0.3).
INERTIAL = 1e-4
# Drag F/(mu U) of a cylinder per length in creeping flow, by solid fraction.
# Source: Sangani and Acrivos, Slow flow past periodic arrays of cylinders with application to heat transfer,
# International Journal of Multiphase Flow 8 (1982) 193-206, table 1, square arrays.
SANGANI_ACRIVOS = {
    0.05: 15.56,
    0.1: 24.83,
    0.2: 51.53,
    0.3: 102.90,
    0.4: 217.89,
    0.5: 532.55,
    0.6: 1.763e3,
    0.7: 1.352e4,
}


@dataclass(frozen=True)
class CylinderArray:
    """Steady laminar flow across a square array of cylinders, along a side of the square; a `Model`.

    Inputs are ``solid_fraction`` and ``reynolds_number`` (of the diameter and the superficial velocity U; 0 is creeping
    flow). A run solves one periodic cell on two meshes, the second twice as fine, and extrapolates with the order 2
    of the scheme; half of what the extrapolation adds is the ``error_std``, or, where that is more, 1e-4 of the value
    per Reynolds number (at the resolution 24; a quarter of it with twice as many cells).

    Args:
        diameter: of the cylinders, m or a text with a unit; the permeability is in proportion to its square.
        quantity: what the output is: ``"drag"``, ``F/(mu U)`` with the force ``F`` per length of a cylinder, the mean
            pressure gradient on its own area included; or ``"permeability"``, ``mu U`` over the pressure gradient.
        resolution: cells along a side of the finer mesh, a multiple of 4.
        timeout: for each mesh, seconds or a text such as ``"2 min"``.
        keep: which working folders stay: ``never``, ``failed`` or ``always``.

    Raises:
        InputError: an unknown quantity or ``keep``, a resolution or a diameter that makes no mesh, a
            ``timeout`` that is no time.
    """

    diameter: float | str = 1.0
    quantity: str = "drag"
    resolution: int = 24
    timeout: float | str | None = 60.0
    keep: str = "never"
    version: str = "2"

    def __post_init__(self) -> None:
        if self.quantity not in QUANTITIES:
            raise InputError(f"The cylinders were asked for '{self.quantity}'{did_you_mean(self.quantity, QUANTITIES)}")
        whole = isinstance(self.resolution, int) and not isinstance(self.resolution, bool)
        if not whole or self.resolution % 4 or not 8 <= self.resolution <= 400:
            raise InputError(
                f"The cylinders were given the resolution {self.resolution!r}; give a multiple of 4 from 8 to 400."
            )
        if not self._metres > 0:
            raise InputError(f"The cylinders have the diameter {self.diameter}; give one that is positive.")
        check_keep(self.keep, "The array of cylinders")
        _ = self._limits

    @property
    def name(self) -> str:
        """Short name for people."""
        return "cylinder_array"

    @property
    def batched(self) -> bool:
        """Rows are run one by one; each is kept as it ends."""
        return False

    @property
    def inputs(self) -> Space:
        """Solid fraction and Reynolds number."""
        return Space({"solid_fraction": ("1", 0.02, 0.65), "reynolds_number": ("1", 0.0, 20.0)})

    @property
    def outputs(self) -> Space:
        """Drag or permeability."""
        return Space({self.quantity: QUANTITIES[self.quantity]})

    @property
    def scale(self) -> Scale:
        """From a cell of the mesh to the cell of the array."""
        return Scale(length=(f"{self._metres / self.resolution} m", f"{6 * self._metres} m"))

    @property
    def finer(self) -> CylinderArray:
        """The same on meshes twice as fine."""
        seconds = self._limits.timeout
        return replace(self, resolution=2 * self.resolution, timeout=None if seconds is None else 8 * seconds)

    def identity(self) -> Mapping[str, str]:
        """What a result depends on beside the inputs."""
        return {
            "name": "openfoam.cylinder_array",
            "version": self.version,
            "openfoam": release(),
            "case": self.case(0.25, 1.0, self.resolution).digest(),
            "quantity": self.quantity,
            "diameter": repr(self._metres),
        }

    def fix(self, **values: str | float) -> Adapted:
        """Return the same model with inputs held constant: ``.fix(reynolds_number=0)``."""
        return Adapted(self, fixed=values)

    def rename(self, **names: str) -> Adapted:
        """Return the same model with variables renamed."""
        return Adapted(self, names=names)

    def case(self, solid_fraction: float, reynolds_number: float = 0.0, resolution: int | None = None) -> Case:
        """The OpenFOAM case of one cell of side 1 m and viscosity 1 m^2/s, to be run and looked at."""
        # NumPy's numbers show themselves in another way.
        solid_fraction, reynolds_number = float(solid_fraction), float(reynolds_number)
        superficial = max(reynolds_number, CREEPING) / (2 * math.sqrt(solid_fraction / math.pi))
        # The mean that OpenFOAM keeps is that over the fluid.
        values = {"velocity": repr(superficial / (1 - solid_fraction))}
        files = {name: Template(text).substitute(values) for name, text in _template()}
        files["system/blockMeshDict"] = block_mesh(
            solid_fraction, self.resolution if resolution is None else resolution
        )
        return Case(files, limits=self._limits)

    def run(self, x: Floats) -> Runs:
        """Run the array for every row of ``x [b, 2]``; a row outside of the bounds has the status ``outside``.

        Raises:
            InputError: OpenFOAM is not installed.
        """
        x = self.inputs.check(x, f"The model '{self.name}'")
        rows = [self._row(float(fraction), float(reynolds)) for fraction, reynolds in x]
        return Runs.join(rows) if rows else Runs(np.zeros((0, 1)))

    @property
    def _limits(self) -> Limits:
        return Limits(timeout=self.timeout, owner="The array of cylinders")

    @property
    def _metres(self) -> float:
        return magnitude(self.diameter, "m", "The diameter of the cylinders")

    def _row(self, fraction: float, reynolds: float) -> Runs:
        if not (math.isfinite(fraction) and math.isfinite(reynolds)):
            return Runs.refused(1, 1, "failed", "the input is not finite")
        if not self.inputs.inside(np.array([[fraction, reynolds]]))[0]:
            reason = f"a solid fraction of {fraction:g} at a Reynolds number of {reynolds:g} is outside of the bounds"
            return Runs.refused(1, 1, "outside", reason)
        start, drags = time.perf_counter(), []
        for resolution in (self.resolution // 2, self.resolution):
            drag, status, reason = self._drag(fraction, reynolds, resolution)
            if drag is None:
                return Runs.refused(1, 1, status, reason, time.perf_counter() - start)
            drags.append(drag)
        value = self._value(fraction, drags[1] + (drags[1] - drags[0]) / 3)
        inertial = INERTIAL * reynolds * (24 / self.resolution) ** 2 * value
        error = max(abs(value - self._value(fraction, drags[1])) / 2, inertial)
        seconds = time.perf_counter() - start
        return Runs(np.array([[value]]), cost_s=np.array([seconds]), error_std=np.array([[error]]))

    def _value(self, fraction: float, drag: float) -> float:
        if self.quantity == "drag":
            return drag
        return math.pi * (self._metres / 2) ** 2 / (fraction * drag)

    def _drag(self, fraction: float, reynolds: float, resolution: int) -> tuple[float | None, str, str]:
        """Drag on one mesh, or the status and reason of a run without one."""
        with working_folder(None, self.keep, self.name) as folder:
            case = self.case(fraction, reynolds, resolution)
            case.prepare(folder.path)
            run = case.run(folder.path)
            if run.ok:
                try:
                    return drag_of(folder.path, fraction), "ok", ""
                except ScaleBridgeError as error:
                    run = replace(run, status="failed", reason=f"the results were not read: {error}")
            folder.failed()
            return None, run.status, run.reason


def drag_of(case: str | Path, solid_fraction: float) -> float:
    """Drag ``F/(mu U)`` of a finished case of `CylinderArray.case`.

    The periodic pressure that OpenFOAM solves for lacks the mean gradient, whose force on the cylinder's own area is
    the solid fraction of the whole: by the balance of the cell, ``F = F_written / (1 - c)``.
    """
    force = read_forces(case)["total_force"][-1, 0] / THICKNESS / (1 - solid_fraction)
    velocity = read_function_object(case, "meanVelocity")["volAverage_U"][-1, 0] * (1 - solid_fraction)
    return float(force / velocity)


@cache
def _template() -> tuple[tuple[str, str], ...]:
    """Names and texts of the files that are the same in every case."""
    root = resources.files("scalebridge.simulators.openfoam").joinpath("templates").joinpath("cylinders")
    return tuple(
        (f"{folder.name}/{file.name}", file.read_text(encoding="utf-8"))
        for folder in sorted(root.iterdir(), key=lambda entry: entry.name)
        for file in sorted(folder.iterdir(), key=lambda entry: entry.name)
    )
