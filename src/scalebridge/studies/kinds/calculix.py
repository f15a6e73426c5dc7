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
        description="mesh: a .msh file, or a table such as { kind = 'plate_with_hole', ... }", examples=["plate.msh"]
    )
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

    def build(self, name: str, folder: Path) -> Built:
        """Make the body."""
        from scalebridge.models.program import Limits
        from scalebridge.quantities.units import magnitude
        from scalebridge.simulators.calculix import CalculixSolid

        table = self.model_dump(exclude={"kind", "program", "threads", "timeout"})
        body = solid.Settings.model_validate(table).build(name, folder).model
        try:
            limits = Limits(timeout=magnitude(self.timeout, "s", "The timeout"))
            made = CalculixSolid(body, self.program, self.threads, limits)
        except InputError as error:
            raise InputError(f"[models.{name}]: {error}") from error
        return Built(made, units=made.units)
