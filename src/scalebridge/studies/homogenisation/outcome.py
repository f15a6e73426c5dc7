"""What a homogenisation found, as values, as JSON and as a report."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InfrastructureError
from scalebridge.quantities import Floats

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Limits:
    """Bounds of an effective tensor from the fractions of its phases.

    Args:
        upper: Voigt's (the mean) ``[g, g]``.
        lower: Reuss's (the inverse of the mean of inverses) ``[g, g]``.
        constants: bounds that follow for each modulus, ``(lower, upper)``.
        within: whether the tensor lies between them as a quadratic form.
        hashin_shtrikman: bounds of an isotropic mixture (``bulk``, ``shear``, or ``k``), empty where a phase is not
            isotropic.
        hashin_shtrikman_within: whether the nearest isotropic tensor lies within; ``None`` where the tensor is too far
            from isotropic for these bounds to speak of it.
        reason: why there are none.
    """

    upper: Floats | None = None
    lower: Floats | None = None
    constants: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    within: bool | None = None
    hashin_shtrikman: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    hashin_shtrikman_within: bool | None = None
    reason: str = ""


@dataclass(frozen=True)
class Difference:
    """The same constants on another version of the image.

    Args:
        of: which version, in words.
        constants: there.
        change: relative change of each against the answer.
    """

    of: str
    constants: Mapping[str, float]
    change: Mapping[str, float]


@dataclass(frozen=True)
class Windows:
    """The same constants on windows of the image.

    Args:
        size: pixels or voxels on a side.
        origins: first corner of each window ``[n, d]``, in the order of the axes.
        fractions: of each phase in each window ``[n, phases]``.
        constants: of each window ``[n]`` by name; NaN where it has none.
        tensors: ``[n, g, g]``.
        overlap: whether windows share voxels, so that their scatter is too small.
        reason: of each window ``[n]``, empty where it was solved.
    """

    size: int
    origins: NDArray[np.int64]
    fractions: Floats
    constants: Mapping[str, Floats]
    tensors: Floats
    overlap: bool
    reason: tuple[str, ...]

    def mean(self, name: str) -> float:
        """Mean of a constant over the windows that were solved."""
        values = self.constants[name][np.isfinite(self.constants[name])]
        return float(values.mean()) if values.size else math.nan

    def std(self, name: str) -> float:
        """Standard deviation of a constant: what one window does not know of the image; NaN for a single window."""
        values = self.constants[name][np.isfinite(self.constants[name])]
        return float(values.std(ddof=1)) if values.size > 1 else math.nan


@dataclass(frozen=True)
class Effective:
    """An effective tensor, and how far it can be trusted.

    Args:
        kind: ``"stiffness"`` or ``"conductivity"``.
        unit: of the tensor.
        components: names of its rows.
        tensor: ``[g, g]``, a stiffness in Mandel components; NaN where it was not found.
        voigt: a stiffness ``[g, g]`` with engineering shears; the tensor itself for a conductivity.
        constants: along the axes: E1, ..., G23 in Pa; E1, E2, nu12, G12 of a plane; k11, k22, k33.
        transverse: constants of the nearest tensor that is isotropic in the image plane, with ``distance``.
        isotropic: constants of the nearest isotropic tensor, with ``distance``; zero where it is isotropic.
        limits: bounds.
        hill_mandel: |<s:e> - <s>:<e>| / <s:e> of the localised field; ``None`` where none was solved.
        iterations: conjugate-gradient iterations of each load case ``[g]``.
        seconds: wall time of the solve.
        converged: whether the linear systems were solved.
        reason: why not.
        discretisation: the same on a finer or coarser grid, where asked for.
        segmentation: the same with the threshold moved by one deviation either way, where asked for.
        windows: the same on windows, where asked for.
    """

    kind: str
    unit: str
    components: tuple[str, ...]
    tensor: Floats
    voigt: Floats
    constants: Mapping[str, float]
    transverse: Mapping[str, float]
    isotropic: Mapping[str, float]
    limits: Limits
    hill_mandel: float | None
    iterations: tuple[int, ...]
    seconds: float
    converged: bool
    reason: str
    discretisation: Difference | None = None
    segmentation: tuple[Difference, ...] = ()
    windows: Windows | None = None

    @property
    def all_constants(self) -> dict[str, float]:
        """Constants along the axes, of the nearest transversely isotropic and of the nearest isotropic tensor."""
        found = {**self.constants, **self.transverse, **self.isotropic}
        found.pop("distance", None)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON holds of it."""
        windows = self.windows
        return plain(
            {
                "unit": self.unit,
                "components": self.components,
                "mandel" if self.kind == "stiffness" else "tensor": self.tensor,
                **({"voigt": self.voigt} if self.kind == "stiffness" else {}),
                "constants": self.constants,
                "transverse": self.transverse or None,
                "isotropic": self.isotropic or None,
                "bounds": vars(self.limits),
                "hill_mandel": self.hill_mandel,
                "iterations": self.iterations,
                "seconds": self.seconds,
                "converged": self.converged,
                "reason": self.reason,
                "discretisation": None if self.discretisation is None else vars(self.discretisation),
                "segmentation": [vars(d) for d in self.segmentation],
                "windows": None if windows is None else _windows(windows),
            }
        )


@dataclass(frozen=True, eq=False)
class Homogenisation:
    """Effective properties of an image of phases; made by `homogenise_image`.

    Args:
        image: the file: name, shape, voxel size, how it was parted, digest.
        taken: which part was solved, in words.
        fractions: of each phase by name, in what was solved.
        materials: the laws of each phase in words, by name.
        options: plane, discretisation, precision, tolerance, composite factor, device.
        stiffness: in Pa, where materials were given.
        conductivity: where conductivities were given.
        notes: what the reader should know, one sentence each.
        seconds: wall time of all of it.
        peak_memory: largest memory of this process so far in bytes; ``None`` where the system does not tell.
        versions: of what the numbers depend on.
        arrays: what figures are drawn from: slices of the image, of its phases and of a solved field.
    """

    image: Mapping[str, Any]
    taken: str
    fractions: Mapping[str, float]
    materials: Mapping[str, Mapping[str, str]]
    options: Mapping[str, Any]
    stiffness: Effective | None
    conductivity: Effective | None
    notes: tuple[str, ...]
    seconds: float
    peak_memory: int | None
    versions: Mapping[str, str]
    created: str
    arrays: Mapping[str, NDArray[Any]] = field(repr=False, default_factory=dict)

    @property
    def converged(self) -> bool:
        """Whether every tensor asked for was found, on the image and on all windows."""
        asked = [e for e in (self.stiffness, self.conductivity) if e is not None]
        return all(e.converged and (e.windows is None or not any(e.windows.reason)) for e in asked)

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ``homogenisation.json``."""
        return plain(
            {
                "schema_version": SCHEMA_VERSION,
                "kind": "homogenisation",
                "created": self.created,
                "image": self.image,
                "taken": self.taken,
                "phases": [
                    {"name": name, "fraction": f, **self.materials.get(name, {})} for name, f in self.fractions.items()
                ],
                "options": self.options,
                "stiffness": None if self.stiffness is None else self.stiffness.to_dict(),
                "conductivity": None if self.conductivity is None else self.conductivity.to_dict(),
                "converged": self.converged,
                "notes": self.notes,
                "wall_s": self.seconds,
                "peak_memory_bytes": self.peak_memory,
                "versions": self.versions,
            }
        )

    def save(self, directory: str | Path) -> Path:
        """Write ``homogenisation.json``, ``arrays.npz``, ``report.html`` and ``picture.png``; return the directory.

        Raises:
            InfrastructureError: the directory cannot be written.
        """
        from scalebridge.reports.homogenisation import write_picture, write_report

        place, record = Path(directory), self.to_dict()
        try:
            place.mkdir(parents=True, exist_ok=True)
            text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
            (place / "homogenisation.json").write_text(text + "\n", encoding="utf-8")
            np.savez_compressed(place / "arrays.npz", **dict(self.arrays))  # type: ignore[arg-type]
        except OSError as error:
            raise InfrastructureError(f"The result cannot be written to '{place}': {error.strerror}.") from error
        write_report(record, self.arrays, place / "report.html")
        write_picture(record, self.arrays, place / "picture.png")
        return place

    def report(self, file: str | Path) -> Path:
        """Write the one-file HTML report; return the file.

        Raises:
            InfrastructureError: the file cannot be written.
        """
        from scalebridge.reports.homogenisation import write_report

        return write_report(self.to_dict(), self.arrays, file)

    def _repr_html_(self) -> str:
        from scalebridge.reports.homogenisation import card

        return card(self.to_dict())


def _windows(found: Windows) -> dict[str, Any]:
    names = found.constants
    return {
        "size": found.size,
        "n": len(found.reason),
        "origins": found.origins,
        "fractions": found.fractions,
        "overlap": found.overlap,
        "reason": found.reason,
        "constants": {n: {"mean": found.mean(n), "std": found.std(n), "values": found.constants[n]} for n in names},
        "mean": np.nanmean(found.tensors, axis=0) if np.isfinite(found.tensors).any() else None,
    }


def plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what JSON can hold: numbers that are not finite become null."""
    return {str(name): _plain(value) for name, value in record.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return plain(value)
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
