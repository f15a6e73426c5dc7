"""Values from JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scalebridge.errors import InputError, did_you_mean
from scalebridge.models.program.parsers.files import NoValue, check_name, located, numbers
from scalebridge.quantities import Floats

_LARGEST = 256 << 20
_STEP = re.compile(r"([^.\[\]]+)|\[(-?\d+)\]")


@dataclass(frozen=True)
class Json:
    """A number, or nested lists of numbers, in a JSON file.

    Args:
        file: name of the file.
        path: way to it, as ``"results.energy"`` or ``"steps[-1].stress"``.
        unit: that the file is in; the output's where not given.
    """

    file: str
    path: str
    unit: str | None = None

    def __post_init__(self) -> None:
        check_name(self.file, "A Json")
        if not self.path or _STEP.sub("", self.path).strip("."):
            raise InputError(f"The path '{self.path}' into '{self.file}' is not of the form results.steps[-1].energy.")

    def read(self, folder: Path) -> Floats:
        """Return the numbers in the shape that they have.

        Raises:
            NoValue: no file, no JSON, no such path, no numbers.
        """
        path = located(folder, self.file)
        if path.stat().st_size > _LARGEST:
            raise NoValue(f"'{self.file}' is larger than {_LARGEST >> 20} MiB; read it by a function")
        try:
            value: Any = json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise NoValue(f"'{self.file}' cannot be read as JSON ({error}), as if half of it were missing") from error
        for name, index in _STEP.findall(self.path):
            value = self._step(value, name, index)
        return numbers(value, f"'{self.path}' in '{self.file}'")

    def _step(self, value: Any, name: str, index: str) -> Any:
        if name:
            if isinstance(value, dict) and name in value:
                return value[name]
            known = did_you_mean(name, list(value)[:20]).rstrip(".") if isinstance(value, dict) else ""
            raise NoValue(f"'{self.file}' has no '{name}' on the way to '{self.path}'{known}")
        if isinstance(value, list) and -len(value) <= int(index) < len(value):
            return value[int(index)]
        raise NoValue(f"'{self.file}' has no entry [{index}] on the way to '{self.path}'")
