"""Words of a command that name files."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path

_INTERPRETER = re.compile(
    r"(python|pypy|lua|perl|ruby|tclsh|wish)[\d.]*|(ba|da|z|k|c|tc)?sh|Rscript|julia|octave(-cli)?|node|gnuplot"
)
_BEFORE = re.compile(r"mpi(run|exec)(\.\w+)?|orterun|prun|[saj]s?run|nice|env|time|timeout|taskset|numactl")
# What follows these is no script.
_NO_SCRIPT = ("-c", "-m", "-e", "--eval")
# A file above this is told apart by its size and time.
_DIGESTED_BYTES = 64 << 20


def programs_among(words: Sequence[str], folder: Path) -> set[int]:
    """Return which words name a program or a script of ``folder``: the command means these wherever it runs.

    It is the first word, the script of an interpreter, and whatever is executable: of another word nobody knows
    whether the program reads it or writes it.
    """
    found = {0} if words and (folder / words[0]).is_file() else set()
    script = _script(words)
    if script is not None and (folder / words[script]).is_file():
        found.add(script)
    return found | {i for i, word in enumerate(words) if i > 0 and word and _is_program(folder / word)}


def named_by(words: Sequence[str], folder: Path) -> str:
    """Return the word that a command is called by: its program or script, not an interpreter or launcher before it."""
    programs = [words[i] for i in sorted(programs_among(words, folder))]
    before = (_BEFORE, _INTERPRETER)
    return next((word for word in programs if not any(b.fullmatch(Path(word).name) for b in before)), words[0])


def file_digest(word: str, is_program: bool) -> str:
    """Digest of the file that a word of a command names, also behind ``--option=``; empty where it names none.

    Args:
        word: one word of a command; a relative path counts for the program only, as elsewhere it is one of the
            working folder.
        is_program: whether it is the first word; a binary one is told apart by the version of the model.
    """
    tail = word.partition("=")[2]
    for path in (Path(word), Path(tail)):
        if (path.is_absolute() or (is_program and "/" in word)) and path.is_file():
            return "" if is_program and _is_binary(path) else _digest(path)
    return ""


def _script(words: Sequence[str]) -> int | None:
    """The place of the first word behind an interpreter that is no option of it."""
    names = [Path(word).name for word in words]
    led = bool(names) and _BEFORE.fullmatch(names[0]) is not None
    for i in range(len(names) if led else min(1, len(names))):
        if _INTERPRETER.fullmatch(names[i]):
            for k in range(i + 1, len(words)):
                if words[k] in _NO_SCRIPT:
                    return None
                if not words[k].startswith("-"):
                    return k
    return None


def _is_program(path: Path) -> bool:
    # Where every file is executable, as on a shared disk of another system, its beginning tells.
    if not path.is_file() or not os.access(path, os.X_OK):
        return False
    return _beginning(path).startswith((b"#!", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"))


def _is_binary(path: Path) -> bool:
    return b"\0" in _beginning(path)


def _beginning(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(4096)
    except OSError:
        return b""


def _digest(path: Path) -> str:
    try:
        about = path.stat()
        if about.st_size > _DIGESTED_BYTES:
            return f"{about.st_size} {about.st_mtime_ns}"
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "unreadable"
