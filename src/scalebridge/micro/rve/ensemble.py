"""Many images at once: effective tensors of a batch of RVEs of linear phases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.rve.image import checked_image
from scalebridge.micro.rve.model import RVE
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scalebridge.micro.rve.homogenise import Homogeniser

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Ensemble:
    """Effective tensors of ``r`` images; a row that did not converge has a reason and holds NaN.

    Args:
        tensors: ``[r, g, g]``, stiffness in Pa (Mandel) or conductivity in W/(m K).
        iterations: ``[r]``, conjugate-gradient iterations of all load cases.
        reason: ``[r]``, empty where the row converged.
    """

    tensors: Floats
    iterations: NDArray[np.int64]
    reason: tuple[str, ...]

    @property
    def mean(self) -> Floats:
        """Mean over the rows that converged ``[g, g]``."""
        found: Floats = np.nanmean(self.tensors, axis=0)
        return found

    @property
    def std(self) -> Floats:
        """Standard deviation over the rows that converged ``[g, g]``: the scatter of the windows."""
        found: Floats = np.nanstd(self.tensors, axis=0, ddof=1)
        return found


def homogenise_many(
    images: ArrayLike, materials: Sequence[Any], *, progress: Progress | None = None, **options: Any
) -> Ensemble:
    """Return the effective tensors of a batch of images that share their materials.

    On a GPU the images of a batch are solved together, as many as fit; on a CPU one after another, as the cache likes.

    Args:
        images: labels ``[r, ny, nx]`` or ``[r, nz, ny, nx]``.
        materials: one linear law per label.
        progress: called with the number of images done and their total.
        options: those of `RVE`, but ``orientation``.

    Raises:
        ShapeError: no batch of images.
        InputError: a nonlinear law; what `RVE` refuses.
    """
    try:
        stack = np.asarray(images)
    except ValueError as error:
        raise ShapeError("The images of a batch differ in shape; make one RVE per image instead.") from error
    if stack.ndim not in (3, 4) or len(stack) < 1:
        raise ShapeError(f"A batch of images has shape {stack.shape}; it must be [r, ny, nx] or [r, nz, ny, nx].")
    labels = np.stack([checked_image(image) for image in stack])
    first = _template(labels, materials, options)
    if not first.solver.composite.linear:
        raise InputError("A batch of images takes linear phases; make one RVE per image instead.")
    tensors, iterations, reasons = [], [], []
    parts = np.searchsorted(np.unique(labels), labels)
    if first.dim > parts.ndim - 1:
        parts = parts[:, None]
    size = first.solver.images_at_once
    for begin in range(0, len(labels), size):
        found = _solve(first.solver, parts[begin : begin + size])
        tensors.append(found[0])
        iterations.append(found[1])
        reasons += found[2]
        if progress is not None:
            progress(min(begin + size, len(labels)), len(labels))
    return Ensemble(np.concatenate(tensors), np.concatenate(iterations), tuple(reasons))


def _template(labels: NDArray[np.int64], materials: Sequence[Any], options: dict[str, Any]) -> RVE:
    """Return an RVE that has every phase, from which the others differ by their labels only."""
    if "orientation" in options:
        raise InputError("A batch of images takes no orientation; make one RVE per image instead.")
    image = labels[0].copy()
    present = np.unique(labels)
    if image.size < len(present):
        raise InputError(
            f"The images of the batch have {image.size} voxels each and {len(present)} labels in all; make one RVE "
            "per image instead."
        )
    image.ravel()[: len(present)] = present
    return RVE(image, materials, **{"homogeneous": True, **options})


def _solve(solver: Homogeniser, labels: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64], list[str]]:
    unit = solver.effective_of(labels)
    tensors = unit.tangent.cpu().numpy().copy()
    cg = unit.cg.cpu().numpy().sum(axis=1)
    good = unit.converged.cpu().numpy() & np.isfinite(tensors).all(axis=(1, 2))
    tensors[~good] = np.nan
    return tensors, cg, ["" if g else f"not converged in {int(n)} iterations" for g, n in zip(good, cg, strict=True)]
