"""An image to its numbers: exact values through files, bounds, windows, the record and its report."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge import InputError
from scalebridge.micro.rve.transverse import nearest_transversely_isotropic
from scalebridge.reports.homogenisation.panels import directional
from scalebridge.reports.homogenisation.record import load_record
from scalebridge.studies.homogenisation import (
    Reading,
    Settings,
    homogenise_image,
    plan_image,
    read_sample,
    sample_of,
)
from scalebridge.studies.homogenisation.solving import solve

SOFT_STIFF = {"matrix": "E=1 Pa, nu=0.3", "fibre": "E=10 Pa, nu=0.3"}


def fibre(n: int = 32) -> np.ndarray:
    """One fibre along 3 in a square cell, volume fraction 0.47, sampled at the centres of the voxels."""
    c = (np.arange(n) + 0.5) / n - 0.5
    return (c[:, None] ** 2 + c[None] ** 2 < 0.47 / np.pi).astype(np.uint8)


def save_png(file: Path, values: np.ndarray) -> Path:
    from PIL import Image

    Image.fromarray(values.astype(np.uint8)).save(file)
    return file


def micrograph(file: Path, n: int = 64) -> Path:
    """A grey slice of round fibres with noise."""
    y, x = np.mgrid[:n, :n]
    inside = ((x % 16 - 8) ** 2 + (y % 16 - 8) ** 2) < 30
    grey = np.where(inside, 180, 80) + np.random.default_rng(0).normal(scale=6, size=inside.shape)
    return save_png(file, np.clip(grey, 0, 255))


def test_the_fibre_of_the_cross_code_table_through_a_png_of_two_grey_levels(tmp_path: Path) -> None:
    file = save_png(tmp_path / "cell.png", np.where(fibre(), 200, 40))
    c = homogenise_image(file, SOFT_STIFF, settings=Settings(tolerance=1e-8), fields=False).stiffness
    assert c is not None and c.components == ("11", "22", "33", "23", "13", "12")
    # FANS and muGrid, HEX8R, 32 voxels an edge, fibre along 1 there and along 3 here.
    expected = {
        (0, 0): 2.863114,
        (0, 1): 0.948146,
        (2, 2): 5.939933,
        (0, 2): 1.143378,
        (3, 3): 0.880527,
        (5, 5): 0.709145,
    }
    for place, value in expected.items():
        assert c.voigt[place] == pytest.approx(value, abs=1e-6)


def test_a_laminate_is_exact_through_an_array_in_every_plane(tmp_path: Path) -> None:
    labels = np.zeros((16, 16), dtype=np.int64)
    labels[:, 8:] = 1
    np.save(tmp_path / "laminate.npy", labels)
    found = homogenise_image(tmp_path / "laminate.npy", SOFT_STIFF, {"matrix": "1 W/(m*K)", "fibre": "10 W/(m*K)"})
    assert found.stiffness is not None and found.conductivity is not None
    c, k = found.stiffness.voigt, found.conductivity.tensor
    exact = [2.44755245, 1.04895105, 6.49350649, 2.26273726, 0.69930070, 2.11538462]
    assert [c[0, 0], c[0, 1], c[1, 1], c[1, 2], c[5, 5], c[3, 3]] == pytest.approx(exact, abs=1e-8)
    assert np.diag(k) == pytest.approx([20 / 11, 5.5, 5.5], rel=1e-9)
    assert found.stiffness.hill_mandel == pytest.approx(0, abs=1e-8)
    assert found.stiffness.limits.within and found.conductivity.limits.within
    strain = homogenise_image(labels, SOFT_STIFF, settings=Settings(plane="strain")).stiffness
    assert strain is not None and strain.limits.within
    assert [strain.voigt[0, 0], strain.voigt[1, 1], strain.voigt[2, 2]] == pytest.approx(
        [2.44755245, 6.49350649, 0.69930070], abs=1e-8
    )
    stress = homogenise_image(labels, SOFT_STIFF, settings=Settings(plane="stress")).stiffness
    assert stress is not None and stress.limits.within
    # Plane stress of a laminate: E along the layers is the mean, uniform strain without lateral constraint beside it.
    assert stress.constants["E2"] == pytest.approx(5.5, rel=1e-6)


def test_an_axis_in_the_material_is_that_of_the_law_with_its_axis_turned() -> None:
    text = "E_L=230 GPa, E_T=15 GPa, nu_L=0.256, nu_T=0.3, G_L=27.3 GPa, axis="
    labels = np.zeros((8, 8), dtype=np.int64)
    labels[:, 4:] = 1
    law = sb.micro.TransverselyIsotropic("230 GPa", "15 GPa", 0.256, 0.3, "27.3 GPa")
    for axis, place in ((1, 0), (2, 1), (3, 2)):
        found = homogenise_image(labels, {"a": f"{text}{axis}", "b": "E=3 GPa, nu=0.3"}, fields=False).stiffness
        direction = np.zeros((8, 8, 3))
        direction[..., place] = 1.0
        rve = sb.micro.RVE(labels, [law, sb.micro.Elastic("3 GPa", 0.3)], plane="generalised", orientation=direction)
        assert found is not None
        np.testing.assert_allclose(found.tensor, rve.stiffness(), rtol=1e-6, atol=1e-3 * found.tensor.max() * 1e-6)


def test_a_segmented_slice_tells_windows_segmentation_and_the_finer_grid(tmp_path: Path) -> None:
    file = micrograph(tmp_path / "slice.png")
    seen: list[tuple[str, float]] = []
    found = homogenise_image(
        file,
        SOFT_STIFF,
        reading=Reading(pixel_size="1.1 um"),
        window_size=32,
        error="finer",
        vary_segmentation=True,
        progress=lambda words, share: seen.append((words, share)),
    )
    part = found.stiffness
    assert part is not None and part.windows is not None and part.discretisation is not None
    assert found.image["voxel_size_m"] == pytest.approx([1.1e-6, 1.1e-6])
    assert len(part.windows.reason) == 4 and not part.windows.overlap
    # Windows of whole periods see what the image sees.
    assert part.windows.mean("E_T") == pytest.approx(part.transverse["E_T"], rel=0.03)
    assert abs(part.discretisation.change["E_T"]) < 0.05
    lower, upper = part.segmentation
    assert lower.change["E_T"] < 0 < upper.change["E_T"]
    low, high = part.limits.constants["E_T"]
    assert low < part.transverse["E_T"] < high
    shares = [share for _, share in seen]
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert any("window 2 of 4" in words for words, _ in seen)


def test_composite_voxels_of_a_fine_image_come_nearer_to_it_than_plain_coarse_ones() -> None:
    fine = fibre(128)
    exact = homogenise_image(fine, SOFT_STIFF, fields=False).stiffness
    mixed = homogenise_image(fine, SOFT_STIFF, settings=Settings(composite=8), fields=False).stiffness
    plain = homogenise_image(fibre(16), SOFT_STIFF, fields=False).stiffness
    assert exact is not None and mixed is not None and plain is not None
    gap = {k: abs(v.constants["E1"] / exact.constants["E1"] - 1) for k, v in {"mixed": mixed, "plain": plain}.items()}
    assert gap["mixed"] < 0.01 and gap["mixed"] < 0.5 * gap["plain"]


def test_windows_of_composite_voxels_and_a_window_that_fails_have_reasons() -> None:
    labels = np.zeros((32, 32), dtype=np.int64)
    labels[:16] = fibre(32)[:16]
    labels[16:, :] = 2
    materials = {"matrix": "E=1 Pa, nu=0.3", "fibre": "E=10 Pa, nu=0.3", "gap": "void"}
    for composite in (1, 2):
        found = homogenise_image(
            labels, materials, window_size=16, settings=Settings(composite=composite), fields=False
        ).stiffness
        assert found is not None and found.windows is not None
        assert [bool(r) for r in found.windows.reason] == [False, False, True, True]


def test_a_volume_is_parted_by_levels_and_isotropic_bounds_apply(tmp_path: Path) -> None:
    c = (np.arange(16) + 0.5) / 16 - 0.5
    ball = c[:, None, None] ** 2 + c[None, :, None] ** 2 + c[None, None] ** 2 < 0.3**2
    grey = np.where(ball, 180, 80) + np.random.default_rng(0).normal(scale=5, size=ball.shape)
    grey.clip(0, 255).astype(np.uint8).tofile(tmp_path / "ball.raw")
    found = homogenise_image(
        tmp_path / "ball.raw",
        SOFT_STIFF,
        {"matrix": "1 W/(m*K)", "fibre": "10 W/(m*K)"},
        reading=Reading(shape=(16, 16, 16), dtype="uint8"),
        window_size=8,
        windows=3,
    )
    assert found.fractions["fibre"] == pytest.approx(ball.mean())
    part, flow = found.stiffness, found.conductivity
    assert part is not None and flow is not None and part.windows is not None
    assert part.limits.hashin_shtrikman_within and flow.limits.hashin_shtrikman_within
    assert not part.transverse and part.isotropic["distance"] < 0.05
    assert part.windows.overlap and any("overlap" in note for note in found.notes)
    assert set(found.arrays) >= {"labels_z", "labels_y", "labels_x", "stiffness_field_z", "image_x"}


def test_a_singular_and_an_unconverged_tensor_are_said_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = np.zeros((16, 16), dtype=np.int64)
    labels[4:12, 4:12] = 1
    loose = homogenise_image(labels, {"gap": "void", "grain": "E=1 GPa, nu=0.3"}).stiffness
    assert loose is not None and loose.converged and "E1" not in loose.constants

    def spent(rve: Any, *_: object) -> Any:
        found = solve(rve)
        return replace(found, tensor=np.full_like(found.tensor, np.nan), reason="not converged in 3 iterations")

    monkeypatch.setattr("scalebridge.studies.homogenisation.job.solve", spent)
    stuck = homogenise_image(fibre(), SOFT_STIFF, error="finer")
    part = stuck.stiffness
    assert part is not None and not part.converged and not stuck.converged
    assert np.isnan(part.tensor).all() and part.reason == "not converged in 3 iterations"
    assert part.hill_mandel is None and part.discretisation is None and part.limits.within is None
    record = stuck.to_dict()
    json.dumps(record, allow_nan=False)
    assert stuck.save(tmp_path / "stuck").joinpath("report.html").is_file()


SCHEMA = {
    "schema_version",
    "kind",
    "created",
    "image",
    "taken",
    "phases",
    "options",
    "stiffness",
    "conductivity",
    "converged",
    "notes",
    "wall_s",
    "peak_memory_bytes",
    "versions",
}
PART = {
    "unit",
    "components",
    "mandel",
    "voigt",
    "constants",
    "transverse",
    "isotropic",
    "bounds",
    "hill_mandel",
    "iterations",
    "seconds",
    "converged",
    "reason",
    "discretisation",
    "segmentation",
    "windows",
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A slice with everything asked for, saved."""
    folder = tmp_path_factory.mktemp("saved")
    file = micrograph(folder / "a <slice>.png", 48)
    found = homogenise_image(
        file,
        SOFT_STIFF,
        {"matrix": "0.2 W/(m*K)", "fibre": "1 W/(m*K)"},
        window_size=24,
        error="coarser",
        vti=folder / "field.vti",
    )
    return found.save(folder / "out")


def test_the_record_has_a_stable_schema(saved: Path) -> None:
    record = json.loads((saved / "homogenisation.json").read_text())
    assert record["schema_version"] == 1 and set(record) == SCHEMA and set(record["stiffness"]) == PART
    assert set(record["conductivity"]) == PART - {"mandel", "voigt"} | {"tensor"}
    assert [set(p) for p in record["phases"]] == [{"name", "fraction", "material", "conductivity"}] * 2
    assert set(record["stiffness"]["constants"]) == {"E1", "E2", "E3", "nu12", "nu13", "nu23", "G12", "G13", "G23"}
    assert set(record["stiffness"]["windows"]) == {
        "size", "n", "origins", "fractions", "overlap", "reason", "constants", "mean",
    }  # fmt: skip
    assert {p.name for p in saved.iterdir()} == {"homogenisation.json", "arrays.npz", "report.html", "picture.png"}


class Outline(HTMLParser):
    """Headings, links and unclosed elements of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br", "path", "use", "image", "rect", "line"):
            self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "xlink:href")]

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("meta", "br", "path", "use", "image", "rect", "line"):
            assert self.open.pop() == tag


def test_the_report_is_one_well_formed_file_without_network_and_says_the_numbers(saved: Path) -> None:
    page = (saved / "report.html").read_text()
    outline = Outline(page)
    assert outline.open == [] and all(link.startswith(("#", "data:")) for link in outline.links)
    assert "<script" not in page and "a <slice>" not in page and "a &lt;slice&gt;.png" in page
    assert page.count("<svg") == 5  # structure; field and windows of stiffness and of conductivity
    part = load_record(saved).parts[0]
    assert f"{1e0 * part.group('transverse')['E_T']:.4g}"[:4] in page
    assert "var(--" in page and "#0a0a0" not in page


def test_a_report_of_another_schema_or_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no homogenisation\.json"):
        load_record(tmp_path)
    (tmp_path / "homogenisation.json").write_text('{"schema_version": 9}')
    with pytest.raises(InputError, match="schema_version 9"):
        load_record(tmp_path)


def test_the_fields_of_a_slice_are_read_back_from_the_vti_with_their_means(saved: Path) -> None:
    image = sb.microstructure.read_vti(saved.parent / "field.vti")
    assert {"phase", "strain", "stress", "von_mises"} <= set(image.cells)
    stress = np.asarray(image.cells["stress"], dtype=np.float64)
    mean = stress.reshape(6, -1).mean(1) if stress.shape[0] == 6 else stress.reshape(-1, 6).mean(0)
    # A pull along 1: all other mean stresses vanish.
    assert abs(mean[1:]).max() < 1e-5 * mean[0]


def test_a_plan_tells_grid_memory_and_solves_and_runs_nothing(tmp_path: Path) -> None:
    plan = plan_image(fibre(), SOFT_STIFF, window_size=16, windows=5, error="finer")
    assert plan.grid == (32, 32) and plan.fits and plan.seconds > 0
    assert plan.solves == {"the image": 1, "the finer grid": 1, "windows": 5}
    assert plan.fractions["fibre"] == pytest.approx(fibre().mean())


def test_part_of_an_image_outside_of_the_field_of_view_needs_a_window_or_a_crop(tmp_path: Path) -> None:
    file = micrograph(tmp_path / "disc.png", 96)
    from PIL import Image

    grey = np.array(Image.open(file))
    y, x = np.mgrid[:96, :96]
    grey[(x - 48) ** 2 + (y - 48) ** 2 > 47**2] = 0
    save_png(file, grey)
    with pytest.raises(InputError, match="outside of the field of view"):
        homogenise_image(file, SOFT_STIFF)
    found = homogenise_image(file, SOFT_STIFF, window_size=32, windows=2, fields=False)
    assert "nearest to those of the image" in found.taken and found.arrays["labels"].shape == (32, 32)
    cut = homogenise_image(file, SOFT_STIFF, reading=Reading(crop=((24, 72), (24, 72))), fields=False)
    assert cut.arrays["labels"].shape == (48, 48)


def test_a_palette_image_and_a_stack_of_labels_are_read_as_labels(tmp_path: Path) -> None:
    from PIL import Image

    image = Image.fromarray(fibre(16))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.save(tmp_path / "palette.png")
    found = read_sample(tmp_path / "palette.png", ["a", "b"], Reading(as_labels=True))
    assert (found.labels == fibre(16)).all()
    pages = [Image.fromarray(255 * fibre(16)) for _ in range(4)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    stack = read_sample(tmp_path / "stack.tif", ["a", "b"])
    assert stack.labels.shape == (4, 16, 16) and (stack.labels[2] == fibre(16)).all()


def test_the_way_from_a_read_image_to_an_rve_is_two_lines(tmp_path: Path) -> None:
    file = micrograph(tmp_path / "slice.png")
    phases = sb.microstructure.segment(sb.microstructure.read(file)).labels
    rve = sb.micro.RVE(phases, [sb.micro.Elastic("3.5 GPa", 0.35), sb.micro.Elastic("72 GPa", 0.22)])
    assert rve.stiffness().shape == (3, 3)
    card = rve._repr_html_()
    assert "data:image/png;base64," in card and "elastic: E = 72 GPa, nu = 0.22" in card
    volume = sb.micro.RVE(
        np.stack([phases[:8, :8] * 0, phases[:8, :8] * 0 + 1]), [sb.micro.Conductor(1.0), sb.micro.Void("conduction")]
    )
    assert volume._repr_html_().count("<img") == 3


def test_the_nearest_transversely_isotropic_tensor_is_the_mean_over_turns_and_exact_where_it_is_one() -> None:
    labels = fibre(16)
    labels[:5, :9] = 1
    found = homogenise_image(labels, SOFT_STIFF, fields=False).stiffness
    assert found is not None
    angle = np.deg2rad(np.arange(0, 180, 5))
    turned = np.mean([_turned(found.tensor, a) for a in angle], axis=0)
    near, again = (nearest_transversely_isotropic(t) for t in (found.tensor, turned))
    assert again.distance < 1e-12 < near.distance
    assert pytest.approx(again.E_T) == near.E_T and pytest.approx(again.G_L) == near.G_L
    assert near.nu_T == pytest.approx(near.E_T / (2 * near.G_T) - 1)
    # Young's modulus of a turned tensor along 1 is that of the tensor along the turned direction.
    (_, curve), *_ = directional(found.tensor, "stiffness", np.array([angle[7]]))
    assert curve[0] == pytest.approx(1 / np.linalg.inv(_turned(found.tensor, -angle[7]))[0, 0])


def _turned(c: np.ndarray, a: float) -> np.ndarray:
    """A Mandel stiffness turned by an angle about direction 3."""
    r = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    pairs = [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]
    q = np.zeros((6, 6))
    for m, (i, j) in enumerate(pairs):
        for n, (k, h) in enumerate(pairs):
            basis = np.zeros((3, 3))
            basis[k, h] = basis[h, k] = 1.0 if k == h else np.sqrt(0.5)
            q[m, n] = (r @ basis @ r.T)[i, j] * (1.0 if i == j else np.sqrt(2.0))
    turned: np.ndarray = q @ c @ q.T
    return turned


def test_a_python_sample_is_checked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no label"):
        sample_of(np.full((8, 8), 0.5), ["a"])
    with pytest.raises(InputError, match="linear laws"):
        homogenise_image(fibre(), {"a": sb.micro.PowerLaw("1 GPa", 0.3, "1 MPa", 0.2), "b": "void"})
