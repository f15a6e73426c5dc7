"""The files that ``scalebridge wrap`` writes, as texts."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scalebridge.errors import printable
from scalebridge.models.program.proposals import Found, Proposed

_ADAPTER = '''"""{title} as a model. Written by `scalebridge wrap`: names, units and bounds are yours to edit."""

from pathlib import Path

from scalebridge.models.program import {imports}

HERE = Path(__file__).parent

model = Program(
    {command},
    # Bounds are half and one and a half times the example; "1" is no unit. With a unit here, one in the
    # template's placeholder, {{{{ {first} [unit] : .6e }}}}, converts to what the program wants. One with the
    # format d takes whole numbers only.
    inputs={{
{inputs}
    }},
    outputs={{
{outputs}
    }},
    results={{
{results}
    }},
    template=HERE / "template",
    {stdin}{verbatim}timeout="1 h",
    # launcher=Mpi(4), threads=1, memory="4 GB", converged=Pattern("stdout.txt", "words that say so"),
    # keep="failed" leaves the folder of a failed run to be looked at.
)

if __name__ == "__main__":
    runs = model.run([{example}])
    print(runs.status[0], runs.reason[0] or dict(zip(model.outputs.names, runs.values[0].tolist())))
    raise SystemExit(0 if runs.ok.all() else 1)
'''

_STUDY = """# A study over {name}: name the macro problem that asks for it, then `scalebridge check study.toml`.
schema_version = 1

[models.{name}]
function = "{name}_model.py:model"

# [models.wall]
# kind = "heat"
# mesh = {{ kind = "interval", length = "0.2 m", n = 32 }}
# temperature = {{ left = "260 K", right = "300 K" }}

# [[couplings]]
# macro = "wall"
# micro = "{name}"

# [question]
# qoi = "heat_flow_left"
# rtol = 0.01
"""


@dataclass(frozen=True)
class Wrapped:
    """What was found of a program.

    Args:
        name: of the model.
        command: as it is in a working folder.
        inputs: numbers that become inputs.
        numbers: all numbers of the example.
        results: numbers that become outputs.
        others: further numbers of the output, for the user to choose from.
        example: name of the input file.
        stdin: whether the program reads it as its input stream.
        verbatim: patterns of the files that were brought, which hold no placeholders.
    """

    name: str
    command: tuple[str | Path, ...]
    inputs: tuple[Found, ...]
    numbers: tuple[Found, ...]
    results: tuple[Proposed, ...]
    others: tuple[Proposed, ...]
    example: str
    stdin: bool
    verbatim: tuple[str, ...] = ()


def adapter_text(wrapped: Wrapped) -> str:
    """Return the Python file that makes the model."""
    parsers = sorted({"Program", *(type(r.parser).__name__ for r in (*wrapped.results, *wrapped.others))})
    return _ADAPTER.format(
        title=wrapped.name,
        imports=", ".join(parsers),
        command="[" + ", ".join(_word(word) for word in wrapped.command) + "]",
        first=wrapped.inputs[0].name,
        inputs="\n".join(f"        {_input(found)}" for found in wrapped.inputs),
        outputs="\n".join(f'        {_text(r.name)}: "1",  # {r.value:g} in the example' for r in wrapped.results),
        results="\n".join(f"        {line}" for line in _results(wrapped)),
        stdin=f"stdin={_text(wrapped.example)},\n    " if wrapped.stdin else "",
        verbatim=f"verbatim=[{', '.join(map(_text, wrapped.verbatim))}],\n    " if wrapped.verbatim else "",
        example="[" + ", ".join(repr(found.value) for found in wrapped.inputs) + "]",
    )


def study_text(wrapped: Wrapped) -> str:
    """Return the study with the model in it and the rest to fill in."""
    return _STUDY.format(name=wrapped.name)


def parser_text(parser: Any) -> str:
    """Return the call that makes a parser: what has a default and holds it is left out."""
    words = []
    for field in dataclasses.fields(parser):
        value = getattr(parser, field.name)
        if field.default is dataclasses.MISSING:
            words.append(_text(value) if isinstance(value, str) else repr(value))
        elif value != field.default:
            words.append(f"{field.name}={_text(value) if isinstance(value, str) else repr(value)}")
    return f"{type(parser).__name__}({', '.join(words)})"


def _results(wrapped: Wrapped) -> list[str]:
    active = [f"{_text(r.name)}: {parser_text(r.parser)}," for r in wrapped.results]
    others = [f"# {_text(r.name)}: {parser_text(r.parser)},  # {r.value:g}" for r in wrapped.others]
    return [
        *active,
        *(["# More of the output, to choose from (declare them under outputs too):"] if others else []),
        *others,
    ]


def _input(found: Found) -> str:
    low, high = sorted((0.5 * found.value, 1.5 * found.value)) if found.value else (-1.0, 1.0)
    return f"{_text(found.name)}: ({_text(found.unit)}, {low:.6g}, {high:.6g}),  # line {found.line}: {found.value:g}"


def _word(word: str | Path) -> str:
    return f"Path({_text(str(word))})" if isinstance(word, Path) else _text(word)


def _text(value: str) -> str:
    if printable(value) != value:
        return ascii(value)
    if "\\" in value and '"' not in value and "\n" not in value and not value.endswith("\\"):
        return f'r"{value}"'
    return json.dumps(value, ensure_ascii=False)
