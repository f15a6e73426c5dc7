"""Kind ``solid``: `scalebridge.macro.Solid`, a plane-strain body on a two-dimensional mesh."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from scalebridge.errors import InputError
from scalebridge.studies.entry import Built, Entry

Condition = list[str | float]


class Settings(Entry):
    """A plane-strain body whose stress is an unknown function of strain."""

    role: ClassVar[str | None] = "macro"
    kind: Literal["solid"] = "solid"
    mesh: str | dict[str, Any] = Field(
        description="mesh: a .msh file, or a table such as { kind = 'plate_with_hole', ... }", examples=["plate.msh"]
    )
    displacement: dict[str, Condition] = Field(
        description="displacement by boundary, each [x, y], 'free' where free", examples=[{"left": ["0 m", "free"]}]
    )
    traction: dict[str, Condition] = Field(default_factory=dict, description="traction by boundary, each [x, y]")
    qois: dict[str, dict[str, Any]] | None = Field(None, description="quantities of interest by name")
    order: Literal[1, 2] = Field(1, description="order of the elements")
    thickness: str | float = Field(1.0, description="thickness of the plate", examples=["2 mm"])

    def build(self, name: str, folder: Path) -> Built:
        """Make the body."""
        from scalebridge.macro import Solid

        try:
            made = Solid(
                mesh=mesh_in(self.mesh, folder),
                displacement=self.displacement,
                traction=self.traction,
                qois=self.qois,
                order=self.order,
                thickness=self.thickness,
            )
        except InputError as error:
            raise InputError(f"[models.{name}]: {error}") from error
        return Built(made, units=made.units)


def mesh_in(mesh: str | dict[str, Any], folder: Path) -> Any:
    """Return the mesh with a relative path of its file resolved."""
    if isinstance(mesh, str):
        return folder / mesh
    if mesh.get("kind", "file") == "file" and "path" in mesh:
        return {**mesh, "path": folder / str(mesh["path"])}
    return mesh
