"""Kind ``calculix``: a plane-strain body as of the kind ``solid``, solved by CalculiX."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from scalebridge.errors import InputError
from scalebridge.studies.entry import Built, Entry
from scalebridge.studies.kinds import solid


class Settings(Entry):
    """A plane-strain body solved by CalculiX, whose stress is an unknown function of strain."""

    role: ClassVar[str | None] = "macro"
    kind: Literal["calculix"] = "calculix"
    mesh: str | dict[str, Any] = Field(
        description="mesh: a deck (.inp) with node sets, a .msh file, or a table such as { kind = 'rectangle', ... }",
        examples=["plate.inp"],
    )
    mesh_unit: str = Field("m", description="unit of the coordinates of a deck", examples=["mm"])
    displacement: dict[str, solid.Condition] = Field(
        description="displacement by boundary, each [x, y], 'free' where free", examples=[{"left": ["0 m", "free"]}]
    )
    traction: dict[str, solid.Condition] = Field(default_factory=dict, description="traction by boundary, each [x, y]")
    qois: dict[str, dict[str, Any]] | None = Field(None, description="quantities of interest by name")
    order: Literal[1, 2] = Field(1, description="order of the elements")
    thickness: str | float = Field(1.0, description="thickness of the plate", examples=["2 mm"])
    program: str = Field("ccx", description="name or path of CalculiX's solver")
    threads: int = Field(1, ge=1, description="threads of one analysis")
    timeout: str | float = Field("10 min", description="longest time of one analysis", examples=["10 min"])
    keep: Literal["never", "failed", "always"] = Field("never", description="which working folders stay")

    def build(self, name: str, folder: Path) -> Built:
        """Make the body."""
        from scalebridge.macro import Solid
        from scalebridge.models.program import Limits
        from scalebridge.simulators.calculix import CalculixSolid

        try:
            body = Solid(
                mesh=self._mesh(folder),
                displacement=self.displacement,
                traction=self.traction,
                qois=self.qois,
                order=self.order,
                thickness=self.thickness,
            )
            made = CalculixSolid(body, self.program, self.threads, Limits(timeout=self.timeout), keep=self.keep)
        except InputError as error:
            raise InputError(f"[models.{name}]: {error}") from error
        return Built(made, units=made.units)

    def _mesh(self, folder: Path) -> Any:
        if isinstance(self.mesh, str) and self.mesh.endswith(".inp"):
            from scalebridge.simulators.calculix import read_plane_mesh

            return read_plane_mesh(folder / self.mesh, self.mesh_unit)
        if "mesh_unit" in self.model_fields_set:
            raise InputError(
                "mesh_unit is of a deck (.inp), and the mesh is none; of another file write "
                "mesh = { path = 'plate.msh', unit = 'mm' }."
            )
        return solid.mesh_in(self.mesh, folder)
