"""Templates: placeholders with units, files that are copied or linked, and what is refused."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scalebridge import Variable
from scalebridge.errors import InputError, UnitError
from scalebridge.models import Program
from scalebridge.models.program.placeholders import Placeholder, parsed

INPUTS = {"T": ("K", 80, 700), "width": "m", "strain": Variable("strain", "1", (3,))}
X = np.array([[293.15, 0.0125, 0.1, -0.2, 1e-5]])
ALL = "{{ T }} {{ width }} {{ strain }}"


def program(template: Any, command: Any = ("cat", "in.txt"), **settings: Any) -> Program:
    """Copies its input file to the result, so that what was written is what is read."""
    return Program(
        list(command),
        settings.pop("inputs", INPUTS),
        {"length": "1"},
        {"length": lambda f: 1.0},
        template=template,
        **settings,
    )


def written(template: str, **settings: Any) -> str:
    """The text that a template becomes at X, with the inputs it leaves out appended."""
    kept: list[str] = []

    def read(folder: Path) -> float:
        kept.append((folder / "in.txt").read_text())
        return 1.0

    made = Program(["true"], INPUTS, {"y": "1"}, {"y": read}, template={"in.txt": template, "rest": ALL}, **settings)
    runs = made.run(X)
    assert runs.ok.all(), runs.reason
    return kept[0]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("T = {{ T }};", "T = 293.15;"),
        ("{{T}}|{{  T  }}", "293.15|293.15"),
        ("{{ T [degC] : .3f }}", "20.000"),
        ("{{T[degC]:.1f}}", "20.0"),
        ("{{ width [mm] : .6e }}", "1.250000e+01"),
        ("{{ width [mm] }}", "12.5"),
        ("{{ strain[0] }} {{ strain[2] }}", "0.1 1e-05"),
        ("{{ strain[1] [percent] : .2f }}", "-20.00"),
        ("{{ strain }}", "0.1 -0.2 1e-05"),
        ('{{ strain : .3f | ", " }}', "0.100, -0.200, 0.000"),
        ('{{ strain : g | "\\n" }}', "0.1\n-0.2\n1e-05"),
        ("{{ T : 10.2f }}|{{ T : <10.2f }}|{{ T : +g }}", "    293.15|293.15    |+293.15"),
        ("code {{1, 2}, {3, 4}} stays", "code {{1, 2}, {3, 4}} stays"),
        ("{T} {{ T }} }} {{ }}", "{T} 293.15 }} {{ }}"),
        ("ρ = {{ T : g }} Grad", "ρ = 293.15 Grad"),
    ],
)
def test_a_placeholder_is_written_as_it_says(template: str, text: str) -> None:
    assert written(template) == text


def test_a_number_without_a_format_keeps_every_digit() -> None:
    (placeholder,) = parsed("{{ x }}", "here")
    assert isinstance(placeholder, Placeholder)
    for value in (math.pi, 1e-300, -1 / 3, 1e22):
        assert float(placeholder.written(np.array(value), "m")) == value


def test_a_number_fits_the_width_that_the_program_reads() -> None:
    made = program({"in.txt": ALL}, width=20)
    (placeholder,) = parsed("{{ x }}", "here")
    assert isinstance(placeholder, Placeholder)
    assert placeholder.written(-1.234691346912469e-05, "m", 20) == "-1.2346913469125e-05"
    assert placeholder.written(0.1, "m", 20) == "0.1"
    (formatted,) = parsed("{{ x : .17e }}", "here")
    assert isinstance(formatted, Placeholder)
    with pytest.raises(ValueError, match=r"in the format '\.17e', of which the program reads 20 characters only"):
        formatted.written(1 / 3, "m", 20)
    assert made.identity() != program({"in.txt": ALL}).identity()
    with pytest.raises(InputError, match="from 8"):
        program({"in.txt": ALL}, width=2)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("a\nb {{ widht }}", "'in.txt', line 2: 'widht' is neither an input nor an option; did you mean 'width'"),
        ("{{ T [mm] }}", r"line 1: 'T' is in 'K' on one side and in 'mm' on the other"),
        ("{{ T [nonsense] }}", "the unit 'nonsense', which is not known"),
        ("{{ T [degC }}", r"line 1: '\{\{ T \[degC \}\}' is no placeholder; write"),
        ("{{ T : .3q }}", "the format '.3q' of 'T' is not known"),
        ("{{ T[0] }}", r"'T' has no component \[0\]; it is a single number"),
        ("{{ strain[3] }}", r"'strain' has no component \[3\]; its shape is \(3,\), counted from 0"),
        ("{{ strain[0,0] }}", r"'strain' has no component \[0,0\]"),
        ("int a = {{a, b}, {c, d}};", "name the file under verbatim"),
    ],
)
def test_a_placeholder_that_cannot_be_written_is_refused_with_its_place(template: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        program({"in.txt": template, "rest": ALL})


def test_an_input_that_nothing_uses_is_refused() -> None:
    with pytest.raises(InputError, match=r"The program 'cat': no placeholder uses the input 'width'; write \{\{ width"):
        program({"in.txt": "{{ T }} {{ strain }}"})
    with pytest.raises(InputError, match=r"no placeholder uses the input 'strain\[1\]'"):
        program({"in.txt": "{{ T }} {{ width }} {{ strain[0] }} {{ strain[2] }}"})
    with pytest.raises(InputError, match="no placeholder uses the option 'mesh'"):
        program({"in.txt": ALL}, options={"mesh": "fine"})


def test_units_that_do_not_convert_are_an_error_of_units() -> None:
    with pytest.raises(UnitError):
        program({"in.txt": ALL + "{{ width [s] }}"})


def test_a_whole_number_s_format_fails_the_row_of_any_other() -> None:
    made = Program(["true"], {"n": "1"}, {"y": "1"}, {"y": lambda f: 2.0}, template={"in": "{{ n : d }}"})
    runs = made.run(np.array([[4.0], [4.5]]))
    assert runs.status.tolist() == ["ok", "failed"]
    assert runs.reason[1] == ("The template 'in', line 1: 'n' = 4.5 is no whole number, which the format 'd' asks for")


def test_a_whole_number_that_its_conversion_rounds_is_one() -> None:
    made = Program(
        ["true"],
        {"a": "m"},
        {"y": "1"},
        {"y": lambda folder: (folder / "in").read_text()},
        template={"in": "{{ a [cm] : d }}"},
    )
    assert [100 * 4.35, 100 * 0.29] == [434.99999999999994, 28.999999999999996]
    assert made.run(np.array([[4.35], [0.29]])).values[:, 0].tolist() == [435, 29]
    assert "is no whole number" in made.run(np.array([[4.3499999]])).reason[0]


def test_file_names_and_arguments_take_placeholders() -> None:
    made = Program(
        ["sh", "-c", 'cat "$1" > out', "sh", "in_{{ T : .0f }}.txt"],
        {"T": "K"},
        {"y": "K"},
        {"y": lambda folder: (folder / "out").read_text()},
        template={"in_{{ T : .0f }}.txt": "{{ T }}"},
    )
    assert made.run(np.array([[300.0]])).values.item() == 300.0


def test_a_folder_is_copied_whole_with_modes_empty_folders_and_binary_files(tmp_path: Path) -> None:
    case = tmp_path / "case"
    (case / "system").mkdir(parents=True)
    (case / "empty").mkdir()
    (case / "system" / "controlDict").write_text("endTime {{ T }};")
    (case / "run.sh").write_text("#!/bin/sh\nls empty && cat system/controlDict binary > out\n")
    (case / "run.sh").chmod(0o755)
    (case / "binary").write_bytes(b"\0{{ T }}\xff")
    seen: list[bytes] = []

    def read(folder: Path) -> float:
        seen.append((folder / "out").read_bytes())
        return 1.0

    made = Program(["./run.sh"], {"T": "K"}, {"y": "1"}, {"y": read}, template=case)
    runs = made.run(np.array([[5.0]]))
    assert runs.ok.all(), runs.reason
    assert seen == [b"endTime 5.0;\0{{ T }}\xff"]


def test_of_a_read_only_template_the_program_may_write_its_copy(tmp_path: Path) -> None:
    (tmp_path / "case").mkdir()
    for name, text in (("in", "{{ x }}"), ("state", "old"), ("run.sh", "true")):
        (tmp_path / "case" / name).write_text(text)
        (tmp_path / "case" / name).chmod(0o555 if name == "run.sh" else 0o444)

    def mark(folder: Path) -> float:
        assert (folder / "modes").read_text().split() == ["644", "644", "755"]
        return 1.0

    modes = "stat -c %a in state run.sh > modes"
    made = Program(["sh", "-c", modes], {"x": "1"}, {"y": "1"}, {"y": mark}, template=tmp_path / "case")
    assert made.run(np.array([[1.0]])).ok.all()


def test_text_that_is_no_utf8_comes_through_unharmed(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_bytes(b"Temp\xe9rature = {{ T }}\r\n")
    seen: list[bytes] = []

    def read(folder: Path) -> float:
        seen.append((folder / "in.txt").read_bytes())
        return 1.0

    Program(["true"], {"T": "K"}, {"y": "1"}, {"y": read}, template=tmp_path / "in.txt").run(np.array([[5.0]]))
    assert seen == [b"Temp\xe9rature = 5.0\r\n"]


def test_files_are_copied_and_links_are_linked(tmp_path: Path) -> None:
    (tmp_path / "mesh.msh").write_text("{{ not looked at }}")
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "a").write_text("1")
    made = Program(
        ["sh", "-c", "test -L data && test ! -L mesh.msh && test ! -L t/a && cat data/a"],
        {"T": "K"},
        {"y": "1"},
        {"y": lambda folder: (folder / "stdout.txt").read_text()},
        template={"in": "{{ T }}"},
        files={"mesh.msh": tmp_path / "mesh.msh", "t": tmp_path / "tables"},
        links={"data": tmp_path / "tables"},
    )
    assert made.run(np.array([[5.0]])).values.item() == 1.0
    assert (tmp_path / "tables" / "a").read_text() == "1"


def test_verbatim_files_hold_no_placeholders(tmp_path: Path) -> None:
    (tmp_path / "code.c").write_text("int a = {{a, b}, {c, d}};")
    (tmp_path / "in").write_text("{{ T }}")
    made = Program(["true"], {"T": "K"}, {"y": "1"}, {"y": lambda f: 1.0}, template=tmp_path, verbatim=["*.c"])
    assert made.run(np.array([[5.0]])).ok.all()


def test_a_template_that_changed_after_the_model_was_made_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "in"
    file.write_text("{{ T }}")
    made = Program(["true"], {"T": "K"}, {"y": "1"}, {"y": lambda f: 1.0}, template=file)
    file.write_text("{{ T }} and more")
    with pytest.raises(InputError, match="has changed since the model was made"):
        made.run(np.array([[5.0]]))
    file.unlink()
    with pytest.raises(InputError, match="is gone"):
        made.run(np.array([[5.0]]))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"template": "nowhere"}, "template: there is no file or folder 'nowhere'"),
        ({"template": 3}, "template = 3 is no path"),
        ({"template": {"../in": "{{ T }}"}}, "The file name '../in' leads out of the working folder"),
        ({"template": {"/in": "{{ T }}"}}, "The file name '/in' leads out of the working folder"),
        ({"template": {"in": "{{ T }}"}, "files": "mesh.msh"}, "files = 'mesh.msh' is one text; give a list"),
        ({"template": {"in": "{{ T }}"}, "files": {"in": __file__}}, "Two files of the template are called 'in'"),
    ],
)
def test_a_template_that_cannot_be_used_is_one_sentence(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Program(["true"], {"T": "K"}, {"y": "1"}, {"y": lambda f: 1.0}, **settings)


def test_a_link_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("{{ T }}")
    (tmp_path / "lost").symlink_to(tmp_path / "none")
    with pytest.raises(InputError, match="lost' is missing, or a link that leads nowhere"):
        Program(["true"], {"T": "K"}, {"y": "1"}, {"y": lambda f: 1.0}, template=tmp_path)


def test_a_folder_that_links_to_itself_is_copied_once(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("{{ T }}")
    (tmp_path / "again").symlink_to(tmp_path)
    made = Program(["true"], {"T": "K"}, {"y": "1"}, {"y": lambda f: 1.0}, template=tmp_path)
    assert made.run(np.array([[5.0]])).ok.all()


HOSTILE = {
    "$(touch owned)": r"holds '\$'",
    "`touch owned`": "holds '`'",
    "a; touch owned": "holds ';'",
    "a\ntouch owned": r"holds '\\n'",
    "a\rb": r"holds '\\r'",
    "a\0b": r"holds '\\x00'",
    "a | b": r"holds '\|'",
    "a > b": "holds '>'",
    "a'b": "holds",
    'a"b': "holds",
    "--help": "begins with '-', which a program takes for one of its own options",
    "-rf": "begins with '-'",
    "{{ T }}": "holds '{'",
    "*": r"holds '\*'",
    "#calc": "holds '#'",
}


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("place", ["argument", "template", "script", "name"])
def test_a_hostile_text_reaches_neither_shell_nor_option_parser(value: str, place: str, tmp_path: Path) -> None:
    template = {"in": "{{ T }}"}
    command = ["echo", "{{ case }}"] if place == "argument" else ["true"]
    if place == "template":
        template["case"] = "{{ case }}"
    elif place == "script":
        template["run.sh"] = "echo {{ case }}"
        command = ["sh", "run.sh"]
    elif place == "name":
        template["case_{{ case }}"] = "1"
    with pytest.raises(InputError, match=HOSTILE[value]):
        Program(command, {"T": "K"}, {"y": "1"}, {"y": lambda f: 1.0}, template=template, options={"case": value})
    assert not (tmp_path / "owned").exists()


def test_hostile_texts_written_into_the_command_itself_stay_arguments() -> None:
    made = Program(
        ["printf", "%s|", "$(touch owned)", "; touch owned", "-n"],
        {"T": "K"},
        {"y": "1"},
        {
            "y": lambda f: (
                (f / "stdout.txt").read_text() == "$(touch owned)|; touch owned|-n|" and not (f / "owned").exists()
            )
        },
        template={"in": "{{ T }}"},
    )
    assert made.run(np.array([[1.0]])).values.item() == 1.0


def test_a_plain_text_and_numbers_are_options() -> None:
    made = Program(
        ["sh", "run.sh"],
        {"T": "K"},
        {"y": "1"},
        {"y": lambda f: (f / "stdout.txt").read_text()},
        template={"run.sh": "test '{{ case }} {{ n }} {{ h : .2f }}' = 'fine mesh_2/a.msh 7 0.50' && echo {{ T }}"},
        options={"case": "fine mesh_2/a.msh", "n": np.int64(7), "h": np.float64(0.5)},
    )
    runs = made.run(np.array([[1.0]]))
    assert runs.ok.all(), runs.reason


@pytest.mark.parametrize(
    ("options", "template", "said"),
    [
        ({"T": 1.0}, "{{ T }}", "'T' is both an input and an option"),
        ({"a": math.nan}, "{{ T }}{{ a }}", "the option 'a' = nan is neither a text nor a finite number"),
        ({"a": "x"}, "{{ T }}{{ a [mm] }}", "the option 'a' has neither a unit nor components"),
        ({"a": "x"}, "{{ T }}{{ a : .3f }}", "the option 'a' is a text and takes no format"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options: dict[str, Any], template: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Program(["true"], {"T": "K"}, {"y": "1"}, {"y": lambda f: 1.0}, template={"in": template}, options=options)


def test_a_row_that_is_not_finite_never_reaches_the_program(tmp_path: Path) -> None:
    made = Program(
        ["touch", str(tmp_path / "ran")], {"T": "K"}, {"y": "1"}, {"y": lambda f: 1.0}, template={"in": "{{ T }}"}
    )
    runs = made.run(np.array([[math.nan], [math.inf]]))
    assert runs.reason == ("the input is not finite",) * 2
    assert not os.path.exists(tmp_path / "ran")
