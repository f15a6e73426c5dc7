"""What a ``.mph`` file says of its model, read without COMSOL: a zip archive of XML and binary members.

Parameters, physics, studies and datasets stand in ``dmodel.xml`` (``model.xml`` in old files), versions and
times in ``modelinfo.xml`` and ``fileversion``. Meshes and solutions lie in ``.mphbin`` members, a format that
is not published: they need COMSOL (export them as ``.mphtxt`` and text).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from xml.parsers import expat

from scalebridge.data.readers.opening import check_unpacked, decoding, opened
from scalebridge.errors import InputError, did_you_mean

_WHAT = "COMSOL model"
_QUANTITY = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(?:\[([^\[\]]*)\])?\s*")
# Lists of the model tree that are shown, by the tag of their elements.
_TREE = {
    "physics": "Physics",
    "studies": "Study",
    "materials": "Material",
    "geometries": "GeomSequence",
    "meshes": "MeshSequence",
    "solutions": "SolverSequence",
    "datasets": "DatasetFeature",
    "tables": "TableFeature",
    "exports": "ExportFeature",
}


@dataclass(frozen=True)
class Parameter:
    """A global parameter of a COMSOL model.

    Args:
        name: its name.
        expression: as entered, such as ``"2[mm]"`` or ``"2*d"``.
        description: of its author.
    """

    name: str
    expression: str
    description: str = ""

    @property
    def quantity(self) -> tuple[float, str] | None:
        """Number and unit (``"1"`` for none), or None where the expression is no plain quantity."""
        found = _QUANTITY.fullmatch(self.expression)
        return None if found is None else (float(found[1]), (found[2] or "1").strip() or "1")


@dataclass(frozen=True)
class ModelFile:
    """What a ``.mph`` file says of its model.

    Args:
        path: as given.
        size: bytes.
        version: of COMSOL, such as ``"COMSOL 5.5.0.359"``.
        title: of the window.
        created, modified: UTC in ISO 8601; empty where the file does not say.
        computation_time: of the last solve, as text with its unit.
        dimensions: tag of a geometry -> number of its dimensions.
        parameters: global parameters in order.
        tree: ``physics``, ``studies``, ``materials``, ``geometries``, ``meshes``, ``solutions``, ``datasets``,
            ``tables``, ``exports`` -> names in order.
        members: name of a member of the archive -> its size in bytes.
    """

    path: str
    size: int
    version: str
    title: str = ""
    created: str = ""
    modified: str = ""
    computation_time: str = ""
    dimensions: Mapping[str, int] | None = None
    parameters: tuple[Parameter, ...] = ()
    tree: Mapping[str, tuple[str, ...]] | None = None
    members: Mapping[str, int] | None = None

    def __getitem__(self, name: str) -> Parameter:
        """Return a parameter by name."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        known = [parameter.name for parameter in self.parameters]
        raise InputError(f"The {_WHAT} '{self.path}' has no parameter '{name}'{did_you_mean(name, known)}")

    def names(self, part: str) -> tuple[str, ...]:
        """Names of a part of the tree: ``"studies"``, ``"physics"``, ``"datasets"``, ..."""
        if part not in _TREE:
            raise InputError(f"A COMSOL model has no part '{part}'{did_you_mean(part, _TREE)}")
        return (self.tree or {}).get(part, ())


def read_model(path: str | Path) -> ModelFile:
    """What a ``.mph`` file says of its model, without COMSOL.

    Raises:
        InputError: no such file, no zip archive, damaged, no model of COMSOL in it, protected by a password.
    """
    file = opened(path, _WHAT)
    check_unpacked(path, _WHAT)
    seen = _Seen(str(path))
    with decoding(path, _WHAT), zipfile.ZipFile(path) as archive:
        members = {info.filename: info.file_size for info in archive.infolist()}
        if "fileversion" not in members and "modelinfo.xml" not in members:
            raise InputError(f"The {_WHAT} '{path}' is a zip archive without 'fileversion'; it is no .mph file.")
        model = next((m for m in ("dmodel.xml", "model.xml") if m in members), None)
        if model is None:
            raise InputError(
                f"The {_WHAT} '{path}' holds no dmodel.xml; it may be protected by a password or of a version that "
                "keeps its model elsewhere: open it in COMSOL and save it again without a password."
            )
        for member in ("modelinfo.xml", model):
            if member in members:
                seen.read(archive, member)
        version = _version(archive, members)
    info = seen.attributes
    return ModelFile(
        str(path),
        file.size,
        version,
        title=info.get("windowTitle") or info.get("title", ""),
        created=_moment(info.get("createdDate", "")),
        modified=_moment(info.get("lastModifiedDate", "")),
        computation_time=info.get("lastComputationTime", ""),
        dimensions=seen.dimensions,
        parameters=tuple(seen.parameters),
        tree={part: tuple(seen.names.get(tag, ())) for part, tag in _TREE.items()},
        members=members,
    )


@dataclass
class _Seen:
    """What has been met in the XML of a model, element by element: memory stays flat whatever its size."""

    path: str
    attributes: dict[str, str] = field(default_factory=dict)
    dimensions: dict[str, int] = field(default_factory=dict)
    parameters: list[Parameter] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)
    _inside: int = 0

    def read(self, archive: zipfile.ZipFile, member: str) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._refuse
        with archive.open(member) as stream:
            parser.ParseFile(stream)

    def _refuse(self, *_: object) -> None:
        raise InputError(f"The {_WHAT} '{self.path}' declares entities in its XML, which COMSOL never does; not read.")

    def _start(self, tag: str, given: dict[str, str]) -> None:
        if tag in ("modelInfo", "historyInfo"):
            self.attributes |= given
        elif tag == "geom" and given.get("dimension", "") in ("0", "1", "2", "3"):
            self.dimensions[given.get("tag", "")] = int(given["dimension"])
        elif tag == "ModelParam":
            self._inside += 1
        elif tag == "expressions" and self._inside and given.get("name"):
            self.parameters.append(Parameter(given["name"], given.get("expr", ""), given.get("descr", "")))
        elif tag in _SHOWN and given.get("tag"):
            self.names.setdefault(tag, []).append(given.get("name") or given["tag"])

    def _end(self, tag: str) -> None:
        self._inside -= tag == "ModelParam"


_SHOWN = frozenset(_TREE.values())


def _version(archive: zipfile.ZipFile, members: Mapping[str, int]) -> str:
    if "fileversion" not in members:
        return ""
    with archive.open("fileversion") as stream:
        text = stream.read(200).decode("utf-8", "replace").strip()
    return text.partition(":")[2] or text


def _moment(milliseconds: str) -> str:
    try:
        return datetime.fromtimestamp(int(milliseconds) / 1000, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return ""
