"""Radial covariance profiles ``h(s)`` of the squared scaled distance ``s``, with three derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Profile = Callable[["Tensor"], "tuple[Tensor, Tensor, Tensor, Tensor]"]


def squared_exponential(s: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """``exp(-s/2)`` and its first three derivatives in ``s`` (Rasmussen and Williams 2006, eq. 4.9)."""
    h = (-0.5 * s).exp()
    return h, -0.5 * h, 0.25 * h, -0.125 * h


def matern72(s: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Matern covariance of smoothness 7/2 and its first three derivatives in ``s``.

    By ``d/ds k_nu = -nu / (2 (nu - 1)) k_{nu-1}`` at one and the same scaled distance ``t = sqrt(7 s)``
    (Rasmussen and Williams 2006, eq. 4.14 with ``d/dt (t^nu K_nu) = -t^nu K_{nu-1}``).
    """
    # The derivative of the square root at zero is infinite, that of the profile is not.
    t = (7.0 * s).clamp_min(1e-24).sqrt()
    decay = (-t).exp()
    five, three = decay * (1 + t + t * t / 3), decay * (1 + t)
    h = decay * (1 + t + 0.4 * t * t + t**3 / 15)
    return h, -0.7 * five, 0.7 * 7 / 6 * three, -0.7 * 7 / 6 * 3.5 * decay


def matern52(s: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Matern covariance of smoothness 5/2 and its first three derivatives in ``s``; the third has a pole at zero."""
    t = (5.0 * s).clamp_min(1e-24).sqrt()
    decay = (-t).exp()
    return decay * (1 + t + t * t / 3), -5 / 6 * decay * (1 + t), 25 / 12 * decay, -125 / 24 * decay / t


PROFILES: dict[str, Profile] = {
    "squared_exponential": squared_exponential,
    "matern72": matern72,
    "matern52": matern52,
}
