"""Where OpenFOAM is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scalebridge.errors import InputError
from scalebridge.simulators.openfoam import find_installation, installation


def test_the_environment_that_is_loaded_comes_first(fake: Path) -> None:
    found = find_installation()
    assert found.label == "the OpenFOAM that is loaded"
    assert found.program("blockMesh") == str(fake / "bin" / "blockMesh")


def test_the_release_is_what_the_programs_say_and_unknown_without_them(
    fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert installation.release() == "1912"
    for words, told in (
        ("Using: OpenFOAM-v2312 (2312) - visit", "v2312"),
        ("Using: OpenFOAM-11 (see", "11"),
        ("", "unknown"),
    ):
        (fake / "bin" / "blockMesh").write_text(f"#!/bin/sh\necho '{words}'\n")
        assert installation.release() == told
    (fake / "bin" / "blockMesh").write_bytes(bytes(range(256)))
    assert installation.release() == "unknown"
    monkeypatch.setenv("PATH", str(fake))
    monkeypatch.setattr(installation, "_VENDORS", ())
    assert installation.release() == "unknown"


def test_debian_is_told_where_its_files_are(fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WM_PROJECT_DIR")
    monkeypatch.setattr(installation, "_DEBIAN", fake)
    found = find_installation()
    assert found.label == "Debian's package" and found.environment["WM_PROJECT_DIR"] == str(fake)


def test_the_settings_of_a_vendor_are_read_from_its_newest_release(
    no_openfoam: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("openfoam2112", "openfoam2312"):
        place = tmp_path / "opt" / name
        (place / "etc").mkdir(parents=True)
        (place / "bin").mkdir()
        (place / "bin" / "blockMesh").write_text("#!/bin/sh\n")
        (place / "bin" / "blockMesh").chmod(0o755)
        (place / "etc" / "bashrc").write_text(f'export WM_PROJECT_DIR={place}\nexport PATH="{place}/bin:$PATH"\n')
    monkeypatch.setattr(installation, "_VENDORS", ((str(tmp_path / "opt"), "openfoam*"),))
    monkeypatch.setenv("PATH", f"{tmp_path / 'empty'}:/usr/bin:/bin")
    monkeypatch.setattr(installation, "_DEBIAN", tmp_path / "none")
    if (Path("/usr/bin/blockMesh")).exists():
        monkeypatch.setenv("PATH", _without_openfoam(tmp_path))
    found = find_installation()
    assert found.label == str(tmp_path / "opt" / "openfoam2312")
    assert found.environment["WM_PROJECT_DIR"].endswith("openfoam2312")
    assert found.program("blockMesh").endswith("openfoam2312/bin/blockMesh")


def test_none_at_all_is_one_sentence_with_what_to_do(no_openfoam: None) -> None:
    with pytest.raises(InputError, match="apt-get install openfoam"):
        find_installation()


def test_a_program_that_is_no_part_of_it_is_said(fake: Path) -> None:
    with pytest.raises(InputError, match="'simpelFoam' is not in"):
        find_installation().program("simpelFoam")


def test_open_mpi_may_run_as_root_where_we_are(fake: Path) -> None:
    assert (find_installation().environment.get("OMPI_ALLOW_RUN_AS_ROOT") == "1") == (os.geteuid() == 0)


def _without_openfoam(tmp_path: Path) -> str:
    """A PATH with the few programs that reading a vendor's settings takes."""
    place = tmp_path / "tools"
    place.mkdir()
    for name in ("bash", "env"):
        (place / name).symlink_to(f"/usr/bin/{name}")
    return str(place)
