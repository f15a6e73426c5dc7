"""An image to its effective properties, with everything that says how far they can be trusted."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.quantities import Floats
from scalebridge.studies.homogenisation.figures_of_merit import (
    constants_along_axes,
    isotropic_constants,
    limits,
    transverse_constants,
)
from scalebridge.studies.homogenisation.material_text import described, material, read_conductors
from scalebridge.studies.homogenisation.outcome import Difference, Effective, Homogenisation
from scalebridge.studies.homogenisation.sample import Reading, Sample, read_sample, sample_of
from scalebridge.studies.homogenisation.scatter import over_windows, window_origins
from scalebridge.studies.homogenisation.solving import Settings, hill_mandel, make_rve, solve, trimmed, unit_load

if TYPE_CHECKING:
    from scalebridge.micro.rve import LocalFields

Progress = Callable[[str, float], None]
MANDEL = {3: ("11", "22", "12"), 6: ("11", "22", "33", "23", "13", "12")}


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
    physics = _physics(materials, conductivity)
    names = list(next(iter(physics.values())))
    job = _Job(chosen, error, vary_segmentation, fields or vti is not None, progress or (lambda _w, _s: None))
    job.tell("reading", 0.0)
    sample = _sample(source, names, reading)
    origins = _origins(sample, window_size, windows, seed)
    solved, taken = _taken(sample, window_size, job)
    job.count(physics, origins)
    found, shown = {}, {}
    for kind, laws in physics.items():
        ordered = [laws[name] for name in solved.phases]
        effective, field = job.effective(solved, ordered, kind)
        if origins is not None and window_size is not None:
            effective = job.with_windows(effective, sample, ordered, origins, window_size)
        found[kind] = effective
        if field is not None:
            shown[kind] = field
    if vti is not None and shown:
        next(iter(shown.values())).to_vti(vti)
    job.tell("done", 1.0)
    return Homogenisation(
        image=_image(sample),
        taken=taken,
        fractions=dict(zip(solved.phases, map(float, job.fractions), strict=True)),
        materials=_described(physics),
        options=asdict(chosen) | {"plane": chosen.plane if sample.labels.ndim == 2 else "none", "seed": seed},
        stiffness=found.get("stiffness"),
        conductivity=found.get("conductivity"),
        notes=_notes(sample, solved, found),
        seconds=time.perf_counter() - begun,
        peak_memory=_peak_memory(),
        versions=_versions(),
        created=time.strftime("%Y-%m-%d %H:%M"),
        arrays=_arrays(sample, solved, origins, window_size, shown),
    )


@dataclass
class _Job:
    """One run: settings, what is asked for beside the tensor, and how much of the work is behind."""

    settings: Settings
    error: str | None
    vary: bool
    fields: bool
    progress: Progress
    fractions: Any = ()
    steps: float = 1.0
    behind: float = 0.0

    def count(self, physics: Mapping[str, Any], origins: Any) -> None:
        """Estimate the work in solves of the whole image."""
        each = 1.0 + self.fields + 4.0 * (self.error == "finer") + 0.3 * (self.error == "coarser") + 2.0 * self.vary
        windows = 0 if origins is None else 0.3 * len(origins)
        self.steps = len(physics) * (each + windows)

    def tell(self, words: str, work: float) -> None:
        """Say what comes next, and add the work that is behind."""
        self.behind += work
        self.progress(words, min(self.behind / self.steps, 1.0))

    def effective(self, sample: Sample, laws: Sequence[Any], kind: str) -> tuple[Effective, LocalFields | None]:
        """Solve the image, its field, and the versions asked for."""
        dim = sample.labels.ndim
        self.tell(f"{kind} of {' x '.join(map(str, sample.labels.shape))}", 0.0)
        rve = make_rve(sample.labels, laws, sample.voxel_size, self.settings)
        answer = solve(rve)
        self.fractions = answer.fractions
        self.tell("localising a field" if self.fields else "bounds", 1.0)
        field = rve.localise(unit_load(answer.tensor, kind)) if self.fields and not answer.reason else None
        gap = None if field is None else hill_mandel(field, rve)
        found = _effective(answer, laws, kind, dim, self.settings, gap)
        self.tell(kind, float(self.fields))
        if not answer.reason:
            found = replace(
                found,
                discretisation=self._discretisation(found, sample, laws, rve),
                segmentation=self._segmentation(found, sample, laws),
            )
        return found, field

    def with_windows(
        self, found: Effective, sample: Sample, laws: Sequence[Any], origins: NDArray[np.int64], size: int
    ) -> Effective:
        """Add the scatter over windows."""
        dim, share = sample.labels.ndim, 0.3

        def told(done: int, total: int) -> None:
            self.tell(f"{found.kind}: window {done} of {total}", share * (done - told_before[0]))
            told_before[0] = done

        told_before = [0]
        self.tell(f"{found.kind}: window 1 of {len(origins)}", 0.0)
        windows = over_windows(
            sample, laws, origins, size, self.settings, lambda t: _all_constants(t, found.kind, dim), told
        )
        return replace(found, windows=windows)

    def _discretisation(self, found: Effective, sample: Sample, laws: Sequence[Any], rve: Any) -> Difference | None:
        if self.error is None:
            return None
        self.tell(f"{found.kind} on the {self.error} grid", 0.0)
        s, size, dim = self.settings, sample.voxel_size, sample.labels.ndim
        if self.error == "coarser":
            factor = 2 * s.composite
            other = make_rve(sample.labels, laws, size, replace(s, composite=factor))
            words, work = f"composite voxels of {factor} pixels along each axis", 0.3
        elif s.composite % 2 == 0:
            other = make_rve(sample.labels, laws, size, replace(s, composite=s.composite // 2))
            words, work = f"voxels of {s.composite // 2} pixels along each axis", 4.0
        elif s.composite > 1:
            raise InputError(
                f"Composite voxels of {s.composite} pixels cannot be halved; take an even --composite, or --error "
                "coarser."
            )
        else:
            other, words, work = rve.finer, "every pixel split in two along each axis", 4.0
        solved = solve(other)
        self.tell(found.kind, work)
        return _difference(found, words, _all_constants(solved.tensor, found.kind, dim))

    def _segmentation(self, found: Effective, sample: Sample, laws: Sequence[Any]) -> tuple[Difference, ...]:
        if not self.vary:
            return ()
        if sample.segmentation is None:
            raise InputError(
                f"The phases of '{sample.name}' are labels, or parted by levels, so their uncertainty is not known; "
                "leave out --vary-segmentation."
            )
        made, place = [], sample.labels.shape
        for offset in (-1.0, 1.0):
            self.tell(f"{found.kind} with the segmentation at {offset:+.0f} deviation", 0.0)
            labels = sample.segmentation.at(offset)[: place[0], : place[1]]
            solved = solve(make_rve(labels, laws, sample.voxel_size, self.settings))
            share = sample.segmentation.fraction[-1] + offset * sample.segmentation.fraction_std[-1]
            words = f"{sample.phases[-1]} fraction {share:.4f} ({offset:+.0f} deviation)"
            made.append(_difference(found, words, _all_constants(solved.tensor, found.kind, labels.ndim)))
            self.tell(found.kind, 1.0)
        return tuple(made)


def _effective(
    answer: Any, laws: Sequence[Any], kind: str, dim: int, settings: Settings, gap: float | None
) -> Effective:
    from scalebridge.micro.rve import voigt

    tensor, g = answer.tensor, len(answer.tensor)
    return Effective(
        kind=kind,
        unit="Pa" if kind == "stiffness" else laws[0].unit,
        components=MANDEL[g] if kind == "stiffness" else tuple(str(i + 1) for i in range(g)),
        tensor=tensor,
        voigt=voigt(tensor) if kind == "stiffness" else tensor,
        constants=constants_along_axes(tensor, kind),
        transverse=transverse_constants(tensor, kind, dim),
        isotropic=isotropic_constants(tensor, kind, dim),
        limits=limits(tensor, answer.fractions, laws, kind, settings.plane, dim),
        hill_mandel=gap,
        iterations=answer.iterations,
        seconds=answer.seconds,
        converged=not answer.reason,
        reason=answer.reason,
    )


def _all_constants(tensor: Floats, kind: str, dim: int) -> dict[str, float]:
    along = constants_along_axes(tensor, kind)
    if not along:
        return {}
    near = {**transverse_constants(tensor, kind, dim), **isotropic_constants(tensor, kind, dim)}
    near.pop("distance", None)
    return along | near


def _difference(found: Effective, words: str, other: dict[str, float]) -> Difference:
    base = found.all_constants
    change = {k: (v - base[k]) / abs(base[k]) if base.get(k) else math.nan for k, v in other.items()}
    return Difference(words, other, change)


def _physics(materials: Mapping[str, Any] | None, conductivity: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Laws by physics and phase, from laws or texts."""
    found: dict[str, dict[str, Any]] = {}
    if materials:
        found["stiffness"] = {n: material(n, m) if isinstance(m, str) else m for n, m in materials.items()}
    if conductivity:
        texts = [f"{n}: {k}" for n, k in conductivity.items() if isinstance(k, str)]
        read = read_conductors(texts)
        found["conductivity"] = {n: read.get(n, k) for n, k in conductivity.items()}
    if not found:
        raise InputError(
            "Neither materials nor conductivities were given; give one per phase, as --material 'matrix: E=3.5 GPa, "
            "nu=0.35' or --conductivity 'matrix: 0.2 W/(m*K)'."
        )
    for kind, laws in found.items():
        for name, law in laws.items():
            if not getattr(law, "linear", law.name == "rigid"):
                raise InputError(f"The {kind} takes linear laws, and '{name}' is {law.name}; use sb.micro.RVE for it.")
    if len(found) == 2 and set(found["stiffness"]) != set(found["conductivity"]):
        odd = sorted(set(found["stiffness"]) ^ set(found["conductivity"]))
        raise InputError(
            f"The phase '{odd[0]}' has a material or a conductivity, not both; give both for every phase, or run the "
            "two apart."
        )
    return found


def _sample(source: Any, names: Sequence[str], reading: Reading | None) -> Sample:
    if isinstance(source, Sample):
        if set(names) != set(source.phases):
            raise InputError(
                f"The phases of '{source.name}' are {', '.join(source.phases)}, and materials were given for "
                f"{', '.join(names)}; give one per phase."
            )
        return source
    if isinstance(source, str | Path):
        return read_sample(source, names, reading)
    return sample_of(source, names, None if reading is None else reading.pixel_size)


def _origins(sample: Sample, size: int | None, count: int | None, seed: int) -> NDArray[np.int64] | None:
    if size is None:
        if count is not None:
            raise InputError(f"{count} windows were asked for; say by --window-size how large they are.")
        return None
    return window_origins(sample, size, count, seed)


def _taken(sample: Sample, size: int | None, job: _Job) -> tuple[Sample, str]:
    """The image itself, or where it is not all inside of the field of view the window nearest to its statistics."""
    if sample.inside is None or sample.segmentation is None:
        used = trimmed(sample.labels, job.settings.composite).shape
        part = "" if used == sample.labels.shape else f" but its last rows, to {' x '.join(map(str, used))}"
        return sample, f"the whole image{part}"
    if size is None:
        raise InputError(
            f"{1 - sample.inside.mean():.1%} of the image '{sample.name}' lies outside of the field of view and is no "
            "material; cut a rectangle inside of it by --crop, or take windows inside of it by --window-size."
        )
    if job.vary:
        raise InputError("--vary-segmentation takes a whole image inside of the field of view; cut one by --crop.")
    from scalebridge.microstructure import representative

    nearest = representative(sample.segmentation, size).nearest
    words = f"the window of {size} pixels at row {nearest.origin[0]}, column {nearest.origin[1]}, whose statistics are "
    present = np.unique(nearest.labels)
    if len(present) < len(sample.phases):
        raise InputError(
            f"The window of {size} pixels nearest to the statistics of '{sample.name}' holds no "
            f"{next(n for k, n in enumerate(sample.phases) if k not in present)}; take a larger --window-size."
        )
    return replace(sample, labels=nearest.labels, inside=None), words + "nearest to those of the image"


def _described(physics: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    names = list(next(iter(physics.values())))
    word = {"stiffness": "material", "conductivity": "conductivity"}
    return {n: {word[kind]: described(laws[n]) for kind, laws in physics.items()} for n in names}


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


def _notes(sample: Sample, solved: Sample, found: Mapping[str, Effective]) -> tuple[str, ...]:
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
                notes.append(f"{len(bad)} windows have no {effective.kind}, the first: {bad[0]}.")
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
