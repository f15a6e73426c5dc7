"""The example of short fibres runs, and its own check of the modulus holds."""

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "short_fibre_peek" / "short_fibre_peek.py"


def test_the_example_of_short_fibres_ends_in_its_number(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(SCRIPT), run_name="__main__")
    assert "E along the beads" in capsys.readouterr().out
