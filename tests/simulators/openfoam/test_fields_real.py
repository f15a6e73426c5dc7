"""Readers against OpenFOAM itself: formats, parts, polyhedra, and integrals that it computed from the same fields."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from scalebridge.data.fields.geometry import measures
from scalebridge.models.program import working_folder
from scalebridge.simulators.openfoam import Channel, Pipe
from scalebridge.simulators.openfoam.case import Case
from scalebridge.simulators.openfoam.fields import read_fields
from scalebridge.simulators.openfoam.forces import read_force_coefficients, read_forces
from scalebridge.simulators.openfoam.function_objects import read_function_object, read_residuals
from scalebridge.simulators.openfoam.poly_mesh import read_poly_mesh
from scalebridge.simulators.openfoam.probes import read_probes
from scalebridge.simulators.openfoam.running import Step
from scalebridge.simulators.openfoam.samples import read_samples

pytestmark = [
    pytest.mark.adapters,
    pytest.mark.skipif(shutil.which("icoFoam") is None, reason="OpenFOAM is not installed"),
]
HEAD = "FoamFile {{ version 2.0; format ascii; class {}; object {}; }}\n"
FUNCTIONS = """functions
{
forces { type forces; libs ("libforces.so"); patches (lid); rho rhoInf; rhoInf 2; CofR (0 0 0); log false; }
forceCoeffs { type forceCoeffs; libs ("libforces.so"); patches (lid); rho rhoInf; rhoInf 2; CofR (0 0 0);
    dragDir (1 0 0); liftDir (0 1 0); pitchAxis (0 0 1); magUInf 1; lRef 1; Aref 1; log false; }
probes { type probes; libs ("libsampling.so"); fields (p U); probeLocations ((0.05 0.05 0.05) (5 5 5)); }
mean { type volFieldValue; libs ("libfieldFunctionObjects.so"); regionType all; operation volAverage; fields (U p);
    writeFields false; log false; }
residuals { type solverInfo; libs ("libutilityFunctionObjects.so"); fields (U p); }
lines { type sets; libs ("libsampling.so"); setFormat csv; interpolationScheme cell; fields (p U);
    writeControl writeTime; sets (line { type uniform; axis xyz; start (0.001 0.05 0.05); end (0.099 0.05 0.05);
    nPoints 9; }); }
}
"""


def files(form="ascii", compression="off"):
    """A lid-driven box of 6 x 5 x 4 cells."""
    entries = {
        "0/U": (
            "volVectorField",
            "dimensions [0 1 -1 0 0 0 0]; internalField uniform (0 0 0); boundaryField { lid { type fixedValue; value "
            "uniform (1 0 0); } walls { type noSlip; } }",
        ),
        "0/p": (
            "volScalarField",
            "dimensions [0 2 -2 0 0 0 0]; internalField uniform 0; boundaryField { lid { type zeroGradient; } walls { "
            "type zeroGradient; } }",
        ),
        "constant/transportProperties": ("dictionary", "nu [0 2 -1 0 0 0 0] 0.01;"),
        "system/blockMeshDict": (
            "dictionary",
            "convertToMeters 0.1; vertices ((0 0 0)(1 0 0)(1 1 0)(0 1 0)(0 0 1)(1 0 1)(1 1 1)(0 1 1)); blocks (hex "
            "(0 1 2 3 4 5 6 7) (6 5 4) simpleGrading (2 1 1)); edges (); boundary (lid { type wall; faces ((3 7 6 "
            "2)); } walls { type wall; faces ((0 4 7 3)(2 6 5 1)(1 5 4 0)(0 3 2 1)(4 5 6 7)); });",
        ),
        "system/controlDict": (
            "dictionary",
            "application icoFoam; startFrom startTime; startTime 0; stopAt endTime; endTime 0.02; deltaT 0.005; "
            f"writeControl timeStep; writeInterval 4; writeFormat {form}; writePrecision 12; writeCompression "
            f"{compression}; timePrecision 6; runTimeModifiable false;\n{FUNCTIONS}",
        ),
        "system/fvSchemes": (
            "dictionary",
            "ddtSchemes { default Euler; } gradSchemes { default Gauss linear; } divSchemes { default Gauss linear; } "
            "laplacianSchemes { default Gauss linear corrected; } interpolationSchemes { default linear; } "
            "snGradSchemes { default corrected; }",
        ),
        "system/fvSolution": (
            "dictionary",
            'solvers { "p|pFinal" { solver PCG; preconditioner DIC; tolerance 1e-12; relTol 0; } U { solver '
            "smoothSolver; smoother symGaussSeidel; tolerance 1e-12; relTol 0; } } PISO { nCorrectors 2; pRefCell 0; "
            "pRefValue 0; }",
        ),
    }
    return {name: HEAD.format(kind, name.split("/")[1]) + text for name, (kind, text) in entries.items()}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The case after a run in text."""
    return solved(tmp_path_factory.mktemp("text"))


def solved(folder, **options):
    case = Case(files(**options))
    case.prepare(folder)
    run = case.run(folder)
    assert run.ok, run.reason
    return folder


def test_integrals_of_the_fields_are_those_that_openfoam_computed(finished):
    fields, mean = read_fields(finished), read_function_object(finished, "mean")
    volumes = measures(fields["U"].mesh)
    assert volumes.sum() == pytest.approx(1e-3, rel=1e-9)
    np.testing.assert_allclose(volumes @ fields["U"].values / volumes.sum(), mean["volAverage_U"][-1], atol=1e-9)
    assert volumes @ fields["p"].values / volumes.sum() == pytest.approx(mean["volAverage_p"][-1], rel=1e-8)


def test_the_pressure_on_a_patch_makes_the_force_on_it(finished):
    lid, forces = read_fields(finished, ["p"], patch="lid")["p"], read_forces(finished)
    # The lid's normal points along y, out of the fluid; the density is 2.
    assert 2 * measures(lid.mesh) @ lid.values == pytest.approx(forces["pressure_force"][-1, 1], rel=1e-8)
    drag = read_force_coefficients(finished)["Cd"]
    np.testing.assert_allclose(drag, forces["total_force"][:, 0] / (0.5 * 2), rtol=1e-8)


def test_probes_samples_and_residuals_are_those_of_the_run(finished):
    probes, fields = read_probes(finished), read_fields(finished)
    assert probes.inside.tolist() == [True, False] and len(probes.time) == 4
    line = read_samples(finished, "lines", "line")
    assert line["U"].values[4].tolist() in fields["U"].values.tolist()
    np.testing.assert_allclose(line["U"].values[4], probes["U"][-1, 0], atol=1e-12)
    assert read_residuals(finished)["p_converged"].tolist() == ["true"] * 4


@pytest.mark.parametrize(("form", "compression"), [("binary", "off"), ("ascii", "on")])
def test_other_formats_hold_the_same(finished, tmp_path, form, compression):
    found, wanted = read_fields(solved(tmp_path, form=form, compression=compression)), read_fields(finished)
    assert (tmp_path / "0.02" / ("U.gz" if compression == "on" else "U")).is_file()
    np.testing.assert_allclose(found["U"].values, wanted["U"].values, atol=1e-11)


def test_parts_that_are_not_reconstructed_hold_the_same(finished, tmp_path):
    case = Case(files(), processors=2)
    case.prepare(tmp_path)
    steps = [step for step in case.steps if step.argv[0] != "reconstructPar"]
    assert case.run(tmp_path, steps).ok
    found, wanted = read_fields(tmp_path), read_fields(finished)
    np.testing.assert_allclose(found["U"].values, wanted["U"].values, atol=1e-9)


def test_a_mesh_of_polyhedra_fills_the_box(tmp_path):
    case = Case(files())
    case.prepare(tmp_path)
    assert case.run(tmp_path, [Step(("blockMesh",)), Step(("polyDualMesh", "75", "-overwrite"))]).ok
    mesh = read_poly_mesh(tmp_path, "first")
    assert mesh.mesh.n_cells == 7 * 6 * 5
    assert measures(mesh.mesh).sum() == pytest.approx(1e-3, rel=1e-6)


TENSORS = {
    "V": ("volVectorField", "(1 2 3)"),
    "S": ("volSymmTensorField", "(1 2 3 4 5 6)"),
    "T": ("volTensorField", "(1 2 3 4 5 6 7 8 9)"),
}


@pytest.mark.parametrize(
    ("flow", "patch", "kind"),
    [
        (Channel(height=0.01, length=1.0, velocity=0.1, cells=4), "centre", "symmetryPlane"),
        (Channel(height=0.01, length=1.0, velocity=0.1, cells=4), "wall", "slip"),
        (Pipe(diameter=0.01, length=1.0, velocity=0.1, cells=4), "wall", "slip"),
        (Pipe(diameter=0.01, length=1.0, velocity=0.1, cells=4), "front", "wedge"),
        (Pipe(diameter=0.01, length=1.0, velocity=0.1, cells=4), "back", "wedge"),
    ],
)
def test_values_on_a_patch_that_follows_from_its_cells_are_those_of_openfoam(flow, patch, kind):
    sampled = (
        'type surfaces; libs ("libsampling.so"); writeControl writeTime; surfaceFormat foam; fields (V S T); '
        f"surfaces ( side {{ type patch; patches ({patch}); interpolate false; triangulate false; }} );"
    )
    with working_folder() as folder:
        case = flow.problem.case
        case.prepare(folder.path)
        velocity = (folder / "0" / "U").read_text()
        boundary = velocity[velocity.index("boundaryField") :].replace("noSlip", kind if patch == "wall" else "noSlip")
        for name, (class_, value) in TENSORS.items():
            text = f"dimensions [0 1 -1 0 0 0 0]; internalField uniform {value}; {boundary}"
            if patch != "wall":
                text = text.replace("noSlip", "zeroGradient")
            (folder / "0" / name).write_text(HEAD.format(class_, name) + text)
        (folder / "system" / "side").write_text(HEAD.format("dictionary", "side") + sampled)
        run = case.run(folder.path, [Step(("blockMesh",)), Step(("postProcess", "-func", "side", "-time", "0"))])
        assert run.ok, run.reason
        wanted = read_samples(folder.path, "side", "side")
        found = read_fields(folder.path, list(TENSORS), time=0, patch=patch)
    for name, field in found.items():
        np.testing.assert_allclose(field.values, wanted[name].values, rtol=1e-5, atol=1e-5)
