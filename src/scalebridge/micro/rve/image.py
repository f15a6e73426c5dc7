"""Checks of a phase image against its materials, and of the fields that go with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.rve.phases.conductor import TemperatureConductor
from scalebridge.micro.rve.phases.phase import Kinematics, Material, positive
from scalebridge.micro.rve.phases.rigid import Rigid
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scalebridge.microstructure.subvoxel import SubVoxels


def checked_image(phases: ArrayLike) -> NDArray[np.int64]:
    """Return the labels ``[ny, nx]`` or ``[nz, ny, nx]`` as a read-only integer array.

    Raises:
        InputError: not two- or three-dimensional, empty, not finite, negative or not whole numbers.
    """
    try:
        image = np.asarray(phases)
    except ValueError as error:
        raise ShapeError("The phase image of an RVE has rows of different lengths; all must be equal.") from error
    if image.ndim not in (2, 3) or min(image.shape) < 1:
        raise ShapeError(
            f"The phase image of an RVE has shape {image.shape}; it must be an array of labels [ny, nx] or "
            "[nz, ny, nx]."
        )
    if image.dtype.kind not in "biuf":
        raise InputError(f"The phase image of an RVE holds {image.dtype} values; it must hold the labels 0, 1, ...")
    if image.dtype.kind == "f":
        bad = np.argwhere(~np.isfinite(image))
        if len(bad):
            first = tuple(int(k) for k in bad[0])
            raise InputError(
                f"The phase image of an RVE is {image[first]} at pixel {first} and in {len(bad)} pixels in all; "
                "labels must be whole numbers, so segment the image first."
            )
        if np.any(image != np.rint(image)):
            raise InputError(
                "The phase image of an RVE holds fractions such as "
                f"{float(image[image != np.rint(image)][0]):g}; labels must be whole numbers, so segment it first."
            )
    if image.min() < 0:
        raise InputError(f"The phase image of an RVE holds the label {int(image.min())}; labels start at 0.")
    labels = np.array(image, dtype=np.int64)
    labels.flags.writeable = False
    return labels


def checked_materials(
    image: NDArray[np.int64], materials: Sequence[Any], homogeneous: bool, mixed: SubVoxels | None = None
) -> tuple[Any, ...]:
    """Return the materials as a tuple once they and the labels belong together.

    Raises:
        InputError: a label without material, a material without pixels, something that is no material.
    """
    laws = tuple(materials)
    for k, law in enumerate(laws):
        if not isinstance(law, Material):
            raise InputError(
                f"Material {k} of the RVE is {law!r}, which is no phase; give for example "
                "sb.micro.Elastic(E='72 GPa', nu=0.22)."
            )
        if isinstance(law, TemperatureConductor):
            raise InputError(
                f"Material {k} of the RVE conducts with k(T), and an RVE is solved at one temperature: give "
                "conductor.at('300 K'), or use sb.micro.ConductivityModel for all temperatures."
            )
    present = sorted({int(k) for k in np.unique(image)} | _in_mixed(mixed))
    if present[-1] >= len(laws):
        count = int((image == present[-1]).sum())
        raise InputError(
            f"The label {present[-1]} of the phase image ({count} pixels) has no material: there are {len(laws)}, "
            f"for the labels 0 to {len(laws) - 1}; give one material per label."
        )
    if not homogeneous and len(present) < 2:
        raise InputError(
            f"The phase image of the RVE holds the label {present[0]} only; check its segmentation, "
            "or pass homogeneous=True if one phase is meant."
        )
    missing = sorted(set(range(len(laws))) - set(present))
    if missing and not homogeneous:
        raise InputError(
            f"Material {missing[0]} ({laws[missing[0]].name}) of the RVE has no pixel; the image holds the labels "
            f"{', '.join(map(str, present))}, so drop that material or check the segmentation."
        )
    _one_kind(laws)
    return laws


def _in_mixed(mixed: SubVoxels | None) -> set[int]:
    return set() if mixed is None else {int(k) for k in np.union1d(mixed.first, mixed.second)}


def _one_kind(laws: Sequence[Any]) -> None:
    kinds = {law.kinematics: law.name for law in laws if not isinstance(law, Rigid)}
    if len(kinds) > 1:
        (first, a), (second, b), *_ = kinds.items()
        raise InputError(
            f"The materials of the RVE do not go together: '{a}' is a law of {first}, '{b}' one of {second}; "
            "give laws of one kind."
        )
    if not kinds:
        raise InputError("The materials of the RVE are all rigid; give at least one that deforms.")
    if "small strain" not in kinds and any(isinstance(law, Rigid) for law in laws):
        (kind, other), *_ = kinds.items()
        raise InputError(
            f"A rigid phase goes with laws of small strain, and '{other}' is a law of {kind}; give a stiff (well "
            "conducting) law of that kind instead."
        )


def kind_of(materials: Sequence[Any]) -> Kinematics:
    """Return what the laws take: ``"small strain"``, ``"finite strain"`` or ``"conduction"``."""
    found: Kinematics = next(law.kinematics for law in materials if not isinstance(law, Rigid))
    return found


def checked_rotations(orientation: ArrayLike | None, shape: tuple[int, ...]) -> Floats | None:
    """Return local axes per voxel ``[*shape, 3, 3]``, columns in the frame of the grid, from axes or a direction.

    Raises:
        InputError: neither unit directions ``[*shape, 3]`` nor rotations ``[*shape, 3, 3]``, or not finite.
    """
    if orientation is None:
        return None
    given = np.asarray(orientation, dtype=np.float64)
    if given.shape[: len(shape)] != shape or given.shape[len(shape) :] not in ((3,), (3, 3)):
        raise ShapeError(
            f"The orientation of the RVE has shape {given.shape}; for an image {shape} it must hold a direction "
            f"{(*shape, 3)} or local axes {(*shape, 3, 3)} per voxel."
        )
    if not np.isfinite(given).all():
        raise InputError("The orientation of the RVE is not finite everywhere; give a unit direction in every voxel.")
    if given.shape[-2:] == (3, 3) and given.ndim == len(shape) + 2:
        gap = np.abs(np.einsum("...ki,...kj->...ij", given, given) - np.eye(3)).max()
        if gap > 1e-6:
            raise InputError(
                f"The local axes of the RVE are not orthonormal (off by {gap:.1e}); give rotations, columns = axes."
            )
        # A copy: the caller's array may change under the key of the RVE.
        return given.copy()
    length = np.linalg.norm(given, axis=-1, keepdims=True)
    if not (length > 0.0).all():
        raise InputError("The orientation of the RVE holds directions of length zero; give one in every voxel.")
    return np.asarray(given / length)


def checked_spacing(voxel_size: Any, dim: int) -> tuple[float, ...] | None:
    """Return the edges of a voxel in m, in the order of the axes of the image, from one size or one per axis.

    Raises:
        InputError: not positive, or another number of sizes than axes.
    """
    if voxel_size is None:
        return None
    several = isinstance(voxel_size, Sequence | np.ndarray) and not isinstance(voxel_size, str)
    sizes = list(voxel_size) if several else [voxel_size] * dim
    if len(sizes) != dim:
        raise InputError(f"The voxel size of the RVE has {len(sizes)} entries; give one, or one per axis ({dim}).")
    return tuple(positive(size, "m", "The voxel size of the RVE") for size in sizes)
