"""HDF5 volumes that are damaged: given up in time and refused in a sentence, whatever the library does with them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.microstructure.formats import probing

h5py = pytest.importorskip("h5py", reason="needs the extra hdf5")
GREY = np.random.default_rng(0).integers(0, 255, (5, 6, 7), dtype=np.uint8)


def volume(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file["im"] = GREY
        file["nothing"] = h5py.Empty("f8")
        file.create_dataset("scan/im", data=GREY[0], compression="gzip")
    return path


def test_a_dataset_without_a_value_beside_the_volume_is_no_damage(tmp_path: Path) -> None:
    np.testing.assert_array_equal(sb.microstructure.read_volume(volume(tmp_path / "a.h5")).values, GREY)


def test_a_volume_that_the_library_walks_for_ever_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "SECONDS", 0.01)
    with pytest.raises(sb.InputError, match=r"volume '.*a\.h5' is not read to its end in 0 s; it is damaged"):
        sb.microstructure.read_volume(volume(tmp_path / "a.h5"))


def test_a_volume_that_brings_the_library_down_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, -11, "", "")

    monkeypatch.setattr(subprocess, "run", killed)
    with pytest.raises(sb.InputError, match=r"volume '.*a\.h5' brings the HDF5 library down; it is damaged"):
        sb.microstructure.read_volume(volume(tmp_path / "a.h5"))


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_a_truncated_volume_is_refused(tmp_path: Path, share: float) -> None:
    content = volume(tmp_path / "a.h5").read_bytes()
    (tmp_path / "b.h5").write_bytes(content[: int(share * len(content))])
    with pytest.raises(sb.InputError, match=r"b\.h5' cannot be decoded .* truncated or damaged"):
        sb.microstructure.read_volume(tmp_path / "b.h5")
