"""Images and a table of specimens to the properties of a new one, with everything that says how far they hold."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scalebridge.data import Dataset
from scalebridge.errors import InputError, did_you_mean
from scalebridge.learn.learner import checked
from scalebridge.quantities import Space, Variable
from scalebridge.studies.properties.candidates import candidates
from scalebridge.studies.properties.encoding import Encoded
from scalebridge.studies.properties.explaining import explained
from scalebridge.studies.properties.features import FeatureTable
from scalebridge.studies.properties.gallery import LOOKED_AT, evenly, micrograph
from scalebridge.studies.properties.learning import check_enough, learn_property
from scalebridge.studies.properties.maps import looks
from scalebridge.studies.properties.numbering import KINDS, number_images
from scalebridge.studies.properties.outcome import PropertyFit
from scalebridge.studies.properties.recording import Part, record_of
from scalebridge.studies.properties.specimens import Specimens, column_named, read_specimens

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Asked:
    """What was asked for; see `fit_properties`."""

    by: str
    targets: tuple[str, ...]
    groups: str | None = "auto"
    inputs: tuple[str, ...] = ()
    pattern: str | None = None
    pixel_size: str | None = None
    features: str = "both"
    weights: str | None = None
    level: float = 0.9
    seed: int = 0
    workers: int = 1


def fit_properties(
    images: str | Path,
    table: str | Path | Dataset,
    *,
    by: str,
    targets: str | Sequence[str],
    groups: str | None = "auto",
    inputs: Sequence[str] = (),
    pattern: str | None = None,
    pixel_size: str | None = None,
    features: str = "both",
    weights: str | Path | None = None,
    level: float = 0.9,
    seed: int = 0,
    workers: int = 1,
    kept: str | Path | None = None,
    progress: Progress | None = None,
) -> PropertyFit:
    """Learn properties of specimens from their images; validate on specimens held back; explain.

    ::

        found = fit_properties("micrographs", "specimens.csv", by="SpecimenID", targets="TensileStrength")
        print(found.describe())
        found.save("out/fit")

    Images and rows are joined by identifier. Images become descriptors and features of a network that is trained on
    them without the table (or read from a file), averaged over a specimen. Learners are compared on whole groups held
    back; choice and calibration are repeated without each fold, so that the figures told are for a new specimen.

    Args:
        images: folder of images, one or more for each specimen; see `match_images` for their names.
        table: file or dataset with one row for each specimen.
        by: the column of identifiers.
        targets: columns to predict.
        groups: the column of groups that are held back together (panels, batches, trees); ``"auto"`` for the one
            column of names that repeat, ``None`` for none.
        inputs: columns of the table that a new specimen comes with too, and may be predicted from.
        pattern: regular expression with one group that finds the identifier in the path of an image.
        pixel_size: edge of a pixel, as ``"1.1 um"``; lengths are in pixels without.
        features: ``"descriptors"``, ``"cnn"`` or ``"both"``.
        weights: file of weights of a ResNet; ``None`` trains a small network on the images.
        level: of the intervals.
        seed: of every random choice.
        workers: processes that describe images; more than one only from a script with ``if __name__ == "__main__"``.
        kept: folder where descriptors are kept from call to call.
        progress: called with what is being done and the share of the work that is behind, in [0, 1].

    Raises:
        InputError: images or a table that cannot be trusted, no specimens with both, too few of them.
    """
    begun = time.perf_counter()
    names = (targets,) if isinstance(targets, str) else tuple(targets)
    asked = Asked(
        by, names, groups, tuple(inputs), pattern, pixel_size, features,
        None if weights is None else str(Path(weights).resolve()), level, seed, workers,
    )  # fmt: skip
    _check(asked)
    tell = progress or (lambda _words, _share: None)
    tell("reading the table", 0.0)
    specimens = read_specimens(images, table, by, names, groups=groups, pattern=pattern)
    names = specimens.targets
    asked = replace(asked, by=specimens.by, targets=names, inputs=_inputs(specimens, asked))
    measured = {name: specimens.numbers(name) for name in names}
    for name, values in measured.items():
        known = np.isfinite(values)
        check_enough(name, values[known], specimens.groups()[0][known])
    numbered, network = number_images(specimens, asked, None if kept is None else Path(kept), tell)
    parts = {}
    for k, name in enumerate(names):

        def say(words: str, share: float, k: int = k) -> None:
            tell(words, 0.5 + 0.5 * (k + share) / len(names))

        parts[name] = _part(name, specimens, numbered, measured[name], network, asked, say)
    tell("done", 1.0)
    record, arrays = record_of(specimens, asked, numbered, network, measured, parts)
    record["wall_s"] = time.perf_counter() - begun
    surrogates = {name: part.learned.surrogate for name, part in parts.items()}
    return PropertyFit(record, numbered, surrogates, network, arrays)


def _check(asked: Asked) -> None:
    if asked.features not in KINDS:
        raise InputError(f"The features '{asked.features}' are not known{did_you_mean(asked.features, KINDS)}")
    if asked.weights is not None and asked.features == "descriptors":
        raise InputError("A file of weights was given, but descriptors alone are asked for; ask for 'cnn' or 'both'.")
    if asked.weights is not None and not Path(asked.weights).is_file():
        raise InputError(f"There is no file of weights '{asked.weights}'; give a .pth or .safetensors file.")
    if asked.seed < 0 or asked.workers < 1:
        raise InputError(
            f"The seed is {asked.seed}, the processes are {asked.workers}; give a seed from 0 and at least one."
        )
    if not 0.5 <= asked.level < 1:
        raise InputError(f"The level of the intervals is {asked.level:g}; give a share from 0.5 to below 1, as 0.9.")


def _inputs(specimens: Specimens, asked: Asked) -> tuple[str, ...]:
    names = tuple(column_named(specimens.table, name, " to predict from") for name in asked.inputs)
    for name in names:
        if name in (*specimens.targets, specimens.by):
            raise InputError(f"'{name}' cannot be predicted from and be the identifier or a target too.")
    return names


def _part(
    name: str,
    specimens: Specimens,
    numbered: FeatureTable,
    measured: NDArray[np.float64],
    network: Encoded | None,
    asked: Asked,
    say: Progress,
) -> Part:
    """What is learned of one target from the specimens that have it."""
    rows = np.flatnonzero(np.isfinite(measured))
    index, labels = specimens.groups()
    inputs, outputs = numbered.space, Space([_output(specimens, name)])
    data = checked(f"The fit of '{name}'", inputs, outputs, numbered.values[rows], measured[rows, None], None)
    tried = candidates(numbered.sets(), inputs, outputs, len(rows), asked.seed)
    found = learn_property(
        name,
        tried,
        data,
        index[rows],
        level=asked.level,
        seed=asked.seed,
        say=lambda words, share: say(words, 0.9 * share),
    )
    say(f"{name}: explanation", 0.9)
    names = None if specimens.group_column is None else np.array(labels)[index[rows]]
    told = explained(found, data, index[rows], names, numbered, asked.level, asked.seed)
    if network is None:
        return Part(found, rows, index[rows], names, told)
    say(f"{name}: what the network looks at", 0.97)
    images = {specimens.names[k]: micrograph(specimens, k) for k in evenly(measured, LOOKED_AT)}
    label, seen = looks(found, data, numbered, network, images)
    return Part(found, rows, index[rows], names, told, seen, label)


def _output(specimens: Specimens, name: str) -> Variable:
    variable = specimens.table.space[name]
    return Variable(name, variable.unit, description=variable.description)
