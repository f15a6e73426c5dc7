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
from scalebridge.micro.rve.composite import Composite, Part
from scalebridge.micro.rve.control import Control
from scalebridge.micro.rve.grid import Grid
from scalebridge.micro.rve.homogenise import Homogeniser
from scalebridge.micro.rve.image import kind_of
from scalebridge.micro.rve.kinematics import Kinematics
from scalebridge.micro.rve.phases.phase import Phase, with_parameters
from scalebridge.micro.rve.phases.rigid import Rigid
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
        self._materials = self._with({n: float(v) for n, v in self._values.items() if n not in (ORIENTATION, FRACTION)})
        self._refuse_unstable()

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

    def pieces(self, part: Part, wanted: Sequence[str], size: int) -> Iterator[Piece]:
        """Yield the voxels of a part, ``size`` at a time, with leaves for the ``wanted`` names."""
        for rows in part.index.split(size):
            yield self.piece(rows, wanted)

    @torch.enable_grad()  # type: ignore[untyped-decorator]  # a custom backward runs without
    def piece(self, rows: Tensor, wanted: Sequence[str]) -> Piece:
        """Return voxels ``rows [k]`` of one part with leaves for the ``wanted`` names."""
        leaves = {n: self._leaf(self._values[n]) for n in wanted if n not in (ORIENTATION, FRACTION)}
        grid = Grid((1,) * (self._grid.dim - 1) + (len(rows),), (1.0,) * self._grid.dim)
        orientation = self._orientation()
        if orientation is not None:
            # Flat over the voxels, whatever the axes: three or three by three numbers each.
            orientation = orientation.reshape(self._grid.voxels, *orientation.shape[self._grid.dim :])[rows]
            if ORIENTATION in wanted:
                orientation = leaves[ORIENTATION] = self._leaf(orientation)
            orientation = orientation.reshape(*grid.shape, *orientation.shape[1:])
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
        composite = self._assembled(voxels, self._rigid_held(self._with(leaves)), grid, orientation)
        return Piece(composite.parts[0].law, rows, leaves, mixed)

    def zeros(self, wanted: Sequence[str]) -> dict[str, Tensor]:
        """Return a gradient of zeros for each of the ``wanted`` names."""
        return {n: torch.zeros_like(self._values[n]) for n in wanted}

    def collect(self, value: Tensor, piece: Piece, into: dict[str, Tensor]) -> None:
        """Add the gradient of ``value []`` by the leaves of ``piece``."""
        if not (value.requires_grad and piece.leaves):
            return
        found = torch.autograd.grad(value, list(piece.leaves.values()), allow_unused=True)
        for (name, leaf), part in zip(piece.leaves.items(), found, strict=True):
            if part is None:
                continue
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
        return SubVoxels(labels, np.arange(len(mixed)), v.first[mixed], v.second[mixed], v.fraction[mixed], v.normal[mixed])

    def _with(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the materials with constants replaced, other names left alone; a rigid phase as it is."""
        materials = list(getattr(self, "_materials", self._rve.materials))
        for name, value in values.items():
            if name not in (ORIENTATION, FRACTION):
                label, constant = name.split(".", 1)
                materials[int(label)] = with_parameters(materials[int(label)], {constant: value})
        return materials

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
        return assemble(voxels, materials, grid, self._rve.plane, orientation, self.device, self._dtype)

    def _leaf(self, value: Tensor) -> Tensor:
        return value.detach().clone().requires_grad_()

    def _refuse_unstable(self) -> None:
        rest = torch.tensor(Kinematics(kind_of(self._materials), 3).rest, dtype=torch.float64)[None]
        for label in sorted({int(n.split(".")[0]) for n in self._values if n not in (ORIENTATION, FRACTION)}):
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
                "range, for example by optimising their logarithms."
            )
