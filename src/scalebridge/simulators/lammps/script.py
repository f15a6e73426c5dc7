"""A LAMMPS input script: its commands, the variables it takes and the files it reads."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
_INCLUDING = ("include", "jump")
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
        given: further files that it may read: name -> path.
    """

    text: str
    name: str = "script.in"
    folder: Path | None = None
    given: Mapping[str, Path] = field(default_factory=dict, hash=False)

    @cached_property
    def commands(self) -> tuple[Command, ...]:
        """Its commands in order, comments left out, lines that end in ``&`` joined."""
        return tuple(_commands(self.text))

    @cached_property
    def all_commands(self) -> tuple[tuple[str, Command], ...]:
        """Its commands and in their place those of the files it includes, each with the name of its file."""
        return tuple(self._walk({self.name}))

    @property
    def units(self) -> str:
        """The style of units that its last run is in; ``lj`` where it sets none, as in LAMMPS.

        Raises:
            InputError: a style that LAMMPS does not know, or one that only the run will tell.
        """
        for name, command in self.all_commands:
            style = command.words[1] if command.words[0] == "units" and len(command.words) > 1 else "lj"
            if "$" in style:
                raise InputError(
                    f"Line {command.line} of '{name}' takes its units from a variable, so they are not known "
                    f"before the run; say units=... (valid: {', '.join(UNIT_STYLES)})."
                )
            if style not in UNIT_STYLES:
                raise InputError(
                    f"Line {command.line} of '{name}' sets units '{style}'{did_you_mean(style, UNIT_STYLES)}"
                )
        found = style_of(command.words for _, command in self.all_commands)
        if found is None and any(command.words[0] == "read_restart" for _, command in self.all_commands):
            raise InputError(
                f"The script '{self.name}' takes its units from a restart file, so they are not known before the run; "
                f"say units=... (valid: {', '.join(UNIT_STYLES)})."
            )
        return found or "lj"

    @property
    def variables(self) -> list[str]:
        """Names of the variables it sets or uses."""
        commands = [command for _, command in self.all_commands]
        set_here = [c.words[1] for c in commands if c.words[0] == "variable" and len(c.words) > 1]
        used = re.findall(r"\$\{(\w+)\}|\$(\w)|\bv_(\w+)", "\n".join(c.text for c in commands))
        return sorted({*set_here, *(a or b or c for a, b, c in used)})

    def check_variable(self, name: str) -> None:
        """Raise `InputError` unless a value given from outside reaches the script under this name."""
        if name not in self.variables and not self._has_unfollowed:
            raise InputError(
                f"The script '{self.name}' has no variable '{name}'{did_you_mean(name, self.variables)} "
                f"Write ${{{name}}} where the value belongs."
            )
        for file, command in self.all_commands:
            words = command.words
            if words[:2] == ["variable", name] and len(words) > 2 and words[2] not in (*_KEPT, "delete"):
                raise InputError(
                    f"Line {command.line} of '{file}' sets the variable '{name}' with the style '{words[2]}', "
                    f"which overwrites a value given from outside; write 'variable {name} index ...' for its default."
                )

    def files(self, constants: Mapping[str, str] | None = None) -> dict[str, Path]:
        """Return the files beside the script that its commands and those of included files name: name -> path."""
        found = {word: self._beside(word) for word in self._words_read(constants or {})}
        return {w: path for w, path in found.items() if path is not None and w not in self.given and w != self.name}

    def files_elsewhere(self, constants: Mapping[str, str] | None = None) -> dict[str, Path]:
        """Return the files that LAMMPS finds where they are: by absolute names, or in ``$LAMMPS_POTENTIALS``."""
        folders = [Path(folder) for folder in re.split("[:;]", os.environ.get("LAMMPS_POTENTIALS", "")) if folder]
        found: dict[str, Path] = {}
        for word in self._words_read(constants or {}):
            places = [Path(word)] if word.startswith("/") else [folder / Path(word).name for folder in folders]
            path = next(filter(_is_file, places), None)
            if path is not None and (word.startswith("/") or self._beside(word) is None):
                found[word] = path
        return found

    def _walk(self, seen: set[str]) -> Iterator[tuple[str, Command]]:
        for command in self.commands:
            yield self.name, command
            name = command.words[1] if command.words[0] in _INCLUDING and len(command.words) > 1 else self.name
            path = None if name in seen else self._beside(name, absolute=True)
            if path is not None:
                seen.add(name)
                with contextlib.suppress(InputError):
                    nested = replace(_from_file(path), name=name, folder=self.folder, given=self.given)
                    yield from nested._walk(seen)

    @property
    def _has_unfollowed(self) -> bool:
        named = [c.words[1] for _, c in self.all_commands if c.words[0] in _INCLUDING and len(c.words) > 1]
        return any(name != "SELF" and self._beside(name, absolute=True) is None for name in named)

    def _beside(self, word: str, absolute: bool = False) -> Path | None:
        """The file of that name among those given or in the script's folder, where LAMMPS will find its copy."""
        if word in self.given:
            return self.given[word]
        elsewhere = word.startswith(("/", "~")) or ".." in Path(word).parts
        path = Path(word) if self.folder is None else self.folder / word
        usable = absolute if word.startswith("/") else not elsewhere and self.folder is not None
        return path if usable and word != "." and _is_file(path) else None

    def _words_read(self, constants: Mapping[str, str]) -> Iterator[str]:
        """Yield the words of commands that may name a file they read, variables of one known value put in."""
        known: dict[str, str] = {}
        for _, command in self.all_commands:
            words = command.words
            if words[0] == "variable" and len(words) == 4 and words[2] in ("index", "string"):
                known[words[1]] = words[3]
        known |= constants
        for _, command in self.all_commands:
            for word in _read_by(command):
                told = re.sub(r"\$\{(\w+)\}|\$(\w)", lambda m: known.get(m[1] or m[2], m[0]), word)
                if not set(told) & set("$*?"):
                    yield told

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


def style_of(commands: Iterable[Sequence[str]]) -> str | None:
    """Return the style of units of the last run of commands ``[words, ...]``; ``None`` where none is set."""
    found, cleared = None, False
    for words in commands:
        if words[0] == "units" and len(words) > 1 and words[1] in UNIT_STYLES:
            found, cleared = words[1], False
        elif words[0] == "clear":
            cleared = True
        elif words[0] in ("run", "minimize") and cleared:
            found, cleared = "lj", False
    return found


def read_script(given: str | Path, files: Mapping[str, Path] | None = None) -> Script:
    """Return a script from a file, or from its text (which has more than one line).

    Args:
        given: path or text.
        files: further files that it may include: name -> path.

    Raises:
        InputError: no such file, one that is no text, or an empty script.
    """
    made = Script(given) if isinstance(given, str) and "\n" in given else _from_file(Path(given))
    if not made.commands:
        raise InputError(f"The LAMMPS script '{made.name}' holds no command; give an input script.")
    return replace(made, given=dict(files or {}))


def _read_by(command: Command) -> Iterator[str]:
    """Yield the words of a command that may name a file it reads."""
    words = command.words
    if words[0] in _WRITING:
        return
    for before, word in pairwise(words):
        if before not in _WRITTEN_AFTER:
            yield word


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


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
