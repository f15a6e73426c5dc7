"""Static condensation: the strain out of a plane that frees the stress out of it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from scalebridge.micro.rve.phases.linear import applied, product

# Mandel components in the plane and out of it: 11, 22, sqrt2 12 and 33, sqrt2 23, sqrt2 13.
PLANE, OUT = (0, 1, 5), (2, 3, 4)
NEWTON_LIMIT, HALVINGS = 60, 12

# Stress [..., 6] and tangent [..., 6, 6] of a strain [..., 6].
Respond = Callable[[Tensor], tuple[Tensor, Tensor]]


def filled(strain: Tensor, out: Tensor) -> Tensor:
    """Return the strain in space ``[..., 6]`` of ``strain [..., 3]`` in the plane and ``out [..., 3]`` out of it."""
    (e11, e22, e12), (e33, e23, e13) = strain.unbind(-1), out.unbind(-1)
    return torch.stack(torch.broadcast_tensors(e11, e22, e33, e23, e13, e12)).movedim(0, -1)


def condensed(tangent: Tensor) -> Tensor:
    """In-plane tangent ``[..., 3, 3]`` at zero out-of-plane stress (Schur complement)."""
    gain = product(block(tangent, PLANE, OUT), inverse(block(tangent, OUT)))
    return block(tangent, PLANE) - product(gain, block(tangent, OUT, PLANE))


def inverse(matrix: Tensor) -> Tensor:
    """Inverse ``[..., 3, 3]`` by cofactors; zero of a zero matrix (a void)."""
    # Scaled: a determinant in Pa^3 would overflow float32.
    size = matrix.detach().diagonal(dim1=-2, dim2=-1).abs().amax(-1)
    size = torch.where(size > 0.0, size, torch.ones_like(size))[..., None, None]
    a, b, c = ([*row.unbind(-1)] for row in (matrix / size).unbind(-2))
    columns = _cross(b, c), _cross(c, a), _cross(a, b)
    determinant = a[0] * columns[0][0] + a[1] * columns[0][1] + a[2] * columns[0][2]
    determinant = torch.where(determinant == 0.0, torch.ones_like(determinant), determinant)
    entries = torch.stack([column[i] for i in range(3) for column in columns]) / (determinant * size[..., 0, 0])
    found: Tensor = entries.unflatten(0, (3, 3)).movedim((0, 1), (-2, -1))
    return found


def freed(respond: Respond, strain: Tensor, start: Tensor) -> Tensor:
    """Strain in space ``[..., 6]`` whose out-of-plane stress vanishes; not a number where it was not found."""
    with torch.no_grad():
        out, tangent = _newton(respond, strain.detach(), start.detach())
    if not torch.is_grad_enabled():
        return filled(strain, out)
    # One more step with a fixed matrix: no longer, but its derivatives are those of the implicit function.
    stress = respond(filled(strain, out))[0]
    return filled(strain, out - applied(inverse(block(tangent, OUT)), picked(stress, OUT)))


def _newton(respond: Respond, strain: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
    """Out-of-plane strain ``[..., 3]`` and the tangent there; the step is halved where the stress would grow."""
    stress, tangent = respond(filled(strain, out))
    left, target = _size(picked(stress, OUT)), _target(stress, tangent, strain)
    for _ in range(NEWTON_LIMIT):
        still = ~(left <= target)
        if not bool(still.any()):
            break
        step = -applied(inverse(block(tangent, OUT)), picked(stress, OUT)) * still[..., None]
        length = torch.ones_like(left)
        for _ in range(HALVINGS):
            trial = out + length[..., None] * step
            stress, tangent = respond(filled(strain, trial))
            new = _size(picked(stress, OUT))
            worse = still & ~((new < left) | (new <= 64.0 * target))
            if not bool(worse.any()):
                break
            length = torch.where(worse, 0.5 * length, length)
        stuck = ~(new < left)
        out, left, target = trial, new, _target(stress, tangent, strain)
        if bool((stuck | (left <= target)).all()):
            break
    return out.masked_fill(~(left <= 1e4 * target)[..., None], float("nan")), tangent


def _target(stress: Tensor, tangent: Tensor, strain: Tensor) -> Tensor:
    """What rounding leaves of the out-of-plane stress."""
    eps = torch.finfo(stress.dtype).eps
    size = tangent.diagonal(dim1=-2, dim2=-1).amax(-1) * _size(strain)
    return 16.0 * eps * (_size(stress) + size)


def _cross(a: list[Tensor], b: list[Tensor]) -> list[Tensor]:
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def _size(vector: Tensor) -> Tensor:
    # Six times as fast as a norm where components are first in memory.
    return (vector * vector).sum(-1).sqrt()


def picked(full: Tensor, slots: tuple[int, ...]) -> Tensor:
    """Return some components ``[..., n]`` of ``full [..., g]``, components first in memory."""
    found: Tensor = torch.stack([full[..., c] for c in slots]).movedim(0, -1)
    return found


def block(tangent: Tensor, rows: tuple[int, ...], columns: tuple[int, ...] | None = None) -> Tensor:
    """Return the rows and columns ``[..., r, c]`` of a tangent ``[..., g, g]``, components first in memory."""
    columns = rows if columns is None else columns
    entries = torch.stack([tangent[..., i, j] for i in rows for j in columns])
    found: Tensor = entries.unflatten(0, (len(rows), len(columns))).movedim((0, 1), (-2, -1))
    return found
