"""How much memory a solve will take, told before it starts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import torch

from scalebridge.errors import InputError

GIB = 2.0**30


@dataclass(frozen=True)
class Plan:
    """What a solve will do and take.

    Args:
        bytes: peak of the fields beyond what is held now.
        available: bytes free on the device.
        rows: load cases or images solved together.
        parts: bytes by purpose.
    """

    bytes: int
    available: int
    rows: int
    parts: dict[str, int]

    @property
    def fits(self) -> bool:
        """Whether the fields fit in nine tenths of what is free."""
        return self.bytes <= 0.9 * self.available

    def __str__(self) -> str:
        """One line for people."""
        purposes = ", ".join(f"{name} {size / GIB:.2f}" for name, size in self.parts.items())
        return f"{self.bytes / GIB:.2f} GiB of {self.available / GIB:.1f} GiB free ({purposes}); {self.rows} at once"

    def check(self, what: str) -> None:
        """Raise where the fields do not fit.

        Raises:
            InputError: more memory needed than is free.
        """
        if not self.fits:
            raise InputError(
                f"{what} needs {self.bytes / GIB:.1f} GiB and {self.available / GIB:.1f} GiB are free; crop or coarsen "
                "the image, or use precision='single', which halves it."
            )


def available_bytes(device: torch.device) -> int:
    """Return the bytes free on a device; of the machine, what can be had without swapping."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
