"""The report is one file that says what the saved answer says, whatever of it is there."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from scalebridge import InfrastructureError, InputError
from scalebridge.reports import Saved, html, load, report_saved, summary_html, theme, write_report
from tests.reports.synthetic import answer, refused, save

SECTIONS = [
    "The interval, by parts",
    "The path to it",
    "The macro problem, and where the micro model was run",
    "The micro model",
    "Predicted against true",
    "Where the surrogate stands",
    "What it cost",
    "Every micro run, and why",
    "What this interval does not promise",
    "Provenance",
]


VOID = ("meta", "br", "path", "use", "image", "rect", "line")


class Outline(HTMLParser):
    """Headings, identifiers, links and unclosed elements of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self._heading = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self._heading = self._heading or tag == "h2"
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "xlink:href"):
                self.links.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag
        self._heading = False if tag == "h2" else self._heading

    def handle_data(self, data: str) -> None:
        if self._heading:
            self.headings.append(data)


@pytest.fixture(scope="module")
def page() -> str:
    return html(Saved(*answer()))


def test_a_full_answer_has_every_section_in_order(page: str) -> None:
    assert Outline(page).headings == SECTIONS


def test_the_page_is_well_formed_and_its_identifiers_are_its_own(page: str) -> None:
    outline = Outline(page)
    assert outline.open == []
    drawn = [i for i in outline.ids if not re.search(r"-(DejaVuSans|patch|text|line2d|axes|figure|matplotlib)", i)]
    within = {i for i in outline.links if i.startswith("#")}
    assert within <= {f"#{i}" for i in outline.ids}
    assert drawn


def test_the_page_needs_no_network(page: str) -> None:
    assert all(link.startswith(("#", "data:")) for link in Outline(page).links)
    for place in re.findall(r"https?://[^\s\"'<)]+", page):
        assert place.startswith("http://www.w3.org/"), place
    assert "<script" not in page and "@import" not in page


def test_figures_take_their_colours_from_the_page_so_that_dark_and_print_hold(page: str) -> None:
    assert "prefers-color-scheme: dark" in page and "@media print" in page
    drawings = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(drawings) == 6
    for drawing in drawings:
        assert "var(--" in drawing and 'role="img"' in drawing and "aria-label=" in drawing
        assert not re.findall(r"#0[0-9ab]0[0-9ab]0[0-9]\b", drawing)


def test_value_interval_and_parts_are_those_of_the_answer(page: str) -> None:
    assert "41.37" in page and "± 0.33" in page and "[41.04, 41.70]" in page
    for part in ("closure", "remainder", "micro discretisation", "mesh"):
        assert part in page
    assert "[40.2, 42.2]" in page and "segmentation" in page


def test_every_run_stands_in_the_table_with_its_reason(page: str) -> None:
    record, _ = answer()
    table = page[page.index("Every micro run, and why") :]
    assert table.count('class="chip"') == len(record["runs"])
    assert "reserved to test that the response is odd" in table


def test_runs_that_failed_are_counted_at_the_top_and_the_first_says_why() -> None:
    record, arrays = answer()
    record["runs"][9]["phase"] = "verify"
    for i in (5, 9):
        record["runs"][i] |= {"status": "failed", "reason": "it ended with exit code 3", "y": None}
    page = html(Saved(record, arrays))
    assert "from the store, 2 failed" in page[: page.index("The interval, by parts")]
    words = (
        "2 of 38 micro runs failed, 1 of them drawn to verify: what these hide widens the interval. The first: It ended"
    )
    assert words in page[: page.index("The interval, by parts")] and words in page[page.index("Every micro run") :]
    assert "from the store, 2 failed)" in summary_html(record) and words in summary_html(record)


def test_the_provenance_names_what_the_micro_model_is() -> None:
    record, arrays = answer()
    identity = {"name": "lammps.in.melt", "lammps": "22 Jul 2025"}
    record["micro"] = {"name": "melt", "kind": "lammps", "version": "1", "identity": identity}
    provenance = html(Saved(record, arrays)).rpartition("<h2>Provenance</h2>")[2]
    assert "melt (lammps)" in provenance and "lammps.in.melt" in provenance and "22 Jul 2025" in provenance


def test_the_unseen_mass_is_said_in_words(page: str) -> None:
    assert "A fault of the surrogate confined to less than that can hide" in page
    assert "17.1" in page[page.index("does not promise") :]


def test_a_refusal_shows_its_reason_and_no_interval() -> None:
    page = html(Saved(*refused()))
    assert "No interval can be given." in page and "limit point" in page
    assert "The interval, by parts" not in page and "The micro model<" not in page
    assert "no statement of confidence is made" in page


def test_a_refusal_before_any_value_shows_none() -> None:
    record, arrays = refused()
    page = html(Saved({**record, "value": None}, arrays))
    assert "No interval can be given." in page and "own value" not in page


@pytest.mark.parametrize(
    ("value", "half", "shown"),
    [(4.137e-11, 3.3e-13, "4.137"), (-4.1371234e12, 3.3e9, "−4.1371"), (0.0, 1e-3, "0.0000"), (5.0, 0.0, "5.000000")],
)
def test_tiny_huge_and_zero_numbers_are_readable(value: float, half: float, shown: str) -> None:
    page = html(Saved(answer(value, half)[0]))
    assert shown in page
    assert Outline(page).open == []


def test_an_answer_without_arrays_still_has_a_report() -> None:
    record, _ = answer()
    outline = Outline(html(Saved(record)))
    assert "Where the surrogate stands" not in outline.headings and "The path to it" in outline.headings


def test_an_answer_of_one_input_shows_its_response() -> None:
    record, _ = answer()
    x = np.linspace(200, 400, 30)
    record["runs"] = [{**r, "x": [250.0 + i], "y": [2.0], "predicted": [2.1]} for i, r in enumerate(record["runs"])]
    arrays = {"states": x[:, None], "predicted": np.sin(x)[:, None], "predicted_std": 0.1 + 0 * x[:, None]}
    page = html(Saved(record, arrays))
    assert "Where the surrogate stands" in Outline(page).headings and "The line is the surrogate" in page


@pytest.mark.parametrize(
    ("values", "scale"), [([0.05, 2.0, 150.0], "log"), ([250.0, 900.0], "linear"), ([0.0, 1.0, 150.0], "linear")]
)
def test_a_response_over_decades_is_drawn_by_decades(values: list[float], scale: str) -> None:
    from scalebridge.reports.figures.axes import by_decades, quantity_axis

    ax = theme.canvas(400, 300).subplots()
    ax.plot(values, values)
    by_decades(ax, "x", np.array(values))
    quantity_axis(ax, "x", "shear_rate", "1/s")
    assert ax.get_xscale() == scale and ax.get_yscale() == "linear"
    assert ax.get_xlabel() == "shear rate in 1/s"


def test_what_a_user_named_is_escaped() -> None:
    record, _ = answer()
    record |= {"title": "<script>alert(1)</script>", "reason": "a < b & c"}
    record["runs"][0]["why"] = "<img src=x>"
    page = html(Saved(record))
    assert "<script>" not in page and "<img" not in page and "A &lt; b &amp; c" in page


def test_a_report_is_written_beside_the_answer_or_where_asked(tmp_path: Path) -> None:
    record, _ = answer()
    place = save(tmp_path / "a", record, {})
    assert report_saved(place) == place / "report.html"
    assert report_saved(place, tmp_path / "deep" / "r.html").is_file()
    assert write_report(record, {}, tmp_path / "w.html").read_text() == (place / "report.html").read_text()


def test_what_cannot_be_read_or_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no answer\.json"):
        load(tmp_path)
    place = save(tmp_path / "a", *answer())
    (place / "arrays.npz").write_bytes(b"torn")
    with pytest.raises(InputError, match="run the study again"):
        load(place)
    (place / "answer.json").write_text('{"schema_version": 7}')
    with pytest.raises(InputError, match="schema_version 7"):
        load(place)
    (place / "answer.json").write_text("{")
    with pytest.raises(InputError, match="is not JSON"):
        load(place)
    (tmp_path / "file").write_text("")
    with pytest.raises(InfrastructureError, match="cannot be written"):
        write_report({}, {}, tmp_path / "file" / "r.html")


def test_a_notebook_shows_value_verdict_and_parts() -> None:
    record, _ = answer()
    card = summary_html(record)
    assert "41.37" in card and "converged" in card and "closure" in card and "38 micro runs" in card
    assert "not converged" in summary_html(refused()[0])
    assert Outline(card).open == []
