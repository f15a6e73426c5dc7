"""An RVE some of whose constants, directions or fractions are tensors."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scalebridge.errors import InputError
from scalebridge.micro.rve.assembly import assemble, labels_only
from scalebridge.micro.rve.build import available_device, grid_of
from scalebridge.micro.rve.composite import ISOTROPY, Composite, Part
from scalebridge.micro.rve.control import Control
from scalebridge.micro.rve.driving import driven
from scalebridge.micro.rve.grid import Grid
from scalebridge.micro.rve.homogenise import Homogeniser
from scalebridge.micro.rve.image import kind_of
from scalebridge.micro.rve.kinematics import Kinematics
from scalebridge.micro.rve.phases.phase import Phase, with_parameters
from scalebridge.micro.rve.phases.rigid import Rigid
from scalebridge.micro.rve.voxels.oriented import oriented, rotation_from_direction
from scalebridge.microstructure.subvoxel import SubVoxels

if TYPE_CHECKING:
    from scalebridge.micro.rve.model import RVE

ORIENTATION, FRACTION = "orientation", "fraction"
# Points whose laws are differentiated at once: some ten MB of graph.
CHUNK = 16_384
STABILITY = 1e-12


@dataclasses.dataclass(frozen=True)
class Piece:
    """Some voxels of one part, with a law whose constants are leaves of a graph of its own.

    Args:
        law: in the dimension of the grid.
        rows: ``[k]``, flat indices of the voxels.
        leaves: by name; ``"orientation"`` and ``"fraction"`` hold those of these voxels only.
        mixed: ``[k]``, which rows of the mixed voxels these are; none where they are pure.
    """

    law: Any
    rows: Tensor
    leaves: dict[str, Tensor]
    mixed: NDArray[np.int64]


class Parametrised:
    """An RVE with tensors in place of some of its numbers; nothing here keeps a graph of the caller's.

    Args:
        rve: the image, its materials and options.
        values: ``"LABEL.NAME"`` to a constant ``[]``; ``"orientation"`` to ``[*image, 3]`` or ``[*image, 3, 3]``;
            ``"fraction"`` to ``[m]``, of the mixed voxels.

    Raises:
        InputError: a constant with which a law is not stable, a device that is not available.
    """

    def __init__(self, rve: RVE, values: Mapping[str, Tensor]) -> None:
        self._rve, self._grid = rve, grid_of(rve)
        self.device = available_device(rve.device)
        self._dtype = torch.float64 if rve.precision == "double" else torch.float32
        self._values = {n: v.detach().to(self.device, torch.float64).clone() for n, v in values.items()}
        self._voxels = rve.mixed if rve.mixed is not None else labels_only(rve.phases)
        self._unit = 1.0 if rve.voxel_size is None else rve.voxel_size[-1]
        self._materials = self._with({n: float(v) for n, v in self._constants().items()})
        self._refuse_unstable()
        self._turned = self._laws_that_turn()

    def homogeniser(self) -> Homogeniser:
        """Return a solver for these values."""
        composite = self.composite()
        return Homogeniser(composite, Control(tolerance=self._rve.tolerance), self._rve.discretisation)

    def composite(self) -> Composite:
        """Return the composite of these values."""
        voxels = self._voxels
        if FRACTION in self._values:
            voxels = dataclasses.replace(voxels, fraction=self._values[FRACTION].cpu().numpy())
        return self._assembled(voxels, self._materials, self._grid, self._orientation())

    def turns(self, part: Part) -> bool:
        """Whether the orientation makes a difference to a part, at these constants or near them."""
        place = int(part.index[0])
        row = int(np.searchsorted(self._voxels.index, place))
        if row < len(self._voxels.index) and self._voxels.index[row] == place:
            return bool({int(self._voxels.first[row]), int(self._voxels.second[row])} & self._turned)
        return int(np.asarray(self._voxels.labels).flat[place]) in self._turned

    def pieces(self, part: Part, wanted: Sequence[str], size: int) -> Iterator[Piece]:
        """Yield the voxels of a part, ``size`` at a time, with leaves for the ``wanted`` names."""
        for rows in part.index.split(size):
            yield self.piece(rows, wanted)

    @torch.enable_grad()
    def piece(self, rows: Tensor, wanted: Sequence[str]) -> Piece:
        """Return voxels ``rows [k]`` of one part with leaves for the ``wanted`` names, also inside a backward."""
        leaves = {n: self._leaf(v) for n, v in self._constants().items() if n in wanted}
        grid = Grid((1,) * (self._grid.dim - 1) + (len(rows),), (1.0,) * self._grid.dim)
        materials = self._rigid_held(self._with(leaves))
        orientation = self._orientation()
        if orientation is not None and self._turned:
            # Flat over the voxels, whatever the axes: three or three by three numbers each.
            axes = orientation.reshape(self._grid.voxels, *orientation.shape[self._grid.dim :])[rows]
            if ORIENTATION in wanted:
                axes = leaves[ORIENTATION] = self._leaf(axes)
            rotation = rotation_from_direction(axes) if axes.ndim == 2 else axes
            # Turned here and not by the assembly, which leaves out a law that happens to be isotropic: its derivative
            # by a constant need not be.
            materials = [oriented(m, rotation) if k in self._turned else m for k, m in enumerate(materials)]
        places = rows.cpu().numpy()
        found = np.searchsorted(self._voxels.index, places)
        held = found < len(self._voxels.index)
        held[held] = self._voxels.index[found[held]] == places[held]
        mixed = found[held]
        voxels = self._cut(places, mixed, grid)
        if len(mixed) and FRACTION in self._values:
            fraction = self._values[FRACTION][torch.as_tensor(mixed, device=self.device)]
            if FRACTION in wanted:
                fraction = leaves[FRACTION] = self._leaf(fraction)
            voxels = dataclasses.replace(voxels, fraction=fraction)  # type: ignore[arg-type]  # a graph goes through
        composite = self._assembled(voxels, materials, grid, None)
        return Piece(composite.parts[0].law, rows, leaves, mixed)

    def zeros(self, wanted: Sequence[str]) -> dict[str, Tensor]:
        """Return a gradient of zeros for each of the ``wanted`` names."""
        return {n: torch.zeros_like(self._values[n]) for n in wanted}

    def collect(self, value: Tensor, piece: Piece, into: dict[str, Tensor]) -> None:
        """Add the gradient of ``value []`` by the leaves of ``piece``."""
        if not (value.requires_grad and piece.leaves):
            return
        found = torch.autograd.grad(value, list(piece.leaves.values()), materialize_grads=True)
        for (name, leaf), part in zip(piece.leaves.items(), found, strict=True):
            if name == ORIENTATION:
                into[name].view(self._grid.voxels, *leaf.shape[1:])[piece.rows] += part
            elif name == FRACTION:
                into[name][torch.as_tensor(piece.mixed, device=self.device)] += part
            else:
                into[name] += part

    def _orientation(self) -> Tensor | None:
        given: Any = self._values.get(ORIENTATION, self._rve.orientation)
        if given is None:
            return None
        tensor = torch.as_tensor(given, dtype=torch.float64, device=self.device)
        return tensor.reshape(*self._grid.shape, *tensor.shape[self._rve.phases.ndim :])

    def _cut(self, places: NDArray[np.int64], mixed: NDArray[np.int64], grid: Grid) -> SubVoxels:
        labels, v = np.asarray(self._voxels.labels).ravel()[places].reshape(grid.shape), self._voxels
        return SubVoxels(
            labels, np.arange(len(mixed)), v.first[mixed], v.second[mixed], v.fraction[mixed], v.normal[mixed]
        )

    def _with(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the materials with their constants from ``values``, else from those of this object."""
        constants: dict[int, dict[str, Any]] = {}
        for name, value in self._constants().items():
            label, constant = name.split(".", 1)
            constants.setdefault(int(label), {})[constant] = values.get(name, float(value))
        laws = [with_parameters(law, constants.get(label, {})) for label, law in enumerate(self._rve.materials)]
        return [driven(law, self._unit) for law in laws]

    def _rigid_held(self, materials: list[Any]) -> list[Any]:
        """Return the materials with what stands for a rigid phase held: it has no constants of its own."""
        one = Grid((1, 1, 1), (1.0, 1.0, 1.0))
        for label, law in enumerate(materials):
            if isinstance(law, Rigid):
                voxel = labels_only(np.full(one.shape, label))
                materials[label] = self._assembled(voxel, self._materials, one, None).parts[0].law
        return materials

    def _assembled(
        self, voxels: SubVoxels, materials: Sequence[Any], grid: Grid, orientation: Tensor | None
    ) -> Composite:
        options = (self._rve.plane, orientation, self.device, self._dtype, self._unit)
        return assemble(voxels, materials, grid, *options)

    def _constants(self) -> dict[str, Tensor]:
        return {n: v for n, v in self._values.items() if n not in (ORIENTATION, FRACTION)}

    def _laws_that_turn(self) -> set[int]:
        """Labels of the laws to which an orientation makes a difference, at these constants or near them."""
        if self._orientation() is None:
            return set()
        near = self._with({n: float(v) * (1.0 + 0.01 * (k + 1)) for k, (n, v) in enumerate(self._constants().items())})
        alike = [all(_isotropic(law) for law in pair) for pair in zip(self._materials, near, strict=True)]
        return {label for label, isotropic in enumerate(alike) if not isotropic}

    def _leaf(self, value: Tensor) -> Tensor:
        return value.detach().clone().requires_grad_()

    def _refuse_unstable(self) -> None:
        rest = torch.tensor(Kinematics(kind_of(self._materials), 3).rest, dtype=torch.float64)[None]
        for label in sorted({int(n.split(".")[0]) for n in self._constants()}):
            law = self._materials[label]
            if not isinstance(law, Phase):
                continue
            tangent = law.tangent(rest)[0]
            if bool(torch.isfinite(tangent).all()):
                values = torch.linalg.eigvalsh(tangent)
                if float(values[0]) >= -STABILITY * float(values.abs().max()):
                    continue
            given = ", ".join(f"{p.name} = {float(p.value):.6g}" for p in law.parameters)
            raise InputError(
                f"The phase {label} of the RVE, '{law.name}', is not stable with {given}; keep its constants in their "
                "range, for example by optimising a logarithm or a logit."
            )


def _isotropic(law: Any) -> bool:
    """Whether a law is a rigid one, or linear and the same in all directions."""
    if isinstance(law, Rigid):
        return True
    if not (isinstance(law, Phase) and law.linear):
        return False
    kin = Kinematics(law.kinematics, 3)
    tangent = law.tangent(torch.tensor(kin.rest, dtype=torch.float64)[None])[0]
    gap = (tangent - kin.isotropic_tangent(*kin.isotropic_part(tangent), tangent)).abs().max()
    return bool(gap <= ISOTROPY * tangent.abs().max())
