"""The adjoint of a user's own macro model, from a residual written in torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError, ShapeError, did_you_mean
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from torch import Tensor

Residual = Callable[["Tensor", "Tensor"], "Tensor"]


def adjoint(
    residual: Residual,
    *,
    states: Callable[[Tensor], Tensor],
    qois: dict[str, Residual],
    u: ArrayLike,
    values: ArrayLike,
    tangent: ArrayLike,
) -> Callable[[str], Floats]:
    """Return the ``sensitivity`` of a `MacroSolution` from a residual written in torch.

    With ``R(u, y) = 0``, ``y = f(x(u))`` and ``q(u, y)``, the total derivative with respect to the closure's value at
    each state is ``dq/dy - (dR/dy)' K^-T (dq/du + C' dq/dy)`` where ``C = df/dx dx/du`` and ``K = dR/du + dR/dy C``.

    Args:
        residual: ``(u [k], y [n, m]) -> [k]``, torch float64.
        states: ``u [k] -> [n, d]``, where the closure is called, in the order of its rows.
        qois: name -> ``(u [k], y [n, m]) -> scalar``.
        u: ``[k]``, the unknowns at the solution.
        values: ``[n, m]``, the closure's values there.
        tangent: ``[n, m, d]``, their derivative by the states.

    Returns:
        ``qoi -> [n, m]``, to pass as ``MacroSolution(sensitivity=...)``.

    Raises:
        ShapeError: arrays that do not fit together.
        InputError: a residual whose derivative by ``u`` is singular, or a name that is no quantity of interest.
    """
    import torch

    point = torch.as_tensor(np.asarray(u, dtype=np.float64))
    y = torch.as_tensor(np.asarray(values, dtype=np.float64))
    c = torch.as_tensor(np.asarray(tangent, dtype=np.float64))
    x = states(point)
    if y.ndim != 2 or c.ndim != 3 or x.shape != (y.shape[0], c.shape[-1]) or c.shape[:2] != y.shape:
        raise ShapeError(
            f"The adjoint got states {tuple(x.shape)}, values {tuple(y.shape)} and a tangent {tuple(c.shape)}; "
            "it takes [n, d], [n, m] and [n, m, d]."
        )
    by_u, by_y = torch.autograd.functional.jacobian(residual, (point, y))
    if by_u.shape != (point.numel(), point.numel()):
        raise ShapeError(
            f"The residual has {by_u.shape[0]} rows for {point.numel()} unknowns; it needs one row for each."
        )
    dx = torch.autograd.functional.jacobian(states, point)
    dy = torch.einsum("nmd,ndk->nmk", c, dx)
    stiffness = by_u + torch.einsum("rnm,nmk->rk", by_y, dy)
    lu, pivots, info = torch.linalg.lu_factor_ex(stiffness)
    if int(info) != 0:
        raise InputError(
            "The residual's derivative by the unknowns is singular at the solution, so there is no adjoint; "
            "check that the residual determines every unknown."
        )

    def sensitivity(qoi: str) -> Floats:
        if qoi not in qois:
            raise InputError(f"The macro model has no quantity of interest '{qoi}'{did_you_mean(qoi, qois)}")
        q_u, q_y = torch.autograd.functional.jacobian(qois[qoi], (point, y))
        slope = q_u + torch.einsum("nm,nmk->k", q_y, dy)
        dual = torch.linalg.lu_solve(lu, pivots, slope[:, None], adjoint=True)[:, 0]
        total: Floats = (q_y - torch.einsum("r,rnm->nm", dual, by_y)).numpy()
        return total

    return sensitivity
