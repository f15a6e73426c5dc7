"""The composite study runs to its asserted numbers and leaves one page; its parts do what they say."""

import runpy
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import scalebridge as sb

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "composite_properties"
PARTS = ("slices", "components", "learned", "fused", "strength", "printed", "page")


@pytest.fixture(autouse=True)
def beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of the example is on the path, as when its script runs, and its modules are forgotten afterwards."""
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in PARTS:
        monkeypatch.delitem(sys.modules, name, raising=False)


def part(name: str) -> ModuleType:
    import importlib

    return importlib.import_module(name)


@pytest.mark.timeout(900)
def test_the_study_ends_in_its_numbers_and_one_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SCALEBRIDGE_EXTRA_DATA", raising=False)
    monkeypatch.setattr(sys, "argv", ["composite_properties.py", str(tmp_path / "page.html")])
    ended = runpy.run_path(str(FOLDER / "composite_properties.py"), run_name="__main__")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 5 and "http://" not in page.replace("http://www.w3.org", "")
    assert "virtual" in page and "model inadequacy" in page and "row by row" in page
    said = capsys.readouterr().out
    assert "not averaged away" in said and "no inadequacy is shown" in said
    # Parts of the interval are each smaller than all together.
    answer = ended["answers"]["deflection"]
    assert max(answer.parts.values()) < answer.half_width < sum(answer.parts.values())


def test_windows_of_a_generated_slice_have_the_density_that_was_drawn() -> None:
    learned = part("learned")
    images = learned.generated(3)
    assert images.shape == (4, 64, 64) and 0.42 < images.mean() < 0.71
    assert np.array_equal(images, learned.generated(3))


def test_a_virtual_specimen_is_described_by_finite_numbers() -> None:
    learned = part("learned")
    found = learned.described(learned.generated(5))
    assert found.shape == (4, len(learned.DESCRIPTORS)) and np.isfinite(found).all()
    assert found[:, 0] == pytest.approx(learned.generated(5).mean(axis=(1, 2)))


def test_run_outs_count_as_at_least_their_cycles() -> None:
    strength = part("strength")
    lives = strength.coupons()
    assert (lives.censored == 0).sum() == 18 and (lives.censored == 1).sum() == 4 and "run-outs" in lives.note
    found = strength.fatigue(lives)
    assert found.groups < found.rows and found.error < found.spread and found.unit == "decades"


def test_an_error_that_both_ways_share_is_named_in_both() -> None:
    fused = part("fused")
    parts = dict.fromkeys(("windows", "segmentation", "pixels", "constituents"), 0.5)
    ways = [
        sb.bridge.Estimate(16.0, name=n, parts={**parts, **own})
        for n, own in (("physics", {}), ("learning", {"learning": 1.0}))
    ]
    assert fused.held_against(*ways, np.array([15.0, 16.0, 17.0])).correlation == pytest.approx(1.0 / 2.0**0.5)


def test_the_page_and_the_benchmark_have_one_band() -> None:
    from benchmarks._cf_peek import HERE, creep_part

    creep, told = part("printed").crept(), creep_part(HERE)
    assert creep.inside == told["share_inside"]
    assert creep.inside_by_scatter == told["share_inside_by_scatter_alone"]["recovery"]


def test_the_tables_follow_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    strength = part("strength")
    monkeypatch.setenv("SCALEBRIDGE_EXTRA_DATA", str(tmp_path))
    assert strength.birch() == []


def test_a_stiffer_resin_makes_a_panel_that_bends_less() -> None:
    components, slices = part("components"), part("slices")
    images = part("learned").generated(1)[:2]
    soft, stiff = (
        components.panel(slices.ply_of(slices.mean_of(slices.constants(images, slices.Constituents(epoxy=e)))))
        for e in (2.0, 4.0)
    )
    assert stiff.deflection(1e3) < soft.deflection(1e3)
