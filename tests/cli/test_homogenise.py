"""`scalebridge homogenise` as a user types it: numbers, files, one sentence for each mistake."""

import json
from pathlib import Path

import numpy as np
import pytest

from scalebridge.cli import main

MATRIX, FIBRE = "matrix: E=1 Pa, nu=0.3", "fibre: E=10 Pa, nu=0.3"
BOTH = ("-m", MATRIX, "-m", FIBRE)


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(("homogenise", *arguments))
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fibre of the cross-code table as labels, a grey slice of four fibres, a grey volume of one ball."""
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    c = (np.arange(32) + 0.5) / 32 - 0.5
    np.save("cell.npy", (c[:, None] ** 2 + c[None] ** 2 < 0.47 / np.pi).astype(np.uint8))
    y, x = np.mgrid[:48, :48]
    noise = np.random.default_rng(0).normal(scale=6, size=(48, 48))
    grey = np.where((x % 24 - 12) ** 2 + (y % 24 - 12) ** 2 < 70, 180, 80) + noise
    Image.fromarray(grey.clip(0, 255).astype(np.uint8)).save("slice.png")
    c = (np.arange(12) + 0.5) / 12 - 0.5
    ball = c[:, None, None] ** 2 + c[None, :, None] ** 2 + c[None, None] ** 2 < 0.3**2
    (60 + 120 * ball + np.arange(12)).astype(np.uint8).tofile("ball.raw")
    return tmp_path


def test_the_numbers_of_the_cross_code_table_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("cell.npy", *BOTH, "--tolerance", "1e-8") == 0
    shown = capsys.readouterr().out
    for number in ("2.8631", "0.94815", "5.9399", "0.88053", "0.70914"):
        assert number in shown
    assert "Between the bounds of Voigt and Reuss." in shown and "Hill-Mandel gap" in shown
    assert "47.27 %" in shown and "E_T" in shown


def test_json_holds_the_whole_record_and_nothing_else_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run("cell.npy", *BOTH, "-k", "matrix: 1 W/(m*K)", "-k", "fibre: 10 W/(m*K)", "--json", "--tolerance", "1e-8")
        == 0
    )
    record = json.loads(capsys.readouterr().out)
    assert record["stiffness"]["voigt"][0][0] == pytest.approx(2.863114, abs=1e-6)
    assert record["conductivity"]["constants"]["k33"] == pytest.approx(1 + 9 * record["phases"][1]["fraction"])
    assert record["phases"][0]["material"] == "E=1 Pa, nu=0.3" and record["converged"] is True


def test_a_grey_slice_with_windows_leaves_report_picture_and_fields(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--window-size", "24", "--pixel-size", "2 um", "--out", "out", "--vti", "f.vti")
    assert run("slice.png", *BOTH, *options) == 0
    shown = capsys.readouterr().out
    assert (
        "segmented" in shown and "windows" in shown and "report: out/report.html" in shown and "fields: f.vti" in shown
    )
    assert {p.name for p in (folder / "out").iterdir()} == {
        "homogenisation.json", "arrays.npz", "report.html", "picture.png",
    }  # fmt: skip
    assert (folder / "f.vti").is_file()
    record = json.loads((folder / "out" / "homogenisation.json").read_text())
    assert record["stiffness"]["windows"]["n"] == 4 and record["image"]["voxel_size_m"] == [2e-6, 2e-6]


def test_a_raw_volume_and_plane_stress_and_composite_voxels_run(capsys: pytest.CaptureFixture[str]) -> None:
    raw = ("ball.raw", "--shape", "12,12,12", "--dtype", "uint8", "--no-field", "--json")
    assert run(*raw, "-k", "matrix: 1 S/m", "-k", "ball: 5 S/m") == 0
    flow = json.loads(capsys.readouterr().out)["conductivity"]
    assert flow["unit"] == "S/m" and flow["bounds"]["hashin_shtrikman_within"] is True and flow["hill_mandel"] is None
    assert run("cell.npy", *BOTH, "--plane", "stress", "--composite", "4", "--json", "--precision", "single") == 0
    assert set(json.loads(capsys.readouterr().out)["stiffness"]["constants"]) == {"E1", "E2", "nu12", "G12"}


def test_a_surface_is_cut_into_voxels(capsys: pytest.CaptureFixture[str]) -> None:
    cube = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=float)
    faces = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    lines = ["solid a"]
    # A cube in the corner of a slab that is larger: the rest of the slab's bounds is outside.
    for offset, size in ((np.zeros(3), np.array([1.0, 1, 1])), (np.array([1.5, 1.5, 0]), np.array([0.5, 0.5, 1]))):
        for a, b, c, d in faces:
            for triangle in ((a, b, c), (a, c, d)):
                lines += ["facet normal 0 0 0", "outer loop"]
                lines += [f"vertex {' '.join(map(str, offset + size * cube[k]))}" for k in triangle]
                lines += ["endloop", "endfacet"]
    Path("cube.stl").write_text("\n".join([*lines, "endsolid a"]))
    assert run("cube.stl", "--voxels", "8", "-k", "outside: 1 W/(m*K)", "-k", "inside: 2 W/(m*K)", "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert {p["name"]: p["fraction"] for p in record["phases"]}["inside"] == pytest.approx(1.25 / 4, abs=0.01)


def test_plan_solves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("cell.npy", *BOTH, "--plan", "--window-size", "16", "--out", "out") == 0
    shown = capsys.readouterr().out
    assert "32 x 32, 1024 voxels" in shown and "4 x windows" in shown and "GiB" in shown
    assert not Path("out").exists()
    assert run("cell.npy", *BOTH, "--plan", "--json") == 0
    assert json.loads(capsys.readouterr().out)["grid"] == [32, 32]


def test_what_did_not_converge_ends_with_code_1_and_ctrl_c_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dataclasses import replace

    from scalebridge.studies.homogenisation.solving import solve

    monkeypatch.setattr(
        "scalebridge.studies.homogenisation.job.solve",
        lambda rve, case: replace(
            solve(rve, case), tensor=np.full((6, 6), np.nan), reason="not converged in 3 iterations"
        ),
    )
    assert run("cell.npy", *BOTH) == 1
    assert "the stiffness was not converged in 3 iterations" in capsys.readouterr().out

    def interrupted(_rve: object, *_: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("scalebridge.studies.homogenisation.job.solve", interrupted)
    assert run("cell.npy", *BOTH, "--out", "out") == 130
    assert "interrupted; nothing was written" in capsys.readouterr().err and not Path("out").exists()


def materials(text: str) -> tuple[str, ...]:
    return ("cell.npy", "-m", text, "-m", FIBRE)


MISTAKES = {
    ("cell.npy",): "Neither materials nor conductivities were given; give one per phase",
    ("none.png", *BOTH): "The image 'none.png' does not exist",
    materials(
        "E=1 GPa, nu=0.3"
    ): "does not say which phase has which constants; write it as 'matrix: E=3.5 GPa, nu=0.35'",
    materials("matrix: E=1, nu=0.3"): "has E=1 without a unit; write E=1 GPa or MPa",
    materials("matrix: E=1 GPa"): "The material of 'matrix' lacks nu; an elastic phase takes E and nu.",
    materials("matrix: E=1 GPa, nuu=0.3"): "The material of 'matrix' has no constant 'nuu'; did you mean 'nu'?",
    materials("matrix: E=1 GPa, E=2 GPa, nu=0.3"): "The material of 'matrix' gives E twice.",
    materials("matrix: E=1 m, nu=0.3"): "The material of 'matrix': E = '1 m' does not convert to 'Pa'",
    materials("matrix: E=-1 GPa, nu=0.3"): "The material of 'matrix': Young's modulus E of an elastic phase is -1 GPa",
    materials("matrix: E=1 GPa, nu=0.5"): "Poisson's ratio nu of an elastic phase is 0.5",
    materials("matrix: E=1 GPa, nu=x"): "The material of 'matrix': nu = 'x' is not a quantity",
    materials("matrix: soft"): "The material of 'matrix' holds 'soft', which is neither a constant such as E=3.5 GPa",
    materials("matrix: k=1 W/(m*K)"): "give it by --conductivity 'matrix: k=1 W/(m*K)'".replace("k=1", "1"),
    materials("matrix: E_L=1 GPa, E_T=1 GPa, nu_L=.1, nu_T=.1, G_L=1 GPa"): "The material of 'matrix' lacks axis",
    materials("matrix: E_L=1 GPa, E_T=1 GPa, nu_L=.1, nu_T=.1, G_L=1 GPa, axis=4"): "has axis=4; write axis=1 (x",
    materials("matrix: E=1 GPa, nu=0.3, axis=3"): "gives an axis without E_L",
    materials("matrix: E=1 GPa, E_L=3 GPa"): "mixes constants of an elastic phase and a transversely isotropic phase",
    ("cell.npy", "-m", MATRIX, "-m", MATRIX): "The phase 'matrix' is given twice",
    ("cell.npy", "-m", MATRIX): "The image 'cell.npy' holds the label 1 and 1 materials were given",
    ("cell.npy", *BOTH, "-m", "void: void"): "The phase 'void' (label 2) has no voxel in 'cell.npy'",
    ("slice.png", "-m", MATRIX, "-m", "fiber: E=1 GPa, nu=0.3"): "no phase of 'slice.png'; did you mean 'fibre'?",
    ("slice.png", "-m", MATRIX): "The phase 'fibre' of 'slice.png' has no material; add --material 'fibre:",
    ("slice.png", *BOTH, "--phases-as-labels"): "grey levels, so it holds no labels",
    ("cell.npy", "-k", "matrix: 1", "-k", "fibre: 2 S/m"): "The conductivity of 'matrix' is 1 without a unit",
    ("cell.npy", "-k", "matrix: 1 W/(m*K)", "-k", "fibre: 2 S/m"): "does not convert to 'W/(m*K)'",
    ("cell.npy", "-k", "matrix: 1 Pa", "-k", "fibre: 2 S/m"): "which is no conductivity",
    ("cell.npy", *BOTH, "-k", "matrix: 1 S/m"): "The phase 'fibre' has a material or a conductivity, not both",
    ("cell.npy", *BOTH, "--plane", "strainn"): "--plane strainn; did you mean 'strain'?",
    ("cell.npy", *BOTH, "--precision", "half"): "--precision half; valid: double, single.",
    ("cell.npy", *BOTH, "--error", "fine"): "--error fine; did you mean 'finer'?",
    ("cell.npy", *BOTH, "--windows", "3"): "3 windows were asked for; say by --window-size how large they are.",
    ("cell.npy", *BOTH, "--window-size", "64"): "its size may go from 4 to 32",
    ("cell.npy", *BOTH, "--window-size", "16", "--windows", "0"): "0 windows were asked for; at least 1 is needed.",
    ("cell.npy", *BOTH, "--composite", "40"): "the factor may go from 1 to 32",
    ("cell.npy", *BOTH, "--composite", "3", "--error", "finer"): "Composite voxels of 3 pixels cannot be halved",
    ("cell.npy", *BOTH, "--crop", "0-9"): "--crop 0-9 is no part of an image; write start:stop per axis",
    ("cell.npy", *BOTH, "--crop", "0:40,0:9"): "The part 0:40, 0:9 does not lie in 'cell.npy' of 32 x 32",
    (
        "cell.npy",
        *BOTH,
        "--pixel-size",
        "1.1",
    ): "The pixel size of 'cell.npy' is '1.1'; give a positive length with a unit",
    ("cell.npy", *BOTH, "--vary-segmentation"): "so their uncertainty is not known; leave out --vary-segmentation.",
    ("cell.npy", *BOTH, "--tolerance", "1"): "The tolerance of the RVE is 1.0; it must lie between 1e-12 and 1e-2.",
    ("cell.npy", *BOTH, "--dtype", "uint8"): "is a slice that tells its own layout; leave out --dtype.",
    ("ball.raw", *BOTH): "does not tell its shape",
    ("ball.raw", *BOTH, "--shape", "a,b"): "--shape a,b is no shape; write it as 200,200,100 (z, y, x).",
    ("cube.stl", *BOTH): "The image 'cube.stl' does not exist",
}


@pytest.mark.parametrize("command", list(MISTAKES), ids=lambda command: " ".join(command)[:60])
def test_a_mistake_gives_one_sentence_and_exit_code_2(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*command) == 2
    shown = capsys.readouterr()
    assert MISTAKES[command] in shown.err and shown.out == ""
    assert len(shown.err.strip().splitlines()) == 1


def test_the_help_shows_an_example_of_each_kind_of_image(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    shown = capsys.readouterr().out
    for words in ("slice.png", "cell.npy", "rock.raw", "axis=3", "--window-size", "--plan", "Exit codes"):
        assert words in shown
