"""Kind ``micrograph-rve``: from a micrograph to an RVE, with the uncertainty of segmentation and window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import BaseModel, Field, model_validator

from scalebridge.errors import InputError
from scalebridge.quantities.units import magnitude
from scalebridge.studies.entry import STRICT, Built, Entry
from scalebridge.studies.kinds.rve import stress_picture
from scalebridge.studies.materials import Material, phases_of

if TYPE_CHECKING:
    from scalebridge.micro import RVE
    from scalebridge.microstructure import Micrograph, Representativity, Segmentation, Window


class Uncertain(BaseModel):
    """Which inputs are varied for the input interval, beside the answer's own."""

    model_config = STRICT

    segmentation: bool = Field(True, description="whether the fibre fraction is moved by its standard deviation")
    windows: int = Field(3, ge=0, le=20, description="other windows of the same image to run")


class Settings(Entry):
    """A window of a segmented grey image, homogenised by FFT."""

    role: ClassVar[str | None] = "micro"
    kind: Literal["micrograph-rve"] = "micrograph-rve"
    image: str = Field(description="grey image", examples=["slice.png"])
    pixel_size: str | None = Field(None, description="edge of a pixel", examples=["1.1 um"])
    fibre_diameter: str | None = Field(
        None, description="diameter of the fibres, from which the pixel size is calibrated", examples=["17 um"]
    )
    phases: Literal[2, 3] = Field(2, description="2: matrix and fibre; 3: void, matrix and fibre")
    threshold: str = Field("otsu", description="rule of the threshold", examples=["otsu"])
    denoising: str = Field("total_variation", description="how the image is denoised", examples=["total_variation"])
    separate: bool = Field(False, description="whether touching fibres are parted")
    window: int = Field(description="pixels on a side of the window", examples=[96])
    origin: tuple[int, int] | None = Field(None, description="row and column of the window; found if not given")
    avoid: list[tuple[int, int, int, int]] = Field(
        default_factory=list, description="rectangles [top, left, bottom, right] that no window may touch"
    )
    split: int = Field(1, ge=1, le=8, description="into how many a pixel is split along each axis", examples=[2])
    periodic: Literal["wrap", "mirror"] = Field("wrap", description="how the window is made periodic")
    materials: dict[str, Material] = Field(description="material of each phase by name: matrix, fibre, void")
    tolerance: float = Field(1e-6, description="stress out of balance relative to the stress", examples=[1e-6])
    uncertain: Uncertain | None = Field(None, description="which inputs are varied for the input interval")

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if self.pixel_size is not None and self.fibre_diameter is not None:
            raise InputError("give pixel_size or fibre_diameter, not both.")
        return self

    def build(self, name: str, folder: Path) -> Built:
        """Read, segment, choose the window, make the RVE and those that differ from it in an uncertain input."""
        from scalebridge import microstructure as ms

        owner = f"[models.{name}]"
        try:
            image = ms.read(folder / self.image, self.pixel_size)
            # What a dark rim encloses carries no load either.
            found = ms.segment(
                image,
                self.phases,
                threshold=self.threshold,
                denoising=self.denoising,
                separate=self.separate,
                voids="enclosed",
            )
            image, length_note = self._calibrated(image, found)
            check = ms.representative(found, self.window, avoid=self.avoid or None)
            window = check.nearest if self.origin is None else ms.window(found, self.window, self.origin)
            made = self._rve(window, image.pixel_size, name)
            alternatives = self._alternatives(found, window, image.pixel_size, name)
        except InputError as error:
            raise error if str(error).startswith("[models.") else InputError(f"{owner}: {error}") from error
        return Built(
            made,
            alternatives,
            arrays=_shown(image, found, window, made),
            picture=stress_picture(made),
            notes=(*_told(found, check, image), *length_note),
        )

    def _calibrated(self, image: Micrograph, found: Segmentation) -> tuple[Micrograph, tuple[str, ...]]:
        """Give the image a pixel size from the known diameter of its fibres."""
        from dataclasses import replace

        from scalebridge import microstructure as ms

        if self.fibre_diameter is None:
            return image, ()
        measured = ms.fibre_diameter(found)
        size = ms.pixel_size_from_fibre(measured.pixels, self.fibre_diameter)
        note = (
            f"The pixel size {size} was calibrated by the fibre diameter {self.fibre_diameter} on "
            f"{measured.count} fibres; it has no influence on the stress."
        )
        return replace(image, pixel_size=size), (note,)

    def _rve(self, window: Window, pixel_size: str | None, name: str) -> RVE:
        from scalebridge.micro import RVE
        from scalebridge.microstructure import periodise

        names = ("matrix", "fibre") if self.phases == 2 else ("void", "matrix", "fibre")
        laws = phases_of(dict(self.materials), names, f"[models.{name}.materials]")
        labels = np.kron(periodise(window, self.periodic), np.ones((self.split, self.split), dtype=np.uint8))
        present = np.unique(labels)
        if len(present) < len(names):
            missing = ", ".join(n for k, n in enumerate(names) if k not in present)
            raise InputError(
                f"[models.{name}]: the window at row {window.origin[0]}, column {window.origin[1]} holds no {missing}; "
                "choose another origin or a larger window."
            )
        edge = None if pixel_size is None else magnitude(pixel_size, "m", "The pixel size") / self.split
        return RVE(labels, laws, voxel_size=edge, tolerance=self.tolerance)

    def _alternatives(
        self, found: Segmentation, window: Window, pixel_size: str | None, name: str
    ) -> dict[str, list[RVE]]:
        from scalebridge import microstructure as ms

        if self.uncertain is None:
            return {}
        made: dict[str, list[RVE]] = {}
        if self.uncertain.segmentation:
            moved = [ms.window(found, self.window, window.origin, found.at(offset)) for offset in (-1.0, 1.0)]
            made["segmentation"] = [self._rve(w, pixel_size, name) for w in moved]
        if self.uncertain.windows:
            others = ms.windows(found, self.window, self.uncertain.windows, seed=1, avoid=self.avoid or None)
            made["window"] = [self._rve(w, pixel_size, name) for w in others]
        return made


def _told(found: Segmentation, check: Representativity, image: Micrograph) -> tuple[str, ...]:
    # Once a fibre has calibrated the pixel size, the segmentation's remark that it is unknown is out of date.
    kept = [n for n in found.notes if image.pixel_size is None or not n.startswith("The pixel size is not known")]
    return (*kept, f"Segmentation: {found.describe()}.", check.verdict)


def _shown(image: Micrograph, found: Segmentation, window: Window, made: RVE) -> dict[str, Any]:
    return {
        "image": np.round(255 * image.grey).astype(np.uint8),
        "image_labels": np.where(found.inside, found.labels, 255).astype(np.uint8),
        "window": np.array([*window.origin, window.size]),
        "rve_labels": made.phases.astype(np.uint8),
    }
