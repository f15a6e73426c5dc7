"""Features of a network: one trained on the images themselves, or a ResNet whose weights a file holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scalebridge.errors import InputError
from scalebridge.studies.properties.features import Column

if TYPE_CHECKING:
    from scalebridge.microstructure.deep.features import PatchFeatures

PATCH, LEAST_PATCH = 64, 16
"""Edge of a patch in pixels, and the least one that small images are cut into."""

MOST_TRAINED = 100
"""Images that a network is trained on; of more of them, evenly."""

STEPS = 500
"""Of the training: about a minute on one core."""

Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class Encoded:
    """Features of images, and the network that made them.

    Args:
        values: of each image by name.
        columns: what they are.
        network: what made them.
        weights: the file that they were read from; ``None`` for a network trained on the images.
        sha256: of that file.
        words: what was done, in a sentence.
    """

    values: dict[Path, dict[str, float]]
    columns: tuple[Column, ...]
    network: PatchFeatures
    weights: str | None
    words: str
    sha256: str | None = None

    def record(self) -> dict[str, Any]:
        """What JSON holds of it."""
        return {
            "words": self.words,
            "weights": self.weights,
            "sha256": self.sha256,
            "patch": self.network.patch,
        }

    def save(self, directory: Path) -> None:
        """Keep what new images need: the trained network; of one read from a file nothing, the file is the user's."""
        if self.weights is None:
            from scalebridge.microstructure.deep.encoder import Encoder

            assert isinstance(self.network, Encoder)
            self.network.save(directory / "encoder.npz")


def encoded(
    paths: Sequence[Path],
    weights: str | None = None,
    seed: int = 0,
    kept: Path | None = None,
    progress: Progress = lambda _words, _share: None,
) -> Encoded:
    """Features of images by a network.

    Args:
        paths: of the images.
        weights: file of a ResNet's weights; ``None`` trains a small network on the images.
        seed: of the training.
        kept: file where the trained network is kept from call to call.
        progress: called while it trains.

    Raises:
        InputError: images too small, or a file of weights that cannot be read.
    """
    from scalebridge.microstructure.decoding import file_digest

    if weights is not None:
        patch = _patch(paths, 2 * PATCH)
        return _told(paths, weights, patch, weights, file_digest(Path(weights)))
    network = None if kept is None else _restored(kept)
    if network is None:
        network = _trained(paths, seed, progress)
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            network.save(kept)
    return _told(paths, network, None, None, None)


def encode(paths: Sequence[Path], directory: Path, record: dict[str, Any]) -> dict[Path, dict[str, float]]:
    """Features of new images by the network of a saved fit.

    Args:
        paths: of the images.
        directory: of the fit.
        record: the fit's ``encoding``.

    Raises:
        InputError: the network or the file of weights is not there any more, or images too small for its patches.
    """
    from scalebridge.microstructure.decoding import file_digest

    source = record["weights"] or str(directory / "encoder.npz")
    if not Path(source).is_file():
        raise InputError(
            f"The network of the fit in '{directory}' was read from '{source}', which is gone; put it back."
        )
    if record["sha256"] not in (None, file_digest(Path(source))):
        raise InputError(f"The file of weights '{source}' is not that of the fit in '{directory}'; put that back.")
    patch = record["patch"] if record["weights"] else None
    return _told(paths, source, patch, record["weights"], record["sha256"]).values


def _read(path: Path) -> Any:
    from scalebridge.microstructure import read

    return read(path, luminance=True)


def _trained(paths: Sequence[Path], seed: int, progress: Progress) -> Any:
    """A network trained on the images, or evenly on some of them where they are many."""
    from scalebridge.microstructure.deep.learning import EPOCH, learn_features

    chosen = np.unique(np.linspace(0, len(paths) - 1, MOST_TRAINED).round().astype(int))
    done = [0]

    def told(_epoch: Any) -> None:
        done[0] += 1
        steps = min(done[0] * EPOCH, STEPS)
        progress(f"training a network on the images, step {steps} of {STEPS}", steps / STEPS)

    images = [_read(paths[k]) for k in chosen.tolist()]
    return learn_features(images, patch=_patch(paths, PATCH), steps=STEPS, seed=seed, progress=told)


def _patch(paths: Sequence[Path], most: int) -> int:
    """Edge of a patch of which even the smallest image gives several."""
    side = min(int(min(_read(path).shape)) for path in paths)
    return min(most, max(LEAST_PATCH, side // 3 // 8 * 8))


def _restored(file: Path) -> Any:
    """The network that was kept; ``None`` where there is none, or a damaged one."""
    from scalebridge.microstructure.deep.encoder import Encoder

    try:
        return Encoder.load(file) if file.is_file() else None
    except InputError:
        return None


def _told(paths: Sequence[Path], network: Any, patch: int | None, weights: str | None, sha256: str | None) -> Encoded:
    """Features image by image: never more than one in memory."""
    from scalebridge.microstructure.deep.features import deep_features

    values: dict[Path, dict[str, float]] = {}
    for path in paths:
        found = deep_features([_read(path)], network, patch=patch)
        # Read from its file once.
        network, patch = found.encoder, None
        values[path] = dict(zip(found.names, found.values[0].tolist(), strict=True))
    meaning = "feature of a network, which has no meaning of its own"
    columns = tuple(Column(name, "1", meaning, "cnn") for name in found.names)
    words = f"{len(columns)} features of each image by {found.encoder.name}, on patches of {found.encoder.patch} pixels"
    count = min(len(paths), MOST_TRAINED)
    told = "" if weights else f"; the network was trained on {count} of these images, without the table"
    return Encoded(values, columns, found.encoder, weights, f"{words}{told}.", sha256)
