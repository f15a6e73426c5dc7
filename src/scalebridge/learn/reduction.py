"""How much a run would reduce the variance of a weighted sum: the algebra that every posterior shares."""

from __future__ import annotations

import numpy as np

from scalebridge.quantities import Floats

JITTER = 1e-9


def downdated(blocks: Floats, target: Floats, joint: Floats, link: Floats, known: Floats) -> tuple[Floats, Floats]:
    """Condition the candidates on runs that are already decided.

    Args:
        blocks: covariance of each candidate's outputs ``[c, m, m]``.
        target: their covariance with the weighted sum ``[c, m]``.
        joint: covariance of the decided runs with noise ``[g m, g m]``.
        link: covariance of the candidates with these ``[c, m, g m]``.
        known: covariance of these with the weighted sum ``[g m]``.

    Returns:
        ``blocks`` and ``target`` given the decided runs.
    """
    ridge = JITTER * np.trace(joint) / len(joint) * np.eye(len(joint))
    gain = np.einsum("ij,cmj->cmi", np.linalg.inv(joint + ridge), link)
    return blocks - np.einsum("cmi,cni->cmn", gain, link), target - np.einsum("cmi,i->cm", gain, known)


def reduced(blocks: Floats, target: Floats, noise: Floats) -> Floats:
    """``C' (S + N)^-1 C`` for each candidate ``[c]``, from S ``[c, m, m]``, C ``[c, m]`` and N ``[m, m]``."""
    trace = np.trace(blocks, axis1=1, axis2=2)[:, None, None]
    ridge = (1e-9 * np.abs(trace) + 1e-300) * np.eye(blocks.shape[1])
    solved = np.linalg.solve(blocks + noise + ridge, target[..., None])[..., 0]
    gained: Floats = np.maximum((solved * target).sum(1), 0.0)
    return gained


def noise_matrix(m: int, noise_std: Floats | None) -> Floats:
    """Covariance of a run's noise ``[m, m]``."""
    matrix: Floats = np.diag(np.square(np.zeros(m) if noise_std is None else noise_std))
    return matrix
