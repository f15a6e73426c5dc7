"""Surrogates in one file that holds numbers and words, never code.

The file is a zip of ``manifest.json`` and of arrays ``arrays/0.npy``, ... stored as they are. The manifest says
what it is (method, options, spaces with units and bounds, domain, certificate, versions) and the SHA-256 of
every array; its own stands beside it in ``manifest.sha256``. These sums find damage and changes by mistake; they
are no signature: who can write the file can write its sums.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.learn.encoding import decode, encode
from scalebridge.quantities import Space

FORMAT = "scalebridge-surrogate"
FORMAT_VERSION = 1
LIBRARIES = ("scalebridge", "numpy", "scipy", "scikit-learn", "torch")
MANIFEST, SUM = "manifest.json", "manifest.sha256"
# A fixed date: the same surrogate gives the same bytes.
DATE = (1980, 1, 1, 0, 0, 0)


def save(surrogate: Any, path: str | os.PathLike[str]) -> None:
    """Write a fitted surrogate to one file; an older file of that name is replaced when the new one is whole.

    Raises:
        InputError: not fitted, or it holds something that cannot be written without code.
    """
    arrays: list[NDArray[Any]] = []
    try:
        tree = encode(surrogate, arrays)
    except InputError as error:
        raise InputError(f"{_title(surrogate)} cannot be saved: {error}") from error
    members = {f"arrays/{i}.npy": _bytes_of(array) for i, array in enumerate(arrays)}
    # Asks for the runs: a surrogate that is not fitted refuses, in its own words.
    manifest = _manifest(surrogate, tree, members)
    text = json.dumps(manifest, indent=1, sort_keys=True, allow_nan=False).encode()
    _write(Path(path), {MANIFEST: text, SUM: hashlib.sha256(text).hexdigest().encode(), **members})


def load(path: str | os.PathLike[str]) -> Any:
    """Read a surrogate that `save` wrote; nothing in the file is run.

    Raises:
        InputError: no such file, a foreign, damaged, changed or newer one, or one of a class that is not known.
    """
    manifest, members = _read(Path(path))
    arrays = [_array_of(members[f"arrays/{i}.npy"], path) for i in range(len(manifest["members"]))]
    try:
        surrogate = decode(manifest["surrogate"], arrays)
    except InputError as error:
        raise InputError(f"{_owner(path)} cannot be loaded: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _foreign(path, f"its manifest does not describe a surrogate ({error})") from error
    if not hasattr(surrogate, "posterior"):
        raise _foreign(path, "its manifest does not describe a surrogate")
    if dict(surrogate.identity()) != manifest["identity"]:
        raise _foreign(path, "what it holds is not what its manifest says")
    return surrogate


def read_manifest(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The manifest of a saved surrogate, every sum checked; the surrogate itself is not made."""
    return _read(Path(path))[0]


def _manifest(surrogate: Any, tree: Any, members: Mapping[str, bytes]) -> dict[str, Any]:
    x, y, _ = surrogate.data
    domain = surrogate.domain
    certificate: Any = getattr(surrogate, "certificate", None)
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "class": tree["class"],
        "name": surrogate.name,
        "identity": dict(surrogate.identity()),
        "inputs": _described(surrogate.inputs),
        "outputs": _described(surrogate.outputs),
        "domain": {
            "kind": type(domain).__name__,
            **{
                side: [_number(v) for v in getattr(domain, side)]
                for side in ("lower", "upper")
                if hasattr(domain, side)
            },
        },
        "runs": {"count": len(x), "sha256": hashlib.sha256(_bytes_of(x) + _bytes_of(y)).hexdigest()},
        "certificate": certificate.as_dict() if hasattr(certificate, "as_dict") else certificate,
        "versions": {name: _version(name) for name in LIBRARIES},
        "members": {name: {"sha256": hashlib.sha256(b).hexdigest(), "bytes": len(b)} for name, b in members.items()},
        "surrogate": tree,
    }


def _described(space: Space) -> list[dict[str, Any]]:
    return [
        {
            "name": v.name,
            "unit": v.unit,
            "shape": list(v.shape),
            "bounds": [_number(b) for b in v.limits],
            "kind": v.kind,
            "description": v.description,
        }
        for v in space
    ]


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _version(library: str) -> str:
    if library == "scalebridge":
        from scalebridge import __version__

        return __version__
    return version(library)


def _bytes_of(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _array_of(content: bytes, path: Any) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise _foreign(path, f"an array in it cannot be read ({error})") from error
    return array


def _write(path: Path, members: Mapping[str, bytes]) -> None:
    if not path.parent.is_dir():
        raise InputError(f"'{path}' cannot be written: the folder '{path.parent}' does not exist; make it first.")
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
            for name, content in members.items():
                archive.writestr(zipfile.ZipInfo(name, DATE), content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest and the arrays' bytes, after every check that needs no class."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            # Stored as they are: a file cannot grow in memory beyond its size on the disk.
            if any(i.compress_type != zipfile.ZIP_STORED for i in infos) or len({i.filename for i in infos}) < len(
                infos
            ):
                raise _foreign(path, "its members are compressed or stand in it twice")
            content = {i.filename: archive.read(i) for i in infos}
    except FileNotFoundError as error:
        raise InputError(f"There is no file '{path}' to load a surrogate from.") from error
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise _foreign(path, f"it is damaged, cut short, or no archive at all ({error})") from error
    manifest = _checked_manifest(path, content)
    members = {name: content[name] for name in content if name not in (MANIFEST, SUM)}
    _check_members(path, manifest, members)
    return manifest, members


def _checked_manifest(path: Path, content: Mapping[str, bytes]) -> dict[str, Any]:
    try:
        manifest = json.loads(content[MANIFEST])
        told = content[SUM].decode("ascii")
        known = manifest["format"] == FORMAT
        newer = int(manifest["format_version"]) > FORMAT_VERSION
    except (KeyError, ValueError, TypeError) as error:
        raise _foreign(path, "it has no manifest of a surrogate") from error
    if not known:
        raise _foreign(path, f"it is a '{manifest['format']}'")
    if newer:
        raise InputError(
            f"{_owner(path)} has format {manifest['format_version']}; this version reads up to {FORMAT_VERSION}: "
            "install a newer scalebridge."
        )
    if hashlib.sha256(content[MANIFEST]).hexdigest() != told:
        raise _foreign(path, "its manifest was changed after it was written")
    return dict(manifest)


def _check_members(path: Path, manifest: Mapping[str, Any], members: Mapping[str, bytes]) -> None:
    told = manifest["members"]
    if set(told) != set(members) or set(told) != {f"arrays/{i}.npy" for i in range(len(told))}:
        raise _foreign(path, "it holds other members than its manifest lists")
    for name, content in members.items():
        if hashlib.sha256(content).hexdigest() != told[name]["sha256"]:
            raise _foreign(path, f"'{name}' was changed after it was written")


def _foreign(path: Any, reason: str) -> InputError:
    return InputError(f"{_owner(path)} is refused: {reason}; save the surrogate again from its source.")


def _owner(path: Any) -> str:
    return f"The archive '{Path(path).name}'"


def _title(surrogate: Any) -> str:
    return f"The surrogate '{getattr(surrogate, 'name', type(surrogate).__name__)}'"
