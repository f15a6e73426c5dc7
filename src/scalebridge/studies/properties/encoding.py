"""Features of a network: one trained on the images themselves, or a ResNet whose weights a file holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scalebridge.errors import InputError
from scalebridge.studies.properties.features import Column

if TYPE_CHECKING:
    from scalebridge.microstructure.deep.features import DeepFeatures, PatchFeatures

PATCH, LEAST_PATCH = 64, 16
"""Edge of a patch in pixels, and the least one that small images are cut into."""

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
        words: what was done, in a sentence.
    """

    values: dict[Path, dict[str, float]]
    columns: tuple[Column, ...]
    network: PatchFeatures
    weights: str | None
    words: str

    def record(self) -> dict[str, Any]:
        """What JSON holds of it."""
        return {"words": self.words, "weights": self.weights, "patch": self.network.patch}

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
    from scalebridge.microstructure.deep.encoder import Encoder
    from scalebridge.microstructure.deep.features import deep_features

    images = [_read(path) for path in paths]
    if weights is not None:
        found = deep_features(images, weights, patch=_patch(images, 2 * PATCH))
        return _told(paths, found, weights, f"{found}.")
    if kept is not None and kept.is_file():
        network = _restored(kept)
    else:
        network = _trained(images, seed, progress)
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            network.save(kept)
    assert isinstance(network, Encoder)
    found = deep_features(images, network)
    return _told(paths, found, None, f"{found}; the network was trained on these images, without the table.")


def encode(paths: Sequence[Path], directory: Path, record: dict[str, Any]) -> dict[Path, dict[str, float]]:
    """Features of new images by the network of a saved fit.

    Args:
        paths: of the images.
        directory: of the fit.
        record: the fit's ``encoding``.

    Raises:
        InputError: the network or the file of weights is not there any more, or images too small for its patches.
    """
    from scalebridge.microstructure.deep.features import deep_features

    source = record["weights"] or str(directory / "encoder.npz")
    if not Path(source).is_file():
        raise InputError(
            f"The network of the fit in '{directory}' was read from '{source}', which is gone; put it back."
        )
    patch = record["patch"] if record["weights"] else None
    return _told(paths, deep_features([_read(p) for p in paths], source, patch=patch), record["weights"], "").values


def _read(path: Path) -> Any:
    from scalebridge.microstructure import read

    return read(path, luminance=True)


def _trained(images: Sequence[Any], seed: int, progress: Progress) -> Any:
    from scalebridge.microstructure.deep.learning import EPOCH, learn_features

    done = [0]

    def told(_epoch: Any) -> None:
        done[0] += 1
        progress(
            f"training a network on the images, step {done[0] * EPOCH} of {STEPS}", min(done[0] * EPOCH / STEPS, 1.0)
        )

    return learn_features(images, patch=_patch(images, PATCH), steps=STEPS, seed=seed, progress=told)


def _patch(images: Sequence[Any], most: int) -> int:
    """Edge of a patch of which even the smallest image gives several."""
    side = int(min(min(image.shape) for image in images))
    return min(most, max(LEAST_PATCH, side // 3 // 8 * 8))


def _restored(file: Path) -> Any:
    from scalebridge.microstructure.deep.encoder import Encoder

    return Encoder.load(file)


def _told(paths: Sequence[Path], found: DeepFeatures, weights: str | None, words: str) -> Encoded:
    meaning = "feature of a network, which has no meaning of its own"
    columns = tuple(Column(name, "1", meaning, "cnn") for name in found.names)
    rows = found.values.tolist()
    values = {path: dict(zip(found.names, row, strict=True)) for path, row in zip(paths, rows, strict=True)}
    return Encoded(values, columns, found.encoder, weights, words)
