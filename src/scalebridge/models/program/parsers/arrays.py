"""Values from binary arrays: NumPy's own and HDF5."""

from __future__ import annotations

import math
import warnings
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.errors import InputError
from scalebridge.models.program.parsers.files import NoValue, check_name, located
from scalebridge.quantities import Floats

# Outputs of a model are few; what is larger is a field, which a function reduces.
_LARGEST = 512 << 20
Index = int | tuple[int, ...] | None


@dataclass(frozen=True)
class Npy:
    """An array in a ``.npy`` file.

    Args:
        file: name of the file.
        index: of one entry or sub-array, as ``-1`` or ``(0, 2)``; the whole where not given.
        unit: that the file is in; the output's where not given.
    """

    file: str
    index: Index = None
    unit: str | None = None

    def __post_init__(self) -> None:
        check_name(self.file, "An Npy")

    def read(self, folder: Path) -> Floats:
        """Return the array.

        Raises:
            NoValue: no file, a damaged one, no numbers.
        """
        path = located(folder, self.file)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                # Mapped, not read: what the header claims is compared with the file before memory is taken.
                array = np.load(path, mmap_mode="r", allow_pickle=False)
        except Exception as error:  # a damaged header brings out errors of the tokenizer too
            raise NoValue(f"'{self.file}' cannot be read as an array ({_line(error)})") from error
        if not isinstance(array, np.ndarray):
            raise NoValue(f"'{self.file}' is no .npy file")
        return _entry(array, self.index, self.file)


@dataclass(frozen=True)
class Npz:
    """An array in a ``.npz`` file.

    Args:
        file: name of the file.
        key: name of the array in it.
        index: of one entry or sub-array; the whole where not given.
        unit: that the file is in; the output's where not given.
    """

    file: str
    key: str
    index: Index = None
    unit: str | None = None

    def __post_init__(self) -> None:
        check_name(self.file, "An Npz")

    def read(self, folder: Path) -> Floats:
        """Return the array.

        Raises:
            NoValue: no file, a damaged one, no such array.
        """
        path = located(folder, self.file)
        try:
            with zipfile.ZipFile(path) as archive, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                data = self._array(archive)
        except NoValue:
            raise
        except KeyError:
            raise NoValue(f"'{self.file}' has no array '{self.key}'") from None
        except Exception as error:  # of the archive, of what is packed in it, of the header
            raise NoValue(f"'{self.file}' cannot be read as arrays ({_line(error)})") from error
        return _entry(data, self.index, self.file)

    def _array(self, archive: zipfile.ZipFile) -> Any:
        claimed = archive.getinfo(f"{self.key}.npy").file_size
        if claimed > _LARGEST:
            raise NoValue(f"'{self.key}' in '{self.file}' is larger than {_LARGEST >> 20} MiB")
        with archive.open(f"{self.key}.npy") as content:
            version = np.lib.format.read_magic(content)
            header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, fortran, kind = header(content)
            if kind.hasobject or math.prod(shape) * kind.itemsize > claimed:
                raise NoValue(f"'{self.key}' in '{self.file}' claims more than it holds")
            data = np.frombuffer(content.read(claimed), kind, math.prod(shape))
        return data.reshape(shape, order="F" if fortran else "C")


@dataclass(frozen=True)
class Hdf5:
    """A dataset of an HDF5 file.

    Args:
        file: name of the file.
        dataset: path of the dataset in it, as ``"results/stress"``.
        index: of one entry or sub-array, which alone is read; the whole where not given.
        unit: that the file is in; the output's where not given.

    Raises:
        InputError: h5py is not installed.
    """

    file: str
    dataset: str
    index: Index = None
    unit: str | None = None

    def __post_init__(self) -> None:
        check_name(self.file, "An Hdf5")
        if find_spec("h5py") is None:
            raise InputError('Reading HDF5 needs h5py; install it with pip install "scalebridge[hdf5]".')

    def read(self, folder: Path) -> Floats:
        """Return the array.

        Raises:
            NoValue: no file, a damaged one, no such dataset.
        """
        import h5py

        path = located(folder, self.file)
        try:
            with h5py.File(path, "r") as file:
                found: Any = file.get(self.dataset)
                if not isinstance(found, h5py.Dataset):
                    raise NoValue(f"'{self.file}' has no dataset '{self.dataset}'")
                fixed = 0 if self.index is None else np.size(self.index)
                if math.prod(found.shape[fixed:]) * found.dtype.itemsize > _LARGEST:
                    raise NoValue(f"'{self.dataset}' in '{self.file}' is larger than {_LARGEST >> 20} MiB")
                array = np.asarray(found[()] if self.index is None else found[self.index])
        except NoValue:
            raise
        except Exception as error:  # damage brings out errors of any kind
            raise NoValue(f"'{self.file}' cannot be read as HDF5 ({_line(error)})") from error
        return _entry(array, None, self.file)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _entry(array: Any, index: Index, file: str) -> Floats:
    if array.size * array.dtype.itemsize > _LARGEST and index is None:
        raise NoValue(f"'{file}' is larger than {_LARGEST >> 20} MiB; give an index, or read it by a function")
    try:
        chosen = array if index is None else array[index]
    except IndexError:
        raise NoValue(f"'{file}' has the shape {array.shape}, and no entry {index}") from None
    if array.dtype.kind not in "biuf":
        raise NoValue(f"'{file}' holds {array.dtype}, no numbers")
    return np.array(chosen, dtype=np.float64)
