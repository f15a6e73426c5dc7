"""The plates: pictures hold what the numbers say, the field is the solver's, and the example ends in its numbers."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "plate_temperature"


@pytest.fixture(scope="module")
def plates() -> dict[str, Any]:
    return runpy.run_path(str(FOLDER / "plate.py"))


def test_without_heat_no_place_is_warmer_or_colder_than_the_corners(plates: dict[str, Any]) -> None:
    found = plates["plate"].run(np.array([[290.0, 310.0, 340.0, 300.0, 0.0, 0.05, 0.05]])).values[0]
    assert found[0] == pytest.approx(340.0)
    assert found[2:].min() == pytest.approx(290.0)
    assert 300.0 < found[1] < 320.0


def test_the_field_lies_as_its_pictures_do(plates: dict[str, Any]) -> None:
    x = np.array([[290.0, 320.0, 350.0, 300.0, 1e7, 0.03, 0.06]])
    n = plates["NODES"]
    field = plates["plate"].run(x).values[0, 2:].reshape(n, n)
    edge, heat = plates["pictures"](x)[0].reshape(2, n, n)
    rim = np.ones((n, n), dtype=bool)
    rim[1:-1, 1:-1] = False
    np.testing.assert_allclose(field[rim], edge[rim] + plates["COLD"], rtol=1e-9)
    # Row 0 is the top: the corners stand as in a picture.
    assert [field[-1, 0], field[-1, -1], field[0, 0], field[0, -1]] == pytest.approx([290.0, 320.0, 350.0, 300.0])
    apart = np.subtract(np.unravel_index(field.argmax(), field.shape), np.unravel_index(heat.argmax(), heat.shape))
    assert np.abs(apart).max() <= 1


@pytest.mark.timeout(600)
def test_the_example_ends_in_its_numbers_and_one_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    monkeypatch.setattr(sys, "argv", ["plate_temperature.py", str(page)])
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    try:
        runpy.run_path(str(FOLDER / "plate_temperature.py"), run_name="__main__")
    finally:
        for name in ("plate_page", "plate"):
            if name not in before:
                sys.modules.pop(name, None)
    text = page.read_text(encoding="utf-8")
    assert text.count("<svg") == 3 and "nan" not in text
    assert "90 % interval" in capsys.readouterr().out
