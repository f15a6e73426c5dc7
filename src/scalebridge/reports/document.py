"""What every one-file HTML report shares: the document around its body, its sections, and the writing of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from importlib import resources
from pathlib import Path

from scalebridge.errors import InfrastructureError
from scalebridge.reports.theme import STYLE


def document(title: str, body: Callable[[], Iterable[str]]) -> str:
    """Return a whole HTML document; ``body`` makes its parts, figures in the style of the reports."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        parts = "\n".join(part for part in body() if part)
    style = resources.files("scalebridge.reports").joinpath("page.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n<main>\n{parts}\n</main>\n</body>\n</html>\n"
    )


def section(title: str, words: str, drawing: str | None, after: str = "") -> str:
    """Return a section with a drawing and what follows it; without a drawing ``after`` alone, or nothing."""
    if drawing is None:
        return f"<section><h2>{title}</h2>{after}</section>" if after else ""
    return f"<section><h2>{title}</h2><p>{words}</p><figure>{drawing}</figure>{after}</section>"


def written(text: str, target: Path) -> Path:
    """Write a report; return its file.

    Raises:
        InfrastructureError: the file cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InfrastructureError(f"The report cannot be written to '{target}': {error.strerror}.") from error
    return target
