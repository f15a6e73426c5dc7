"""A stand-in for LAMMPS where the real one is not the point."""

from pathlib import Path

import pytest

from scalebridge.simulators.lammps import Resources
from scalebridge.testing.lammps import fake_program


@pytest.fixture
def program(tmp_path: Path) -> Resources:
    """The stand-in, as a program and as a module."""
    folder = tmp_path / "program"
    folder.mkdir(exist_ok=True)
    return Resources(program=fake_program(folder), module="scalebridge.testing.lammps")
