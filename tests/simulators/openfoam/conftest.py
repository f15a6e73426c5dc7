"""A stand-in for OpenFOAM on the PATH, and cases of a few lines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from scalebridge.testing.openfoam import fake_openfoam


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for an installation, in use."""
    for name, value in fake_openfoam(tmp_path / "installation").items():
        monkeypatch.setenv(name, value)
    return tmp_path / "installation"


@pytest.fixture
def no_openfoam(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No OpenFOAM anywhere."""
    from scalebridge.simulators.openfoam import installation

    monkeypatch.setattr(installation, "_VENDORS", ())
    monkeypatch.delenv("WM_PROJECT_DIR", raising=False)
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


@pytest.fixture
def cavity() -> Mapping[str, str]:
    """A case by file names, for the stand-in and small enough to be read."""
    return CAVITY


def _file(name: str, text: str, kind: str = "dictionary") -> str:
    return f"FoamFile\n{{\n    version 2.0;\n    format ascii;\n    class {kind};\n    object {name};\n}}\n{text}\n"


CAVITY: Mapping[str, str] = {
    "system/controlDict": _file(
        "controlDict", "application icoFoam;\nstartTime 0;\nendTime 0.5;\ndeltaT 0.005;\nwriteInterval 100;"
    ),
    "system/blockMeshDict": _file(
        "blockMeshDict",
        "vertices ((0 0 0) (1 0 0) (1 1 0) (0 1 0) (0 0 1) (1 0 1) (1 1 1) (0 1 1));\n"
        "blocks (hex (0 1 2 3 4 5 6 7) (20 20 1) simpleGrading (1 1 1));",
    ),
    "constant/transportProperties": _file("transportProperties", "nu [0 2 -1 0 0 0 0] 0.01;"),
    "0/U": _file(
        "U",
        "dimensions [0 1 -1 0 0 0 0];\ninternalField uniform (0 0 0);\n"
        "boundaryField\n{\n    movingWall\n    {\n        type fixedValue;\n        value uniform (1 0 0);\n    }\n"
        "    fixedWalls { type noSlip; }\n}",
        "volVectorField",
    ),
    "0/p": _file("p", "dimensions [0 2 -2 0 0 0 0];\ninternalField uniform 0;\nboundaryField {}", "volScalarField"),
}
