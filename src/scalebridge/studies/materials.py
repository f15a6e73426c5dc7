"""The material of a phase, as a study file writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from scalebridge.errors import InputError

if TYPE_CHECKING:
    from scalebridge.micro.rve import Phase


class Material(BaseModel):
    """Linear elasticity, or power-law hardening in deformation theory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    law: Literal["elastic", "power-law"] = Field("elastic", description="the material law")
    E: str | float = Field(description="Young's modulus, in Pa or with a unit", examples=["72 GPa"])
    nu: float = Field(description="Poisson's ratio", examples=[0.22])
    yield_stress: str | float | None = Field(
        None, description="von Mises stress at which the elastic line and the power law meet", examples=["70 MPa"]
    )
    n: float | None = Field(None, description="hardening exponent in (0, 1]", examples=[0.2])

    @model_validator(mode="after")
    def _law_has_its_constants(self) -> Self:
        for name in ("yield_stress", "n"):
            given = getattr(self, name) is not None
            if self.law == "power-law" and not given:
                raise InputError(f"a power-law material needs '{name}'; add it.")
            if self.law == "elastic" and given:
                raise InputError(f"an elastic material has no '{name}'; write law = \"power-law\" or remove it.")
        return self

    def phase(self) -> Phase:
        """Return the material law.

        Raises:
            InputError: constants out of range.
        """
        from scalebridge.micro.rve import Elastic, PowerLaw

        if self.law == "elastic":
            return Elastic(self.E, self.nu)
        assert self.yield_stress is not None and self.n is not None
        return PowerLaw(self.E, self.nu, self.yield_stress, self.n)


def phases_of(materials: dict[str, Material], names: tuple[str, ...], owner: str) -> list[Phase]:
    """Return one law per phase name, in that order.

    Raises:
        InputError: a phase without material, a material without phase, constants out of range.
    """
    for name in materials:
        if name not in names:
            raise InputError(f"{owner} gives a material for '{name}'; the phases are {', '.join(names)}.")
    laws = []
    for name in names:
        if name not in materials:
            raise InputError(f"{owner} gives no material for the phase '{name}'; add {owner[:-1]}.{name}].")
        try:
            laws.append(materials[name].phase())
        except InputError as error:
            raise InputError(f"{owner[:-1]}.{name}]: {error}") from error
    return laws
