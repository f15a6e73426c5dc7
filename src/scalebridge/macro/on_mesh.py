"""What macro problems on finite elements share: everything that follows from their mesh and their discrete form."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from scalebridge.errors import InputError
from scalebridge.macro.conditions import at_points
from scalebridge.macro.discrete import Discrete, Functional, Local
from scalebridge.macro.domain import Domain
from scalebridge.macro.element_space import ElementSpace
from scalebridge.macro.mesh_error import checked_local, estimate, marked, richer
from scalebridge.macro.meshes import domain_of
from scalebridge.macro.quantities_of_interest import known_quantity
from scalebridge.models import MacroSolution, MeshEstimate
from scalebridge.models.closure import Closure
from scalebridge.quantities import Floats


class OnMesh(ABC):
    """A problem on a mesh; its final classes are frozen dataclasses.

    Args:
        mesh: one of `scalebridge.macro.meshes`, a scikit-fem mesh with named boundaries, a path or a mapping.
        marking: part of the estimated error that the refined elements hold together (Doerfler).
    """

    mesh: Any
    marking: float

    @property
    @abstractmethod
    def quantities(self) -> Mapping[str, Any]:
        """Name -> description of every quantity of interest."""

    @property
    @abstractmethod
    def _space(self) -> ElementSpace:
        """The elements."""

    @abstractmethod
    def _on(self, space: ElementSpace) -> Discrete:
        """The problem assembled on elements."""

    @cached_property
    def domain(self) -> Domain:
        """The mesh with its named boundaries."""
        return domain_of(self.mesh)

    @cached_property
    def discrete(self) -> Discrete:
        """The assembled problem."""
        return self._on(self._space)

    @property
    def n_states(self) -> int:
        """Number of states at which a solution uses the closure."""
        return int(self.discrete.weights.size)

    @property
    def units(self) -> dict[str, str]:
        """Name -> unit of every quantity of interest; SI."""
        return {name: quantity.unit for name, quantity in self.quantities.items()}

    @cached_property
    def functionals(self) -> dict[str, Functional]:
        """Name -> linear functional of every quantity of interest."""
        return {name: quantity.on(self.discrete) for name, quantity in self.quantities.items()}

    def mesh_estimate(self, solution: MacroSolution, closure: Closure, qoi: str) -> MeshEstimate:
        """Estimate the mesh error of a quantity of interest; see `scalebridge.macro.mesh_error`.

        ``local`` sums to ``error``.

        Raises:
            InputError: an unknown quantity of interest, a solution that is none, or elements without a richer space.
        """
        fine = self._richer
        functional = known_quantity(self.quantities, qoi).on(fine)
        return estimate(self.discrete, fine, self.functionals[qoi], functional, solution, closure)

    @cached_property
    def _richer(self) -> Discrete:
        return self._on(richer(self._space))

    def refined(self, local: Floats) -> Self:
        """Return the problem on a mesh refined where ``local [n_elements]`` is largest.

        The fewest elements that hold the part ``marking`` of the sum are refined (all, where the cells are
        neither triangles nor lines). Boundary names are kept, and new nodes on a generated hole lie on its circle.
        """
        cells = marked(checked_local(local, self.domain.mesh.nelements), self.marking)
        return self._with_mesh(self.domain.refined(cells))

    def refined_everywhere(self) -> Self:
        """Return the same problem on the mesh with every element refined."""
        return self._with_mesh(self.domain.refined())

    def _with_mesh(self, domain: Domain) -> Self:
        problem: Any = self
        refined: Self = replace(problem, mesh=domain)
        return refined

    def _mean(self, values: Floats) -> Floats:
        """Means in the cells ``[e, k]`` of values at the quadrature points ``[e, q, k]``."""
        weights = self._space.cells.weights
        mean: Floats = ((weights / weights.sum(1, keepdims=True))[..., None] * values).sum(1)
        return mean

    def _places(self, at: Local) -> dict[str, Any]:
        """What `MacroSolution.fields` says of the mesh and of where each row of ``states`` sits."""
        mesh, points = self.domain.mesh, self._space.cells.points
        n_cells, n_points, dim = points.shape
        return {
            "points": np.ascontiguousarray(mesh.p.T),
            "cells": np.ascontiguousarray(mesh.t.T),
            "inside": at.inside.all(1),
            "state_points": points.reshape(-1, dim),
            "state_cells": np.repeat(np.arange(n_cells), n_points),
        }


def cross_section(area: Any, points: Floats, owner: str) -> Floats:
    """The cross-section of a bar (m^2) or the thickness of a plate (m) at points ``[..., dim]``.

    Raises:
        InputError: it is not positive.
    """
    unit = {1: "m^2", 2: "m"}.get(points.shape[-1], "1")
    found = at_points(area, points, unit, f"The area of {owner}")
    if not (found > 0).all():
        raise InputError(f"The area of {owner} falls to {found.min():g}; give one that is positive.")
    return found
