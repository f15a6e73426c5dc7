"""The homogeneous reference medium that preconditions the discrete equilibrium."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import torch

from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.rve.moduli import triangle

if TYPE_CHECKING:
    from torch import Tensor

    from scalebridge.micro.rve.grid import Grid

Kind = Literal["elastic", "scalar"]

# Bytes transformed at once on a CPU. Even with `out=`, torch's transforms make temporaries of the size of their
# input and copy; large ones are mapped and page-faulted anew at every call.
CACHE = 1 << 20


class ReferenceMedium:
    """Exact (pseudo-)inverse of the discrete operator of a homogeneous medium, by FFT.

    At a frequency with metric M the operator is ``(lam + mu) M + mu tr(M) I`` on displacements ("elastic", small and
    finite strain) or ``sum k0_jl M_jl`` on a potential ("scalar"). Modes that strain nothing are given zero.
    Its Poisson's ratio matters (the phases' own when they agree); a common factor of its moduli does not.

    Args:
        metric: ``[d, d, *half]``, float64, of the discretisation.
        kind: "elastic" or "scalar".
        constants: Lamé's ``(lam, mu)`` in Pa, or the conductivity ``k0 [d, d]``.
        b: rows of a batch.
        grid: the grid.
        device: where the fields live.
        dtype: of the fields.

    Attributes:
        components: of the unknown: d or 1.
        inverse: ``[T, *half]``, the symmetric matrices, entries in the order of `moduli.triangle`.

    Raises:
        InputError: a medium that is not stable, or constants of another kind.
    """

    def __init__(
        self,
        metric: Tensor,
        kind: Kind,
        constants: Sequence[float] | Sequence[Sequence[float]] | Tensor,
        b: int,
        grid: Grid,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        values = torch.as_tensor(constants, dtype=torch.float64, device="cpu")
        _check(kind, values, grid.dim)
        self.kind = kind
        self.constants = values
        self.components = grid.dim if kind == "elastic" else 1
        self._grid = grid
        self._fields = (b, self.components, *grid.shape)
        self._slots = _slots(self.components)
        self.inverse = _inverse(metric, kind, values, self.components).to(device=device, dtype=dtype)
        self._whole = device.type != "cpu" or self.components * grid.voxels * dtype.itemsize <= CACHE
        rows = 1 if not self._whole else b if device.type != "cpu" else min(b, _rows(self._fields, dtype))
        spectrum = (rows, self.components, *grid.half)
        self._force = torch.zeros(spectrum, dtype=dtype.to_complex(), device=device)
        self._solution = torch.zeros(spectrum if self._whole else (), dtype=dtype.to_complex(), device=device)

    def solve(self, force: Tensor, out: Tensor) -> Tensor:
        """Write the unknown under the nodal ``force`` to ``out``, both ``[b, c, *grid]``; they may be the same.

        Raises:
            ShapeError: fields that are not of the shape this was made for.
        """
        if tuple(force.shape) != self._fields or tuple(out.shape) != self._fields:
            raise ShapeError(
                f"A reference medium made for fields {self._fields} was given {tuple(force.shape)} and "
                f"{tuple(out.shape)}; make one for these."
            )
        step = self._force.shape[0]
        for row in range(0, force.shape[0], step):
            rows = slice(row, row + step)
            if self._whole:
                self._solve_whole(force[rows], out[rows])
            else:
                self._solve_in_parts(force[row], out[row])
        return out

    def stress_norm(self, stress: Tensor) -> Tensor:
        """Root mean square ``[b]`` (float64) of ``stress [b, Q, g, *grid]`` in the reference's compliance.

        In this norm the residual of equilibrium is the part of the stress that is out of balance. Stresses: Mandel
        (g = 3 in plane strain, 6), first Piola-Kirchhoff (4, 9; over ``sqrt(2 mu)``), flux (d). Sums are taken in
        float64, whatever the fields are.
        """
        b, points, g = stress.shape[:3]
        compliance = self._compliance(g).to(stress.device)
        flat = stress.reshape(b * points, g, -1)
        voxels = flat.shape[-1]
        chunk = 2 * CACHE if stress.device.type == "cpu" else 1 << 28
        step = voxels if stress.dtype == torch.float64 else max(1, chunk // (8 * b * points * g))
        gram = torch.zeros((b * points, g, g), dtype=torch.float64, device=stress.device)
        for start in range(0, voxels, step):
            part = flat[..., start : start + step].to(torch.float64)
            gram.baddbmm_(part, part.mT)
        squares = (gram * compliance).sum((1, 2)).view(b, points).mean(1) / voxels
        return squares.clamp_min(0.0).sqrt()

    def _solve_whole(self, force: Tensor, out: Tensor) -> None:
        given, found = self._force[: force.shape[0]], self._solution[: force.shape[0]]
        torch.fft.rfftn(force, dim=self._grid.axes, out=given)
        for i, slots in enumerate(self._slots):
            torch.mul(given[:, 0], self.inverse[slots[0]], out=found[:, i])
            for j in range(1, self.components):
                found[:, i].addcmul_(given[:, j], self.inverse[slots[j]])
        torch.fft.irfftn(found, s=self._grid.shape, dim=self._grid.axes, out=out)

    def _solve_in_parts(self, force: Tensor, out: Tensor) -> None:
        """Transform layers over all axes but the first; then columns along the first, where the inverse acts."""
        spectrum, shape, axes = self._force[0], self._grid.shape, self._grid.axes[1:]
        layer = out.stride(1) * out.element_size()
        thickness = max(1, CACHE // layer)
        for i in range(self.components):
            for z in range(0, shape[0], thickness):
                spectrum[i, z : z + thickness] = torch.fft.rfftn(force[i, z : z + thickness], dim=axes)
        columns = max(1, CACHE // (spectrum[0, :, :1].numel() * spectrum.element_size()))
        for y in range(0, spectrum.shape[2], columns):
            self._multiply_columns(spectrum[:, :, y : y + columns], self.inverse[:, :, y : y + columns])
        for i in range(self.components):
            for z in range(0, shape[0], thickness):
                out[i, z : z + thickness] = torch.fft.irfftn(spectrum[i, z : z + thickness], s=shape[1:], dim=axes)

    def _multiply_columns(self, spectrum: Tensor, inverse: Tensor) -> None:
        given = [torch.fft.fft(spectrum[j], dim=0) for j in range(self.components)]
        for i, slots in enumerate(self._slots):
            found = given[0] * inverse[slots[0]]
            for j in range(1, self.components):
                found.addcmul_(given[j], inverse[slots[j]])
            spectrum[i] = torch.fft.ifft(found, dim=0)

    def _compliance(self, g: int) -> Tensor:
        d = self._grid.dim
        if self.kind == "scalar" and g == d:
            inverse: Tensor = torch.linalg.inv(self.constants)
            return inverse
        if self.kind == "elastic" and g in (d * d, d * (d + 1) // 2):
            lam, mu = self.constants.tolist()
            compliance: Tensor = torch.eye(g, dtype=torch.float64) / (2.0 * mu)
            if g < d * d:
                compliance[:d, :d] -= lam / (d * lam + 2.0 * mu) / (2.0 * mu)
            return compliance
        raise ShapeError(f"A stress of {g} components has no norm in a medium of kind '{self.kind}' in {d} dimensions.")


def _check(kind: str, values: Tensor, d: int) -> None:
    if kind == "elastic":
        if values.shape != (2,):
            raise InputError("An elastic reference medium takes Lamé's constants (lam, mu).")
        lam, mu = values.tolist()
        if not (mu > 0.0 and d * lam + 2.0 * mu > 0.0):
            raise InputError(
                f"The reference medium lam = {lam:g}, mu = {mu:g} is not stable; both moduli must be positive."
            )
        return
    if values.shape != (d, d):
        raise InputError(f"A scalar reference medium in {d} dimensions takes a conductivity [{d}, {d}].")
    if not (torch.equal(values, values.mT) and bool((torch.linalg.eigvalsh(values) > 0.0).all())):
        raise InputError("The conductivity of a reference medium must be symmetric and positive definite.")


def _rows(fields: tuple[int, ...], dtype: torch.dtype) -> int:
    return max(1, CACHE // (torch.Size(fields[1:]).numel() * dtype.itemsize))


def _slots(c: int) -> list[list[int]]:
    """Return where entry (i, j) of a symmetric matrix is stored."""
    stored = {pair: slot for slot, pair in enumerate(triangle(c))}
    return [[stored[min(i, j), max(i, j)] for j in range(c)] for i in range(c)]


def _inverse(metric: Tensor, kind: Kind, values: Tensor, c: int) -> Tensor:
    """Return the inverse ``[T, *half]``, float64, zero where the operator is; by cofactors, layer by layer."""
    entries = triangle(c)
    inverse = metric.new_empty((len(entries), *metric.shape[2:]))
    for z in range(metric.shape[2]):
        layer = metric[:, :, z]
        if kind == "scalar":
            operator = torch.einsum("jl,jl...->...", values.to(layer), layer)[None]
        else:
            lam, mu = values.tolist()
            trace = torch.einsum("jj...->...", layer)
            operator = torch.stack([(lam + mu) * layer[i, j] + (mu * trace if i == j else 0.0) for i, j in entries])
        inverse[:, z] = _inverted(operator, c)
    return inverse


def _inverted(m: Tensor, c: int) -> Tensor:
    """Inverse of symmetric matrices ``[T, ...]`` of size 1, 2 or 3; zero where the diagonal is."""
    null = (m[:c] == 0.0).all(0)
    if c == 1:
        cofactors, determinant = torch.ones_like(m), m[0]
    elif c == 2:
        cofactors = torch.stack([m[1], m[0], -m[2]])
        determinant = m[0] * m[1] - m[2] * m[2]
    else:
        xx, yy, zz, xy, xz, yz = m
        upper = [yy * zz - yz * yz, xx * zz - xz * xz, xx * yy - xy * xy]
        cofactors = torch.stack([*upper, xz * yz - xy * zz, xy * yz - xz * yy, xy * xz - xx * yz])
        determinant = xx * cofactors[0] + xy * cofactors[3] + xz * cofactors[4]
    return (cofactors / determinant.masked_fill(null, 1.0)).masked_fill(null, 0.0)
