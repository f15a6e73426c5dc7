# What force carries a plate with a hole, of glass fibres in a yielding polymer, when CalculiX solves the plate? The
# stress is that of a cell of the fibres, known one strain at a time; ScaleBridge learns it, and hands CalculiX tables.
#
#   apt-get install calculix-ccx
#   python examples/calculix_plate/calculix_plate.py [REPORT.html]

import sys

import numpy as np

import scalebridge as sb

# A square of the composite: one fibre, 55 % of the area.
x, y = np.meshgrid(*2 * [np.linspace(-0.5, 0.5, 24, endpoint=False) + 0.5 / 24])
cell = sb.micro.RVE(
    (np.hypot(x, y) < np.sqrt(0.55 / np.pi)).astype(int),
    [sb.micro.PowerLaw(E="3.5 GPa", nu=0.35, yield_stress="60 MPa", n=0.5), sb.micro.Elastic(E="72 GPa", nu=0.22)],
    tolerance=1e-7,
)

plate = sb.macro.Solid(
    sb.macro.meshes.plate_with_hole("40 mm", "20 mm", "4 mm", n=8, part="quarter"),
    displacement={"left": (0, "free"), "bottom": ("free", 0), "right": ("0.1 mm", "free")},
    qois={"force": sb.macro.ReactionForce("right", "x")},
    thickness="2 mm",
)
in_calculix = sb.simulators.calculix.CalculixSolid(plate)

answer = sb.solve(in_calculix, cell, qoi="force", rtol=0.01)
print(f"force {answer.value:.1f} N in {np.round(answer.interval, 1)} from {answer.micro_runs} runs of the cell")
if len(sys.argv) > 1:
    print(answer.report(sys.argv[1]))

# Our own solid, called the same way, says the same.
ours = sb.solve(plate, cell, qoi="force", rtol=0.01)
assert answer.converged and answer.micro_runs == ours.micro_runs
assert abs(answer.value / ours.value - 1.0) < 1e-6
