"""The example of the Lennard-Jones viscosity ends in its asserted number, in few lines, within seconds."""

import runpy
import sys
from pathlib import Path

import pytest

from scalebridge.errors import InputError
from scalebridge.simulators.lammps.library import find_program

pytestmark = pytest.mark.adapters

FILE = Path(__file__).resolve().parents[3] / "examples" / "lennard_jones_viscosity" / "lennard_jones_viscosity.py"


def test_the_short_run_holds_the_published_viscosity(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        find_program()
    except InputError as error:
        pytest.skip(str(error))
    monkeypatch.setattr(sys, "argv", [str(FILE), "--short"])
    ended = runpy.run_path(str(FILE), run_name="__main__")
    assert ended["low"] < 3.258 < ended["high"]
    assert "Green-Kubo time cut-off ±" in capsys.readouterr().out


def test_the_user_writes_at_most_ten_lines_before_the_number_is_printed() -> None:
    lines = FILE.read_text(encoding="utf-8").split("print(state)")[0].splitlines()
    assert len([line for line in lines if line.strip() and not line.startswith("#")]) <= 10
