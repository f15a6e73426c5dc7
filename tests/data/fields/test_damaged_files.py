"""Files that were cut, flipped, doubled, or lie about their numbers."""

import re
import warnings

import numpy as np
import pytest

from scalebridge.data import read_mesh, write_mesh
from scalebridge.data.fields import meshio_files, vtk_xml
from scalebridge.data.fields.assembling import Asked, fields_of, mesh_of
from scalebridge.errors import InputError
from tests.data.fields.meshes import cube
from tests.data.fields.test_files import FIVE, appended, tagged, with_fields

LIES = [b"0", b"-1", b"99999999999", b"nan", b"1e999", b"4294967295"]


def damaged(content, rng):
    """One file with one fault."""
    made, fault = bytearray(content), int(rng.integers(5))
    at = int(rng.integers(len(made)))
    end = min(len(made), at + int(rng.integers(1, 200)))
    if fault == 0:
        return content[: max(at, 1)]
    if fault == 1:
        for _ in range(int(rng.integers(1, 8))):
            made[int(rng.integers(len(made)))] = int(rng.integers(256))
    elif fault == 2:
        del made[at:end]
    elif fault == 3:
        made[at:at] = made[at:end]
    else:
        digits = [found.span() for found in re.finditer(rb"\d+", content)]
        start, stop = digits[int(rng.integers(len(digits)))]
        made[start:stop] = LIES[int(rng.integers(len(LIES)))]
    return bytes(made) or b"x"


def judged(path, raw_of):
    """Whether a file was read; what it refuses is one sentence that names the file."""
    try:
        raw = raw_of()
        mesh = mesh_of(raw, Asked(), f"The mesh '{path}'", "mesh")
        fields_of(raw, mesh, Asked(), f"The mesh '{path}'")
    except InputError as error:
        assert "\n" not in str(error) and path.name in str(error) and len(str(error)) < 700
        return False
    return True


def ascii_file(tmp_path):
    import meshio

    mesh = cube(2, seed=1)
    made = meshio.Mesh(mesh.points, [("hexahedron", mesh.cells[0].nodes)], point_data={"T": mesh.points[:, 0]})
    made.write(tmp_path / "ascii.vtu", binary=False)
    return (tmp_path / "ascii.vtu").read_bytes()


def packed_file(tmp_path):
    write_mesh(tmp_path / "packed.vtu", tagged(), with_fields(tagged()))
    return (tmp_path / "packed.vtu").read_bytes()


@pytest.mark.parametrize("kind", ["ascii", "packed", "raw", "base64"])
def test_damaged_vtk_xml_ends_in_a_sentence(tmp_path, kind):
    content = {"ascii": ascii_file, "packed": packed_file}.get(kind, lambda _: appended(FIVE, kind))(tmp_path)
    rng, path = np.random.default_rng(0), tmp_path / "damaged.vtu"
    read = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(150):
            path.write_bytes(damaged(content, rng))
            read += judged(path, lambda: vtk_xml.read(path))
    assert read < 150


@pytest.mark.parametrize("suffix", [".vtk", ".msh", ".inp", ".bdf", ".med", ".stl"])
def test_damaged_files_of_meshio_end_in_a_sentence(tmp_path, suffix):
    mesh = cube(2, seed=1)
    if suffix == ".stl":
        content = b"x" * 80 + np.array([4], "<u4").tobytes() + np.random.default_rng(0).bytes(200)
    else:
        write_mesh(tmp_path / f"a{suffix}", mesh, with_fields(mesh) if suffix == ".vtk" else ())
        content = (tmp_path / f"a{suffix}").read_bytes()
    rng, path = np.random.default_rng(0), tmp_path / f"damaged{suffix}"
    with meshio_files.reading() as process:
        for _ in range(25):
            path.write_bytes(damaged(content, rng))
            judged(path, lambda: meshio_files.read(process, path, path.stat().st_size))
            assert process.alive


def test_a_file_may_take_no_more_memory_than_it_is_allowed(tmp_path):
    write_mesh(tmp_path / "a.vtk", cube(12))
    with pytest.raises(InputError, match="asks for more memory"):
        read_mesh(tmp_path / "a.vtk", memory=1 << 20)


def test_arrays_that_unpack_to_far_more_than_they_are_cost_nothing(tmp_path):
    import base64
    import zlib

    bomb = zlib.compress(bytes(50_000_000))
    for claimed in (24, 2**31 - 1):
        head = np.array([1, claimed, claimed, len(bomb)], "<u4").tobytes()
        points = (base64.b64encode(head) + base64.b64encode(bomb)).decode()
        (tmp_path / "a.vtu").write_text(
            '<VTKFile type="UnstructuredGrid" compressor="vtkZLibDataCompressor"><UnstructuredGrid><Piece '
            'NumberOfPoints="1" NumberOfCells="0"><Points><DataArray type="Float64" NumberOfComponents="3" '
            f'format="binary">{points}</DataArray></Points></Piece></UnstructuredGrid></VTKFile>'
        )
        with pytest.raises(InputError, match=r"were claimed|cannot hold"):
            read_mesh(tmp_path / "a.vtu")


def test_entities_are_not_expanded(tmp_path):
    (tmp_path / "a.vtu").write_text('<!DOCTYPE x [<!ENTITY a "aaaa">]><VTKFile type="UnstructuredGrid">&a;</VTKFile>')
    with pytest.raises(InputError, match="declares entities"):
        read_mesh(tmp_path / "a.vtu")
