"""An image to its effective properties, with everything that says how far they can be trusted."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from scalebridge.studies.homogenisation.inputs import (
    described_phases,
    origins_of,
    part_taken,
    physics_of,
    sample_from,
)
from scalebridge.studies.homogenisation.job import Job, Progress
from scalebridge.studies.homogenisation.outcome import Effective, Homogenisation
from scalebridge.studies.homogenisation.sample import Reading, Sample
from scalebridge.studies.homogenisation.solving import Settings

if TYPE_CHECKING:
    from scalebridge.micro.rve import LocalFields


def homogenise_image(
    source: str | Path | Sample | NDArray[Any],
    materials: Mapping[str, Any] | None = None,
    conductivity: Mapping[str, Any] | None = None,
    *,
    reading: Reading | None = None,
    settings: Settings | None = None,
    window_size: int | None = None,
    windows: int | None = None,
    seed: int = 0,
    error: Literal["finer", "coarser"] | None = None,
    vary_segmentation: bool = False,
    fields: bool = True,
    vti: str | Path | None = None,
    progress: Progress | None = None,
) -> Homogenisation:
    """Return the effective stiffness and conductivity of an image of phases, with what says how far they hold.

    ::

        found = homogenise_image("slice.png", {"matrix": "E=3.5 GPa, nu=0.35", "fibre": "E=72 GPa, nu=0.22"})
        found.stiffness.constants["E1"], found.stiffness.transverse["E_T"]
        found.save("out")

    Args:
        source: a file (see `read_sample`), a `Sample`, or labels ``[ny, nx]`` or ``[nz, ny, nx]``.
        materials: law of each phase by name, or its constants as a text; linear laws.
        conductivity: conductor of each phase by name, or its value as a text such as ``"0.2 W/(m*K)"``.
        reading: how the file is read.
        settings: plane, discretisation, precision, tolerance, composite voxels, device.
        window_size: pixels on a side of the windows over which the scatter is told. Of a slice that is not all inside
            of the field of view, the answer is that of the window nearest to its statistics.
        windows: how many windows at random places, which may overlap; ``None`` for a grid of windows that do not.
        seed: of the random places.
        error: solve again with every pixel split in two (``"finer"``), or on composite voxels twice as large
            (``"coarser"``), for the error of the discretisation.
        vary_segmentation: solve again with the fibre fraction moved by one deviation either way.
        fields: whether one field is localised, for the Hill-Mandel gap and the figures.
        vti: a file for the localised fields (ParaView).
        progress: called with what is being done and the share of the work that is behind, in [0, 1].

    Raises:
        InputError: an image or materials that cannot be used.
    """
    begun = time.perf_counter()
    chosen = settings or Settings()
    physics = physics_of(materials, conductivity)
    names = list(next(iter(physics.values())))
    job = Job(chosen, error, vary_segmentation, fields or vti is not None, progress or (lambda _w, _s: None))
    job.tell("reading", 0.0)
    sample = sample_from(source, names, reading)
    origins = origins_of(sample, window_size, windows, seed)
    solved, taken = part_taken(sample, window_size, chosen.composite, vary_segmentation)
    job.count(physics, origins)
    found: dict[str, Effective] = {}
    shown: dict[str, LocalFields] = {}
    for kind, laws in physics.items():
        ordered = [laws[name] for name in solved.phases]
        found[kind], field = job.effective(solved, ordered, kind)
        if origins is not None and window_size is not None:
            found[kind] = job.with_windows(found[kind], sample, ordered, origins, window_size)
        shown |= {} if field is None else {kind: field}
    if vti is not None and shown:
        next(iter(shown.values())).to_vti(vti)
    job.tell("done", 1.0)
    return Homogenisation(
        image=_image(sample),
        taken=taken,
        fractions=dict(zip(solved.phases, map(float, job.fractions), strict=True)),
        materials=described_phases(physics, {"stiffness": materials, "conductivity": conductivity}),
        options=asdict(chosen) | {"plane": chosen.plane if sample.labels.ndim == 2 else "none", "seed": seed},
        stiffness=found.get("stiffness"),
        conductivity=found.get("conductivity"),
        notes=_notes(sample, found),
        seconds=time.perf_counter() - begun,
        peak_memory=_peak_memory(),
        versions=_versions(),
        created=time.strftime("%Y-%m-%d %H:%M"),
        arrays=_arrays(sample, solved, origins, window_size, shown),
    )


def _image(sample: Sample) -> dict[str, Any]:
    spread = None
    if sample.segmentation is not None:
        spread = dict(zip(sample.phases, map(float, sample.segmentation.fraction_std), strict=True))
    return {
        "file": sample.name,
        "sha256": sample.sha256,
        "shape": list(sample.labels.shape),
        "voxel_size_m": None if sample.voxel_size is None else list(sample.voxel_size),
        "how": sample.how,
        "fractions": dict(zip(sample.phases, map(float, sample.fractions), strict=True)),
        "fractions_std": spread,
    }


def _notes(sample: Sample, found: Mapping[str, Effective]) -> tuple[str, ...]:
    notes = list(sample.notes)
    if sample.segmentation is not None or sample.grey is not None:
        notes.append(
            "The image is repeated as it is: inclusions cut by opposite edges do not meet, which disturbs a layer of "
            "about one inclusion along the edges; a window twice as large halves its share."
        )
    for effective in found.values():
        if not effective.converged:
            notes.append(f"The {effective.kind} was {effective.reason}.")
        elif not effective.constants:
            notes.append(f"The {effective.kind} is singular, so it has no constants along the axes; is a part loose?")
        if effective.windows is not None:
            bad = [r for r in effective.windows.reason if r]
            if bad:
                share = f"{len(bad)} of {len(effective.windows.reason)} windows"
                notes.append(f"{share} gave no {effective.kind}, the first: {bad[0]}.")
            if effective.windows.overlap:
                notes.append("Windows overlap, so their scatter is smaller than that of independent samples.")
    return tuple(dict.fromkeys(notes))


def _arrays(
    sample: Sample, solved: Sample, origins: Any, size: int | None, fields: Mapping[str, LocalFields]
) -> dict[str, NDArray[Any]]:
    """Slices for figures: of a volume, the middle ones across z, y and x."""
    made: dict[str, NDArray[Any]] = {}
    for name, values in (("image", sample.grey), ("labels", solved.labels)):
        if values is not None:
            made |= _slices(name, np.asarray(values))
    for kind, field in fields.items():
        values = field.von_mises if field.kind == "small strain" else np.sqrt((field.stress**2).sum(0))
        made |= _slices(f"{kind}_field", _flat(values).astype(np.float32))
        made[f"{kind}_mean"] = np.array([float(np.abs(field.stress[0].mean(dtype=np.float64)))])
    if origins is not None and size is not None:
        made["windows"] = np.column_stack([origins, np.full(len(origins), size)])
    return made


def _flat(values: NDArray[Any]) -> NDArray[Any]:
    return values[0] if values.ndim == 3 and values.shape[0] == 1 else values


def _slices(name: str, values: NDArray[Any]) -> dict[str, NDArray[Any]]:
    if values.ndim == 2:
        return {name: values}
    return {f"{name}_{axis}": np.take(values, values.shape[k] // 2, k) for k, axis in enumerate("zyx")}


def _peak_memory() -> int | None:
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) if sys.platform == "darwin" else 1024 * int(peak)


def _versions() -> dict[str, str]:
    from scalebridge.bridge.answer import versions

    return versions()
