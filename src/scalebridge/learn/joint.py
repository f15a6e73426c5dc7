"""The covariance of what runs told, values or values and slopes, with its derivative in the parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from scalebridge.learn.covariance import Covariance
from scalebridge.learn.forms import FLOOR, Form, bent_floor, floor
from scalebridge.learn.radial import PROFILES

if TYPE_CHECKING:
    from torch import Tensor

# Covariance ``[N, N]`` without noise, what stands on its diagonal, and ``A -> sum(A dK/dtheta)``, ``[p]``.
Answer = tuple["Tensor", "Tensor", Callable[["Tensor"], "Tensor"]]


class Joint:
    """The runs' covariance with its derivative in the parameters, squared differences kept between calls."""

    def __init__(self, form: Form, points: Tensor) -> None:
        self.form, self.runs = form, len(points)
        self.trend = (points @ points.T).reshape(-1)
        across = [(1.0, points[:, None, :] - points[None, :, :])]
        if form.odd:
            across.append((-1.0, points[:, None, :] + points[None, :, :]))
        self.apart = [(sign, delta.square().reshape(-1, form.dim).T.contiguous()) for sign, delta in across]

    def __call__(self, theta: Tensor) -> Answer:
        """Covariance ``[b, b]`` without noise, what stands on its diagonal, and ``A -> sum(A dK/dtheta)``, ``[p]``."""
        made, noise, _ = self.form.made(theta)
        profile, d = PROFILES[made.profile], self.form.dim
        whole, single = torch.zeros_like(self.trend), torch.zeros_like(self.trend)
        slopes, bends = [], []
        for sign, squared in self.apart:
            h, h1, _, _ = profile(made.scale @ squared)
            whole += sign * h
            slopes.append(sign * h1)
            if self.form.additive:
                h, h1, _, _ = profile(made.alone[:, None] * squared)
                single += sign / d * h.sum(0)
                bends.append(sign / d * h1)
        joint = made.variance * whole + made.alone_variance * single + made.slope * self.trend + made.level

        def gradient(pull: Tensor) -> Tensor:
            a, out = pull.reshape(-1), torch.zeros_like(theta)
            jitter = pull.trace() * FLOOR
            for (_, squared), h1 in zip(self.apart, slopes, strict=True):
                out[:d] -= 2 * made.scale * made.variance * (squared @ (a * h1))
            out[d] = 2 * made.variance * (a @ whole + jitter)
            out[d + 1] = 2 * made.slope * (a @ self.trend)
            if self.form.additive:
                for (_, squared), h1 in zip(self.apart, bends, strict=True):
                    out[d + 2 : 2 * d + 2] -= 2 * made.alone * made.alone_variance * ((squared * h1) @ a)
                out[2 * d + 2] = 2 * made.alone_variance * (a @ single + jitter)
            if self.form.noisy:
                out[self.form.size] = 2 * noise * pull.trace()
            return out

        return joint.reshape(self.runs, self.runs), noise + floor(made), gradient


class BentJoint:
    """The covariance of values at ``points [b, d]`` and slopes at ``bent [c, d]``, with its derivative."""

    def __init__(self, form: Form, points: Tensor, bent: Tensor) -> None:
        self.form, self.points, self.bent = form, points, bent
        self.signs = (1.0, -1.0) if form.odd else (1.0,)

    def __call__(self, theta: Tensor) -> Answer:
        """Covariance ``[N, N]``, ``N = b + c d``, as `Joint` gives it; the diagonal is ``[N]``."""
        made, noise, bent_noise = self.form.made(theta)
        values = (noise + floor(made)).expand(len(self.points))
        slopes = (bent_noise + bent_floor(made)).repeat(len(self.bent))

        def gradient(pull: Tensor) -> Tensor:
            b, (c, d) = len(self.points), self.bent.shape
            apart = pull[b:, b:].reshape(c, d, c, d).permute(0, 2, 1, 3)
            parts = (pull[:b, :b], pull[:b, b:].reshape(b, c, d), apart)
            out, own = self._smooth(made, parts), apart.diagonal(dim1=2, dim2=3)
            trace, traces = parts[0].trace(), own.diagonal(dim1=0, dim2=1).sum(1)
            jitter = bent_floor(made) * traces
            out[:d] -= 2 * jitter
            out[d] += 2 * (FLOOR * made.variance * trace + jitter.sum())
            trend = (self.points * (parts[0] @ self.points)).sum() + own.sum()
            out[d + 1] = 2 * made.slope * (trend + 2 * (self.points * parts[1].sum(1)).sum())
            if self.form.noisy:
                out[self.form.size] = 2 * noise * trace
            out[-1] = 2 * bent_noise * traces.sum()
            return out

        return made.joint(self.points, self.bent), torch.cat([values, slopes]), gradient

    def _smooth(self, made: Covariance, parts: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """The derivative ``[p]`` in lengths and size of ``sum(pull K)`` for the smooth part of K."""
        (a, across, apart), scale, d = parts, made.scale, self.form.dim
        size, length = torch.zeros((), dtype=scale.dtype), torch.zeros_like(scale)
        for sign in self.signs:
            delta = self.points[:, None, :] - sign * self.points
            h, h1, _, _ = PROFILES[made.profile](delta.square() @ scale)
            size += sign * (a * h).sum()
            length += sign * torch.einsum("pq,pqd->d", a * h1, delta.square())
            delta = self.points[:, None, :] - sign * self.bent
            _, h1, h2, _ = PROFILES[made.profile](delta.square() @ scale)
            along = (across * delta) @ scale
            size -= 4 * (along * h1).sum()
            length -= 4 * torch.einsum("pq,pqd->d", along * h2, delta.square())
            length -= 4 * torch.einsum("pqd,pqd,pq->d", across, delta, h1)
            delta = self.bent[:, None, :] - sign * self.bent
            u = delta * scale
            _, h1, h2, h3 = PROFILES[made.profile]((u * delta).sum(-1))
            pulled, own = torch.einsum("pqij,pqj->pqi", apart, u), apart.diagonal(dim1=2, dim2=3)
            curved, trace = (pulled * u).sum(-1), own @ scale
            size -= (2 * trace * h1 + 4 * curved * h2).sum()
            length -= torch.einsum("pq,pqd->d", 2 * trace * h2 + 4 * curved * h3, delta.square())
            length -= torch.einsum("pqd,pq->d", 2 * own, h1) + 8 * torch.einsum("pqd,pqd,pq->d", pulled, delta, h2)
        out = torch.zeros(len(self.form.prior[0]), dtype=scale.dtype)
        out[:d], out[d] = -2 * scale * made.variance * length, 2 * made.variance * size
        return out
