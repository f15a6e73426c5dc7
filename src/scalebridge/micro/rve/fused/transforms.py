"""Fourier transforms slab by slab, where the data still are in the cache: along y and x by planes, then along z."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import scipy.fft
import torch
from torch import Tensor

Array = Any

# Bytes of a slab: about a second-level cache. Measured with one of 1 MB; half and twice of it cost some per cent.
SLAB = 900_000


@dataclass(frozen=True)
class _Planes:
    """Consecutive planes: their spectrum, as torch and as NumPy see it, and the room for their field."""

    first: int
    spectrum: Tensor
    spectrum_numpy: Array
    field: Tensor

    @property
    def count(self) -> int:
        return self.field.shape[0]


class Transforms:
    """Spectrum of a displacement on a grid ``(nz, ny, nx)``, with the slabs it is made from and turned into.

    The spectrum is never transformed as a whole: planes are (`forward`, `inverse`: along y and x), and so are bands
    of y (`along_z`). Of the libraries at hand the fastest for each: torch (MKL) for real transforms, which it can
    write in place; SciPy for complex ones, which it can do in place.

    Attributes:
        spectrum: ``[nz, 3, ny, nx // 2 + 1]``, complex, planes first.
        into: ``[count + 1, 3, ny, nx]``, a slab to transform.
        turns: the slabs of planes in the order of a sweep: the last plane of the cell, then from the first one on.
        bands: ends of the bands of y.
    """

    def __init__(self, shape: tuple[int, int, int], dtype: torch.dtype) -> None:
        nz, ny, nx = shape
        half = nx // 2 + 1
        self.spectrum = torch.zeros((nz, 3, ny, half), dtype=dtype.to_complex())
        self._numpy = self.spectrum.numpy()
        planes = max(1, min(nz, SLAB // (3 * ny * nx * dtype.itemsize)))
        band = max(1, min(ny, SLAB // (3 * nz * half * 2 * dtype.itemsize)))
        self.into = torch.zeros((planes + 1, 3, ny, nx), dtype=dtype)
        self._out = torch.zeros((planes, 3, ny, nx), dtype=dtype)
        ends = [(nz - 1, nz), *((k, min(k + planes, nz - 1)) for k in range(0, nz - 1, planes))]
        self.turns = [_Planes(a, self.spectrum[a:b], self._numpy[a:b], self._out[: b - a]) for a, b in ends]
        self.bands = [(j, min(j + band, ny)) for j in range(0, ny, band)]
        self._nx = nx

    @property
    def planes(self) -> int:
        """Planes of a slab."""
        return self._out.shape[0]

    def forward(self, first: int, last: int) -> None:
        """Transform the first planes of ``into`` into those from ``first`` to ``last - 1``, along y and x."""
        if last > first:
            torch.fft.rfft2(self.into[: last - first], out=self.spectrum[first:last])

    def inverse(self, turn: _Planes) -> Array:
        """Return the planes ``[count, 3, ny, nx]`` of a slab, transformed back along y and x; spoils their spectrum."""
        _in_place(turn.spectrum_numpy, 2, back=True)
        torch.fft.irfft(turn.spectrum, n=self._nx, norm="forward", out=turn.field)
        return turn.field.numpy()

    def along_z(self, band: tuple[int, int], back: bool) -> None:
        """Transform a band of y along z, in place."""
        _in_place(self._numpy[:, :, band[0] : band[1]], 0, back)


def _in_place(spectrum: Array, axis: int, back: bool) -> None:
    if back:
        made = scipy.fft.ifft(spectrum, axis=axis, norm="forward", overwrite_x=True)
    else:
        made = scipy.fft.fft(spectrum, axis=axis, overwrite_x=True)
    # SciPy may overwrite its input; that it does is not promised.
    if made.ctypes.data != spectrum.ctypes.data:
        spectrum[...] = made
