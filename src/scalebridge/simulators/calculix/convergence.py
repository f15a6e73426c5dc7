"""How an analysis went: increments (``.sta``) and iterations (``.cvg``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scalebridge.simulators.calculix.text import broken, fortran_number, opened, text_lines


@dataclass(frozen=True)
class Increment:
    """A line of the ``.sta``: an increment that was solved."""

    step: int
    increment: int
    attempt: int
    iterations: int
    total_time: float
    step_time: float
    increment_time: float


@dataclass(frozen=True)
class Iteration:
    """A line of the ``.cvg``: residuals and corrections in percent."""

    step: int
    increment: int
    attempt: int
    iteration: int
    contact_elements: int
    residual_force: float
    correction_displacement: float
    residual_flux: float
    correction_temperature: float


def read_sta(path: str | Path) -> tuple[Increment, ...]:
    """Read the increments of a ``.sta``.

    Raises:
        InputError: a missing file; a damaged one, with the line.
    """
    return tuple(Increment(*_counts(row[:4]), *row[4:]) for row in _rows(path, 4, 3))


def read_cvg(path: str | Path) -> tuple[Iteration, ...]:
    """Read the iterations of a ``.cvg``.

    Raises:
        InputError: a missing file; a damaged one, with the line.
    """
    return tuple(Iteration(*_counts(row[:5]), *row[5:]) for row in _rows(path, 5, 4))


def _counts(row: list[float]) -> list[int]:
    return [int(v) for v in row]


def _rows(path: str | Path, n_counts: int, n_values: int) -> list[list[float]]:
    rows = []
    with opened(path, "CalculiX's record of convergence") as file:
        for at, text in text_lines(file, Path(path)):
            words = text.split()
            if not words or not words[0].isdigit():
                continue
            # An attempt that was cut back carries a U.
            words = [w.removesuffix("U") for w in words]
            if len(words) != n_counts + n_values:
                raise broken(Path(path), at, f"the row has {len(words)} entries, not {n_counts + n_values}")
            try:
                rows.append([float(int(w)) for w in words[:n_counts]] + [fortran_number(w) for w in words[n_counts:]])
            except (ValueError, OverflowError):
                raise broken(Path(path), at, "an entry is no number") from None
    return rows
