"""A bed of fibres that the flow compresses: Darcy at the large scale, OpenFOAM between the fibres.

    python examples/cylinder_array/cylinder_array.py          # about a minute, needs OpenFOAM

Air is sucked through 5 mm of parallel fibres in a square array. What the air loses in pressure the fibres carry: the
bed becomes denser towards the outlet, and its permeability falls by a factor of forty. Each micro run solves the flow
in one cell of the array; the published drag (Sangani and Acrivos 1982) gives the answer to compare with.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import scalebridge as sb
from scalebridge.macro import Compression, Darcy
from scalebridge.simulators.openfoam.cylinders import SANGANI_ACRIVOS, CylinderArray
from scalebridge.simulators.openfoam.fields import read_fields
from scalebridge.simulators.openfoam.function_objects import read_function_object

DIAMETER = 20e-6  # m, of a fibre
THICKNESS = 5e-3  # m, of the bed
VISCOSITY = 1.8e-5  # Pa*s, of air
SOLID_FRACTION = 0.1  # of the bed without load
PRESSURE_DROP = 10e3  # Pa
COMPRESSION = Compression("1 kPa", 0.6)


def bed(n: int = 40) -> Darcy:
    """The macro problem: a column of one square metre."""
    return Darcy(
        sb.macro.meshes.interval(THICKNESS, n),
        pressure={"left": PRESSURE_DROP, "right": 0.0},
        viscosity=VISCOSITY,
        solid_fraction=SOLID_FRACTION,
        compression=COMPRESSION,
    )


def published_permeability(fraction: np.ndarray) -> np.ndarray:
    """Permeability (m^2) of the published drag, whose logarithm is interpolated by a cubic spline."""
    from scipy.interpolate import CubicSpline

    c, drag = np.array(list(SANGANI_ACRIVOS)), np.array(list(SANGANI_ACRIVOS.values()))
    return np.pi * (DIAMETER / 2) ** 2 / (fraction * np.exp(CubicSpline(c, np.log(drag))(fraction)))


def published_flow() -> float:
    """Flow rate (m^3/s): with Kirchhoff's transform, mu u L is the integral of k over the stress on the solid."""
    from scipy.integrate import quad

    def permeability(stress: float) -> float:
        factor, _ = COMPRESSION.factor(np.array(stress))
        return float(published_permeability(SOLID_FRACTION * factor))

    return float(quad(permeability, 0.0, PRESSURE_DROP)[0] / (VISCOSITY * THICKNESS))


def picture(path: Path, fraction: float = 0.25) -> None:
    """Draw velocity and pressure in one cell of the array, over their means along the flow."""
    from scalebridge.models.program import working_folder
    from scalebridge.reports.fields import field_figure

    with working_folder(name="picture") as folder:
        case = CylinderArray().case(fraction)
        case.prepare(folder.path)
        run = case.run(folder.path)
        assert run.ok, run.reason
        fields = read_fields(folder.path, ["U", "p"], patch="front")
        mean = read_function_object(folder.path, "meanVelocity")["volAverage_U"][-1, 0]
    velocity = fields["U"].with_values(fields["U"].values / mean, name="velocity_over_its_mean", unit="1", time=None)
    # In these units the viscosity and the side are one: a pressure is measured by the velocity.
    pressure = fields["p"].values - 0.5 * (fields["p"].values.min() + fields["p"].values.max())
    pressure = fields["p"].with_values(pressure / mean, name="pressure_over_mu_U_per_side", unit="1", time=None)
    field_figure([velocity, pressure], titles=[f"Solid fraction {fraction:g}: velocity", "pressure"]).savefig(
        path, dpi=90
    )


def main(folder: Path) -> sb.Answer:
    """Solve, compare, draw."""
    cylinders = CylinderArray(DIAMETER, quantity="permeability").fix(reynolds_number=0)
    answer = sb.solve(bed(), cylinders, qoi="flow_rate_left", rtol=0.03, seed=0)
    wanted = published_flow()
    print(f"flow rate  {answer.value:.4f} m^3/s, {100 * answer.confidence:g} % within {answer.interval}")
    print(f"published  {wanted:.4f} m^3/s, {100 * (answer.value / wanted - 1):+.2f} %")
    print(f"micro runs {answer.micro_runs}, for {bed().discrete.weights.size} states of the bed")
    picture(folder / "cell.png")
    assert answer.converged, answer.reason
    assert abs(answer.value / wanted - 1) < 0.02
    assert answer.interval[0] < wanted < answer.interval[1]
    assert answer.micro_runs <= 40
    return answer


if __name__ == "__main__":
    out = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    out.mkdir(parents=True, exist_ok=True)
    main(out)
