"""Pressure drop of a shear-thinning fluid between plates: OpenFOAM as macro model, its viscosity from a micro model.

A polymer solution flows at 0.1 m/s through a gap of 10 mm. Its viscosity at each shear rate is known only to a micro
model, here a power law, for which the pressure drop has an exact value to compare with. ScaleBridge runs the micro
model a few times, hands its surrogate to OpenFOAM as a table, and answers with an interval.

Run with ``python examples/shear_thinning_channel/shear_thinning_channel.py``; it needs OpenFOAM
(on Debian: ``apt-get install openfoam``).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import scalebridge as sb
from scalebridge.simulators.openfoam import Channel

if TYPE_CHECKING:
    from scalebridge.bridge import Answer

CONSISTENCY, INDEX = 0.5, 0.5
HALF_GAP, VELOCITY, LENGTH = 0.005, 0.1, 1.0


@sb.model(inputs={"shear_rate": ("1/s", 0, None)}, outputs={"viscosity": ("Pa*s", 0, None)})
def polymer(shear_rate: float) -> dict[str, float]:
    """Viscosity of the solution: in earnest, the mean of a simulation of its chains."""
    return {"viscosity": CONSISTENCY * max(shear_rate, 1e-6) ** (INDEX - 1)}


def exact_pressure_drop() -> float:
    """Of a power-law fluid, Pa."""
    rate = (2 * INDEX + 1) / INDEX * VELOCITY / HALF_GAP
    return float(LENGTH * CONSISTENCY / HALF_GAP * rate**INDEX)


def solve() -> tuple[Answer, Channel]:
    """The answer at two per cent, the error of the mesh counted in."""
    channel = Channel(height="10 mm", length="1 m", velocity="0.1 m/s", density="1000 kg/m^3")
    return sb.solve(channel, polymer, qoi="pressure_drop", rtol=0.02, mesh="include"), channel


def main() -> None:
    """Solve and compare with the exact value."""
    start = time.perf_counter()
    answer, channel = solve()
    exact, (low, high) = exact_pressure_drop(), answer.interval
    print(f"pressure drop   {answer.value:.2f} Pa, between {low:.2f} and {high:.2f} Pa (95 %)")
    print(f"exact           {exact:.2f} Pa: off by {100 * (answer.value / exact - 1):+.3f} %")
    print(f"micro runs      {answer.micro_runs}, of which {sum(r.phase == 'verify' for r in answer.runs)} to verify")
    print(f"macro solves    {answer.macro_solves}; runs of simpleFoam {channel.n_runs}")
    print(f"wall time       {time.perf_counter() - start:.0f} s")
    assert answer.converged, answer.reason
    assert low <= exact <= high
    assert abs(answer.value / exact - 1) < 0.02
    assert answer.micro_runs <= 25


if __name__ == "__main__":
    main()
