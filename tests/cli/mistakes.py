"""Likely mistakes: how each is made in a folder, and the command that meets it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.cli.simulator_mistakes import SIMULATORS, write_simulators

WALL = """\
[models.wall]
kind = "heat"
mesh = { kind = "interval", length = "0.2 m", n = 8 }
temperature = { left = "20 degC", right = "-10 degC" }

[models.foam]
function = "foam.py:foam"

[[couplings]]
macro = "wall"
micro = "foam"

[question]
qoi = "heat_flow_left"
rtol = 0.01
"""
FOAM = """\
import scalebridge as sb

@sb.model(inputs={"temperature": ("K", 200, 400)}, outputs={"conductivity": "W/(m*K)"})
def foam(temperature):
    return {"conductivity": 0.03 * temperature / 293}
"""
PLATE = """\
[models.plate]
kind = "solid"
mesh = { kind = "plate_with_hole", width = "40 mm", height = "40 mm", radius = "8 mm", n = 2, part = "quarter" }
displacement = { left = ["0 mm", "free"], bottom = ["free", "0 mm"], right = ["0.1 mm", "free"] }

[models.composite]
kind = "micrograph-rve"
image = "slice.png"
window = 32
materials.fibre = { law = "elastic", E = "72 GPa", nu = 0.22 }
materials.matrix = { law = "power-law", E = "3.5 GPa", nu = 0.35, yield_stress = "70 MPa", n = 0.2 }

[[couplings]]
macro = "plate"
micro = "composite"

[question]
qoi = "reaction_right_x"
rtol = 0.01
"""


def write_folder(folder: Path) -> None:
    """Two sound studies: a wall with a function, a plate with a micrograph of round fibres."""
    (folder / "wall.toml").write_text(WALL)
    (folder / "foam.py").write_text(FOAM)
    (folder / "plate.toml").write_text(PLATE)
    write_simulators(folder)
    y, x = np.mgrid[:64, :64]
    fibre = ((x % 12 - 6) ** 2 + (y % 12 - 6) ** 2) < 20
    noise = np.random.default_rng(0).normal(scale=6, size=fibre.shape)
    image(folder, np.where(fibre, 180, 80) + noise)


def image(folder: Path, grey: np.ndarray) -> None:
    from PIL import Image

    Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(folder / "slice.png")


@dataclass(frozen=True)
class Mistake:
    """What is done wrong before which command."""

    command: tuple[str, ...]
    make: Callable[[Path], None] = lambda _folder: None


def text(name: str, old: str, new: str) -> Callable[[Path], None]:
    """Replace a piece of a file."""

    def make(folder: Path) -> None:
        before = (folder / name).read_text()
        assert old in before
        (folder / name).write_text(before.replace(old, new))

    return make


def wall(*overrides: str) -> Mistake:
    return Mistake(("check", "wall.toml", *overrides))


def plate(*overrides: str) -> Mistake:
    return Mistake(("check", "plate.toml", *overrides))


def edited_wall(old: str, new: str, command: str = "check") -> Mistake:
    return Mistake((command, "wall.toml"), text("wall.toml", old, new))


def foam(old: str, new: str, command: str = "check") -> Mistake:
    return Mistake((command, "wall.toml"), text("foam.py", old, new))


def noise(folder: Path) -> None:
    image(folder, 120 + np.random.default_rng(1).normal(scale=10, size=(64, 64)))


def constant(folder: Path) -> None:
    image(folder, np.full((64, 64), 120.0))


def no_image(folder: Path) -> None:
    (folder / "slice.png").write_text("this is no image")


MISTAKES = {
    "study_missing": Mistake(("check", "plat.toml")),
    "study_is_a_folder": Mistake(("run", ".")),
    "study_is_no_toml": edited_wall("rtol = 0.01", "rtol = "),
    "study_is_no_text": Mistake(("check", "slice.png")),
    "section_unknown": edited_wall("[question]", "[questions]"),
    "section_missing": edited_wall('[question]\nqoi = "heat_flow_left"\nrtol = 0.01\n', ""),
    "models_missing": Mistake(
        ("check", "empty.toml"), lambda f: (f / "empty.toml").write_text("title = 'x'\n") and None
    ),
    "key_unknown_near_miss": edited_wall("rtol", "rtoll"),
    "key_of_a_kind_unknown": edited_wall("temperature =", "temperatures ="),
    "key_missing": edited_wall('qoi = "heat_flow_left"\n', ""),
    "tolerance_is_a_text": wall("question.rtol=one"),
    "tolerance_negative": wall("question.rtol=-0.01"),
    "tolerance_not_finite": wall("question.rtol=nan"),
    "tolerance_missing": edited_wall("rtol = 0.01\n", ""),
    "confidence_in_per_cent": wall("question.confidence=95"),
    "mesh_mode_unknown": wall("question.mesh=includ"),
    "schema_from_the_future": wall("schema_version=2"),
    "kind_near_miss": wall("models.wall.kind=heet"),
    "model_without_kind": edited_wall('function = "foam.py:foam"', 'version = "1"'),
    "model_in_no_coupling": Mistake(
        ("check", "wall.toml"),
        text("wall.toml", "[[couplings]]", '[models.wood]\nfunction = "foam.py:foam"\n\n[[couplings]]'),
    ),
    "coupling_names_no_model": wall("couplings.0.micro=form"),
    "coupling_with_swapped_roles": wall("couplings.0.micro=wall"),
    "quantity_unknown": wall("question.qoi=heat_flow_lef"),
    "unit_mismatch": foam('"W/(m*K)"', '"Pa"'),
    "unit_unknown": foam('"W/(m*K)"', '"W/(m*Q)"'),
    "variable_name_mismatch": foam("temperature", "T"),
    "function_file_missing": wall("models.foam.function=foamy.py:foam"),
    "function_name_missing": wall("models.foam.function=foam.py:foan"),
    "function_without_colon": wall("models.foam.function=foam.py"),
    "function_with_a_syntax_error": foam("return", "retrun"),
    "function_that_is_no_model": foam(
        '@sb.model(inputs={"temperature": ("K", 200, 400)}, outputs={"conductivity": "W/(m*K)"})\n', ""
    ),
    "function_returns_wrong_shape": foam("0.03 * temperature / 293", "[0.03, 0.04]", "run"),
    "function_returns_no_mapping": foam('{"conductivity": 0.03 * temperature / 293}', "0.03", "run"),
    "function_returns_unknown_name": foam('return {"conductivity"', 'return {"conductivty"', "run"),
    "temperature_in_metres": wall("models.wall.temperature.left=20 m"),
    "boundary_unknown": wall("models.wall.temperature.lef=20 degC"),
    "image_missing": plate("models.composite.image=slices.png"),
    "image_unreadable": Mistake(("check", "plate.toml"), no_image),
    "image_of_one_phase": Mistake(("check", "plate.toml"), noise),
    "image_without_contrast": Mistake(("check", "plate.toml"), constant),
    "window_too_large": plate("models.composite.window=500"),
    "contrast_of_zero": plate("models.composite.materials.matrix.E=0 GPa"),
    "modulus_in_millimetres": plate("models.composite.materials.fibre.E=72 mm"),
    "poisson_ratio_of_a_fluid": plate("models.composite.materials.matrix.nu=0.5"),
    "material_without_exponent": Mistake(("check", "plate.toml"), text("plate.toml", ", n = 0.2", "")),
    "material_for_no_phase": Mistake(("check", "plate.toml"), text("plate.toml", "materials.fibre", "materials.fiber")),
    "mesh_file_missing": plate("models.plate.mesh=plate.msh"),
    "mesh_kind_unknown": plate("models.plate.mesh.kind=plate_with_holes"),
    "mesh_radius_negative": plate("models.plate.mesh.radius=-1 mm"),
    "body_not_held": Mistake(("check", "plate.toml"), text("plate.toml", 'bottom = ["free", "0 mm"], ', "")),
    "budget_spent_by_inputs": plate("models.composite.uncertain.windows=4", "question.budget=8"),
    "override_without_value": wall("question.rtol"),
    "override_below_a_value": wall("question.rtol.x=1"),
    "override_beyond_a_list": wall("couplings.3.micro=foam"),
    "validate_by_what": Mistake(("run", "wall.toml", "--validate", "dirct")),
    "command_unknown": Mistake(("rum", "wall.toml")),
    "option_unknown": Mistake(("run", "wall.toml", "--oot", "x")),
    "directory_without_answer": Mistake(("report", "empty")),
    "status_of_nothing": Mistake(("status", "empty")),
    "init_over_a_study": Mistake(("init", "."), lambda f: (f / "study.toml").write_text("") and None),
    **{name: Mistake((command, "wall.toml", key)) for name, (command, key) in SIMULATORS.items()},
}
