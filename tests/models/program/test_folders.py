"""Working folders: one per attempt, and none left."""

from __future__ import annotations

import dataclasses
import os
import re
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scalebridge.errors import InfrastructureError, InputError
from scalebridge.models.program import Json, Program, working_folder
from scalebridge.models.program.folders import check_keep, remove_folder, sweep


def test_a_folder_is_private_empty_and_gone_afterwards(tmp_path: Path) -> None:
    with working_folder(tmp_path, name="my run") as folder:
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
        assert list(folder.path.iterdir()) == []
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text("x")
        assert "my_run" in folder.path.name
    assert list(tmp_path.iterdir()) == []


def test_a_long_name_is_cut(tmp_path: Path) -> None:
    with working_folder(tmp_path, name="n" * 300) as folder:
        assert folder.path.is_dir()


def test_two_attempts_never_share_a_folder(tmp_path: Path) -> None:
    with working_folder(tmp_path) as one, working_folder(tmp_path) as two:
        assert one.path != two.path


def test_the_system_s_folder_for_temporary_files_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with working_folder() as folder:
        assert folder.path.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_failed_attempt_is_kept_where_it_said_it_would_be(tmp_path: Path) -> None:
    with working_folder(tmp_path, keep="failed") as folder:
        (folder / "log").write_text("why")
        folder.failed()
    assert list(tmp_path.iterdir()) == [folder.kept]
    assert (folder.kept / "log").read_text() == "why"


def test_one_that_did_not_fail_is_not_kept(tmp_path: Path) -> None:
    with working_folder(tmp_path, keep="failed"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_error_inside_counts_as_a_failure_and_an_interruption_does_not(tmp_path: Path) -> None:
    with pytest.raises(ValueError), working_folder(tmp_path, keep="failed") as folder:
        raise ValueError
    assert folder.kept.is_dir()
    remove_folder(folder.kept)
    with pytest.raises(KeyboardInterrupt), working_folder(tmp_path, keep="failed"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("keep", "said"),
    [
        ("fail", "The model 'bar' was given keep='fail'; did you mean 'failed'?"),
        (True, "The model 'bar' was given keep=True; valid: never, failed, always."),
        (None, "keep=None; valid"),
    ],
)
def test_a_keep_that_is_none_is_refused_with_those_that_are(keep: Any, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        check_keep(keep, "The model 'bar'")


def test_always_keeps(tmp_path: Path) -> None:
    with working_folder(tmp_path, keep="always") as folder:
        assert folder.path == folder.kept
    assert folder.kept.is_dir()


def test_what_a_program_made_read_only_goes_too(tmp_path: Path) -> None:
    with working_folder(tmp_path) as folder:
        (folder / "locked" / "inner").mkdir(parents=True)
        (folder / "locked" / "inner" / "file").write_text("x")
        os.chmod(folder / "locked" / "inner", 0o000)
        os.chmod(folder / "locked", 0o500)
    assert list(tmp_path.iterdir()) == []


def test_folders_within_folders_go_however_deep_they_are() -> None:
    script = "import os\nfor _ in range(2000):\n    os.mkdir('d'); os.chdir('d')\nprint('y = {{ x }}')"
    model = Program([sys.executable, "-S", "-c", script], {"x": "1"}, {"y": "1"}, {"y": Json("none.json", "y")})
    with tempfile.TemporaryDirectory() as root:
        runs = dataclasses.replace(model, folder=root).run(np.array([[1.0]]))
        assert runs.status.tolist() == ["failed"] and os.listdir(root) == []


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("x")
    with working_folder(tmp_path) as folder:
        (folder / "link").symlink_to(tmp_path / "precious")
    assert (tmp_path / "precious" / "file").read_text() == "x"


def test_folders_of_processes_that_are_gone_are_swept_and_no_others(tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom scalebridge.models.program import folders\n"
        "folders.WATCHDOG.add_folder = lambda folder: None\n"
        "both = [folders.working_folder(sys.argv[1], keep) for keep in ('never', 'always')]\n"
        "[one.__enter__() for one in both]\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert len(list(tmp_path.iterdir())) == 2
    (tmp_path / "scalebridge-mine").mkdir()
    with working_folder(tmp_path) as folder:
        left = {p.name for p in tmp_path.iterdir()}
        assert folder.path.name in left and "scalebridge-mine" in left
        # Ours, the user's, and the one that was to be kept always.
        assert len(left) == 3
        assert sweep(tmp_path) == []


def test_a_stale_name_that_is_a_link_is_left_alone(tmp_path: Path) -> None:
    with working_folder(tmp_path) as folder:
        stale = folder.path.name.replace(f"-{os.getpid()}-", "-999999999-")
    (tmp_path / "precious").mkdir()
    (tmp_path / stale).symlink_to(tmp_path / "precious")
    assert sweep(tmp_path) == []
    (tmp_path / stale).unlink()
    (tmp_path / stale).mkdir()
    assert sweep(tmp_path) == [tmp_path / stale]


def test_a_root_that_is_a_file_and_a_keep_that_is_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="a file is in its way"), working_folder(tmp_path / "file"):
        pass
    with pytest.raises(InputError, match="did you mean 'failed'"), working_folder(tmp_path, keep="fail"):
        pass


def test_a_root_where_nothing_can_be_made_is_an_infrastructure_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", full)
        with pytest.raises(InfrastructureError, match="No space left on device"), working_folder(tmp_path):
            pass


def test_a_folder_of_another_space_of_processes_or_another_machine_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scalebridge.models.program import folders

    with working_folder(tmp_path) as folder:
        # As a container of the same name sees it, where the number of our process is another's, or nobody's.
        monkeypatch.setattr(folders, "_start_of", lambda process: -1)
        for name, value in (("_processes", 1), ("_boot", "another")):
            with monkeypatch.context() as patch:
                patch.setattr(folders, name, lambda value=value: value)
                folders._prefix.cache_clear()
                assert sweep(tmp_path) == []
            folders._prefix.cache_clear()
        assert sweep(tmp_path) == [folder.path]
