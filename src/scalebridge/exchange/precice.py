"""A surrogate as the micro simulation of preCICE's Micro Manager."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scalebridge.errors import InputError, did_you_mean
from scalebridge.exchange.python_module import export_python
from scalebridge.exchange.tracing import checked
from scalebridge.exchange.writing import write_text
from scalebridge.quantities import Space

# One process takes every point; who splits the domain between processes gives its bounds.
_EVERYWHERE = [-1e9, 1e9]
# What is told beside the variables: whether the point lies in the domain.
_FLAG = "inside of the domain"
_NAME = re.compile(r"[A-Z][a-zA-Z0-9]*(?:-[A-Za-z0-9]+)*")


def export_micro_manager(
    surrogate: Any,
    folder: str | os.PathLike[str],
    *,
    name: str = "law",
    precice_config: str = "precice-config.xml",
    mesh: str = "Macro-Mesh",
    data: Mapping[str, str] | None = None,
    dimensions: int = 3,
    time_window: float = 1.0,
) -> list[Path]:
    """Write a fitted surrogate as a ``MicroSimulation`` with the configuration that the Micro Manager reads.

    Beside the files of `export_python` there are ``NAME_micro.py``, whose ``solve(macro_data, dt)`` answers from the
    surrogate with its values and ``Inside`` (1.0 in its domain, 0.0 outside), and ``micro-manager-config.json`` as
    version 0.12 reads it. An array of another size than the mesh has dimensions becomes numbers, ``Strain-1`` and on.
    Run ``micro-manager-precice micro-manager-config.json`` in the folder. Instances have no state: adaptivity finds
    equal ones by their data alone.

    Args:
        surrogate: fitted; of the methods that have a graph.
        folder: must exist.
        name: of files and module.
        precice_config: of the coupled simulation, as seen from the folder.
        mesh: name of the macro mesh in that configuration.
        data: name of a variable -> name of preCICE's data; by default the variable's own in the form of its schema,
            ``heat_flux`` as ``Heat-flux``.
        dimensions: of the macro mesh, 2 or 3.
        time_window: the micro time step in the coupling's unit.

    Returns:
        The paths written.

    Raises:
        InputError: as `export_c`; ``data`` names no variable, or a name that the schema does not take.
    """
    place = Path(folder)
    if dimensions not in (2, 3):
        raise InputError(f"The macro mesh was given {dimensions} dimensions; preCICE's have 2 or 3.")
    told = _told([*checked(surrogate).inputs.names, *surrogate.outputs.names], data or {})
    inputs, outputs = (_parts(space, told, dimensions) for space in (surrogate.inputs, surrogate.outputs))
    read, written = [n for n, _ in inputs], [*(n for n, _ in outputs), told[_FLAG]]
    _check_names(mesh, [*read, *written])
    settings = {
        "participant_name": "Micro-Manager",
        "precice_config_file_path": precice_config,
        "interfaces": [
            {
                "mesh_name": mesh,
                "write_data": [{"name": n} for n in written],
                "read_data": [{"name": n} for n in read],
            }
        ],
        "micro_manager": {
            "micro_file_names": [f"{name}_micro"],
            "output_directory": "output",
            "simulation_params": {"micro_dt": time_window, "macro_domain_bounds": _EVERYWHERE * dimensions},
        },
    }
    files = export_python(surrogate, place, name=name)
    module = _MODULE.format(name=name, flag=told[_FLAG], inputs=inputs, outputs=outputs)
    files.append(write_text(place / f"{name}_micro.py", module))
    text = json.dumps(settings, indent=2) + "\n"
    return [*files, write_text(place / "micro-manager-config.json", text)]


def _told(variables: list[str], data: Mapping[str, str]) -> dict[str, str]:
    """The name of preCICE's data for each variable, and for the flag."""
    for variable in data:
        if variable not in variables:
            raise InputError(f"data= names '{variable}', which is no variable{did_you_mean(variable, variables)}")
    return {_FLAG: "Inside", **{n: data.get(n, _data_name(n)) for n in variables}}


def _check_names(mesh: str, data: list[str]) -> None:
    for word in (mesh, *data):
        if not _NAME.fullmatch(word):
            raise InputError(
                f"The name '{word}' is none of preCICE's schema, which wants a capital letter, then letters, digits "
                "and single hyphens, as in 'Heat-Flux'."
            )
        if data.count(word) > 1:
            raise InputError(f"Two values would be preCICE's data '{word}'; give one of them another name by data=.")


def _data_name(name: str) -> str:
    """A variable's name in the form of preCICE's schema."""
    words = [word for word in name.split("_") if word] or [name]
    return "-".join([words[0][:1].upper() + words[0][1:], *words[1:]])


def _parts(space: Space, told: Mapping[str, str], dimensions: int) -> list[tuple[str, int]]:
    """Name of the data and number of components (0 for a number), in order.

    preCICE's vectors have as many components as its mesh has dimensions; others are numbers, ``Strain-1`` and on.
    """
    parts: list[tuple[str, int]] = []
    for v in space:
        if not v.shape:
            parts.append((told[v.name], 0))
        elif v.shape == (dimensions,):
            parts.append((told[v.name], dimensions))
        else:
            parts += [(f"{told[v.name]}-{k + 1}", 0) for k in range(v.size)]
    return parts


_MODULE = '''"""Micro simulation for preCICE's Micro Manager: the surrogate in {name}.h, written by scalebridge."""

import numpy as np

import {name}

try:
    from micro_manager import MicroSimulationInterface
except ImportError:
    MicroSimulationInterface = object

# Name of the data and number of components, 0 for a number.
INPUTS = {inputs}
OUTPUTS = {outputs}


class MicroSimulation(MicroSimulationInterface):
    """One point of the macro mesh; without state."""

    def __init__(self, sim_id):
        self._sim_id = sim_id

    def initialize(self):
        """Nothing to prepare."""

    def solve(self, macro_data, dt):
        """Answer at the point's state."""
        x = np.concatenate([np.atleast_1d(np.asarray(macro_data[key], dtype=float)) for key, _ in INPUTS])
        values, _, inside = {name}.evaluate(x[None])
        answer, start = {{}}, 0
        for key, size in OUTPUTS:
            part = values[0, start : start + max(size, 1)]
            answer[key] = part if size else float(part[0])
            start += max(size, 1)
        answer["{flag}"] = float(inside[0])
        return answer

    def get_state(self):
        return self._sim_id

    def set_state(self, state):
        self._sim_id = state

    def get_global_id(self):
        return self._sim_id

    def set_global_id(self, global_id):
        self._sim_id = global_id

    def output(self):
        """Nothing to write."""
'''
