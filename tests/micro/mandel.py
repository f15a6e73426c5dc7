"""Tensors and rotations in Mandel components, for the tests of the material laws."""

from __future__ import annotations

import math

import numpy as np
import torch

PAIRS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def strains(count: int = 20, size: float = 0.01, seed: int = 3) -> torch.Tensor:
    """Random strains ``[count, 6]``."""
    return torch.as_tensor(np.random.default_rng(seed).normal(size=(count, 6)) * size)


def gradients(count: int = 20, size: float = 0.2, seed: int = 4) -> torch.Tensor:
    """Random deformation gradients ``[count, 9]`` of positive determinant."""
    full = np.eye(3) + np.random.default_rng(seed).normal(size=(4 * count, 3, 3)) * size
    return torch.as_tensor(full[np.linalg.det(full) > 0.2][:count].reshape(-1, 9))


def rotations(count: int = 20, seed: int = 5) -> torch.Tensor:
    """Random proper rotations ``[count, 3, 3]``."""
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(count, 3, 3)))
    return torch.as_tensor(q * np.sign(np.linalg.det(q))[:, None, None])


def to_tensor(mandel: torch.Tensor) -> torch.Tensor:
    """Symmetric tensors ``[..., 3, 3]`` of Mandel components ``[..., 6]``."""
    full = mandel.new_zeros((*mandel.shape[:-1], 3, 3))
    for slot, (i, j) in enumerate(PAIRS):
        full[..., i, j] = full[..., j, i] = mandel[..., slot] / (1.0 if i == j else math.sqrt(2.0))
    return full


def to_mandel(full: torch.Tensor) -> torch.Tensor:
    """Mandel components ``[..., 6]`` of symmetric tensors ``[..., 3, 3]``."""
    return torch.stack([full[..., i, j] * (1.0 if i == j else math.sqrt(2.0)) for i, j in PAIRS], -1)


def turned(mandel: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """``Q A Q^T`` in Mandel components."""
    return to_mandel(q @ to_tensor(mandel) @ q.mT)


def row_jacobian(function, x: torch.Tensor) -> torch.Tensor:  # type: ignore[no-untyped-def]
    """Derivative ``[n, k, g]`` of a function of independent rows ``[n, g] -> [n, k]``, by reverse mode."""
    x = x.clone().requires_grad_(True)
    value = function(x)
    columns = [torch.autograd.grad(value[:, k].sum(), x, retain_graph=True)[0] for k in range(value.shape[1])]
    return torch.stack(columns, 1)
