"""Kind ``rve``: FFT homogenisation of a label image that is segmented already."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from scalebridge.errors import InputError
from scalebridge.studies.entry import Built, Entry
from scalebridge.studies.materials import Material, phases_of


class Settings(Entry):
    """A periodic image of labels, one material per label."""

    role: ClassVar[str | None] = "micro"
    kind: Literal["rve"] = "rve"
    labels: str = Field(
        description="label image: .npy of whole numbers from 0, or a grey image with one level per phase",
        examples=["cell.npy"],
    )
    materials: dict[str, Material] = Field(description="material of each label, in the order 0, 1, ...")
    pixel_size: str | None = Field(None, description="edge of a pixel", examples=["1.1 um"])
    tolerance: float = Field(1e-6, description="stress out of balance relative to the stress", examples=[1e-6])

    def build(self, name: str, folder: Path) -> Built:
        """Make the RVE."""
        from scalebridge.micro import RVE

        owner = f"[models.{name}]"
        labels = read_labels(folder / self.labels, owner)
        laws = phases_of(dict(self.materials), tuple(self.materials), f"[models.{name}.materials]")
        try:
            made = RVE(labels, laws, voxel_size=self.pixel_size, tolerance=self.tolerance)
        except InputError as error:
            raise InputError(f"{owner}: {error}") from error
        return Built(made, arrays={"rve_labels": labels}, picture=stress_picture(made))


def read_labels(file: Path, owner: str) -> NDArray[Any]:
    """Return the label image of a file.

    Raises:
        InputError: no such file, or one that holds no labels.
    """
    if not file.is_file():
        raise InputError(f"{owner} labels = '{file}': there is no such file; paths start from the folder of the study.")
    if file.suffix == ".npy":
        try:
            return np.asarray(np.load(file, allow_pickle=False))
        except ValueError as error:
            raise InputError(f"{owner} labels = '{file}' is no .npy array: {error}.") from error
    from scalebridge.microstructure import read

    levels, labels = np.unique(read(file).grey, return_inverse=True)
    if len(levels) > 8:
        raise InputError(
            f"{owner} labels = '{file}' has {len(levels)} grey levels, so it is no label image; "
            'use kind = "micrograph-rve", which segments it.'
        )
    return np.asarray(labels)


def stress_picture(rve: Any) -> Any:
    """Return a function of a macroscopic strain that gives the arrays of its stress field (Pa)."""

    def picture(state: NDArray[np.float64]) -> dict[str, Any]:
        fields = rve.localise(np.asarray(state, dtype=np.float64))
        return {"rve_stress": fields.von_mises.astype(np.float32), "rve_strain_state": np.asarray(state)}

    return picture
