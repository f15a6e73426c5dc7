"""Derivatives of a user's torch function at many points: `torch.func`, in chunks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from scalebridge.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

# Points at once: some ten MB of temporaries for a law of ordinary size.
CHUNK = 16384
# An unsymmetric tangent differs from its transpose by more than this part of its largest entry.
SYMMETRY = {8: 1e-6, 4: 1e-3}

Function = Callable[..., Any]


def over_points(
    function: Function, batched: bool, constants: dict[str, Any], act: Callable[..., Tensor], *fields: Tensor
) -> Tensor:
    """Apply ``act(law, *rows)`` to chunks of points and return ``[..., k]``.

    Args:
        function: the user's, for one point, or for ``[n, ...]`` if ``batched``.
        batched: which of the two.
        constants: keywords of the function: numbers, or tensors with one value or one per point ``[..., m]``.
        act: gets the function of ``[n, ...]`` with its constants bound, and ``n`` rows of each field; gives ``[n, k]``.
        fields: ``[..., c]`` each, of the same leading shape.
    """
    import torch

    shape = fields[0].shape[:-1]
    rows = [field.reshape(-1, field.shape[-1]) for field in fields]
    spread = {n: v.expand(shape).reshape(-1) for n, v in constants.items() if getattr(v, "ndim", 0)}
    pieces = []
    for start in range(0, rows[0].shape[0], CHUNK):
        cut = slice(start, start + CHUNK)
        bound = _bound(function, batched, {**constants, **{n: v[cut] for n, v in spread.items()}}, set(spread))
        pieces.append(act(bound, *(row[cut] for row in rows)))
    whole = torch.cat(pieces)
    return whole.reshape(*shape, *whole.shape[1:])


def _bound(function: Function, batched: bool, constants: dict[str, Any], per_point: set[str]) -> Function:
    """The function of ``[n, ...]`` with its constants bound."""
    import torch

    if batched:
        return lambda *rows: function(*rows, **constants)
    dims = {name: 0 if name in per_point else None for name in constants}

    def mapped(*rows: Tensor) -> Any:
        single = torch.func.vmap(lambda c, *row: function(*row, **c), in_dims=(dims, *(0 for _ in rows)))
        return single(constants, *rows)

    return mapped


def slope(energy: Function) -> Function:
    """The gradient ``[n, g]`` of an energy ``[n]``, row by row."""
    import torch

    return torch.func.grad(lambda x: energy(x).sum())


def jacobian(stress: Function, x: Tensor) -> Tensor:
    """The derivative ``[n, k, g]`` of ``stress [n, k]`` at ``x [n, g]``, rows independent.

    Backward mode: one forward pass serves all k, and every torch operation has it. (Forward mode also scripts torch's
    own decompositions on first use, which warns from 2.13 on.)
    """
    return advance(lambda y: (stress(y), y.new_zeros(())), x)[1]


def advance(update: Function, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Value ``[n, k]``, its derivative ``[n, k, g]`` and what stands beside, of ``update: x -> (value, beside)``."""
    import torch

    pulled: Any = torch.func.vjp(update, x, has_aux=True)
    value, back, beside = pulled
    rows = [back(one.expand_as(value))[0] for one in value.new_ones(value.shape[-1]).diag()]
    return value, torch.stack(rows, -2), beside


def symmetrised(tangent: Tensor, name: str) -> Tensor:
    """Return a tangent ``[..., g, g]`` without the rounding by which it differs from its transpose.

    Raises:
        InputError: the difference is more than rounding.
    """
    bare = tangent.detach()
    gap, scale = float((bare - bare.mT).abs().max()), float(bare.abs().max())
    if gap > SYMMETRY[tangent.element_size()] * scale:
        raise InputError(
            f"The law '{name}' has an unsymmetric tangent ({gap / scale:.1e} of its largest entry), so its stress "
            "derives from no potential; the solver needs a symmetric one: give an energy, or correct the stress."
        )
    return 0.5 * (tangent + tangent.mT)
