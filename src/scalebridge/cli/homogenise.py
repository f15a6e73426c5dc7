"""``scalebridge homogenise``: just the numbers of an image."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from scalebridge.cli.surface import DONE, INTERRUPTED, NOT_CONVERGED
from scalebridge.cli.tables import console, print_json, print_pairs
from scalebridge.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from scalebridge.reports.homogenisation.record import Part
    from scalebridge.studies.homogenisation import Homogenisation, ImagePlan, Reading, Settings

VALID = {
    "plane": ("generalised", "strain", "stress"),
    "discretisation": ("rotated", "hexahedra", "moulinec_suquet"),
    "precision": ("double", "single"),
    "error": ("finer", "coarser"),
}


@dataclass(frozen=True)
class Request:
    """What was asked on the command line; names are those of the options."""

    image: Path
    material: Sequence[str] | None
    conductivity: Sequence[str] | None
    pixel_size: str | None
    labels: bool | None
    crop: str | None
    shape: str | None
    dtype: str | None
    dataset: str | None
    voxels: int | None
    plane: str
    composite: int
    discretisation: str
    precision: str
    tolerance: float
    device: str
    window_size: int | None
    windows: int | None
    seed: int
    error: str | None
    vary_segmentation: bool
    no_field: bool
    vti: Path | None
    plan: bool
    out: Path | None
    as_json: bool


def homogenise_image(request: Request) -> int:
    """Homogenise an image, print the numbers, leave them in a directory where asked; return the exit code."""
    from scalebridge.studies import homogenisation as study

    for name, valid in VALID.items():
        value = getattr(request, name)
        if value is not None and value not in valid:
            raise InputError(f"--{name} {value}{did_you_mean(value, valid)}")
    asked = _asked(request)
    if request.plan:
        return _show_plan(study.plan_image(**asked), request.as_json)
    try:
        with Line(quiet=request.as_json) as line:
            found = study.homogenise_image(**asked, vti=request.vti, progress=line)
            line("writing the report", 1.0)
            place = None if request.out is None else found.save(request.out)
    except KeyboardInterrupt:
        print("interrupted; nothing was written.", file=sys.stderr)
        return INTERRUPTED
    if request.as_json:
        print_json(found.to_dict())
    else:
        _show(found, place, request.vti)
    return DONE if found.converged else NOT_CONVERGED


def _asked(request: Request) -> dict[str, Any]:
    """What both a plan and a run take."""
    from scalebridge.studies.homogenisation import named_texts

    return {
        "source": request.image,
        "materials": named_texts(request.material or ()),
        "conductivity": named_texts(request.conductivity or (), True),
        "reading": _reading(request),
        "settings": _settings(request),
        "window_size": request.window_size,
        "windows": request.windows,
        "seed": request.seed,
        "error": request.error,
        "vary_segmentation": request.vary_segmentation,
        "fields": not request.no_field,
    }


def _show_plan(plan: ImagePlan, as_json: bool) -> int:
    if as_json:
        print_json(asdict(plan))
        return DONE
    shares = ", ".join(f"{name} {100 * f:.2f} %" for name, f in plan.fractions.items())
    print_pairs(
        {
            "solved": plan.taken,
            "grid": f"{' x '.join(map(str, plan.grid))}, {math.prod(plan.grid)} voxels",
            "fractions": shares,
            "solves": ", ".join(f"{n} x {words}" for words, n in plan.solves.items()),
            "memory": plan.memory + ("" if plan.fits else ": it does not fit"),
            "time": f"some {_duration(plan.seconds)} on one core, by a rule of thumb",
        }
    )
    return DONE


def _reading(request: Request) -> Reading:
    from scalebridge.studies.homogenisation import Reading

    size = request.pixel_size
    sizes = None if size is None else [part.strip() for part in size.split(",")]
    return Reading(
        pixel_size=sizes[0] if sizes and len(sizes) == 1 else sizes,
        as_labels=request.labels,
        crop=None if request.crop is None else _crop(request.crop),
        shape=None if request.shape is None else _shape(request.shape),
        dtype=request.dtype,
        dataset=request.dataset,
        voxels=request.voxels,
    )


def _settings(request: Request) -> Settings:
    from scalebridge.studies.homogenisation import Settings

    return Settings(
        plane=request.plane,  # type: ignore[arg-type]
        discretisation=request.discretisation,
        precision=request.precision,  # type: ignore[arg-type]
        tolerance=request.tolerance,
        composite=request.composite,
        device=request.device,
    )


def _crop(text: str) -> list[tuple[int, int]]:
    try:
        pairs = [part.split(":") for part in text.split(",")]
        return [(int(start), int(stop)) for start, stop in pairs]
    except ValueError:
        raise InputError(
            f"--crop {text} is no part of an image; write start:stop per axis, as in 0:380,146:362 (rows, columns)."
        ) from None


def _shape(text: str) -> list[int]:
    try:
        return [int(part) for part in text.replace("x", ",").split(",")]
    except ValueError:
        raise InputError(f"--shape {text} is no shape; write it as 200,200,100 (z, y, x).") from None


class Line:
    """One line of progress, rewritten on a terminal, plain lines elsewhere; a callable for `homogenise_image`."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._live: Any = None
        self._begun, self._last = time.monotonic(), -5.0

    def __enter__(self) -> Line:
        if not self._quiet and sys.stderr.isatty():
            from rich.live import Live

            self._live = Live("", console=console(stderr=True), refresh_per_second=4, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, words: str, share: float) -> None:
        """Say what is being done, and from a tenth of the work on how long the rest will take."""
        now = time.monotonic()
        elapsed = now - self._begun
        left = elapsed * (1 - share) / share if 0.1 < share < 1 and elapsed > 1 else None
        text = f"{100 * share:3.0f} %  {words}" + ("" if left is None else f"  about {_duration(left)} left")
        if self._live is not None:
            self._live.update(text)
        elif not self._quiet and self._due(now):
            print(text, file=sys.stderr, flush=True)

    def _due(self, now: float) -> bool:
        if now - self._last < 5.0 or now - self._begun < 2.0:
            return False
        self._last = now
        return True


def _duration(seconds: float) -> str:
    return f"{max(seconds, 1):.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _show(found: Homogenisation, place: Path | None, vti: Path | None) -> None:
    from scalebridge.reports.homogenisation.record import Record

    record = Record(found.to_dict())
    screen = console()
    for text in _head(record):
        screen.print(text, markup=False, soft_wrap=True)
    for part in record.parts:
        screen.print()
        for text in (*_table(part), *_tail(part)):
            screen.print(text, markup=False, soft_wrap=True)
    for note in found.notes:
        screen.print(f"note: {note}", markup=False, soft_wrap=True)
    if vti is not None and any(name.endswith("_mean") for name in found.arrays):
        screen.print(f"fields: {vti}", markup=False, soft_wrap=True)
    if place is not None:
        screen.print(f"report: {place / 'report.html'}", markup=False, soft_wrap=True)


def _head(record: Any) -> Iterator[str]:
    from scalebridge.reports import numbers

    shape = " x ".join(str(n) for n in record.image["shape"])
    yield f"{record.image['file']}: {shape}, {record.image['how']}"
    yield f"solved: {record.content['taken']}"
    for phase in record.phases:
        laws = "; ".join(str(phase[k]) for k in ("material", "conductivity") if phase.get(k))
        yield f"  {phase['name']:<10} {100 * phase['fraction']:6.2f} %  {laws}"
    peak = record.content.get("peak_memory_bytes")
    memory = "" if not peak else f", {peak / 2**20:.0f} MiB at most"
    yield f"{numbers.seconds(record.content['wall_s'])}{memory}"


def _table(part: Part) -> Iterator[str]:
    """Lines of the table of constants, as wide as they need to be: a terminal may scroll or wrap whole lines."""
    from scalebridge.reports.homogenisation.blocks import cells, columns
    from scalebridge.reports.homogenisation.record import WORDS

    headings = columns(part)
    explained = len(headings) <= 2
    rows: list[list[str]] = [[part.kind, *headings]]
    for words, group in part.rows():
        distance = part.distance("transverse" if "slice" in words else "isotropic") if "nearest" in words else None
        far = "" if distance is None else f" ({100 * distance:.2g} % of the tensor is left out)"
        rows.append([f"{words}{far}"])
        rows += [[f"  {n}", *cells(part, n, v, headings), *([WORDS.get(n, "")] if explained else [])] for n, v in group]
    full = [row for row in rows if len(row) > 1]
    width = [max(len(row[k]) for row in full if k < len(row)) for k in range(max(map(len, full)))]
    for row in rows if len(rows) > 1 else []:
        yield "  ".join(text.ljust(n) for text, n in zip(row, width, strict=False)).rstrip() if len(row) > 1 else row[0]


def _tail(part: Part) -> Iterator[str]:
    from scalebridge.reports import numbers
    from scalebridge.reports.homogenisation.blocks import within_words

    if part.content["reason"]:
        yield f"the {part.kind} was {part.content['reason']}"
        return
    shown = part.shown
    largest = float(abs(shown).max())
    factor, unit = numbers.prefixed(part.unit, largest)
    names = [str(n) for n in part.content["components"]]
    voigt = " (Voigt: engineering shears)" if part.kind == "stiffness" else ""
    yield f"{part.kind} in {unit}{voigt}"
    yield "      " + "".join(f"{name:>13}" for name in names)
    for name, row in zip(names, shown, strict=True):
        entries = (f"{factor * v:13.5g}" if abs(v) > 1e-6 * largest else f"{0:13d}" for v in row)
        yield f"{name:>6}" + "".join(entries)
    iterations = part.content["iterations"]
    gap = part.content["hill_mandel"]
    told = "" if gap is None else f"; Hill-Mandel gap {gap:.1e}"
    yield f"{within_words(part)} {sum(iterations)} iterations in {len(iterations)} load cases{told}."
