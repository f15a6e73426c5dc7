"""The model card of a surrogate: what it is for, where it holds, how it was judged, and what it cannot tell.

Source: M. Mitchell et al., Model cards for model reporting (2019).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from scalebridge.errors import InputError
from scalebridge.explain.errors_views import HEAD as PARTS_HEAD
from scalebridge.explain.errors_views import cells as part_cells
from scalebridge.explain.sheet import Section, Sheet
from scalebridge.explain.views import HEAD as IMPORTANCE_HEAD
from scalebridge.explain.views import cells as importance_cells
from scalebridge.explain.wording import amount, share
from scalebridge.learn.archive import LIBRARIES

# Different groups below which an estimate for new ones is called weak.
FEW = 20


def model_card(
    surrogate: Any,
    *,
    purpose: str = "",
    comparison: Any = None,
    errors: Sequence[Any] = (),
    explanation: Any = None,
    data: Any = None,
    limits: Sequence[str] = (),
) -> Sheet:
    """The model card of a fitted surrogate.

    Args:
        surrogate: fitted, or the path of a saved one.
        purpose: what it may be used for, in a sentence; where it is not given the card says so.
        comparison: the `Comparison` it came from: how it was judged on rows held back.
        errors: by group and by regime (`by_group`, `by_regime`).
        explanation: what it goes by (`explain`).
        data: the data sheet of what it learned from, or its title.
        limits: what else is known to be wrong, in sentences.

    Raises:
        InputError: not fitted, or a file that holds no surrogate.
    """
    if isinstance(surrogate, str | os.PathLike):
        from scalebridge.learn.archive import load

        surrogate = load(surrogate)
    if not hasattr(surrogate, "data"):
        raise InputError(
            f"A model card was asked of {surrogate!r}; give a fitted surrogate, or the path of a saved one."
        )
    x, y, _ = surrogate.data
    listed = (errors,) if hasattr(errors, "parts") else tuple(errors)
    return Sheet.of(
        f"Model card: {surrogate.name} for {', '.join(surrogate.outputs.names)}",
        [
            _use(surrogate, purpose),
            _identity(surrogate, x, data),
            _variables("Inputs", surrogate.inputs, x),
            _variables("Outputs", surrogate.outputs, y),
            _domain(surrogate, x),
            *_validation(comparison),
            *(_errors(e) for e in listed),
            _certificate(surrogate),
            *_explained(explanation),
            Section("Limits", items=(*_limits(comparison, listed, explanation), *limits)),
        ],
    )


def _use(surrogate: Any, purpose: str) -> Section:
    names = ", ".join(surrogate.inputs.names)
    what = f"It predicts {', '.join(surrogate.outputs.names)} from {names}, with a distribution for each answer."
    intended = purpose or "No purpose was stated; whoever uses it decides whether its data are of the same kind."
    not_for = (
        "Not meant for inputs outside its domain, for what an input would cause if it were changed on purpose, or for "
        "decisions about safety without tests of their own."
    )
    return Section("Intended use", (intended, what, not_for))


def _identity(surrogate: Any, x: Any, data: Any) -> Section:
    identity = dict(surrogate.identity())
    told = [f"{key}: {value}" for key, value in identity.items() if value]
    sheet = getattr(data, "title", data)
    return Section(
        "What it is",
        (f"Learned from {len(x)} rows." + (f" {sheet}." if sheet else ""),),
        items=(*told, f"made with {', '.join(f'{name} {version(name)}' for name in LIBRARIES)}"),
    )


def _variables(title: str, space: Any, values: Any) -> Section:
    rows, start = [], 0
    for v in space:
        part = np.asarray(values)[:, start : start + v.size]
        start += v.size
        bounds = " to ".join("none" if not np.isfinite(b) else f"{b:g}" for b in v.limits)
        shape = "number" if v.shape == () else str(v.shape)
        rows.append((v.name, v.unit, shape, f"{part.min():.5g} to {part.max():.5g}", bounds, v.description))
    head = ("name", "unit", "shape", "learned from", "bounds declared", "what")
    return Section(title, head=head, rows=tuple(rows))


def _domain(surrogate: Any, x: Any) -> Section:
    domain = surrogate.domain
    kind = type(domain).__name__
    if not (hasattr(domain, "lower") and hasattr(domain, "upper")):
        held = float(np.mean(domain.contains(np.asarray(x))))
        return Section(
            "Domain", (f"It says where it may be trusted ({kind}); {share(held)} of its own rows lie inside.",)
        )
    limits = zip(surrogate.inputs.component_names, domain.lower, domain.upper, strict=True)
    return Section(
        "Domain",
        ("To be trusted between these bounds, as far as single inputs go; outside it says so. Combinations that were "
         "never seen may lie inside.",),
        head=("input", "from", "to"),
        rows=tuple((name, f"{low:.5g}", f"{high:.5g}") for name, low, high in limits),
    )  # fmt: skip


def _validation(comparison: Any) -> tuple[Section, ...]:
    if comparison is None:
        return ()
    rows = []
    for entry in comparison.entries:
        if entry.held is None:
            rows.append((entry.name, f"failed: {entry.failure}", *("" for _ in range(5))))
            continue
        coverage = float(np.mean(entry.coverage))
        figures = [", ".join(f"{v:.4g}" for v in values) for values in (entry.rmse, entry.r2, entry.nll)]
        rows.append(
            (entry.name, f"{entry.score:.4f}", *figures, f"{share(coverage)} ± {share(entry.coverage_error)}",
             ", ".join(f"{v:.4g}" for v in entry.width))
        )  # fmt: skip
    best = comparison.best
    groups = len(np.unique(best.units))
    n = len(comparison.data)
    told = (
        f"Judged on {n} rows in {groups} groups that were never parted, by {len(comparison.splits)} splits; every "
        "figure is of rows that the fit had not seen."
        if groups < n
        else f"Judged on {n} rows by {len(comparison.splits)} splits, every row as independent of the others; every "
        "figure is of rows that the fit had not seen."
    )
    tied = f" The rows cannot tell it from {', '.join(comparison.tied)}." if comparison.tied else ""
    head = ("candidate", "CRPS", "RMSE", "R2", "NLL", f"covers {100 * comparison.level:g} %", "width")
    return (Section("Validation", (told + tied, *comparison.notes), head=head, rows=tuple(rows)),)


def _errors(errors: Any) -> Section:
    return Section(f"Errors by {errors.by}", tuple(errors.sentences), head=PARTS_HEAD, rows=tuple(part_cells(errors)))


def _certificate(surrogate: Any) -> Section:
    certificate: Any = getattr(surrogate, "certificate", None)
    told = certificate.as_dict() if hasattr(certificate, "as_dict") else certificate
    if not isinstance(told, dict):
        return Section("Intervals", ("They are the surrogate's own; no calibration was made of them.",))
    return Section("Intervals", ("They were calibrated; this is what the calibration found.",), items=tuple(
        f"{key}: {f'{value:.4g}' if isinstance(value, float) else value}" for key, value in told.items()
    ))  # fmt: skip


def _explained(explanation: Any) -> tuple[Section, ...]:
    if explanation is None:
        return ()
    rows = tuple(importance_cells(explanation))
    return (Section("What it goes by", tuple(explanation.sentences), head=IMPORTANCE_HEAD, rows=rows),)


def _limits(comparison: Any, errors: Sequence[Any], explanation: Any) -> list[str]:
    told = []
    if comparison is None:
        told.append("It was not judged on rows held back: nothing is known of its errors on new ones.")
    else:
        told += _doubts(comparison)
    if not errors:
        told.append("Errors were not looked at by group or regime: they may be larger somewhere than on average.")
    for e in errors:
        part = e.worst
        if part.differs:
            told.append(
                f"Worst by {e.by}: {part.label}, with an error of {amount(part.rmse, e.unit)} against "
                f"{amount(e.whole.rmse, e.unit)} overall."
            )
    if explanation is None:
        told.append("What it goes by was not explained.")
    told.append("Nothing here says what an input causes.")
    return told


def _doubts(comparison: Any) -> list[str]:
    best = comparison.best
    told = []
    gap = float(np.mean(best.coverage)) - comparison.level
    if abs(gap) > 2 * best.coverage_error:
        word = "fewer" if gap < 0 else "more"
        told.append(
            f"Its intervals of {share(comparison.level)} hold {word} values than they say: "
            f"{share(float(np.mean(best.coverage)))} of those held back."
        )
    groups = len(np.unique(best.units))
    if groups < FEW:
        told.append(f"Only {groups} groups could be held back: figures for new ones are weak.")
    if groups == len(comparison.data):
        told.append("Rows were taken as independent; where they come in groups, errors on new groups are larger.")
    return told
