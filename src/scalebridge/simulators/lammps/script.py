"""A LAMMPS input script: its commands, the variables it takes and the files it reads."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from scalebridge.errors import InputError, did_you_mean
from scalebridge.simulators.lammps.unit_styles import UNIT_STYLES

# Styles of variables that LAMMPS does not set anew when they exist; one given from outside wins.
_KEPT = ("index", "loop", "world", "universe", "uloop", "string", "getenv", "file", "atomfile")
# Commands that name what they write, and keywords of others before such a name.
_WRITING = ("dump", "log", "print", "restart", "write_coeff", "write_data", "write_dump", "write_restart")
_WRITTEN_AFTER = ("file", "append", "overwrite")
_MOST_BYTES = 16 << 20


@dataclass(frozen=True)
class Command:
    """One command of a script.

    Args:
        line: number of its first line, from 1.
        text: the command on one line, without comment and continuation signs.
    """

    line: int
    text: str

    @property
    def words(self) -> list[str]:
        """Its words, quotes taken off."""
        return [w.strip("\"'") for w in self.text.split()]


@dataclass(frozen=True)
class Script:
    """An input script; made by `read_script`.

    Args:
        text: the whole script.
        name: its file name.
        folder: where the files it reads lie; ``None`` for a script given as text.
    """

    text: str
    name: str = "script.in"
    folder: Path | None = None

    @cached_property
    def commands(self) -> tuple[Command, ...]:
        """Its commands in order, comments left out, lines that end in ``&`` joined."""
        return tuple(_commands(self.text))

    @property
    def units(self) -> str:
        """Its ``units`` style; ``lj`` where it sets none, as in LAMMPS.

        Raises:
            InputError: a style that LAMMPS does not know.
        """
        for command in self.commands:
            if command.words[0] == "units" and len(command.words) > 1:
                style = command.words[1]
                if "$" in style:
                    raise InputError(
                        f"Line {command.line} of '{self.name}' takes its units from a variable, so they are not known "
                        f"before the run; say units=... (valid: {', '.join(UNIT_STYLES)})."
                    )
                if style not in UNIT_STYLES:
                    raise InputError(
                        f"Line {command.line} of '{self.name}' sets units '{style}'{did_you_mean(style, UNIT_STYLES)}"
                    )
                return style
        return "lj"

    @property
    def variables(self) -> list[str]:
        """Names of the variables it sets or uses."""
        set_here = [c.words[1] for c in self.commands if c.words[0] == "variable" and len(c.words) > 1]
        used = re.findall(r"\$\{(\w+)\}|\$(\w)|\bv_(\w+)", "\n".join(c.text for c in self.commands))
        return sorted({*set_here, *(a or b or c for a, b, c in used)})

    def check_variable(self, name: str) -> None:
        """Raise `InputError` unless a value given from outside reaches the script under this name."""
        includes = any(
            c.words[0] == "include" or (c.words[0] == "jump" and "SELF" not in c.words) for c in self.commands
        )
        if name not in self.variables and not includes:
            raise InputError(
                f"The script '{self.name}' has no variable '{name}'{did_you_mean(name, self.variables)} "
                f"Write ${{{name}}} where the value belongs."
            )
        for command in self.commands:
            words = command.words
            if words[:2] == ["variable", name] and len(words) > 2 and words[2] not in (*_KEPT, "delete"):
                raise InputError(
                    f"Line {command.line} of '{self.name}' sets the variable '{name}' with the style '{words[2]}', "
                    f"which overwrites a value given from outside; write 'variable {name} index ...' for its default."
                )

    def files(self) -> dict[str, Path]:
        """Return the files beside the script that its commands name: name -> path."""
        if self.folder is None:
            return {}
        found: dict[str, Path] = {}
        for command in self.commands:
            for word in _read_by(command):
                path = self.folder / word
                if word not in (".", self.name) and path.is_file():
                    found[word] = path
        return found

    def line_of(self, text: str) -> int | None:
        """Return the line of the command that reads like ``text``, with variables replaced or not."""
        wanted = " ".join(text.split("#")[0].split())
        for command in self.commands:
            if " ".join(command.text.split()) == wanted:
                return command.line
        for command in self.commands:
            parts = re.split(r"\$\{\w+\}|\$\w|\$\([^)]*\)", " ".join(command.text.split()))
            if len(parts) > 1 and re.fullmatch(".*".join(map(re.escape, parts)), wanted):
                return command.line
        return None


def read_script(given: str | Path) -> Script:
    """Return a script from a file, or from its text (which has more than one line).

    Raises:
        InputError: no such file, one that is no text, or an empty script.
    """
    if isinstance(given, str) and "\n" in given:
        made = Script(given)
    else:
        made = _from_file(Path(given))
    if not made.commands:
        raise InputError(f"The LAMMPS script '{made.name}' holds no command; give an input script.")
    return made


def _read_by(command: Command) -> Iterator[str]:
    """Yield the words of a command that may name a file it reads, below the folder of the script."""
    words = command.words
    if words[0] in _WRITING:
        return
    for before, word in pairwise(words):
        # Absolute names are found where they are; '*' and '$' name no one file.
        elsewhere = word.startswith(("/", "~")) or ".." in Path(word).parts
        if before not in _WRITTEN_AFTER and not elsewhere and not set(word) & set("$*?"):
            yield word


def digests(files: Mapping[str, Path]) -> dict[str, str]:
    """Return the digest of every file, by name."""
    found = {}
    for name, path in files.items():
        with path.open("rb") as stream:
            found[name] = hashlib.file_digest(stream, "sha256").hexdigest()[:16]
    return found


def named_files(given: Sequence[str | Path]) -> dict[str, Path]:
    """Return files given by path under their own names.

    Raises:
        InputError: no such file, or two of one name.
    """
    found: dict[str, Path] = {}
    for item in given:
        path = Path(item)
        if not path.is_file():
            raise InputError(f"files has '{item}', and there is no such file; give files that the script reads.")
        if path.name in found:
            raise InputError(f"files has '{path.name}' twice; the script finds files by name, so give each its own.")
        found[path.name] = path.absolute()
    return found


def _from_file(path: Path) -> Script:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"'{path}' has more than 16 MB, which no LAMMPS script has; give an input script.")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"The LAMMPS script '{path}' cannot be read ({error.strerror}); give the path of an input script, or its "
            "text on several lines."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"The LAMMPS script '{path}' is no text (byte {error.start}); give an input script."
        ) from error
    return Script(text, path.name, path.absolute().parent)


def _commands(text: str) -> Iterator[Command]:
    begin = 0
    parts: list[str] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = _without_comment(raw).rstrip()
        if not parts:
            begin = number
        if line.endswith("&"):
            parts.append(line[:-1])
            continue
        parts.append(line)
        joined = "".join(parts).strip()
        parts = []
        if joined:
            yield Command(begin, joined)


def _without_comment(line: str) -> str:
    quote = ""
    for place, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter == "#":
            return line[:place]
    return line
