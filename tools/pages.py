"""What mkdocs does to the pages of the documentation while it builds them.

Formulae become MathML: browsers draw it themselves, so that the pages need no script and no font from
elsewhere and read the same offline. A formula that cannot be converted fails the build.
README's example is shown where a page asks for it: there is one copy, and it is tested.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

from latex2mathml.converter import convert

README = Path(__file__).resolve().parents[1] / "README.md"
EXAMPLE = "<!-- the example of README.md -->"
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)


def readme_example(readme: str) -> str:
    """The first block of Python of a README, fences included."""
    found = re.search(r"^```python\n.*?^```$", readme, re.DOTALL | re.MULTILINE)
    if found is None:
        raise ValueError("README.md holds no block of Python.")
    return found.group()


def to_mathml(found: re.Match[str]) -> str:
    element, tex = found.groups()
    display = "inline" if element == "span" else "block"
    return f'<{element} class="formula">{convert(html.unescape(tex).strip(), display=display)}</{element}>'


def on_page_markdown(markdown: str, **_: object) -> str:
    """Called by mkdocs with the Markdown of each page."""
    if EXAMPLE not in markdown:
        return markdown
    return markdown.replace(EXAMPLE, readme_example(README.read_text(encoding="utf-8")))


def on_page_content(page_html: str, **_: object) -> str:
    """Called by mkdocs with the HTML of each page."""
    return FORMULA.sub(to_mathml, page_html)
