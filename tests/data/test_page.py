"""The page on data: every block runs, in order, and prints what the page says."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "data.md"


def blocks() -> list[tuple[str, str]]:
    """Code and what the page says it prints, empty where it says nothing."""
    fences = re.findall(
        r"^```(python|text)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    found: list[tuple[str, str]] = []
    for kind, text in fences:
        found += [(text, "")] if kind == "python" else []
        if kind == "text":
            found[-1] = (found[-1][0], text)
    return found


def pattern(told: str) -> str:
    """A pattern for output that is broken into lines anywhere; a line of dots stands for any lines."""
    parts = re.split(r"^\s*\.\.\.\n", told, flags=re.MULTILINE)
    return ".*".join(r"\s+".join(re.escape(word) for word in part.split()) for part in parts)


def test_every_block_runs_and_prints_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    space: dict[str, Any] = {}
    assert len(blocks()) > 15
    for code, told in blocks():
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, str(PAGE), "exec"), space)
        if told:
            assert re.fullmatch(pattern(told), printed.getvalue().strip(), flags=re.DOTALL), printed.getvalue()
