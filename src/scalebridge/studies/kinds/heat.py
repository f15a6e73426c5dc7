"""Kind ``heat``: `scalebridge.macro.Heat`, steady conduction in one, two or three dimensions."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from scalebridge.errors import InputError
from scalebridge.studies.entry import Built, Entry
from scalebridge.studies.kinds.solid import mesh_in


class Settings(Entry):
    """Steady heat conduction with an unknown conductivity or flux law."""

    role: ClassVar[str | None] = "macro"
    kind: Literal["heat"] = "heat"
    mesh: str | dict[str, Any] = Field(
        description="mesh: a .msh file, or a table such as { kind = 'interval', length = '1 m', n = 32 }",
        examples=["wall.msh"],
    )
    temperature: dict[str, str | float] = Field(
        description="temperature by boundary, in K or with a unit", examples=[{"left": "300 K"}]
    )
    law: Literal["conductivity", "flux"] = Field("conductivity", description="what the micro model answers")
    inflow: dict[str, str | float] = Field(default_factory=dict, description="heat that enters, by boundary, W/m^2")
    source: str | float | None = Field(None, description="heat made in the body, W/m^3")
    qois: dict[str, dict[str, Any]] | None = Field(None, description="quantities of interest by name")
    order: Literal[1, 2] = Field(1, description="order of the elements")
    area: str | float = Field(1.0, description="cross-section of a bar or thickness of a plate", examples=["1 m^2"])

    def build(self, name: str, folder: Path) -> Built:
        """Make the heat problem."""
        from scalebridge.macro import Heat

        try:
            made = Heat(
                mesh=mesh_in(self.mesh, folder),
                temperature=self.temperature,
                law=self.law,
                inflow=self.inflow,
                source=self.source,
                qois=self.qois,
                order=self.order,
                area=self.area,
            )
        except InputError as error:
            raise InputError(f"[models.{name}]: {error}") from error
        return Built(made, units=made.units)
