"""Input scripts of tests."""

MELT = """\
# A melt that the stand-in understands.
units           lj
variable        T index 1.0
variable        rho index 0.8
variable        seed index 5
variable        style index lj/cut
atom_style      atomic
lattice         fcc ${rho}
pair_style      ${style} &
                2.5
velocity        all create ${T} ${seed}
fix             1 all nvt temp ${T} ${T} 0.5
thermo          10
variable        twice equal 2*v_T
compute         moved all msd
run             4000
print           "twice = ${twice}"
"""
