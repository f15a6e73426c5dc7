# How stiff is a printed short-fibre composite along its beads? Fibres are generated with a given fraction, aspect ratio
# and orientation tensor, and homogenised with the direction of the fibre in each voxel.
#
#   python examples/short_fibre_peek/short_fibre_peek.py

import scalebridge as sb

peek = sb.micro.Elastic(E="4.0 GPa", nu=0.3855)
# T300: stiff along the fibre only.
carbon = sb.micro.TransverselyIsotropic(E_L="230 GPa", E_T="13.4 GPa", nu_L=0.256, nu_T=0.3, G_L="27.3 GPa")

fibres = sb.microstructure.random_short_fibres(0.24, aspect=8.5, count=40, orientation=(0.9, 0.05, 0.05), seed=0)
rve = sb.micro.RVE(fibres.labels(40), [peek, carbon], orientation=fibres.directions(40), tolerance=1e-4)
found = sb.micro.engineering_constants(rve.stiffness())

print(f"fraction {fibres.fraction:.3f}, orientation tensor {fibres.orientation.diagonal().round(3)}")
print(f"E along the beads {found.E1 / 1e9:.1f} GPa, across {found.E2 / 1e9:.1f} GPa, G {found.G12 / 1e9:.2f} GPa")

# Endless aligned fibres of this fraction would give 58 GPa.
assert abs(found.E1 / 19.9e9 - 1.0) < 0.02
