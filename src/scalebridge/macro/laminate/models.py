"""A component as a model of the constants of its ply, so that their uncertainty reaches it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from scalebridge.macro.laminate.ply import Ply
from scalebridge.models import FunctionModel, model
from scalebridge.quantities import Space, Variable


@cache
def ply_space() -> Space:
    """Return the space of the five constants of a transversely isotropic ply: E1, E2, nu12, G12 (and G13), G23."""
    words = {
        "E1": "Young's modulus along the fibres",
        "E2": "Young's modulus across them",
        "nu12": "contraction across under a pull along the fibres",
        "G12": "shear modulus in the plane; also G13",
        "G23": "shear modulus across the fibres",
    }
    units = {"nu12": "1"}
    return Space([Variable(n, units.get(n, "Pa"), bounds=(0.0, None), description=w) for n, w in words.items()])


def ply_model(
    component: Callable[[Ply], Mapping[str, float]], outputs: Any, *, like: Ply | None = None, version: str = "1"
) -> FunctionModel:
    """Return a model from the five constants of a transversely isotropic ply to what a component does.

    ::

        def plate(ply):
            return {"deflection": SupportedPlate(Laminate.of(ply, "[0/90]s", 2.5e-4), 0.15, 0.1).deflection(1000.0)}

        bent = ply_model(plate, {"deflection": "m"})

    Args:
        component: from a ply to its outputs by name.
        outputs: their space, or a mapping from name to unit.
        like: what else the ply has (strengths, expansion); none when ``None``.
        version: of the component.
    """

    def of_ply(E1: float, E2: float, nu12: float, G12: float, G23: float) -> Mapping[str, float]:
        ply = Ply(E1, E2, nu12, G12, G12, G23)
        if like is not None:
            ply = replace(ply, alpha1=like.alpha1, alpha2=like.alpha2, strength=like.strength)
        return component(ply)

    return model(ply_space(), outputs, version=version)(of_ply)
