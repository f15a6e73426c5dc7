"""Constants and bounds of an effective tensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from scalebridge.quantities import Floats
from scalebridge.studies.homogenisation.outcome import Limits

NEARLY = 0.05
"""Relative distance from the nearest isotropic tensor up to which bounds of isotropic mixtures are compared."""

SLACK = 1e-6
"""Of the norm: what a bound may be missed by for the tolerance of the solver."""

SINGULAR = 1e10
"""Condition number beyond which a stiffness is that of a loose part: what is left of it is the solver's tolerance."""

_PLANE = (0, 1, 5)


def constants_along_axes(tensor: Floats, kind: str) -> dict[str, float]:
    """Return the constants along the axes; empty where the stiffness is singular.

    Args:
        tensor: stiffness ``[6, 6]`` or ``[3, 3]`` (Mandel), or conductivity ``[3, 3]`` or ``[2, 2]``.
        kind: ``"stiffness"`` or ``"conductivity"``.
    """
    from scalebridge.micro.rve import engineering_constants

    if not np.isfinite(tensor).all():
        return {}
    if kind == "conductivity":
        return {f"k{i + 1}{i + 1}": float(tensor[i, i]) for i in range(len(tensor))}
    if np.linalg.cond(tensor) > SINGULAR:
        return {}
    if len(tensor) == 6:
        return {name: float(value) for name, value in asdict(engineering_constants(tensor)).items()}
    s = np.linalg.inv(tensor)
    found = {"E1": 1 / s[0, 0], "E2": 1 / s[1, 1], "nu12": -s[0, 1] / s[0, 0], "G12": 0.5 / s[2, 2]}
    return {name: float(value) for name, value in found.items()}


def isotropic_constants(tensor: Floats, kind: str, dim: int) -> dict[str, float]:
    """Return the constants of the nearest isotropic tensor and the distance to it.

    A conductivity in the plane of a slice is compared in that plane.
    """
    from scalebridge.micro.rve import nearest_isotropic

    if not np.isfinite(tensor).all():
        return {}
    if kind == "conductivity":
        part = tensor[:dim, :dim]
        k = float(np.trace(part)) / dim
        gap = float(np.linalg.norm(part - k * np.eye(dim)) / (np.linalg.norm(part) or 1.0))
        return {"k": k, "distance": gap}
    if len(tensor) != 6:
        return {}
    if not tensor.any():
        return {"bulk": 0.0, "shear": 0.0, "distance": 0.0}
    near = nearest_isotropic(tensor)
    found = {"bulk": near.bulk, "shear": near.shear, "distance": near.distance}
    # A stiffness of nothing has neither.
    return found | ({"E": near.E, "nu": near.nu} if near.bulk > 0.0 < near.shear else {})


def transverse_constants(tensor: Floats, kind: str, dim: int) -> dict[str, float]:
    """Return the constants of the nearest tensor isotropic in the plane of a slice; empty of a volume."""
    from scalebridge.micro.rve.transverse import nearest_transversely_isotropic

    if kind != "stiffness" or dim == 3 or not constants_along_axes(tensor, kind) or len(tensor) != 6:
        return {}
    return asdict(nearest_transversely_isotropic(tensor))


def limits(tensor: Floats, fractions: Floats, laws: Sequence[Any], kind: str, plane: str, dim: int) -> Limits:
    """Return the bounds of a tensor from the fractions ``[p]`` of its phases and their linear laws."""
    from scalebridge.micro.rve import Rigid, voigt_reuss

    if any(isinstance(law, Rigid) for law in laws):
        return Limits(reason="a rigid phase leaves no upper bound")
    if not np.isfinite(tensor).all():
        return Limits(reason="no tensor was found")
    stack = [_kept_plane(_tensor(law, kind), kind, plane, len(tensor)) for law in laws]
    upper, lower = voigt_reuss(fractions, stack)
    size = float(np.linalg.norm(upper))
    gaps = [np.linalg.eigvalsh(a - b).min() for a, b in ((upper, tensor), (tensor, lower))]
    strict = _hashin_shtrikman(fractions, laws, kind, dim, kind == "stiffness" and len(tensor) == 3)
    return Limits(
        upper,
        lower,
        _moduli_between(lower, upper, kind, dim),
        bool(min(gaps) >= -SLACK * size),
        strict,
        _within(strict, isotropic_constants(tensor, kind, dim)),
    )


def _within(strict: dict[str, tuple[float, float]], near: dict[str, float]) -> bool | None:
    if not strict or near.get("distance", 1.0) > NEARLY:
        return None
    slack = SLACK + near["distance"]
    return all(low * (1 - slack) <= near[name] <= high * (1 + slack) for name, (low, high) in strict.items())


def _moduli_between(lower: Floats, upper: Floats, kind: str, dim: int) -> dict[str, tuple[float, float]]:
    """Bounds of the moduli: C <= C_V means S >= S_V, so each 1 / S_ii lies below that of Voigt.

    Means over rotations keep the order, so the nearest (transversely) isotropic tensors are bounded too.
    """
    high, low = _every_constant(upper, kind, dim), _every_constant(lower, kind, dim)
    return {name: (low.get(name, 0.0), value) for name, value in high.items() if not name.startswith("nu")}


def _every_constant(tensor: Floats, kind: str, dim: int) -> dict[str, float]:
    near = isotropic_constants(tensor, kind, dim) | transverse_constants(tensor, kind, dim)
    near.pop("distance", None)
    return constants_along_axes(tensor, kind) | near


def _hashin_shtrikman(
    f: Floats, laws: Sequence[Any], kind: str, dim: int, plane_only: bool
) -> dict[str, tuple[float, float]]:
    from scalebridge.micro.rve import hashin_shtrikman, hashin_shtrikman_conductivity

    constants = [isotropic_constants(_tensor(law, kind), kind, 3) for law in laws]
    if any(c["distance"] > 1e-9 for c in constants):
        return {}
    if plane_only:
        return {}
    if kind == "conductivity":
        found = hashin_shtrikman_conductivity(f, [c["k"] for c in constants], dim)
        return {"k": (found.lower, found.upper)}
    bulk, shear = hashin_shtrikman(f, [c["bulk"] for c in constants], [c["shear"] for c in constants])
    return {"bulk": (bulk.lower, bulk.upper), "shear": (shear.lower, shear.upper)}


def _tensor(law: Any, kind: str) -> Floats:
    """Stiffness ``[6, 6]`` or conductivity ``[3, 3]`` of a linear law, on its own axes."""
    import torch

    found: Floats = law.stiffness(torch.zeros(6 if kind == "stiffness" else 3, dtype=torch.float64)).numpy()
    return found


def _kept_plane(tensor: Floats, kind: str, plane: str, size: int) -> Floats:
    """The tensor of a phase in the components of the answer: a block, or condensed in plane stress."""
    if size == len(tensor):
        return tensor
    if kind == "conductivity":
        return tensor[:size, :size]
    if plane == "stress" and np.linalg.matrix_rank(tensor) == len(tensor):
        inverse: Floats = np.linalg.inv(np.linalg.inv(tensor)[np.ix_(_PLANE, _PLANE)])
        return inverse
    return tensor[np.ix_(_PLANE, _PLANE)]
