"""A fit of properties as plain values: what ``fit.json`` holds and the report is drawn from."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.studies.properties import judging
from scalebridge.studies.properties.encoding import Encoded
from scalebridge.studies.properties.explaining import Explained
from scalebridge.studies.properties.features import FeatureTable
from scalebridge.studies.properties.gallery import gallery, look_record, maps
from scalebridge.studies.properties.learning import Learned, Trial
from scalebridge.studies.properties.maps import Look
from scalebridge.studies.properties.outcome import SCHEMA_VERSION
from scalebridge.studies.properties.specimens import Specimens

if TYPE_CHECKING:
    from scalebridge.studies.properties.run import Asked


@dataclass(frozen=True)
class Part:
    """What was found of one target.

    Args:
        learned: surrogate and validation.
        rows: ``[n]``, which of the specimens with images.
        groups: ``[n]``.
        names: of the groups ``[n]``; ``None`` where each specimen is its own.
        told: what it goes by, and where it errs.
        looks: what the network looks at in some micrographs.
        looks_of: label of the learner whose derivative that goes by.
    """

    learned: Learned
    rows: NDArray[np.int64]
    groups: NDArray[np.int64]
    names: NDArray[np.str_] | None
    told: Explained
    looks: Sequence[Look] = ()
    looks_of: str = ""


CAUTIONS = (
    "The intervals hold at the level stated for specimens that come as these came: of the same material, made, imaged "
    "and tested in the same way. For others nothing is promised; 'scalebridge predict' says which images are "
    "unlike these.",
    "Which features are left out, and what stands for a missing one, was found on all specimens, without the "
    "properties.",
    "What the images do not show (chemistry, residual stress, defects between slices) is scatter here, however large.",
)
TRANSDUCTIVE = (
    "The network was trained on all images, those of specimens held back included, without any of the table's values; "
    "learners saw the values of the other specimens only."
)


def record_of(
    specimens: Specimens,
    asked: Asked,
    features: FeatureTable,
    network: Encoded | None,
    measured: Mapping[str, NDArray[np.float64]],
    parts: Mapping[str, Part],
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What is common to all targets, and the pictures."""
    from scalebridge.bridge.answer import versions

    names, groups = specimens.names, specimens.groups()
    shown_images, arrays = gallery(specimens, measured)
    written, shown = _documents(specimens, asked, parts)
    for name, part in parts.items():
        arrays |= maps(name, part.looks)
    return {
        "schema_version": SCHEMA_VERSION,
        "created": time.strftime("%Y-%m-%d %H:%M"),
        "by": asked.by,
        "level": asked.level,
        "seed": asked.seed,
        "versions": versions(),
        "images": {"path": str(specimens.images), "sha256": specimens.images_digest(), "count": len(specimens.paths)},
        "table": {"path": specimens.table.name, "sha256": specimens.table.digest},
        "options": {
            "pattern": asked.pattern,
            "pixel size": asked.pixel_size,
            "features": asked.features,
            "weights": asked.weights,
            "predicted from, too": ", ".join(asked.inputs) or None,
        },
        "groups": {"column": specimens.group_column, "count": len(groups[1])},
        "joined": {
            "images": len(specimens.paths),
            "specimens": len(names),
            "told": _joined(specimens, asked, measured),
        },
        "features": {
            "columns": [
                {
                    **vars(c),
                    "mean": float(v.mean()),
                    "median": float(np.median(v)),
                    "std": float(v.std()),
                    "within": float(w),
                }
                for c, v, w in zip(features.columns, features.values.T, features.within, strict=True)
            ],
            "least_images": int(features.counts.min()),
            "notes": list(features.notes),
        },
        "encoding": None if network is None else network.record(),
        "gallery": shown_images,
        "quality": _quality(specimens, asked),
        "cautions": [*CAUTIONS, *([TRANSDUCTIVE] if network is not None and asked.weights is None else [])],
        "documents": shown,
        "written": written,
        "targets": [_target(name, part, specimens, features, asked) for name, part in parts.items()],
    }, arrays


def _target(name: str, part: Part, specimens: Specimens, features: FeatureTable, asked: Asked) -> dict[str, Any]:
    """All figures of one target."""
    learned, groups = part.learned, np.unique(part.groups, return_inverse=True)[1]
    unit = learned.surrogate.outputs.variables[0].unit
    held = learned.procedure
    return {
        "name": name,
        "unit": unit,
        "count": len(part.rows),
        "chosen": learned.chosen.label,
        "inputs": list(learned.chosen.surrogate.inputs.names),
        "choices": list(learned.choices),
        "procedure": judging.figures(held, groups),
        "mean_only": judging.figures(learned.mean_only, groups),
        "leaky": None if learned.leaky is None else judging.figures(learned.leaky, groups),
        "better_than_mean": judging.better_than_mean(learned, groups),
        "verdict": judging.verdict(learned, groups, asked.level, "" if unit == "1" else unit),
        "forest": learned.forest.candidate.label,
        "other": learned.other.candidate.label,
        "trials": [_trial(t, groups) for t in learned.trials],
        "explanation": part.told.explanation.record(),
        "explained": part.told.of,
        "families": part.told.families,
        "errors": [e.record() for e in part.told.errors],
        "looks": look_record(name, part.looks_of, part.looks),
        "held_out": [
            {
                "specimen": features.specimens[part.rows[row]],
                "group": "" if part.names is None else str(part.names[row]),
                "fold": int(held.split[k]),
                "measured": float(held.y[k, 0]),
                "mean": float(held.mean[k, 0]),
                "lower": float(held.lower[k, 0]),
                "upper": float(held.upper[k, 0]),
            }
            for k, row in enumerate(held.rows.tolist())
        ],
    }


def _quality(specimens: Specimens, asked: Asked) -> list[dict[str, str]]:
    """What is wrong with the rows that have images, each finding once."""
    from scalebridge.data import quality

    table = specimens.taken()
    found: dict[str, dict[str, str]] = {}
    groups = specimens.group_column
    for target in asked.targets:
        for f in quality(table, target, None if groups == target else groups).findings:
            found.setdefault(f.sentence, {"severity": f.severity, "sentence": f.sentence, "advice": f.advice})
    return list(found.values())


def _documents(specimens: Specimens, asked: Asked, parts: Mapping[str, Part]) -> tuple[dict[str, str], dict[str, str]]:
    """Data sheet and model cards: files by name, and blocks for the page by title."""
    from scalebridge.explain import data_sheet, model_card

    groups = specimens.group_column
    purpose = f"Properties of specimens ({', '.join(asked.targets)}) beside their images."
    found = [finding["sentence"] for finding in _quality(specimens, asked)]
    sheet = data_sheet(specimens.table, found, groups=groups, purpose=purpose)
    written, shown = {"data-sheet.md": sheet.markdown()}, {sheet.title: sheet.html()}
    for name, part in parts.items():
        card = model_card(
            part.learned.surrogate,
            purpose=f"To predict {name} of a specimen from its images, with an interval.",
            comparison=part.told.comparison,
            errors=part.told.errors,
            explanation=part.told.explanation,
            data=sheet,
            limits=CAUTIONS,
        )
        written[f"model-card-{name}.md"] = card.markdown()
        shown[card.title] = card.html()
    return written, shown


def _trial(trial: Trial, groups: NDArray[np.int64]) -> dict[str, Any]:
    told: dict[str, Any] = {"label": trial.candidate.label}
    return told | ({"failure": trial.failure} if trial.held is None else judging.figures(trial.held, groups))


def _joined(specimens: Specimens, asked: Asked, measured: Mapping[str, NDArray[np.float64]]) -> list[tuple[str, str]]:
    matched, counts = specimens.matched, [len(f) for f in specimens.matched.images.values()]
    per = f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
    each = "1 image each" if max(counts) == 1 else f"{per} images each"
    told = [("specimens with images", f"{len(counts)} of {len(specimens.table)} rows, {each}")]
    for name, values in measured.items():
        gaps = [specimens.names[k] for k in np.flatnonzero(~np.isfinite(values))]
        if gaps:
            told.append((f"without {name}", _listed(gaps)))
    if matched.without_image:
        told.append(("rows without an image", _listed(matched.without_image)))
    if matched.without_row:
        told.append(
            ("images without a row", _listed([p.relative_to(specimens.images).as_posix() for p in matched.without_row]))
        )
    told += [("nearly a partner", sentence) for sentence in matched.near]
    unused = [n for n in specimens.table if n not in (asked.by, *asked.targets, *asked.inputs, specimens.group_column)]
    if unused:
        told.append(("columns not used", f"{', '.join(unused)}: a new specimen is not taken to come with them"))
    told += [("groups", note) for note in specimens.notes]
    return told


def _listed(names: Any, most: int = 12) -> str:
    shown = ", ".join(str(n) for n in list(names)[:most])
    return f"{len(names)}: {shown}" + (", …" if len(names) > most else "")
