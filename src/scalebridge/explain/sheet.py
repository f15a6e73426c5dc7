"""A paper of sections, as Markdown and as HTML: what data sheets and model cards are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Section:
    """One heading with paragraphs, items and a table.

    Args:
        title: of the section.
        paragraphs: whole sentences.
        items: of a list.
        head: of the table; none without.
        rows: of the table.
    """

    title: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()

    def markdown(self) -> str:
        """The section as Markdown."""
        parts = [f"## {self.title}", *self.paragraphs]
        if self.items:
            parts.append("\n".join(f"- {item}" for item in self.items))
        if self.head:
            lines = [_line(self.head), "|".join(["", *("---" for _ in self.head), ""]), *(_line(r) for r in self.rows)]
            parts.append("\n".join(lines))
        return "\n\n".join(parts)

    def html(self) -> str:
        """The section as a block of HTML, for a report or a notebook."""
        told = "".join(f"<p>{escape(p)}</p>" for p in self.paragraphs)
        items = "".join(f"<li>{escape(i)}</li>" for i in self.items)
        table = ""
        if self.head:
            head = "".join(f"<th>{escape(c)}</th>" for c in self.head)
            body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in self.rows)
            table = f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        listed = f"<ul>{items}</ul>" if items else ""
        return f"<section><h2>{escape(self.title)}</h2>{told}{listed}{table}</section>"


@dataclass(frozen=True)
class Sheet:
    """A titled paper; prints as Markdown.

    Args:
        title: of the paper.
        sections: in order; those with nothing in them are left out.
    """

    title: str
    sections: tuple[Section, ...]

    @staticmethod
    def of(title: str, sections: Sequence[Section]) -> Sheet:
        """A paper of the sections that say something."""
        return Sheet(title, tuple(s for s in sections if s.paragraphs or s.items or s.rows))

    def __getitem__(self, title: str) -> Section:
        for section in self.sections:
            if section.title == title:
                return section
        raise KeyError(title)

    def markdown(self) -> str:
        """The paper as Markdown."""
        return "\n\n".join([f"# {self.title}", *(s.markdown() for s in self.sections)]) + "\n"

    def html(self) -> str:
        """The sections as blocks of HTML."""
        return "\n".join(s.html() for s in self.sections)

    def __str__(self) -> str:
        return self.markdown()

    def _repr_html_(self) -> str:
        return f"<h1>{escape(self.title)}</h1>{self.html()}"


def _line(cells: Sequence[str]) -> str:
    told = (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(told)} |"
