"""Words of a command: which name programs, and that what they name tells a model from others."""

from __future__ import annotations

import functools
import os
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.models import Mpi, Program
from scalebridge.models.program import Limits, Pattern, carry_out, working_folder
from scalebridge.models.program.words import programs_among

ONE = np.array([[4.0]])


def made(command: Any, **settings: Any) -> Program:
    results = settings.pop("results", {"y": Pattern("stdout.txt", "y = {number}")})
    template = settings.pop("template", {"in": "{{ x }}"})
    return Program(command, {"x": "1"}, {"y": "1"}, results, template=template, **settings)


@pytest.mark.parametrize(
    ("words", "programs"),
    [
        (["solver", "out.txt"], {0}),
        (["python3", "-S", "run.py", "out.txt"], {2}),
        (["python3", "out.txt"], {1}),
        (["python3", "-c", "run.py"], set()),
        (["python3", "-m", "package", "out.txt"], set()),
        (["python3", "missing.py", "out.txt"], set()),
        (["mpirun", "-n", "4", "python3", "run.py", "out.txt"], {4}),
        (["mpirun", "-n", "4", "solver", "out.txt"], {3}),
        (["tool", "run.py", "out.txt", "all.bin"], set()),
        (["sh", "-c", "solver", "sh", "out.txt"], {2}),
    ],
)
def test_only_programs_and_scripts_are_looked_for_here(words: list[str], programs: set[int], tmp_path: Path) -> None:
    for name in ("solver", "run.py", "out.txt", "all.bin"):
        (tmp_path / name).write_text("#!/bin/sh\n" if name == "solver" else "1.0\n")
        # As where every file is executable.
        (tmp_path / name).chmod(0o755)
    assert programs_among(words, tmp_path) == programs


def changed(make: Callable[[], Program], change: Callable[[], object]) -> bool:
    before = make().identity()
    assert make().identity() == before
    change()
    return make().identity() != before


def test_whatever_file_a_command_names_tells_the_model_from_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("run.sh", "conf.ini", "data.bin"):
        Path(name).write_bytes(b"\0\1")
    Path("run.sh").write_text("#!/bin/sh\n")
    config = f"--c={tmp_path}/conf.ini"
    assert changed(lambda: made([Path("run.sh")]), lambda: Path("run.sh").write_text("#!/bin/sh\n# 2\n"))
    assert changed(lambda: made(["./run.sh"]), lambda: Path("run.sh").write_text("#!/bin/sh\n# 3\n"))
    assert changed(lambda: made(["true", config]), lambda: Path("conf.ini").write_text("2"))
    assert changed(lambda: made(["true", Path("data.bin")]), lambda: Path("data.bin").write_bytes(b"\0\2"))
    # A word that names a file of the working folder says nothing of the one here.
    assert not changed(lambda: made(["true", "conf.ini"]), lambda: Path("conf.ini").write_text("3"))


def test_modes_and_ways_of_bringing_a_file_tell_the_model_from_others(tmp_path: Path) -> None:
    file = tmp_path / "run.sh"
    file.write_text("echo {{ x }}")
    more = {"template": {"run.sh": file, "in": "{{ x }}"}}
    assert changed(lambda: made(["true"], **more), lambda: file.chmod(0o755))
    keys = [
        made(["true"], **more),
        made(["true"], verbatim=("*.sh",), **more),
        made(["true"], files=[file]),
        made(["true"], links=[file]),
    ]
    assert len({str(model.identity()) for model in keys[:2]}) == 2
    assert len({str(model.identity()) for model in keys[1:]}) == 2  # copied as it is, either way
    assert made(["true"]).identity() != made(["true"], launcher=Mpi(2)).identity()
    assert made(["true"]).identity() != made(["true"], threads=2).identity()


CODE = """
K = {k}
def helper(folder):
    return K * {factor}
class Reader:
    scale = 1.0
    unit = None
    def __init__(self, at): self.at = at
    def __repr__(self): return "Reader"
    def read(self, folder): return [helper(folder)]
def read(folder):
    return [helper(folder) for _ in range(1)][0]
def apart(folder):
    return 1.0
"""


def module(tmp_path: Path, name: str, k: float = 1.0, factor: float = 1.0) -> types.ModuleType:
    import importlib.util

    file = tmp_path / f"{name}.py"
    file.write_text(CODE.format(k=k, factor=factor))
    spec = importlib.util.spec_from_file_location("readers", file)
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_what_a_reader_calls_and_looks_up_in_its_file_tells_the_model_from_others(tmp_path: Path) -> None:
    same, constant, helper = (
        module(tmp_path, "a"),
        module(tmp_path, "b", k=2.0),
        module(tmp_path, "c", factor=2.0),
    )

    def key(reading: Any) -> str:
        return str(made(["true"], results={"y": reading}).identity())

    for read in (
        lambda m: m.read,
        lambda m: m.Reader(1),
        lambda m: functools.partial(m.read),
        lambda m: m.Reader(1).read,
    ):
        assert len({key(read(m)) for m in (same, constant, helper)}) == 3
        assert key(read(same)) == key(read(module(tmp_path, "d")))
    assert len({key(m.apart) for m in (same, constant, helper)}) == 1


class Living:
    """An object that changes as it is used."""

    def __init__(self) -> None:
        self.used = 0


LIVING = Living()


def test_an_object_that_lives_beside_a_reader_tells_nothing_apart() -> None:
    def read(folder: Path) -> float:
        LIVING.used += 1
        return 1.0

    model = made(["sh", "-c", "true"], results={"y": read})
    before = model.identity()
    assert model.run(ONE).ok.all() and LIVING.used == 1
    assert model.identity() == before


@dataclass(frozen=True)
class Own:
    """A parser that the user wrote."""

    unit: str | None = None
    scale = 1.0

    def read(self, folder: Path) -> Any:
        return np.array([self.scale])


def test_the_code_of_a_parser_of_one_s_own_tells_the_model_from_others(monkeypatch: pytest.MonkeyPatch) -> None:
    assert changed(lambda: made(["true"], results={"y": Own()}), lambda: monkeypatch.setattr(Own, "scale", 2.0))
    assert changed(
        lambda: made(["true"], results={"y": Own()}),
        lambda: monkeypatch.setattr(Own, "read", lambda self, folder: np.array([7.0])),
    )


def test_a_link_that_changes_is_said(tmp_path: Path) -> None:
    file = tmp_path / "ref.dat"
    file.write_text("original")
    model = made(["sh", "-c", "echo y = 1 | tee ref.dat"], links=[file])
    assert model.run(ONE).reason[0].startswith("'ref.dat' is linked, and its original was written to; bring it under")
    model = made(["sh", "-c", "echo y = 1"], links=[file])
    assert model.run(ONE).ok.all()
    file.write_text("another one")
    with pytest.raises(InputError, match="has changed since the model was made"):
        model.run(ONE)


def test_a_program_above_is_looked_for_here_and_not_above_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def program(path: Path, y: int) -> None:
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\necho y = {y}\n")
        path.chmod(0o755)

    program(tmp_path / "runs" / "bin" / "solver", 666)
    (tmp_path / "study").mkdir()
    monkeypatch.chdir(tmp_path / "study")
    model = made(["../bin/solver"], folder=tmp_path / "runs")
    with pytest.raises(InputError, match=r"The program '\.\./bin/solver' is neither in"):
        model.run(ONE)
    program(tmp_path / "bin" / "solver", 1)
    assert model.run(ONE).values.item() == 1


def test_a_path_that_comes_with_the_template_is_not_looked_for_on_the_path() -> None:
    script = "#!/bin/sh\necho y = 1\n"
    for given in (Path("./true"), Path("true")):
        model = made([given], template={"true": script, "in": "{{ x }}"})
        assert model.identity()["command"] == "[\"('./true',)\"]"
        with pytest.raises(InputError, match="not executable"):
            model.run(ONE)


def test_a_program_may_be_given_any_time(tmp_path: Path) -> None:
    with working_folder(tmp_path) as folder:
        for timeout in (3e6, 1e12, float("inf")):
            assert carry_out(["true"], folder, limits=Limits(timeout=timeout)).status == "ok"
    assert made(["sh", "-c", "echo y = 1"], timeout="30 day").run(ONE).ok.all()


def test_two_names_that_become_one_fail_the_row() -> None:
    template = {"f{{ a }}": "A", "./f{{ b }}": "B"}
    model = Program(
        ["sh", "-c", "echo y = 1"],
        {"a": "1", "b": "1"},
        {"y": "1"},
        {"y": Pattern("stdout.txt", "y = {number}")},
        template=template,
    )
    runs = model.run(np.array([[1.0, 2.0], [1.0, 1.0]]))
    assert runs.status.tolist() == ["ok", "failed"]
    assert runs.reason[1] == "two files of the template are called 'f1.0' at this input"


def test_an_input_stream_has_a_fixed_name_and_options_hold_no_option() -> None:
    with pytest.raises(InputError, match=r"is to read 'in\{\{ x \}\}', which is no file of its template, or none of"):
        made(["cat"], template={"in{{ x }}": "1"}, stdin="in{{ x }}")
    for text in (" -rf", "a -rf"):
        with pytest.raises(InputError, match="has a word that begins with '-'"):
            made(["echo", "{{ o }}"], options={"o": text})


def test_folders_that_are_linked_twice_are_both_brought(tmp_path: Path) -> None:
    case = tmp_path / "case"
    (case / "a").mkdir(parents=True)
    (case / "a" / "f").write_text("1")
    (case / "b").symlink_to("a")
    (case / "a" / "loop").symlink_to(case)
    (case / "in").write_text("{{ x }}")
    model = made(["sh", "-c", "cat a/f b/f && test ! -e a/loop/in && echo y = 1"], template=case)
    assert model.run(ONE).ok.all(), model.run(ONE).reason


def test_readers_of_several_files_travel_to_other_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import scalebridge as sb
    from scalebridge.campaign.executors import LocalProcessExecutor

    names = ("sb_reader_a", "sb_reader_b")
    for k, name in enumerate(names, 1):
        (tmp_path / f"{name}.py").write_text(
            f"def read(folder):\n    return {k} * float((folder / 'stdout.txt').read_text())\n"
        )
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(tmp_path))
        functions = [__import__(name).read for name in names]
    try:
        model = Program(["echo", "{{ x }}"], {"x": "1"}, {"a": "1", "b": "1"}, dict(zip("ab", functions, strict=True)))
        executor = LocalProcessExecutor(1)
        with sb.Campaign(model, executor=executor, retries=0) as campaign:
            runs = campaign.run(ONE, phase="try", why="two files")
        executor.shutdown()
        assert runs.values.tolist() == [[4.0, 8.0]], runs.reason
    finally:
        for name in names:
            sys.modules.pop(name, None)
    assert os.path.exists(tmp_path)
