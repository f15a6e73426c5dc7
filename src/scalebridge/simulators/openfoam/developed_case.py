"""The files of a case of fully developed flow: one row of cells, periodic along the flow."""

from __future__ import annotations

import enum
import math

import numpy as np

from scalebridge.simulators.openfoam.dictionaries import dictionary

# Name of the source that drives the flow, and of what it writes.
DRIVE = "drive"
# Iterations of a run; a developed flow needs about 60, from a near solution 30.
ITERATIONS = 120
_HALF_ANGLE = math.radians(2.5)
_SLICE = 0.2


class Gap(enum.Enum):
    """Shape of a cross-section."""

    PLANE = "plane"
    ROUND = "round"

    @property
    def dimensions(self) -> int:
        """Force balance: wall shear stress = gradient * reach / dimensions."""
        return 1 if self is Gap.PLANE else 2

    @property
    def resistance(self) -> float:
        """Newtonian flow: gradient = resistance * viscosity * mean velocity / reach^2."""
        return 3.0 if self is Gap.PLANE else 8.0


def developed_case(gap: Gap, reach: float, velocity: float, cells: int, grading: float) -> dict[str, str]:
    """Return the files of the case by name; lengths in m, velocity in m/s.

    The transport model is added by what runs it. Without a gradient of pressure along the cells and without
    relaxation every iteration solves the momentum equation exactly, with the viscosity of the one before.
    """
    drive = {
        "type": "meanVelocityForce",
        "selectionMode": "all",
        "fields": ["U"],
        "Ubar": [velocity, 0, 0],
        "relaxation": _relaxation(gap, cells, grading),
    }
    return {
        "system/blockMeshDict": _plane(reach, cells, grading) if gap is Gap.PLANE else _wedge(reach, cells, grading),
        "system/controlDict": dictionary("controlDict", _CONTROL),
        "system/fvSchemes": dictionary("fvSchemes", _SCHEMES),
        "system/fvSolution": dictionary("fvSolution", _SOLUTION),
        "constant/fvOptions": dictionary("fvOptions", {DRIVE: drive}),
        "constant/turbulenceProperties": dictionary("turbulenceProperties", {"simulationType": "laminar"}),
        "constant/transportProperties": dictionary("transportProperties", {"transportModel": "Newtonian", "nu": 1e-6}),
        "0/U": _field("U", "volVectorField", [0, 1, -1], f"uniform ({velocity!r} 0 0)", "noSlip", gap),
        "0/p": _field("p", "volScalarField", [0, 2, -2], "uniform 0", "zeroGradient", gap),
    }


_CONTROL = {
    "application": "simpleFoam",
    "startFrom": "startTime",
    "startTime": 0,
    "stopAt": "endTime",
    "endTime": ITERATIONS,
    "deltaT": 1,
    "writeControl": "timeStep",
    "writeInterval": ITERATIONS,
    "runTimeModifiable": False,
}
_SCHEMES = {
    "ddtSchemes": {"default": "steadyState"},
    "gradSchemes": {"default": "Gauss linear"},
    "divSchemes": {
        "default": "none",
        "div(phi,U)": "bounded Gauss linear",
        "div((nuEff*dev2(T(grad(U)))))": "Gauss linear",
    },
    "laplacianSchemes": {"default": "Gauss linear corrected"},
    "interpolationSchemes": {"default": "linear"},
    "snGradSchemes": {"default": "corrected"},
}
_SOLUTION = {
    "solvers": {
        # The pressure is uniform; what its equation holds is rounding, which a solve would only amplify.
        "p": {"solver": "PCG", "preconditioner": "DIC", "tolerance": 1.0, "relTol": 0},
        "U": {"solver": "PBiCGStab", "preconditioner": "DILU", "tolerance": 1e-15, "relTol": 1e-9},
    },
    "SIMPLE": {"nNonOrthogonalCorrectors": 0, "consistent": "no", "pRefCell": 0, "pRefValue": 0},
}


def _relaxation(gap: Gap, cells: int, grading: float) -> float:
    """Relaxation of the drive, so that a lack of flow is answered by a third of the gradient that would end it.

    The drive takes the flow to answer at once in every cell by itself, as size^2 / (2 viscosity); the whole
    gap answers as reach^2 / (resistance * viscosity).
    """
    sizes = np.geomspace(grading, 1.0, cells)
    sizes /= sizes.sum()
    own = float((sizes**3).sum()) / 2.0
    return 0.3 * gap.resistance * own


def _plane(reach: float, cells: int, grading: float) -> str:
    thick = _SLICE * reach
    corners = [(x, y, z) for z in (0.0, thick) for x, y in ((0.0, 0.0), (thick, 0.0), (thick, reach), (0.0, reach))]
    patches = {
        "inlet": ("cyclic", "((0 4 7 3))", "outlet"),
        "outlet": ("cyclic", "((1 2 6 5))", "inlet"),
        "wall": ("wall", "((3 7 6 2))", ""),
        "centre": ("symmetryPlane", "((0 1 5 4))", ""),
        "sides": ("empty", "((0 3 2 1) (4 5 6 7))", ""),
    }
    return _mesh(corners, "(0 1 2 3 4 5 6 7)", cells, grading, patches)


def _wedge(reach: float, cells: int, grading: float) -> str:
    """The wall is flat and the sides are planes, so that a cell's sides grow as its distance from the axis."""
    thick, width = _SLICE * reach, reach * math.tan(_HALF_ANGLE)
    corners = [
        (0.0, 0.0, 0.0),
        (thick, 0.0, 0.0),
        (thick, reach, -width),
        (0.0, reach, -width),
        (thick, reach, width),
        (0.0, reach, width),
    ]
    patches = {
        "inlet": ("cyclic", "((0 0 5 3))", "outlet"),
        "outlet": ("cyclic", "((1 2 4 1))", "inlet"),
        "wall": ("wall", "((3 5 4 2))", ""),
        "front": ("wedge", "((0 3 2 1))", ""),
        "back": ("wedge", "((0 1 4 5))", ""),
        "axis": ("empty", "((0 1 1 0))", ""),
    }
    return _mesh(corners, "(0 1 2 3 0 1 4 5)", cells, grading, patches)


def _mesh(
    corners: list[tuple[float, float, float]],
    block: str,
    cells: int,
    grading: float,
    patches: dict[str, tuple[str, str, str]],
) -> str:
    boundary = []
    for name, (kind, faces, neighbour) in patches.items():
        other = f"neighbourPatch {neighbour}; " if neighbour else ""
        boundary.append(f"    {name} {{ type {kind}; {other}faces {faces}; }}")
    entries = {
        "scale": 1,
        "vertices": corners,
        "blocks": f"(hex {block} (1 {cells} 1) simpleGrading (1 {1.0 / grading!r} 1))",
        "edges": [],
        "boundary": "(\n" + "\n".join(boundary) + "\n)",
        "mergePatchPairs": [],
    }
    return dictionary("blockMeshDict", entries)


def _field(name: str, kind: str, dimensions: list[int], value: str, wall: str, gap: Gap) -> str:
    # A patch whose type says all (cyclic, wedge, ...) repeats it in every field.
    plane = {"centre": "symmetryPlane", "sides": "empty"}
    rest = plane if gap is Gap.PLANE else {"front": "wedge", "back": "wedge", "axis": "empty"}
    types = {"inlet": "cyclic", "outlet": "cyclic", "wall": wall, **rest}
    entries = {
        "dimensions": f"[{' '.join(str(d) for d in [*dimensions, 0, 0, 0, 0])}]",
        "internalField": value,
        "boundaryField": {patch: {"type": type_} for patch, type_ in types.items()},
    }
    return dictionary(name, entries, kind)
