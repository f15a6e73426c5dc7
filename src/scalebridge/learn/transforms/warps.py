"""Rising maps of one output: what is learned is ``z``, what is answered is ``y(z)``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from scalebridge.quantities import Floats


class Warp(Protocol):
    """A rising map from all real numbers."""

    def out(self, z: Floats) -> tuple[Floats, Floats]:
        """``y(z)`` and its derivative."""

    def back(self, y: Floats) -> tuple[Floats, Floats]:
        """``z(y)`` and its derivative."""


@dataclass(frozen=True)
class Same:
    """``y = z``."""

    def out(self, z: Floats) -> tuple[Floats, Floats]:
        """``y(z)`` and its derivative."""
        return z, np.ones_like(z)

    def back(self, y: Floats) -> tuple[Floats, Floats]:
        """``z(y)`` and its derivative."""
        return y, np.ones_like(y)


@dataclass(frozen=True)
class Log:
    """``y = low + exp(z)``, or ``y = low - exp(-z)`` below a bound; beyond ``top`` along the tangent.

    The tangent keeps the mean from being decided by a tail of the log-normal law that no run has seen.

    Args:
        low: the bound that is never met.
        sign: 1 above it, -1 below it.
        top: of ``sign * z``.
    """

    low: float
    sign: float
    top: float

    def out(self, z: Floats) -> tuple[Floats, Floats]:
        """``y(z)`` and its derivative."""
        grown = np.exp(np.minimum(self.sign * z, self.top))
        return self.low + self.sign * grown * (1 + np.maximum(self.sign * z - self.top, 0.0)), grown

    def back(self, y: Floats) -> tuple[Floats, Floats]:
        """``z(y)`` and its derivative, for runs: these lie below the top."""
        above = self.sign * (y - self.low)
        return self.sign * np.log(above), 1.0 / above


@dataclass(frozen=True)
class Logit:
    """``y = low + (high - low) / (1 + exp(-z))``; runs on a bound stand ``edge`` of the width away from it."""

    low: float
    high: float
    edge: float

    def out(self, z: Floats) -> tuple[Floats, Floats]:
        """``y(z)`` and its derivative."""
        from scipy.special import expit

        part, rest = expit(z), expit(-z)
        return self.low + (self.high - self.low) * part, (self.high - self.low) * part * rest

    def back(self, y: Floats) -> tuple[Floats, Floats]:
        """``z(y)`` and its derivative."""
        part = np.clip((y - self.low) / (self.high - self.low), self.edge, 1 - self.edge)
        return np.log(part) - np.log1p(-part), 1.0 / (part * (1 - part) * (self.high - self.low))


@dataclass(frozen=True)
class Power:
    """Box and Cox: ``z = (u^power - 1) / power`` of ``u = y / unit``, the tangent below ``floor`` and above ``top``.

    Source: G. E. P. Box and D. R. Cox, An analysis of transformations, JRSS B 26 (1964) 211-252.

    Args:
        power: from 0 (the logarithm) to 1.
        unit: positive.
        floor, top: of u, positive.
    """

    power: float
    unit: float
    floor: float
    top: float

    def out(self, z: Floats) -> tuple[Floats, Floats]:
        """``y(z)`` and its derivative."""
        ends = self._plain(np.array([self.floor, self.top]))
        inside = np.clip(z, *ends)
        if self.power:
            u = np.maximum(self.power * inside + 1, 0.0) ** (1 / self.power)
        else:
            u = np.exp(inside)
        u = np.clip(u, self.floor, self.top)
        slope = u ** (1 - self.power)
        return self.unit * (u + slope * (z - inside)), self.unit * slope

    def back(self, y: Floats) -> tuple[Floats, Floats]:
        """``z(y)`` and its derivative."""
        u = y / self.unit
        inside = np.clip(u, self.floor, self.top)
        slope = inside ** (self.power - 1)
        return self._plain(inside) + slope * (u - inside), slope / self.unit

    def _plain(self, u: Floats) -> Floats:
        plain: Floats = (u**self.power - 1) / self.power if self.power else np.log(u)
        return plain


@dataclass(frozen=True)
class YeoJohnson:
    """Box and Cox's family about ``centre`` with both signs, ``power`` from 0 to 2.

    Source: I.-K. Yeo and R. A. Johnson, A new family of power transformations, Biometrika 87 (2000) 954-959.
    """

    power: float
    centre: float
    unit: float
    top: float

    def out(self, z: Floats) -> tuple[Floats, Floats]:
        """``y(z)`` and its derivative."""
        up, d_up = self._half(self.power).out(np.maximum(z, 0.0))
        down, d_down = self._half(2 - self.power).out(np.maximum(-z, 0.0))
        y = self.centre + np.where(z >= 0, up - self.unit, self.unit - down)
        return y, np.where(z >= 0, d_up, d_down)

    def back(self, y: Floats) -> tuple[Floats, Floats]:
        """``z(y)`` and its derivative."""
        moved = y - self.centre
        up, d_up = self._half(self.power).back(self.unit + np.maximum(moved, 0.0))
        down, d_down = self._half(2 - self.power).back(self.unit + np.maximum(-moved, 0.0))
        return np.where(moved >= 0, up, -down), np.where(moved >= 0, d_up, d_down)

    def _half(self, power: float) -> Steep | Power:
        return Power(power, self.unit, 0.5, self.top) if power <= 1 else Steep(power, self.unit)


@dataclass(frozen=True)
class Steep:
    """``z = (u^power - 1) / power`` with a power above one, for ``u = y / unit`` of at least one."""

    power: float
    unit: float

    def out(self, z: Floats) -> tuple[Floats, Floats]:
        """``y(z)`` and its derivative."""
        u = (self.power * z + 1) ** (1 / self.power)
        return self.unit * u, self.unit * u ** (1 - self.power)

    def back(self, y: Floats) -> tuple[Floats, Floats]:
        """``z(y)`` and its derivative."""
        u = y / self.unit
        return (u**self.power - 1) / self.power, u ** (self.power - 1) / self.unit
