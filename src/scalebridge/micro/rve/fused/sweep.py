"""Sweeps of the rotated scheme over planes of voxels, and the steps of the iterates plane by plane."""

from __future__ import annotations

from typing import Any, NamedTuple

from scalebridge.micro.rve.fused.compiled import compiled
from scalebridge.micro.rve.fused.rows import (
    across_y_0,
    across_y_1,
    across_z_0,
    across_z_1,
    add_stress,
    anisotropic,
    collect_x,
    collect_y,
    collect_z,
    copy_moduli,
    isotropic,
    open_x,
    open_y,
    open_z,
    put_moduli,
    wrap,
)

Array = Any


class Material(NamedTuple):
    """Moduli as the sweeps take them.

    Args:
        kind: 0: Lamé's constants per label; 1: all moduli per label; 2: all moduli per voxel.
        labels: ``[nz, ny, nx]``; of one voxel for kind 2.
        table: ``[p, 2]`` or ``[p, 21]``; of no use to kind 2.
        field: ``[21, nz, ny, nx]``; of one voxel for kinds 0 and 1.
        held: ``[nx]``, labels of the row of moduli at hand.
    """

    kind: int
    labels: Array
    table: Array
    field: Array
    held: Array


@compiled
def _hold(material: Material, k: int, j: int, b: Array) -> None:
    """Look up the moduli of a row; neighbouring rows are mostly alike, and only what differs is written."""
    labels, table, held = material.labels, material.table, material.held
    nx = labels.shape[2]
    changed = 0
    for i in range(nx):
        changed += labels[k, j, i] != held[i]
    if changed == 0:
        return
    for i in range(nx):
        label = labels[k, j, i]
        if label != held[i]:
            held[i] = label
            for slot in range(table.shape[1]):
                put_moduli(slot, i, table[label, slot], b)


@compiled
def begin(material: Material, b: Array) -> None:
    """Fill the row of moduli with those of label 0."""
    material.held[:] = 0
    for slot in range(material.table.shape[1]):
        for i in range(material.held.size):
            put_moduli(slot, i, material.table[0, slot], b)


@compiled
def _stress(k: int, j: int, nx: int, material: Material, f: Array, e: Array, b: Array) -> float:
    if material.kind == 2:
        copy_moduli(material.field, k, j, b)
    else:
        _hold(material, k, j, b)
    work = isotropic(nx, f, e, b) if material.kind == 0 else anisotropic(nx, f, e, b)
    wrap(nx, b)
    return work


@compiled
def _strain(w: Array, k: int, above: int, row: int, b: Array) -> None:
    """Write the strain before its last step of the voxel row after node row ``row``; that row must be at hand."""
    _, _, ny, nx = w.shape
    after = row + 1 if row + 1 < ny else 0
    if row % 2 == 0:
        across_z_1(w, k, above, after, b)
        across_y_0(nx, b)
    else:
        across_z_0(w, k, above, after, b)
        across_y_1(nx, b)


@compiled
def forces(
    w: Array, first: int, last: int, material: Material, f: Array, e: Array, b: Array, upper: Array, seam: Array,
    q: Array, base: int,
) -> float:  # fmt: skip
    """Write the nodal forces of planes ``first`` to ``last - 1`` to ``q[plane - base]``; return their stress x strain.

    Planes of voxels must come in order from -1, the last one of the cell, whose own part of the force goes to
    ``seam [1, 3, ny, nx]``; what each plane gives to the next one is kept in ``upper``, zero at the start. `close`
    joins the ends. Without ``e`` the sum of what is returned is the force's product with w.

    Args:
        w: scaled displacements ``[3, nz, ny, nx]``.
        e: macroscopic strain ``[6]``, Mandel.
    """
    _, nz, ny, nx = w.shape
    work = 0.0
    for plane in range(first, last):
        k = plane if plane >= 0 else nz - 1
        above = k + 1 if k + 1 < nz else 0
        across_z_1(w, k, above, ny - 1, b)
        for row in range(-1, ny):
            j = row if row >= 0 else ny - 1
            _strain(w, k, above, row, b)
            part = _stress(k, j, nx, material, f, e, b)
            if row < 0:
                open_x(nx, b)
                open_y(nx, b)
                open_z(nx, b)
                continue
            work += part
            target, n = (seam, 0) if plane < 0 else (q, plane - base)
            collect_x(b, upper, target, n, j)
            collect_y(b, upper, target, n, j)
            collect_z(b, upper, target, n, j)
    return work


@compiled
def close(upper: Array, seam: Array, q: Array, n: int) -> None:
    """Write the force of the last plane to ``q[n]``."""
    _, ny, nx = upper.shape
    for c in range(3):
        for j in range(ny):
            for i in range(nx):
                q[n, c, j, i] = seam[0, c, j, i] + upper[c, j, i]


@compiled
def stress_sums(w: Array, material: Material, f: Array, e: Array, b: Array, sums: Array) -> None:
    """Write the sums over the voxels of the scaled stress to ``sums [6]``, float64."""
    _, nz, ny, nx = w.shape
    sums[:] = 0.0
    for k in range(nz):
        above = k + 1 if k + 1 < nz else 0
        across_z_0(w, k, above, 0, b)
        for j in range(ny):
            _strain(w, k, above, j, b)
            _stress(k, j, nx, material, f, e, b)
            add_stress(nx, b, sums)


@compiled
def advance(x: Array, p: Array, z: Array, k: int, planes: int, step: Array, ratio: float) -> None:
    """``x_c += step_c p_c``, then ``p = z + ratio p``, in ``planes`` planes from ``k``; ``z [planes, 3, ny, nx]``."""
    _, _, ny, nx = p.shape
    for n in range(planes):
        for c in range(3):
            s = step[c]
            for j in range(ny):
                for i in range(nx):
                    x[c, k + n, j, i] += s * p[c, k + n, j, i]
                    p[c, k + n, j, i] = z[n, c, j, i] + ratio * p[c, k + n, j, i]


@compiled
def finish(x: Array, p: Array, step: Array) -> None:
    """``x_c += step_c p_c``."""
    _, nz, ny, nx = p.shape
    for c in range(3):
        for k in range(nz):
            for j in range(ny):
                for i in range(nx):
                    x[c, k, j, i] += step[c] * p[c, k, j, i]


@compiled
def scaled(given: Array, first: int, last: int, s: Array, out: Array) -> None:
    """``out[k - first, c] = s_c given[c, k]``: a slab of a field, planes first."""
    _, _, ny, nx = given.shape
    for k in range(first, last):
        for c in range(3):
            for j in range(ny):
                for i in range(nx):
                    out[k - first, c, j, i] = s[c] * given[c, k, j, i]


@compiled
def unscaled(slab: Array, first: int, last: int, s: Array, out: Array) -> None:
    """``out[c, k] = slab[k - first, c] / s_c``: back from a slab."""
    _, _, ny, nx = out.shape
    for k in range(first, last):
        for c in range(3):
            for j in range(ny):
                for i in range(nx):
                    out[c, k, j, i] = slab[k - first, c, j, i] / s[c]
