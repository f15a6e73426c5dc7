"""Mechanical APDL run as a program: an input file with placeholders, in a working folder for each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scalebridge.errors import InputError
from scalebridge.models import Scale
from scalebridge.models.program import NoValue, Program
from scalebridge.models.program.results import described
from scalebridge.quantities import Floats
from scalebridge.simulators.ansys.output import errors_of, reason
from scalebridge.simulators.ansys.script import file_of

# Mechanical APDL Operations Guide, "Program exit codes": 0 and 8 are the ends of a run; what else went wrong stands
# in its output, which says it in words.
_CODES = (0, 8)
_INPUT = "in.dat"


@dataclass(frozen=True, repr=False)
class WithoutErrors:
    """A parser that reads only where there is an output of ANSYS, and it tells of no error.

    Args:
        reading: a parser or a function of the folder.
        output: name of the output file.
    """

    reading: Any
    output: str = "out.txt"

    def __repr__(self) -> str:
        return f"WithoutErrors({described(self.reading)}, {self.output!r})"

    @property
    def unit(self) -> str | None:
        """Unit that the file is in."""
        return getattr(self.reading, "unit", None)

    def read(self, folder: Path) -> Floats:
        """Return the numbers; raise `NoValue` with the first error, and without an output."""
        file = folder / self.output
        if not file.is_file() or not file.stat().st_size:
            raise NoValue(f"ANSYS wrote nothing to '{self.output}', which would tell of errors")
        found = errors_of(file)
        if found:
            more = f" (and {len(found) - 1} more errors)" if len(found) > 1 else ""
            raise NoValue(f"ANSYS says in '{self.output}': {reason(found[0])}{more}")
        values: Floats = self.reading.read(folder) if hasattr(self.reading, "read") else self.reading(folder)
        return values


def apdl(
    script: str | Path,
    inputs: Any,
    outputs: Any,
    results: Mapping[str, Any],
    *,
    command: Sequence[str | Path] = ("ansys", "-b", "-i", _INPUT),
    output: str = "out.txt",
    options: Mapping[str, str | float] | None = None,
    files: Any = (),
    timeout: float | str | None = None,
    memory: float | str | None = None,
    environment: Mapping[str, str] | None = None,
    folder: str | Path | None = None,
    keep: str = "never",
    name: str = "",
    version: str = "1",
    scale: Scale | None = None,
) -> Program:
    """Mechanical APDL in batch as a `Program`: ``ansys -b -i in.dat``, or with ``-o out.txt`` if the command says so.

    Never run against a licence by its authors.

    Args:
        script: the input file, or its text (with a line break); ``{{ thickness [mm] }}`` becomes the input in mm.
        inputs: space or mapping.
        outputs: space or mapping.
        results: from each output to a parser (`Pattern`, `Csv`, ...) or a function of the folder, such as one that
            reads ``file.rst`` by `read_results`.
        command: the program and its arguments; the input file is ``in.dat`` in the working folder. Without ``-o``
            what it says goes to ``output`` all the same, and its last words into the reason of a row that fails.
        output: file to which the program writes what it says, unless ``-o`` in the command names another one; a line
            ``*** ERROR ***`` in it fails the row, and so does an absent or empty one.
        options: fixed values of further placeholders.
        files: files copied into the working folder.
        timeout: seconds of a row, or a text such as ``"10 min"``.
        memory: bytes of each process, or a text.
        environment: variables, such as that of the licence server.
        folder: where working folders are made.
        keep: working folders that stay: ``never``, ``failed`` or ``always``.
        name: for people.
        version: raise it when the results change.
        scale: extent and grain.

    Raises:
        InputError: no such file, an output outside of the working folder, a placeholder that no input fills, and what
            else `Program` refuses.
    """
    file = file_of(script)
    if file and not file.is_file():
        raise InputError(f"There is no APDL input file '{script}'; give its path, or its text.")
    text = file.read_text(encoding="utf-8", errors="surrogateescape") if file else str(script)
    told, stdout = _outputs([str(word) for word in command], output)
    readings: dict[str, Callable[..., Any] | WithoutErrors] = {k: WithoutErrors(r, told) for k, r in results.items()}
    return Program(
        command,
        inputs,
        outputs,
        readings,
        template={_INPUT: text},
        options=dict(options or {}),
        files=files,
        stdout=stdout,
        exit_codes=_CODES,
        timeout=timeout,
        memory=memory,
        environment=dict(environment or {}),
        folder=folder,
        keep=keep,
        name=name or (file.stem if file else "apdl"),
        version=version,
        scale=scale,
    )


def _outputs(command: Sequence[str], output: str) -> tuple[str, str]:
    """The file that tells of errors, and the one that takes what the program prints.

    Raises:
        InputError: one outside of the working folder.
    """
    named = _named_output(command)
    told = output if named is None else named
    if Path(told).is_absolute() or ".." in Path(told).parts:
        raise InputError(f"The output '{told}' of ANSYS lies outside of the working folder; name a file in it.")
    return told, told if named is None else f"stdout-of-{Path(told).name}"


def _named_output(command: Sequence[str]) -> str | None:
    """The file that ``-o`` names, as a word of its own or glued to it; None without ``-o``."""
    for word, following in zip(command, [*command[1:], ""], strict=True):
        if word == "-o":
            return following or None
        if word.startswith("-o"):
            return word[2:]
    return None
