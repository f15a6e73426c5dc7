"""When the first ply of a laminate fails: maximum stress, Tsai-Hill and Hashin.

A criterion gives the reserve factor: by how much the stress may be multiplied until the ply fails.
Source: Jones 1999, section 2.9; Z. Hashin, J. Appl. Mech. 47 (1980) 329-334, in plane stress.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, did_you_mean
from scalebridge.macro.laminate.laminate import Laminate
from scalebridge.macro.laminate.ply import Strength
from scalebridge.quantities import Floats

Modes = NDArray[np.str_]
Criterion = Callable[[Floats, Strength], tuple[Floats, Modes]]


@dataclass(frozen=True)
class Failure:
    """Where and how the first ply fails.

    Args:
        reserve: factor on all loads at which it does; infinite without load.
        layer: from 0 at the bottom.
        face: ``"bottom"`` or ``"top"`` of the layer.
        mode: in words.
        criterion: its name.
        at: place on a plate, as shares of its sides; ``None`` where only one place was asked about.
    """

    reserve: float
    layer: int
    face: str
    mode: str
    criterion: str
    at: tuple[float, float] | None = None


def max_stress(stress: Floats, strength: Strength) -> tuple[Floats, Modes]:
    """Return reserve factors ``[...]`` and modes of ply stresses ``[..., 3]`` in Pa: each component by itself."""
    s1, s2, s12 = np.moveaxis(np.asarray(stress, dtype=np.float64), -1, 0)
    used = {
        "fibre tension": s1 / strength.Xt,
        "fibre compression": -s1 / strength.Xc,
        "matrix tension": s2 / strength.Yt,
        "matrix compression": -s2 / strength.Yc,
        "shear": np.abs(s12) / strength.S12,
    }
    return _least({mode: _over(share) for mode, share in used.items()})


def tsai_hill(stress: Floats, strength: Strength) -> tuple[Floats, Modes]:
    """As `max_stress`, by the interaction ``(s1/X)^2 - s1 s2/X^2 + (s2/Y)^2 + (s12/S)^2 = 1``, X and Y by sign."""
    s1, s2, s12 = np.moveaxis(np.asarray(stress, dtype=np.float64), -1, 0)
    x = np.where(s1 >= 0.0, strength.Xt, strength.Xc)
    y = np.where(s2 >= 0.0, strength.Yt, strength.Yc)
    index = (s1 / x) ** 2 - s1 * s2 / x**2 + (s2 / y) ** 2 + (s12 / strength.S12) ** 2
    return _least({"interaction": _over(np.sqrt(np.maximum(index, 0.0)))})


def hashin(stress: Floats, strength: Strength) -> tuple[Floats, Modes]:
    """As `max_stress`, by Hashin's four modes of 1980 in plane stress."""
    s1, s2, s12 = np.moveaxis(np.asarray(stress, dtype=np.float64), -1, 0)
    shear = (s12 / strength.S12) ** 2
    fibre = np.sqrt((s1 / strength.Xt) ** 2 + shear)
    matrix = np.sqrt((s2 / strength.Yt) ** 2 + shear)
    # (s2 / 2 S23)^2 + ((Yc / 2 S23)^2 - 1) s2 / Yc + (s12 / S12)^2 = 1 is a quadratic in the factor.
    square = (s2 / (2.0 * strength.S23)) ** 2 + shear
    linear = ((strength.Yc / (2.0 * strength.S23)) ** 2 - 1.0) * s2 / strength.Yc
    return _least(
        {
            "fibre tension": np.where(s1 > 0.0, _over(fibre), np.inf),
            "fibre compression": _over(-s1 / strength.Xc),
            "matrix tension": np.where(s2 >= 0.0, _over(matrix), np.inf),
            "matrix compression": np.where(s2 < 0.0, _root(square, linear), np.inf),
        }
    )


CRITERIA: dict[str, Criterion] = {"max_stress": max_stress, "tsai_hill": tsai_hill, "hashin": hashin}


def first_ply_failure(
    laminate: Laminate,
    force: ArrayLike = (0.0, 0.0, 0.0),
    moment: ArrayLike = (0.0, 0.0, 0.0),
    criterion: str = "hashin",
) -> Failure:
    """Return where the first ply fails when force and moment grow together.

    Stresses of curing are left out; the laminate is elastic until then.

    Args:
        laminate: its plies have strengths.
        force: per width ``[3]`` in N/m.
        moment: per width ``[3]`` in N; positive ones pull the top face.
        criterion: one of `CRITERIA`.

    Raises:
        InputError: another criterion, a ply without strengths.
    """
    return _first(laminate, laminate.loaded(force, moment).stresses[None], criterion)[0]


def weakest(laminate: Laminate, moments: Floats, criterion: str) -> tuple[Failure, int]:
    """Return the first failure over places under moments ``[p, 3]``, and the number of its place.

    Raises:
        InputError: as `first_ply_failure`.
    """
    each = np.stack([laminate.loaded(moment=unit).stresses for unit in np.eye(3)])
    return _first(laminate, np.tensordot(moments, each, axes=1), criterion)


def _first(laminate: Laminate, stresses: Floats, criterion: str) -> tuple[Failure, int]:
    """Of stresses ``[p, n, 2, 3]`` at places."""
    if criterion not in CRITERIA:
        raise InputError(f"The failure criterion is '{criterion}'{did_you_mean(criterion, CRITERIA)}")
    rows = [_of_layer(k, laminate, stresses[:, k], criterion) for k in range(len(laminate.layers))]
    return min(rows, key=lambda row: row[0].reserve)


def _of_layer(k: int, laminate: Laminate, stresses: Floats, criterion: str) -> tuple[Failure, int]:
    strength = laminate.layers[k].ply.strength
    if strength is None:
        raise InputError(f"Layer {k} of the laminate has no strength; give its ply strength=Strength(Xt, Xc, ...).")
    reserve, mode = CRITERIA[criterion](stresses, strength)
    place, face = np.unravel_index(int(np.argmin(reserve)), reserve.shape)
    least = float(reserve[place, face])
    return Failure(least, k, ("bottom", "top")[face], str(mode[place, face]), criterion), int(place)


def _over(used: Floats) -> Floats:
    """One over the share used; infinite where nothing is."""
    found: Floats = np.divide(1.0, used, out=np.full(np.shape(used), np.inf), where=np.asarray(used) > 0.0)
    return found


def _root(square: Floats, linear: Floats) -> Floats:
    """The positive root R of ``square R^2 + linear R = 1``, in the form that does not cancel."""
    discriminant = np.sqrt(linear**2 + 4.0 * square)
    return _over(0.5 * (linear + discriminant))


def _least(reserves: dict[str, Floats]) -> tuple[Floats, Modes]:
    names, table = np.array(list(reserves)), np.stack(list(reserves.values()))
    found: Floats = table.min(axis=0)
    return found, names[table.argmin(axis=0)]
