"""Names for numbers, made of what stands before them."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection

NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eEdD][-+]?\d+)?"
# What a number may not stand in: a word, a version such as 1.2.3, a path.
ALONE = rf"(?<![\w./-]){NUMBER}(?![\w/]|\.\d)"


def identifier(text: str, taken: Collection[str]) -> str:
    """Return an identifier like ``text`` that is not among those taken."""
    name = re.sub(r"\W+", "_", text.strip()).strip("_") or "value"
    if name[0].isdigit() or keyword.iskeyword(name):
        name = f"value_{name}"
    unique, k = name, 2
    while unique in taken:
        unique, k = f"{name}_{k}", k + 1
    return unique


def number(text: str) -> float:
    """Return a number, Fortran's exponents included."""
    return float(text.replace("D", "e").replace("d", "e"))
