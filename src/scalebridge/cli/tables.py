"""Tables for people, JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def console(stderr: bool = False) -> Console:
    """Return a console that wraps at the terminal's width, or not at all where there is none."""
    from rich.console import Console

    made = Console(stderr=stderr, highlight=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=160)


def print_json(content: Any) -> None:
    """Print JSON; numbers that are not finite become null."""
    print(json.dumps(_plain(content), indent=2, ensure_ascii=False))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None) -> None:
    """Print rows under headings, without a frame."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold", title_style="bold")
    table.show_header = bool(headings)
    for k, heading in enumerate(headings or [""] * len(rows[0] if rows else ())):
        table.add_column(heading, overflow="fold", no_wrap=k == 0)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console().print(table)


def print_pairs(pairs: Mapping[str, str]) -> None:
    """Print names and values, one a line."""
    print_table([], [(name, value) for name, value in pairs.items() if value])


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
