"""APDL input that is given as a file or as a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from scalebridge.errors import InputError

# "thick = 5" and "*SET,thick,5".
_NUMBER = r"[-+]?\.?\d[-+.\dED]*"
_SET = re.compile(rf"(?:(\w+)\s*=|\*SET\s*,\s*(\w+)\s*,)\s*{_NUMBER}")


def file_of(script: str | Path) -> Path | None:
    """The file, where it is one: a `Path`, or a text of one line without a line break; None of APDL itself."""
    return Path(script) if isinstance(script, Path) or "\n" not in script else None


def check_inputs(text: str, inputs: Sequence[str], owner: str) -> None:
    r"""Refuse APDL that takes away the parameters which are set before it runs: every row would be the same.

    Raises:
        InputError: a line that clears the database, or that sets an input to a number outside of an \*IF.
    """
    named, depth = {name.upper(): name for name in inputs}, 0
    for number, line in enumerate(text.upper().splitlines(), start=1):
        for command in (part.strip() for part in line.partition("!")[0].split("$")):
            depth += (command.startswith("*IF") and command.endswith("THEN")) - command.startswith("*ENDIF")
            found = _SET.fullmatch(command)
            if command.startswith("/CLE"):
                raise InputError(
                    f"{owner}: line {number} of the script clears the database ({command}), and the inputs with it; "
                    "take the line out, every row starts from a cleared one."
                )
            if found and not depth and (found[1] or found[2]) in named:
                raise InputError(
                    f"{owner}: line {number} of the script sets the input '{named[found[1] or found[2]]}' to a number "
                    "of its own, and every row would have it; take the line out."
                )
