"""The rotated scheme in three dimensions, row by row, in loops that the compiler turns into vector code.

A derivative is a difference along its own axis and sums along the other two, made axis by axis from shared parts:
z, y, x towards the strain, and x, y, z back to the force. Displacements come scaled per component (`scales`), so
that every Mandel component of the strain is one factor ``f`` times plain sums and differences, and the same factor
serves the stress on its way back.

All work rows ``b`` are one flat array, row r from ``r * PITCH`` on. The pitch is a constant, so that the compiler
sees that no row overlaps another: without that it checks at run time, and for short rows gives up vector code.

One file, because compiled code kept on disk is made anew when its own file changes, and not when another does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from scalebridge.micro.rve.fused.compiled import compiled

Array = Any

# Numbers from one row to the next. In bytes it is 192 (float32: 96) more than a multiple of 4096: processors compare
# loads with earlier stores by the last twelve bits of the address, and rows at equal ones would wait for each other.
PITCH = 2072
# Voxel i of a row of stresses stands at i + LEAD, its left neighbour before it; a whole line of cache is led.
LEAD = 8
LONGEST = PITCH - 2 * LEAD

# Rows: sums and differences along z of two node rows [2, 3]; strain before its last step [8]; scaled stress [6];
# moduli [21], or Lamé's constants [2]; what the next node row takes, [3] each.
_TOTAL, _CHANGE, _G, _T, _M, _AHEAD, _SIDE, _ROWS = (r * PITCH for r in (0, 6, 12, 20, 26, 47, 50, 53))


def work_rows(real: Any) -> Array:
    """Return the work rows, zero."""
    raw = np.zeros(_ROWS * np.dtype(real).itemsize + 64, np.uint8)
    start = -raw.ctypes.data % 64
    rows: Array = raw[start : start + _ROWS * np.dtype(real).itemsize].view(real)
    return rows


def scales(spacing: tuple[float, float, float]) -> tuple[Array, Array]:
    """Return ``s [3]`` and ``f [6]`` for voxel edges along x, y, z in units of the first.

    With displacements ``u_c = s_c w_c`` the strain is ``f_cd (D_d w_c + D_c w_d)`` (``f_cc D_c w_c`` on the
    diagonal), and the force on w is ``s_c`` times that on u.
    """
    h = np.array(spacing, dtype=np.float64)
    s = 1.0 / h
    pairs = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
    return s, np.array([s[c] / (4.0 * h[d]) * (1.0 if c == d else math.sqrt(0.5)) for c, d in pairs])


# Functions that differ by constants are made one by one: an offset known to the compiler is known not to be negative
# and not to make rows overlap.


def _across_z(slot: int) -> Callable[[Array, int, int, int, Array], None]:
    total = _TOTAL + 3 * slot * PITCH
    change = _CHANGE + 3 * slot * PITCH

    @compiled
    def across(w: Array, k: int, above: int, j: int, b: Array) -> None:
        """Write sum and difference of the node rows ``j`` of planes ``k`` and ``above``."""
        for i in range(w.shape[3]):
            b[total + i] = w[0, k, j, i] + w[0, above, j, i]
            b[change + i] = w[0, above, j, i] - w[0, k, j, i]
        for i in range(w.shape[3]):
            b[total + PITCH + i] = w[1, k, j, i] + w[1, above, j, i]
            b[change + PITCH + i] = w[1, above, j, i] - w[1, k, j, i]
        for i in range(w.shape[3]):
            b[total + 2 * PITCH + i] = w[2, k, j, i] + w[2, above, j, i]
            b[change + 2 * PITCH + i] = w[2, above, j, i] - w[2, k, j, i]

    return across


def _across_y(slot: int) -> Callable[[int, Array], None]:
    d = _CHANGE - _TOTAL
    x0, x1 = _TOTAL + 3 * slot * PITCH, _TOTAL + 3 * (1 - slot) * PITCH
    y0, z0, y1, z1 = x0 + PITCH, x0 + 2 * PITCH, x1 + PITCH, x1 + 2 * PITCH

    @compiled
    def across(nx: int, b: Array) -> None:
        """Write the rows ``g`` whose sums and differences along x are the strain, from this node row to the other."""
        for i in range(nx):
            b[_G + i] = b[x0 + i] + b[x1 + i]
            b[_G + PITCH + i] = b[y1 + i] - b[y0 + i]
            b[_G + 2 * PITCH + i] = b[z0 + d + i] + b[z1 + d + i]
            b[_G + 3 * PITCH + i] = b[y0 + d + i] + b[y1 + d + i] + b[z1 + i] - b[z0 + i]
            xz, zx = b[x0 + d + i] + b[x1 + d + i], b[z0 + i] + b[z1 + i]
            b[_G + 4 * PITCH + i] = xz + zx
            b[_G + 5 * PITCH + i] = xz - zx
            xy, yx = b[x1 + i] - b[x0 + i], b[y0 + i] + b[y1 + i]
            b[_G + 6 * PITCH + i] = xy + yx
            b[_G + 7 * PITCH + i] = xy - yx
        for r in range(8):
            b[_G + r * PITCH + nx] = b[_G + r * PITCH]

    return across


across_z_0, across_z_1 = _across_z(0), _across_z(1)
across_y_0, across_y_1 = _across_y(0), _across_y(1)


@compiled
def isotropic(nx: int, f: Array, e: Array, b: Array) -> float:
    """Write the scaled stress at strain ``e [6]`` plus that of ``g`` from Lamé's constants; return stress x strain."""
    f0, f1, f2, f3, f4, f5 = f[0], f[1], f[2], f[3], f[4], f[5]
    e0, e1, e2, e3, e4, e5 = e[0], e[1], e[2], e[3], e[4], e[5]
    # Sums of positive terms: those of a row may be added in the precision of the field.
    work = f0 - f0
    for i in range(nx):
        x = e0 + f0 * (b[_G + i + 1] - b[_G + i])
        y = e1 + f1 * (b[_G + PITCH + i + 1] + b[_G + PITCH + i])
        z = e2 + f2 * (b[_G + 2 * PITCH + i + 1] + b[_G + 2 * PITCH + i])
        mu = b[_M + PITCH + i] + b[_M + PITCH + i]
        pressure = b[_M + i] * (x + y + z)
        b[_T + i + LEAD] = f0 * (pressure + mu * x)
        b[_T + PITCH + i + LEAD] = f1 * (pressure + mu * y)
        b[_T + 2 * PITCH + i + LEAD] = f2 * (pressure + mu * z)
        work += pressure * (x + y + z) + mu * (x * x + y * y + z * z)
    for i in range(nx):
        yz = e3 + f3 * (b[_G + 3 * PITCH + i + 1] + b[_G + 3 * PITCH + i])
        xz = e4 + f4 * (b[_G + 4 * PITCH + i + 1] + b[_G + 5 * PITCH + i])
        xy = e5 + f5 * (b[_G + 6 * PITCH + i + 1] + b[_G + 7 * PITCH + i])
        mu = b[_M + PITCH + i] + b[_M + PITCH + i]
        b[_T + 3 * PITCH + i + LEAD] = f3 * mu * yz
        b[_T + 4 * PITCH + i + LEAD] = f4 * mu * xz
        b[_T + 5 * PITCH + i + LEAD] = f5 * mu * xy
        work += mu * (yz * yz + xz * xz + xy * xy)
    return np.float64(work)


@compiled
def anisotropic(nx: int, f: Array, e: Array, b: Array) -> float:
    """Do as `isotropic` with 21 moduli per voxel."""
    f0, f1, f2, f3, f4, f5 = f[0], f[1], f[2], f[3], f[4], f[5]
    e0, e1, e2, e3, e4, e5 = e[0], e[1], e[2], e[3], e[4], e[5]
    work = f0 - f0
    for i in range(nx):
        x = e0 + f0 * (b[_G + i + 1] - b[_G + i])
        y = e1 + f1 * (b[_G + PITCH + i + 1] + b[_G + PITCH + i])
        z = e2 + f2 * (b[_G + 2 * PITCH + i + 1] + b[_G + 2 * PITCH + i])
        yz = e3 + f3 * (b[_G + 3 * PITCH + i + 1] + b[_G + 3 * PITCH + i])
        xz = e4 + f4 * (b[_G + 4 * PITCH + i + 1] + b[_G + 5 * PITCH + i])
        xy = e5 + f5 * (b[_G + 6 * PITCH + i + 1] + b[_G + 7 * PITCH + i])
        u = _M + i
        m01, m02, m03 = b[u + 6 * PITCH], b[u + 7 * PITCH], b[u + 8 * PITCH]
        m04, m05, m12 = b[u + 9 * PITCH], b[u + 10 * PITCH], b[u + 11 * PITCH]
        m13, m14, m15 = b[u + 12 * PITCH], b[u + 13 * PITCH], b[u + 14 * PITCH]
        m23, m24, m25 = b[u + 15 * PITCH], b[u + 16 * PITCH], b[u + 17 * PITCH]
        m34, m35, m45 = b[u + 18 * PITCH], b[u + 19 * PITCH], b[u + 20 * PITCH]
        s0 = b[u] * x + m01 * y + m02 * z + m03 * yz + m04 * xz + m05 * xy
        s1 = m01 * x + b[u + PITCH] * y + m12 * z + m13 * yz + m14 * xz + m15 * xy
        s2 = m02 * x + m12 * y + b[u + 2 * PITCH] * z + m23 * yz + m24 * xz + m25 * xy
        s3 = m03 * x + m13 * y + m23 * z + b[u + 3 * PITCH] * yz + m34 * xz + m35 * xy
        s4 = m04 * x + m14 * y + m24 * z + m34 * yz + b[u + 4 * PITCH] * xz + m45 * xy
        s5 = m05 * x + m15 * y + m25 * z + m35 * yz + m45 * xz + b[u + 5 * PITCH] * xy
        b[_T + i + LEAD] = f0 * s0
        b[_T + PITCH + i + LEAD] = f1 * s1
        b[_T + 2 * PITCH + i + LEAD] = f2 * s2
        b[_T + 3 * PITCH + i + LEAD] = f3 * s3
        b[_T + 4 * PITCH + i + LEAD] = f4 * s4
        b[_T + 5 * PITCH + i + LEAD] = f5 * s5
        work += s0 * x + s1 * y + s2 * z + s3 * yz + s4 * xz + s5 * xy
    return np.float64(work)


@compiled
def wrap(nx: int, b: Array) -> None:
    """Put the last voxel's stress before the first."""
    for r in range(6):
        b[_T + r * PITCH + LEAD - 1] = b[_T + r * PITCH + LEAD - 1 + nx]


def _openers(c: int, along: int, y: int, z: int) -> Callable[[int, Array], None]:
    x0, y0, z0 = _T + along * PITCH + LEAD, _T + y * PITCH + LEAD, _T + z * PITCH + LEAD
    ahead, side = _AHEAD + c * PITCH, _SIDE + c * PITCH

    @compiled
    def open_row(nx: int, b: Array) -> None:
        """Keep what a voxel row gives to the next node row."""
        for i in range(nx):
            b[ahead + i] = b[x0 - 1 + i] - b[x0 + i] + b[y0 - 1 + i] + b[y0 + i]
            b[side + i] = b[z0 - 1 + i] + b[z0 + i]

    return open_row


def _collectors(c: int, along: int, y: int, z: int) -> Callable[[Array, Array, Array, int, int], None]:
    x0, y0, z0 = _T + along * PITCH + LEAD, _T + y * PITCH + LEAD, _T + z * PITCH + LEAD
    ahead, side = _AHEAD + c * PITCH, _SIDE + c * PITCH

    @compiled
    def collect(b: Array, upper: Array, q: Array, n: int, j: int) -> None:
        """Write the force of node row ``j`` to ``q[n, c, j]`` and keep what the next row and the next plane take.

        ``upper [3, ny, nx]`` is what the plane of voxels below gave, replaced by what this one gives to the next.
        """
        for i in range(upper.shape[2]):
            x = b[x0 - 1 + i] - b[x0 + i]
            across = b[y0 - 1 + i] + b[y0 + i]
            up = b[z0 - 1 + i] + b[z0 + i]
            level = b[ahead + i] + x - across
            rise = b[side + i] + up
            b[ahead + i] = x + across
            b[side + i] = up
            q[n, c, j, i] = upper[c, j, i] + level - rise
            upper[c, j, i] = level + rise

    return collect


# Component, then the stresses that are differenced along x, y and z for it.
_PARTS = ((0, 0, 5, 4), (1, 5, 1, 3), (2, 4, 3, 2))
open_x, open_y, open_z = (_openers(*parts) for parts in _PARTS)
collect_x, collect_y, collect_z = (_collectors(*parts) for parts in _PARTS)


@compiled
def put_moduli(slot: int, i: int, value: float, b: Array) -> None:
    """Write one modulus of voxel ``i``."""
    b[_M + slot * PITCH + i] = value


@compiled
def copy_moduli(field: Array, k: int, j: int, b: Array) -> None:
    """Copy a row of ``field [21, nz, ny, nx]``."""
    for slot in range(field.shape[0]):
        for i in range(field.shape[3]):
            b[_M + slot * PITCH + i] = field[slot, k, j, i]


@compiled
def add_stress(nx: int, b: Array, sums: Array) -> None:
    """Add the scaled stress of the row to ``sums [6]``, in float64."""
    for c in range(6):
        part = 0.0
        for i in range(nx):
            part += b[_T + c * PITCH + LEAD + i]
        sums[c] += part


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
