import sys
from types import SimpleNamespace

import meshio
import numpy as np
import pytest

import scalebridge as sb
from scalebridge.data import CellBlock, Field, Mesh, from_pyvista, read_mesh, read_steps, write_mesh
from scalebridge.data.fields.cell_types import CELL_TYPES
from scalebridge.errors import InputError, UnitError
from tests.data.fields.meshes import cube, square


def with_fields(mesh, seed=0):
    rng = np.random.default_rng(seed)
    fields = [
        Field("T", "K", rng.normal(size=mesh.n_points), "points", mesh),
        Field("u", "mm", rng.normal(size=(mesh.n_points, 3)), "points", mesh),
        Field("S", "MPa", rng.normal(size=(mesh.n_cells, 3, 3)), "cells", mesh),
    ]
    return {f.name: f for f in fields}


def tagged():
    whole = square(3, "quad")
    block = CellBlock("quad", whole.cells[0].nodes, {"gmsh:physical": np.arange(9) % 2 + 1})
    edge = CellBlock("line", [[0, 1], [1, 2]], {"gmsh:physical": [7, 7]})
    sets = {"left": np.array([0, 1]), "rim": np.array([9, 10])}
    return Mesh(whole.points, (block, edge), "m", {"corner": np.array([0, 3])}, sets, "tagged")


@pytest.mark.parametrize("suffix", [".vtu", ".vtk", ".xdmf"])
@pytest.mark.parametrize("mesh", [cube(2, seed=1), square(3), tagged()], ids=lambda m: m.name)
def test_a_mesh_with_fields_sets_and_units_comes_back_as_it_was_written(tmp_path, suffix, mesh):
    path, fields = tmp_path / f"a{suffix}", with_fields(mesh)
    write_mesh(path, mesh, fields)
    back, found = read_mesh(path, unit="m")
    np.testing.assert_array_equal(back.points, mesh.points)
    assert [b.type for b in back.cells] == [b.type for b in mesh.cells]
    np.testing.assert_array_equal(back.cells[0].nodes, mesh.cells[0].nodes)
    assert set(found) == set(fields)
    for name, field in fields.items():
        assert (found[name].unit, found[name].location, found[name].shape) == (field.unit, field.location, field.shape)
        np.testing.assert_array_equal(found[name].values, field.values)
    assert {k: v.tolist() for k, v in back.cell_sets.items()} == {k: v.tolist() for k, v in mesh.cell_sets.items()}
    assert {k: v.tolist() for k, v in back.point_sets.items()} == {k: v.tolist() for k, v in mesh.point_sets.items()}
    for block, old in zip(back.cells, mesh.cells, strict=True):
        assert {k: v.tolist() for k, v in block.tags.items()} == {k: v.tolist() for k, v in old.tags.items()}
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize("suffix", [".msh", ".inp", ".bdf", ".med", ".mesh"])
def test_the_other_formats_bring_the_mesh_back(tmp_path, suffix):
    mesh = cube(2, seed=1)
    write_mesh(tmp_path / f"a{suffix}", mesh)
    back, _ = read_mesh(tmp_path / f"a{suffix}", unit="mm")
    np.testing.assert_allclose(back.points, mesh.points, atol=1e-9)
    np.testing.assert_array_equal(back.cells[0].nodes, mesh.cells[0].nodes)
    assert back.unit == "mm"


def test_sets_go_through_abaqus_and_groups_through_gmsh(tmp_path):
    mesh = tagged()
    write_mesh(tmp_path / "a.inp", mesh)
    back, _ = read_mesh(tmp_path / "a.inp")
    assert back.cell_sets["left"].tolist() == [0, 1] and back.point_sets["corner"].tolist() == [0, 3]
    lines = """$MeshFormat
2.2 0 8
$EndMeshFormat
$PhysicalNames
2
1 7 "rim"
2 1 "plate"
$EndPhysicalNames
$Nodes
4
1 0 0 0
2 1 0 0
3 1 1 0
4 0 1 0
$EndNodes
$Elements
3
1 1 2 7 1 1 2
2 2 2 1 1 1 2 3
3 2 2 1 1 1 3 4
$EndElements
"""
    (tmp_path / "g.msh").write_text(lines)
    found, _ = read_mesh(tmp_path / "g.msh")
    assert (found.cell_sets["rim"].tolist(), found.cell_sets["plate"].tolist()) == ([0], [1, 2])
    write_mesh(tmp_path / "g.vtu", found)  # cells of several kinds with sets, which meshio alone cannot write
    assert read_mesh(tmp_path / "g.vtu")[0].cell_sets["plate"].tolist() == [1, 2]


@pytest.mark.parametrize(
    "options", [{"binary": False}, {"compression": None}, {"compression": "zlib"}, {"compression": "lzma"}], ids=str
)
def test_every_way_of_writing_vtk_xml_is_read(tmp_path, options, capfd):
    mesh = cube(3, seed=2)
    made = meshio.Mesh(
        mesh.points,
        [("hexahedron", mesh.cells[0].nodes)],
        point_data={"T": mesh.points @ [1.0, 2.0, 3.0]},
        cell_data={"k": [np.arange(27)]},
    )
    made.write(tmp_path / "a.vtu", **options)
    back, fields = read_mesh(tmp_path / "a.vtu", units={"T": "degC"})
    np.testing.assert_allclose(back.points, mesh.points, atol=1e-11)
    np.testing.assert_allclose(fields["T"].values, mesh.points @ [1.0, 2.0, 3.0], atol=1e-10)
    np.testing.assert_array_equal(fields["k"].values, np.arange(27))
    assert fields["T"].unit == "degC"


def appended(points, kind="raw", header="UInt64"):
    """Two pieces of one triangle and one quad each, as VTK writes them, their arrays behind one another."""
    import base64

    arrays = [
        points.astype("<f8"), np.array([0, 1, 2, 0, 2, 3, 4], "<i8"), np.array([3, 7], "<i8"), np.array([5, 9], "u1"),
        np.arange(5, dtype="<f4"), np.array([10.0, 20.0], "<f8"),
    ]  # fmt: skip
    size = {"UInt64": "<u8", "UInt32": "<u4"}[header]
    places, content = [], b""
    for array in arrays:
        places.append(len(content))
        block = np.array([array.nbytes], size).tobytes() + array.tobytes()
        content += block if kind == "raw" else base64.b64encode(block)
    names = ["Points", "connectivity", "offsets", "types", "T [K]", "k"]
    types = ["Float64", "Int64", "Int64", "UInt8", "Float32", "Float64"]
    tags = [
        f'<DataArray type="{t}" Name="{n}" NumberOfComponents="{3 if n == "Points" else 1}" format="appended" '
        f'offset="{p}"/>'
        for t, n, p in zip(types, names, places, strict=True)
    ]
    piece = (
        f'<Piece NumberOfPoints="5" NumberOfCells="2"><Points>{tags[0]}</Points><Cells>{"".join(tags[1:4])}</Cells>'
        f"<PointData>{tags[4]}</PointData><CellData>{tags[5]}</CellData></Piece>"
    )
    head = (
        f'<VTKFile type="UnstructuredGrid" version="2.2" byte_order="LittleEndian" header_type="{header}">'
        '<UnstructuredGrid><FieldData><DataArray type="Float64" Name="TimeValue" NumberOfTuples="1" format="ascii">2.5'
        f'</DataArray></FieldData>{piece}{piece}</UnstructuredGrid><AppendedData encoding="{kind}">_'
    )
    return head.encode() + content + b"</AppendedData></VTKFile>"


FIVE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [-1, 0.5, 0]], float)


@pytest.mark.parametrize("kind", ["raw", "base64"])
@pytest.mark.parametrize("header", ["UInt32", "UInt64"])
def test_appended_arrays_pieces_and_the_time_are_read(tmp_path, kind, header):
    (tmp_path / "a.vtu").write_bytes(appended(FIVE, kind, header))
    mesh, fields = read_mesh(tmp_path / "a.vtu")
    assert [(b.type, b.nodes.tolist()) for b in mesh.cells] == [
        ("triangle", [[0, 1, 2]]), ("quad", [[0, 2, 3, 4]]), ("triangle", [[5, 6, 7]]), ("quad", [[5, 7, 8, 9]]),
    ]  # fmt: skip
    assert fields["k"].values.tolist() == [10, 20, 10, 20]
    assert (fields["T"].unit, fields["T"].time) == ("K", 2.5)
    assert fields["T"].values.tolist() == [0, 1, 2, 3, 4] * 2


def test_names_of_the_older_vtk_format_are_spelt_out(tmp_path):
    mesh = square(1)
    write_mesh(tmp_path / "a.vtk", mesh, [Field("heat", "W/m^2", [1.0, 2.0, 3.0, 4.0], "points", mesh)])
    content = (tmp_path / "a.vtk").read_bytes()
    (tmp_path / "a.vtk").write_bytes(content.replace(b"heat[W/m^2]", b"heat%20flux%20[W/m^2]"))
    field = read_mesh(tmp_path / "a.vtk")[1]["heat_flux"]
    assert (field.unit, field.description, field.values.tolist()) == ("W/m^2", "heat flux [W/m^2]", [1, 2, 3, 4])


def test_cells_that_stand_mixed_in_a_file_keep_their_values(tmp_path):
    text = """<VTKFile type="PolyData" version="0.1"><PolyData><Piece NumberOfPoints="5" NumberOfVerts="0"
    NumberOfLines="1" NumberOfStrips="0" NumberOfPolys="3"><Points><DataArray type="Float64" NumberOfComponents="3"
    format="ascii">0 0 0 1 0 0 1 1 0 0 1 0 -1 .5 0</DataArray></Points>
    <Lines><DataArray type="Int32" Name="connectivity" format="ascii">0 1 2</DataArray>
    <DataArray type="Int32" Name="offsets" format="ascii">3</DataArray></Lines>
    <Polys><DataArray type="Int32" Name="connectivity" format="ascii">0 1 2 0 1 2 3 4 0 2 3</DataArray>
    <DataArray type="Int32" Name="offsets" format="ascii">3 8 11</DataArray></Polys>
    <CellData><DataArray type="Float64" Name="k" format="ascii">1 2 3 4</DataArray></CellData>
    </Piece></PolyData></VTKFile>"""
    (tmp_path / "a.vtp").write_text(text)
    mesh, fields = read_mesh(tmp_path / "a.vtp")
    assert [(b.type, len(b)) for b in mesh.cells] == [("line", 2), ("triangle", 2), ("polygon", 1)]
    # A line of three points is two cells; the two triangles stand together.
    assert fields["k"].values.tolist() == [1, 1, 2, 4, 3]


def test_ghost_cells_of_a_neighbouring_piece_are_counted_once(tmp_path):
    content = appended(FIVE).replace(b'Name="k"', b'Name="vtkGhostType"')
    (tmp_path / "a.vtu").write_bytes(content)
    mesh, fields = read_mesh(tmp_path / "a.vtu")
    assert (mesh.n_cells, set(fields)) == (0, {"T"})


def test_names_and_units_are_chosen_and_checked(tmp_path):
    mesh = square(2)
    write_mesh(tmp_path / "a.vtu", mesh, with_fields(mesh))
    assert set(read_mesh(tmp_path / "a.vtu", fields=["S"])[1]) == {"S"}
    with pytest.raises(InputError, match="has no field 'Temp'"):
        read_mesh(tmp_path / "a.vtu", fields=["Temp"])
    with pytest.raises(UnitError, match=r"states 'K' for the field 'T \[K\]', and units= says 'degC'"):
        read_mesh(tmp_path / "a.vtu", units={"T": "degC"})
    data = (
        Field("k", "1", np.ones(mesh.n_cells), "cells", mesh),
        Field("k", "1", np.ones(mesh.n_points), "points", mesh),
    )
    write_mesh(tmp_path / "b.vtu", mesh, data)
    assert {k: f.location for k, f in read_mesh(tmp_path / "b.vtu")[1].items()} == {"k": "points", "k_cells": "cells"}


def test_steps_are_read_in_order_and_share_their_mesh(tmp_path):
    mesh = square(3)
    for k in (2, 10, 1):
        field = Field("T", "K", np.full(mesh.n_points, float(k)), "points", mesh)
        write_mesh(tmp_path / f"out_{k}.vtu", mesh, [field])
    steps = read_steps(tmp_path / "out_*.vtu", times=[0.1, 0.2, 0.3])
    assert [s["T"].values[0] for s in steps] == [1, 2, 10]
    assert [s["T"].time for s in steps] == [0.1, 0.2, 0.3]
    assert steps[0]["T"].mesh is steps[2]["T"].mesh
    entries = "".join(f'<DataSet timestep="{t}" part="0" file="out_{k}.vtu"/>' for t, k in [(0, 1), (5, 10)])
    (tmp_path / "all.pvd").write_text(f'<VTKFile type="Collection"><Collection>{entries}</Collection></VTKFile>')
    assert [(s["T"].time, s["T"].values[0]) for s in read_steps(tmp_path / "all.pvd")] == [(0, 1), (5, 10)]
    with pytest.raises(InputError, match="3 steps, and 1 times"):
        read_steps(tmp_path / "out_*.vtu", times=[0.1])
    with pytest.raises(InputError, match="No file fits the pattern"):
        read_steps(tmp_path / "no_*.vtu")


def test_the_steps_of_an_xdmf_file_are_read(tmp_path, monkeypatch):
    mesh = square(3)
    monkeypatch.chdir(tmp_path)
    with meshio.xdmf.TimeSeriesWriter("a.xdmf") as writer:
        writer.write_points_cells(mesh.points, [("triangle", mesh.cells[0].nodes)])
        for time in (0.0, 0.5):
            writer.write_data(time, point_data={"T": np.full(mesh.n_points, time)})
    steps = read_steps("a.xdmf", units={"T": "K"})
    assert [(s["T"].time, s["T"].unit, s["T"].values.max()) for s in steps] == [(0.0, "K", 0.0), (0.5, "K", 0.5)]
    assert steps[0]["T"].mesh is steps[1]["T"].mesh


def test_what_cannot_be_read_or_written_is_said_in_one_sentence(tmp_path):
    mesh = square(2)
    cases = {
        "a.vtu": (b"not xml at all", "cannot be read as VTK's XML"),
        "a.msh": (b"$MeshFormat\n9.9 0 8\n", "cannot be read"),
        "a.stl": (b"\x00" * 80 + b"\xff\xff\xff\xff", "cannot be read"),
        "a.e": (b"CDF\x01" + b"\x00" * 40, "pip install 'scalebridge|cannot be read"),
        "a.foo": (b"x", "no reader of meshes knows"),
        "a.pvd": (b"<VTKFile", "cannot be read"),
    }
    for name, (content, words) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=words) as told:
            (read_steps if name == "a.pvd" else read_mesh)(tmp_path / name)
        assert "\n" not in str(told.value) and name in str(told.value)
    with pytest.raises(InputError, match="does not exist"):
        read_mesh(tmp_path / "none.vtu")
    with pytest.raises(InputError, match="the suffix '\\.foo'"):
        write_mesh(tmp_path / "b.foo", mesh)
    with pytest.raises(InputError, match="hold no fields"):
        write_mesh(tmp_path / "b.stl", mesh, with_fields(mesh))
    with pytest.raises(InputError, match="lives on another mesh"):
        write_mesh(tmp_path / "b.vtu", mesh, with_fields(square(3)))


def test_a_file_that_claims_more_than_it_holds_costs_no_memory(tmp_path):
    honest = appended(FIVE, header="UInt64")
    start = honest.index(b">_") + 2
    claim = honest[:start] + np.array([2**40], "<u8").tobytes() + honest[start + 8 :]
    (tmp_path / "a.vtu").write_bytes(claim)
    with pytest.raises(InputError, match="claims 1099511627776 bytes"):
        read_mesh(tmp_path / "a.vtu")
    stl = b"x" * 80 + np.array([2**31], "<u4").tobytes() + b"\x00" * 50
    (tmp_path / "a.stl").write_bytes(stl)
    with pytest.raises(InputError, match="cannot be read"):
        read_mesh(tmp_path / "a.stl")


class Grid:
    """What pyvista.UnstructuredGrid offers of cells and data, by its documentation."""

    def __init__(self, cells, celltypes, points):
        self.points, self.celltypes, self.point_data, self.cell_data = points, celltypes, {}, {}
        offset, nodes, at = [0], [], 0
        while at < len(cells):
            nodes += cells[at + 1 : at + 1 + cells[at]].tolist()
            at += 1 + cells[at]
            offset.append(len(nodes))
        self.cell_offsets, self.cell_connectivity = np.array(offset), np.array(nodes)


def test_pyvista_gets_and_gives_meshes_with_units(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyvista", SimpleNamespace(UnstructuredGrid=Grid))
    mesh = tagged()
    grid = mesh.to_pyvista(with_fields(mesh))
    assert sorted(grid.point_data) == ["T [K]", "u [mm]"] and grid.cell_data["S [MPa]"].shape == (11, 9)
    back, fields = from_pyvista(grid, unit="m")
    assert [b.nodes.tolist() for b in back.cells] == [b.nodes.tolist() for b in mesh.cells]
    np.testing.assert_array_equal(fields["S"].values, with_fields(mesh)["S"].values)
    with pytest.raises(InputError, match="given for a pyvista data set"):
        from_pyvista(object())


def test_without_pyvista_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyvista", None)
    with pytest.raises(InputError, match=r"pip install 'scalebridge\[pyvista\]'"):
        square(1).to_pyvista()


def test_pyvista_itself_takes_a_mesh_with_its_fields_there_and_back():
    pytest.importorskip("pyvista", reason="pyvista brings 600 MB of vtk; pip install 'scalebridge[pyvista]'")
    mesh = cube(2)
    _, fields = from_pyvista(mesh.to_pyvista(with_fields(mesh)), unit="m")
    np.testing.assert_array_equal(fields["u"].values, with_fields(mesh)["u"].values)


def test_importing_the_room_brings_no_library_of_meshes():
    import subprocess

    heavy = ("meshio", "scipy", "matplotlib", "pyvista", "pint")
    told = f"print([m for m in {heavy} if m in sys.modules])"
    code = f"import sys, scalebridge as sb; sb.data.Mesh, sb.data.read_mesh; {told}"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    assert sb.data.Mesh is Mesh


@pytest.mark.parametrize("kind", [name for name, known in CELL_TYPES.items() if known.n_nodes])
def test_every_type_of_cell_comes_back_from_vtu(tmp_path, kind):
    n = CELL_TYPES[kind].n_nodes
    points = np.random.default_rng(n).uniform(size=(2 * n + 1, 3))
    mesh = Mesh(points, (CellBlock(kind, np.arange(2 * n).reshape(2, n)), CellBlock("line", [[0, 2 * n]])), "m")
    field = Field("T", "K", points[:, 0], "points", mesh)
    write_mesh(tmp_path / "a.vtu", mesh, [field])
    back, found = read_mesh(tmp_path / "a.vtu", unit="m")
    assert found["T"].values.tolist() == field.values.tolist()
    assert np.concatenate([b.nodes for b in back.cells if b.type == kind]).tolist()[:2] == mesh.cells[0].nodes.tolist()


@pytest.mark.parametrize(
    ("suffix", "kind", "words"),
    [
        (".stl", "quad", "holds no quad cells"),
        (".off", "quad", "holds no quad cells"),
        (".mesh", "tetra10", "holds no tetra10 cells"),
        (".xdmf", "tetra10", "holds no tetra10 cells in several blocks"),
        (".inp", "wedge15", "write .vtu, which knows all"),
    ],
)
def test_cells_that_a_format_would_leave_out_are_refused(tmp_path, suffix, kind, words, capfd):
    n = CELL_TYPES[kind].n_nodes
    blocks = (CellBlock(kind, np.arange(n)[None]), CellBlock("triangle", [[0, 1, 2]]))
    with pytest.raises(InputError, match=words):
        write_mesh(tmp_path / f"a{suffix}", Mesh(np.random.default_rng(0).uniform(size=(n, 3)), blocks))
    assert list(tmp_path.iterdir()) == [] and capfd.readouterr().err == ""


def test_several_blocks_go_through_gmsh(tmp_path, capfd):
    mesh = tagged()
    write_mesh(tmp_path / "a.msh", mesh, with_fields(mesh))
    back, found = read_mesh(tmp_path / "a.msh", unit="m")
    assert [b.nodes.tolist() for b in back.cells] == [b.nodes.tolist() for b in mesh.cells]
    assert all(np.array_equal(found[k].values, f.values) for k, f in with_fields(mesh).items())
    assert back.cell_sets["rim"].tolist() == [9, 10] and found["S"].unit == "MPa"
    assert capfd.readouterr().err == ""


OLDER = """# vtk DataFile Version 4.2
of a test
ASCII
DATASET UNSTRUCTURED_GRID
POINTS 6 double
0 0 0 1 0 0 0 1 0 0 0 1 1 0 1 0 1 1
CELLS 2 {size}
6 0 1 2 3 4 5
{cell}
CELL_TYPES 2
13
{kind}
"""


def test_wedges_of_the_older_format_of_vtk_stay_as_they_are(tmp_path):
    (tmp_path / "a.vtk").write_text(OLDER.format(size=12, cell="4 0 1 2 3", kind=10))
    mesh, _ = read_mesh(tmp_path / "a.vtk")
    assert mesh.cells[0].type == "wedge" and mesh.cells[0].nodes.tolist() == [[0, 1, 2, 3, 4, 5]]
    write_mesh(tmp_path / "b.vtk", mesh)
    assert read_mesh(tmp_path / "b.vtk")[0].cells[0].nodes.tolist() == [[0, 1, 2, 3, 4, 5]]


@pytest.mark.parametrize(("cell", "kind"), [("4 0 1 2 3", 4), ("4 0 1 2 3", 6), ("2 0 1", 2)])
def test_cells_that_meshio_would_leave_out_are_refused(tmp_path, cell, kind):
    size = 7 + len(cell.split())
    (tmp_path / "a.vtk").write_text(OLDER.format(size=size, cell=cell, kind=kind))
    with pytest.raises(InputError, match="cannot be read"):
        read_mesh(tmp_path / "a.vtk")


def test_the_pieces_of_a_run_in_parallel_are_one_mesh(tmp_path):
    whole = square(4, "quad")
    halves = [whole.part(whole.centres[:, 0] < 0.5), whole.part(whole.centres[:, 0] > 0.5)]
    (tmp_path / "out").mkdir()
    for k, half in enumerate([*halves, Mesh(np.zeros((0, 3)))]):
        write_mesh(tmp_path / "out" / f"p{k}.vtu", half, [Field("T", "K", half.points[:, 0], "points", half)])
    pieces = "".join(f'<Piece Source="out/p{k}.vtu"/>' for k in range(3))
    text = f'<VTKFile type="PUnstructuredGrid"><PUnstructuredGrid GhostLevel="0">{pieces}</PUnstructuredGrid></VTKFile>'
    (tmp_path / "a.pvtu").write_text(text)
    mesh, fields = read_mesh(tmp_path / "a.pvtu", unit="m")
    assert mesh.n_cells == 16 and mesh.measures.sum() == pytest.approx(1)
    np.testing.assert_allclose(fields["T"].at([[0.3, 0.6], [0.9, 0.1]]), [0.3, 0.9])
    assert read_steps(tmp_path / "a.pvtu", times=[2.0])[0]["T"].time == 2.0
    assert len(sb.data.read(tmp_path / "a.pvtu", unit="m")) == 1
    (tmp_path / "out" / "p1.vtu").unlink()
    with pytest.raises(InputError, match=r"piece of a mesh '.*p1.vtu' does not exist"):
        read_mesh(tmp_path / "a.pvtu")
    (tmp_path / "a.pvtu").write_text(text.replace("Source", "Sauce"))
    with pytest.raises(InputError, match=r"a.pvtu' cannot be read as VTK's XML .it lacks 'Source'"):
        read_mesh(tmp_path / "a.pvtu")
