"""An encoder of patches that was trained on images of the user, and its file."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.deep.patches import Prepared, cut

if TYPE_CHECKING:
    from scalebridge.networks import PatchEncoder

FORMAT, VERSION, MANIFEST = "scalebridge-encoder", 1, "manifest"
# Patches in one call of the network.
BATCH = 256


@dataclass(frozen=True, eq=False)
class Encoder:
    """A network from patches of grey values to features; made by `learn_features`, read by `Encoder.load`.

    Args:
        patch: edge of a patch in pixels.
        widths: channels of the network's layers; the last is the number of features.
        weights: the network's state dict as arrays.
        trained_on: what the images were called.
        seed: of the training.
        curve: loss of every epoch ``[e]``.
    """

    patch: int
    widths: tuple[int, ...]
    weights: Mapping[str, NDArray[Any]]
    trained_on: tuple[str, ...]
    seed: int
    curve: NDArray[np.float64]

    @property
    def name(self) -> str:
        """What features by it are called."""
        return "encoder"

    @property
    def digest(self) -> str:
        """SHA-256 of the weights."""
        told = hashlib.sha256()
        for name in sorted(self.weights):
            told.update(name.encode() + np.ascontiguousarray(self.weights[name]).tobytes())
        return told.hexdigest()

    def answer(self, image: Prepared, origins: NDArray[np.int64]) -> NDArray[np.float64]:
        """Features ``[p, k]`` of the patches of an image at ``origins [p, 2]``."""
        import torch

        net = self.module()
        patches = torch.as_tensor(cut(image.normalised.astype(np.float32), origins, self.patch))
        with torch.no_grad():
            return np.concatenate([net(part).numpy() for part in patches.split(BATCH)]).astype(np.float64)

    def module(self) -> PatchEncoder:
        """The network as a module of torch that is not trained further: patches ``[b, s, s]`` to ``[b, k]``."""
        import torch

        from scalebridge.networks import PatchEncoder

        net = PatchEncoder(self.widths)
        net.load_state_dict({name: torch.as_tensor(v) for name, v in self.weights.items()})
        return net.eval()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to one ``.npz`` file of arrays and a manifest in JSON; the same encoder gives the same bytes.

        Raises:
            InputError: a folder that does not exist.
        """
        arrays = {"curve": self.curve, **{f"weights/{name}": value for name, value in self.weights.items()}}
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "patch": self.patch,
            "widths": list(self.widths),
            "trained_on": list(self.trained_on),
            "seed": self.seed,
            "sha256": {name: _sum(value) for name, value in arrays.items()},
        }
        file, target = io.BytesIO(), Path(path)
        np.savez(file, **{MANIFEST: np.array(json.dumps(manifest, sort_keys=True))}, **arrays)  # type: ignore[arg-type]
        if not target.parent.is_dir():
            raise InputError(f"'{target}' cannot be written: the folder '{target.parent}' does not exist; make it.")
        part = target.with_name(f"{target.name}.{os.getpid()}.part")
        part.write_bytes(file.getvalue())
        part.replace(target)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Encoder:
        """Read what `save` wrote; nothing in the file is run.

        Raises:
            InputError: no such file; a foreign, damaged or changed one.
        """
        source = Path(path)
        if not source.is_file():
            raise InputError(f"There is no file '{source}' to read an encoder from.")
        try:
            with np.load(io.BytesIO(source.read_bytes()), allow_pickle=False) as content:
                arrays = {name: content[name] for name in content.files}
            manifest = json.loads(str(arrays.pop(MANIFEST)))
            sums, known = manifest["sha256"], manifest["format"] == FORMAT and manifest["version"] == VERSION
            made = Encoder(
                int(manifest["patch"]),
                tuple(int(w) for w in manifest["widths"]),
                {name.removeprefix("weights/"): v for name, v in arrays.items() if name.startswith("weights/")},
                tuple(str(name) for name in manifest["trained_on"]),
                int(manifest["seed"]),
                arrays["curve"],
            )
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise _refused(source, "it is damaged, cut short, or no encoder of ours") from error
        if not known:
            raise _refused(source, "it is no encoder of a version that is known here")
        if {name: _sum(value) for name, value in arrays.items()} != sums:
            raise _refused(source, "its arrays were changed after it was written")
        return made


def _sum(array: NDArray[Any]) -> str:
    return hashlib.sha256(
        f"{array.dtype.str}{array.shape}".encode() + np.ascontiguousarray(array).tobytes()
    ).hexdigest()


def _refused(source: Path, reason: str) -> InputError:
    return InputError(f"The encoder '{source.name}' cannot be read: {reason}; learn it again with learn_features().")
