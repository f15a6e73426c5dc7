"""Datasets in one file that holds numbers and words, never code.

A zip of ``manifest.json``, its SHA-256 in ``manifest.sha256``, and arrays ``arrays/<sha256>.npy``, each named by the
SHA-256 of its bytes and stored once, however many steps share it. The sums find damage and changes by mistake; they
are no signature: who can write the file can write its sums.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.archive_parts import described, restored
from scalebridge.data.dataset import Dataset
from scalebridge.errors import InputError, ScaleBridgeError

FORMAT, FORMAT_VERSION = "scalebridge-dataset", 1
MANIFEST, SUM = "manifest.json", "manifest.sha256"
LARGEST_MANIFEST = 2**28
# A fixed date: the same dataset gives the same bytes.
DATE = (1980, 1, 1, 0, 0, 0)


def save(dataset: Dataset, path: str | os.PathLike[str], *, history: bool = True) -> None:
    """Write a dataset to one file; an older file of that name is replaced when the new one is whole.

    Args:
        history: also what every step replaced, so that `Dataset.undo` works after loading; without it the steps
            are told but cannot be undone, and the file holds nothing that was left out.

    Raises:
        InputError: a folder that is not there, options of a step that are no plain values.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise InputError(f"The dataset cannot be saved to '{target}': the folder '{target.parent}' does not exist.")
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
            _write(dataset, archive, history)
        os.replace(partial, target)
    except OSError as error:
        raise InputError(f"The dataset cannot be saved to '{target}' ({error.strerror}).") from error
    finally:
        partial.unlink(missing_ok=True)


def load(path: str | os.PathLike[str]) -> Dataset:
    """Read a dataset that `save` wrote, every sum checked; nothing in the file is run.

    Raises:
        InputError: no such file, a foreign, damaged, changed or newer one.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
                raise _refusal(path, "its members are compressed, which scalebridge does not do")
            return _read(archive, path)
    except ScaleBridgeError:
        raise
    except FileNotFoundError:
        raise InputError(f"There is no dataset '{path}'; give the path of a file that save(...) wrote.") from None
    except OSError as error:
        raise InputError(f"The dataset '{path}' cannot be opened ({error.strerror or error}).") from error
    except Exception as error:  # a damaged zip or manifest raises whatever its library raises
        raise _refusal(path, str(error).splitlines()[0] if str(error) else type(error).__name__) from error


def _write(dataset: Dataset, archive: zipfile.ZipFile, history: bool) -> None:
    written: dict[int, tuple[NDArray[Any], str]] = {}
    names: set[str] = set()

    def keep(array: NDArray[Any]) -> str:
        if id(array) not in written:
            content = _bytes_of(array)
            name = hashlib.sha256(content).hexdigest()
            # The array is held as well, so that its id stays its own.
            written[id(array)] = (array, name)
            if name not in names:
                names.add(name)
                archive.writestr(zipfile.ZipInfo(f"arrays/{name}.npy", DATE), content)
        return written[id(array)][1]

    tree = described(dataset, keep, history)
    manifest = {"format": FORMAT, "format_version": FORMAT_VERSION, "digest": dataset.digest, "dataset": tree}
    try:
        text = json.dumps(manifest, sort_keys=True, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise InputError(
            f"'{dataset.name}' cannot be saved: an option of a step or reader is no plain value ({error}); give text, "
            "numbers, lists or mappings."
        ) from error
    archive.writestr(zipfile.ZipInfo(MANIFEST, DATE), text)
    archive.writestr(zipfile.ZipInfo(SUM, DATE), hashlib.sha256(text).hexdigest())


def _read(archive: zipfile.ZipFile, path: Any) -> Dataset:
    names = set(archive.namelist())
    if not {MANIFEST, SUM} <= names or archive.getinfo(MANIFEST).file_size > LARGEST_MANIFEST:
        raise _refusal(path, "it holds no manifest of a dataset")
    text = archive.read(MANIFEST)
    if hashlib.sha256(text).hexdigest().encode() != archive.read(SUM).strip():
        raise _refusal(path, "its manifest was changed or damaged")
    manifest = json.loads(text)
    if not isinstance(manifest, Mapping) or manifest.get("format") != FORMAT:
        raise _refusal(path, "its manifest is of another format")
    if manifest["format_version"] > FORMAT_VERSION:
        raise _refusal(path, "a newer scalebridge wrote it; update scalebridge")
    loaded: dict[str, NDArray[Any]] = {}

    def fetch(name: str) -> NDArray[Any]:
        if name not in loaded:
            content = archive.read(f"arrays/{name}.npy")
            if hashlib.sha256(content).hexdigest() != name:
                raise _refusal(path, "an array in it was changed or damaged")
            loaded[name] = _array_of(content)
        return loaded[name]

    dataset = restored(manifest["dataset"], fetch)
    if dataset.digest != manifest["digest"]:
        raise _refusal(path, "what it holds is not what its manifest says")
    return dataset


def _bytes_of(array: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    np.save(stream, np.ascontiguousarray(little), allow_pickle=False)
    return stream.getvalue()


def _array_of(content: bytes) -> NDArray[Any]:
    stream = io.BytesIO(content)
    major, _ = np.lib.format.read_magic(stream)
    header = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = header(stream)
    if fortran or dtype.hasobject:
        raise ValueError("an array in it is not laid out as scalebridge does")
    array: NDArray[Any] = np.frombuffer(content, dtype, offset=stream.tell()).reshape(shape)
    return array


def _refusal(path: Any, why: str) -> InputError:
    return InputError(f"The file '{path}' is not read as a dataset: {why.rstrip('. ')}; save the dataset again.")
