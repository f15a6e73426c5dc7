"""``scalebridge wrap``: a first model of a program, from an example of its input."""

from __future__ import annotations

import contextlib
import glob
import shutil
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from scalebridge.cli.adapter import Wrapped, adapter_text, study_text
from scalebridge.cli.surface import DONE, NOT_CONVERGED
from scalebridge.errors import InfrastructureError, InputError, did_you_mean, printable
from scalebridge.models.program import Limits, carry_out, working_folder
from scalebridge.models.program.parsers.files import names_in
from scalebridge.models.program.proposals import Found, Proposed, inputs_in, results_in, with_placeholders
from scalebridge.models.program.proposals.names import identifier
from scalebridge.models.program.words import named_by, programs_among

# A file above this is no input that someone has written.
_LARGEST = 4 << 20
# How many results a first model has, and how many more it shows.
_ACTIVE = 8
_SHOWN = 12
# What the adapter itself takes to start, above the time of its program.
_STARTS_S = 10.0
STDOUT = "stdout.txt"


@dataclass(frozen=True)
class Request:
    """What is to be wrapped.

    Args:
        program: the program and its arguments.
        example: an input file that it has run with.
        output: files that it writes; all where not given.
        bring: further files and folders that it needs.
        vary: names of the numbers that become inputs.
        run: whether to run it once with the example.
        stdin: whether it reads the example as its input stream.
        timeout: seconds that run may take.
        directory: where the model is written.
    """

    program: list[str]
    example: Path
    output: list[str]
    bring: list[Path]
    vary: list[str]
    run: bool
    stdin: bool
    timeout: float
    directory: Path | None


def wrap_program(request: Request) -> int:
    """Write a template, an adapter and a study for a program; never over files that are there.

    Raises:
        InputError: an example that cannot be read or holds no numbers, a program that fails on it.
    """
    text = _example_text(request.example)
    found = inputs_in(text)
    chosen = _chosen(found, request)
    name = identifier(Path(named_by(request.program, Path())).stem, ()).lower()
    directory = request.directory or Path(f"{name}_model")
    targets = [directory / f"{name}_model.py", directory / "study.toml", directory / "template"]
    there = [str(target) for target in targets if target.exists()]
    if there:
        raise InputError(f"{', '.join(there)} is there already; give another folder by --out.")
    command = _command(request)
    # What the program only repeats of its input is no result.
    results = [r for r in _results(request, command) if (r.name, r.value) not in {(f.name, f.value) for f in found}]
    if not results:
        raise InputError(
            "What the program writes holds no number with a name before it, in a column or under a key; write the "
            "adapter by hand, with a function of the folder that returns the results."
        )
    likely = [r for r in results if r.is_likely] or results
    others = [r for r in results if r not in likely[:_ACTIVE]]
    wrapped = Wrapped(
        name=name,
        command=tuple(command),
        inputs=tuple(chosen),
        numbers=tuple(found),
        results=tuple(likely[:_ACTIVE]),
        others=tuple(others[:_SHOWN]),
        example=request.example.name,
        stdin=request.stdin,
        verbatim=tuple(f"{glob.escape(file.name)}{'/*' if file.is_dir() else ''}" for file in request.bring),
    )
    _write(targets, wrapped, with_placeholders(text, chosen), request)
    _tell(wrapped, len(others), targets)
    code = _tried(targets[0], request.timeout) if request.run else DONE
    print(f"next: edit names, units and bounds in {targets[0]}, then: python {targets[0]}")
    return code


def _example_text(example: Path) -> str:
    if not example.is_file():
        raise InputError(f"There is no file '{example}'; give --input an input file that the program has run with.")
    if example.stat().st_size > _LARGEST:
        raise InputError(
            f"'{example}' is larger than {_LARGEST >> 20} MiB; bring data by --file and wrap the small one."
        )
    content = example.read_bytes()
    if b"\0" in content:
        raise InputError(f"'{example}' is no text (it holds a byte 0); give --input a text that you edit.")
    # Bytes of another code, as of a degree sign in a comment, come through as they are.
    text = content.decode("utf-8", "surrogateescape")
    if "{{" in text:
        raise InputError(f"'{example}' holds '{{{{' already, the sign of a placeholder; use it as a template by hand.")
    return text


def _chosen(found: Sequence[Found], request: Request) -> list[Found]:
    names = [f.name for f in found]
    for name in request.vary:
        if name not in names:
            raise InputError(f"'{request.example}' has no number called '{name}'{did_you_mean(name, names)}")
    if request.vary:
        return [f for f in found if f.name in request.vary]
    # Counts of steps and cells stay as they are, unless there is nothing else.
    chosen = [f for f in found if not f.is_whole] or list(found)
    if not chosen:
        raise InputError(
            f"'{request.example}' holds no number with a name before it (name = 1.0, name 1.0, \"name\": 1.0, "
            "<name>1.0</name>); write {{ name }} where an input belongs and use it as a template by hand."
        )
    return chosen


def _command(request: Request) -> list[str | Path]:
    """The command as it is in a working folder: brought files by their name there, programs by their whole path."""
    words: list[str | Path] = []
    programs = programs_among(request.program, Path())
    for i, word in enumerate(request.program):
        head, sign, tail = word.rpartition("=")
        if sign and head.startswith("-") and _is_same(tail, request.example):
            words.append(f"{head}={request.example.name}")
        elif _is_same(word, request.example):
            words.append(request.example.name)
        elif any(_is_same(word, file) for file in request.bring):
            words.append(Path(word).name)
        else:
            words.append(Path(word).absolute() if i in programs else word)
    return words


def _is_same(word: str, file: Path) -> bool:
    return bool(word) and Path(word).exists() and file.exists() and Path(word).samefile(file)


def _results(request: Request, command: list[str | Path]) -> list[Proposed]:
    if request.run:
        return _results_of_a_run(request, command)
    if not request.output:
        raise InputError(
            "What the program writes is not known; add --run to try it, or --output FILE of a run you had."
        )
    results: list[Proposed] = []
    for name in request.output:
        if not Path(name).is_file():
            raise InputError(f"There is no file '{name}'; add --run to have the program write it.")
        results += results_in(Path(name).parent, [Path(name).name])
    return results


def _results_of_a_run(request: Request, command: list[str | Path]) -> list[Proposed]:
    with working_folder(name="wrap") as folder:
        shutil.copy2(request.example, folder.path)
        for file in request.bring:
            _bring(file, folder.path)
        before = {*names_in(folder.path)}
        ended = carry_out(
            command,
            folder,
            limits=Limits(timeout=request.timeout),
            stdin=folder / request.example.name if request.stdin else None,
            log=STDOUT,
        )
        if ended.status != "ok":
            raise InputError(
                f"The program failed on its example: {ended.reason}. It ran in an empty folder beside "
                f"'{request.example.name}'; bring what else it needs by --file{_perhaps(command, before)}."
            )
        written = [name for name in names_in(folder.path) if name not in before]
        for name in request.output:
            if not (folder / name).is_file():
                raise InputError(f"The program wrote no file '{name}'{did_you_mean(name, written)}")
        # Files of results say more than what is printed beside them.
        names = request.output or [*(n for n in written if n != STDOUT), STDOUT]
        return results_in(folder.path, names)


def _perhaps(command: list[str | Path], brought: Collection[str]) -> str:
    """The words of a command that name files here which were not brought, as it may be meant to read them."""
    here = [word for word in command if isinstance(word, str) and Path(word).is_file() and word not in brought]
    return f" ({', '.join(here)}?)" if here else ""


def _bring(file: Path, folder: Path) -> None:
    if not file.exists():
        raise InputError(f"There is no file or folder '{file}' to bring.")
    if file.is_dir():
        shutil.copytree(file, folder / file.name)
    else:
        shutil.copy2(file, folder)


def _write(targets: list[Path], wrapped: Wrapped, template: str, request: Request) -> None:
    adapter, study, folder = targets
    try:
        folder.mkdir(parents=True)
        (folder / wrapped.example).write_bytes(template.encode("utf-8", "surrogateescape"))
        for file in request.bring:
            _bring(file, folder)
        adapter.write_text(adapter_text(wrapped), encoding="utf-8")
        study.write_text(study_text(wrapped), encoding="utf-8")
    except (OSError, InputError) as error:
        for target in targets:
            shutil.rmtree(target, ignore_errors=True)
            with contextlib.suppress(OSError):
                target.unlink()
        if isinstance(error, InputError):
            raise
        raise InfrastructureError(f"'{folder.parent}' cannot be written: {error.strerror}.") from error


def _tell(wrapped: Wrapped, n_others: int, targets: Sequence[Path]) -> None:
    print(f"inputs, from {wrapped.example}:")
    for found in wrapped.inputs:
        print(f"  {found.name} = {found.value:g} [{found.unit}], line {found.line}")
    others = [f.name for f in wrapped.numbers if f not in wrapped.inputs]
    if others:
        print(f"  left as they are: {', '.join(others)} (--vary NAME makes an input of one)")
    print("outputs:")
    for result in wrapped.results:
        print(f"  {result.name} = {result.value:g}, in {printable(getattr(result.parser, 'file', ''))}")
    if n_others:
        print(f"  further numbers: {n_others}, the first of them as comments in {targets[0].name}")
    adapter, study, folder = targets
    print(f"wrote {adapter}, {folder / wrapped.example}, {study}")


def _tried(adapter: Path, timeout: float) -> int:
    """Run the adapter that was written, as its user will."""
    ended = carry_out([sys.executable, adapter.absolute()], adapter.parent, limits=Limits(timeout=timeout + _STARTS_S))
    if ended.status != "ok":
        print(f"the adapter was written, but its first run failed: {ended.reason}")
        return NOT_CONVERGED
    print("the adapter, run once with the example:")
    for line in ended.tail.splitlines():
        print(f"  {line}")
    return DONE
