"""What an attempt is made of, checked when the model is made: files, command, and the values they take."""

from __future__ import annotations

import hashlib
import json
import math
import os
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scalebridge.errors import InputError, did_you_mean
from scalebridge.models.program.parsers.files import NoValue
from scalebridge.models.program.placeholders import Parts, Placeholder, check_text, parsed, placeholders
from scalebridge.models.program.template import TemplateFile
from scalebridge.models.program.words import file_digest
from scalebridge.quantities import Floats, Space
from scalebridge.quantities.units import conversion

SEED = "seed"
# The largest that every random number generator met takes (LAMMPS's is the narrowest).
_LARGEST_SEED = 900_000_000


@dataclass(frozen=True)
class Recipe:
    """Files and command with the values that they take.

    Args:
        owner: whose it is, for messages.
        inputs: space of the inputs.
        options: fixed texts and numbers by name.
        command: the program and its arguments.
        files: what the working folder starts from.
        width: characters that the program reads of a number; ``None`` for all.

    Raises:
        InputError: a placeholder for no input, an input without a placeholder, a text that is not plain.
    """

    owner: str
    inputs: Space
    options: Mapping[str, str | float]
    command: tuple[Parts, ...]
    files: tuple[TemplateFile, ...]
    width: int | None = None

    def __post_init__(self) -> None:
        _check_options(self.owner, self.inputs, self.options)
        for placeholder in self.placeholders:
            self._check(placeholder)
        self._check_all_used()

    @property
    def placeholders(self) -> list[Placeholder]:
        """All of them."""
        in_command = [p for parts in self.command for p in placeholders(parts)]
        return [*in_command, *(p for file in self.files for p in file.placeholders)]

    @property
    def takes_seed(self) -> bool:
        """Whether ``{{ seed }}`` is asked for, which is neither an input nor an option."""
        return SEED not in {*self.inputs.names, *self.options} and any(p.name == SEED for p in self.placeholders)

    def made(self, folder: Path, x: Floats, seed: int) -> list[str]:
        """Make the files for ``x [d]`` in a folder; return the command.

        Raises:
            NoValue: a number that its format does not take, two files of one name.
            OSError: the disk does not take the files.
        """
        values = {name: value[0] for name, value in self.inputs.unpack(x[None]).items()}

        def write(parts: Parts) -> str:
            return "".join(p if isinstance(p, str) else self._written(p, values, seed) for p in parts)

        made: set[str] = set()
        for file in self.files:
            name = posixpath.normpath(write(file.name))
            if name in made:
                raise NoValue(f"two files of the template are called '{name}' at this input")
            made.add(name)
            file.make(folder, write)
        return [write(parts) for parts in self.command]

    def digest(self) -> dict[str, str]:
        """Texts that tell this recipe from others: its command, its options and its files."""
        files = [file.identity for file in self.files]
        words = ["".join(p for p in parts if isinstance(p, str)) for parts in self.command if not placeholders(parts)]
        brought = {file.label for file in self.files}
        named = [
            (word, file_digest(word, is_program=i == 0))
            for i, word in enumerate(words)
            if posixpath.normpath(word) not in brought
        ]
        return {
            "command": json.dumps([repr(parts) for parts in self.command]),
            "options": json.dumps(sorted((k, repr(v)) for k, v in self.options.items())),
            "template": hashlib.sha256(json.dumps([files, named]).encode()).hexdigest(),
            **({} if self.width is None else {"width": str(self.width)}),
        }

    def _written(self, placeholder: Placeholder, values: Mapping[str, Floats], seed: int) -> str:
        name = placeholder.name
        try:
            if name in values:
                return placeholder.written(values[name], self.inputs[name].unit, self.width)
            if name in self.options:
                value = self.options[name]
                if isinstance(value, int) and placeholder.format in ("", "d"):
                    return str(value)
                return placeholder.written(value, placeholder.unit or "1", self.width)
            return str(seed % _LARGEST_SEED + 1)
        except ValueError as error:
            raise NoValue(f"{placeholder.where}: '{name}' = {error}") from error

    def _check(self, placeholder: Placeholder) -> None:
        name, where = placeholder.name, placeholder.where
        known = (*self.inputs.names, *self.options, SEED)
        if name not in known:
            raise InputError(f"{where}: '{name}' is neither an input nor an option{did_you_mean(name, known)}")
        if name in self.inputs.names:
            variable = self.inputs[name]
            if placeholder.unit is not None:
                conversion(variable.unit, placeholder.unit, f"{where}: '{name}'")
            _check_index(placeholder, variable.shape)
        elif placeholder.unit is not None or placeholder.index is not None:
            raise InputError(f"{where}: the option '{name}' has neither a unit nor components; write {{{{ {name} }}}}.")
        elif placeholder.format and isinstance(self.options.get(name), str):
            raise InputError(f"{where}: the option '{name}' is a text and takes no format; write {{{{ {name} }}}}.")

    def _check_all_used(self) -> None:
        used = {(p.name, p.index) for p in self.placeholders}
        for variable in self.inputs:
            lacking = [i for i in np.ndindex(*variable.shape) if not {(variable.name, None), (variable.name, i)} & used]
            if lacking:
                shown = variable.name if variable.shape == () else f"{variable.name}[{','.join(map(str, lacking[0]))}]"
                raise InputError(
                    f"{self.owner}: no placeholder uses the input '{shown}'; write {{{{ {shown} }}}} into a template "
                    "file, a file name or the command."
                )
        for name in self.options:
            if not any(p.name == name for p in self.placeholders):
                raise InputError(
                    f"{self.owner}: no placeholder uses the option '{name}'; write {{{{ {name} }}}} somewhere."
                )


def command_parts(command: Sequence[str | os.PathLike[str]], owner: str) -> tuple[Parts, ...]:
    """Return a command as parts, one for each argument; a Path is made absolute.

    Raises:
        InputError: a text in place of a list, or nothing.
    """
    if isinstance(command, str | bytes):
        words = command.split() if isinstance(command, str) else []
        raise InputError(
            f"{owner} was given the command {command!r}, one text; give a list, as in "
            f"{json.dumps(words or ['solver', 'input.txt'])}: no shell reads it."
        )
    if not isinstance(command, Sequence) or not command:
        raise InputError(f'{owner} was given the command {command!r}; give a list, as in ["solver", "input.txt"].')
    parts: list[Parts] = []
    for word in command:
        if isinstance(word, Path):
            # One that exists here is meant; another comes with the template, where no PATH is searched for it.
            there = str(word) if parts or word.is_absolute() else f"./{word}"
            parts.append((str(word.absolute()) if word.exists() else there,))
        elif isinstance(word, str) and word and "\0" not in word:
            parts.append(parsed(word, f"The argument '{word}' of {owner}"))
        else:
            raise InputError(f"{owner} was given the argument {word!r}; every argument is a text that is not empty.")
    return tuple(parts)


def _check_options(owner: str, inputs: Space, options: Mapping[str, str | float]) -> None:
    for name, value in options.items():
        if name in inputs.names:
            raise InputError(f"{owner}: '{name}' is both an input and an option; leave one of them out.")
        if isinstance(value, str):
            check_text(name, value)
        elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InputError(f"{owner}: the option '{name}' = {value!r} is neither a text nor a finite number.")


def _check_index(placeholder: Placeholder, shape: tuple[int, ...]) -> None:
    index = placeholder.index
    if index is None:
        return
    if len(index) != len(shape) or any(i >= n for i, n in zip(index, shape, strict=True)):
        shown = ",".join(map(str, index))
        valid = f"its shape is {shape}, counted from 0" if shape else "it is a single number"
        raise InputError(f"{placeholder.where}: '{placeholder.name}' has no component [{shown}]; {valid}.")
