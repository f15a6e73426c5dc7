# From micrographs and test tables to a component: a slice of glass fibres becomes a ply, a laminate and a panel; the
# modulus is learned from descriptors a second time; both are fused and held against tests.
#
#   python examples/composite_properties/composite_properties.py [PAGE.html]
#
# Two minutes; it leaves one page. Set SCALEBRIDGE_EXTRA_DATA to have the strength of birch in it too.

import sys
from pathlib import Path

import numpy as np
from components import COMPONENTS, PLY_THICKNESS, STACKING
from fused import SOFTENED, by_physics, held_against, tested
from learned import by_learning, leaked, specimens, trained
from page import Study, page
from printed import crept
from slices import ply_of, read_slice, sources
from strength import all_validated

from scalebridge.macro.laminate import Laminate, propagate
from scalebridge.microstructure import describe
from scalebridge.reports.document import written

SEED = 0

# Slice -> phases -> windows -> ply, with what is uncertain of it.
found = read_slice()
described = describe(found.phases, which=("fraction", "chords", "neighbours", "free_zones"))
uncertain = sources(found)
print(f"phases: {found.phases.describe()}")
print(f"ply: E1 {found.best[0] / 1e9:.1f}, E2 {found.best[1] / 1e9:.1f}, G12 {found.best[3] / 1e9:.2f} GPa")

# Ply -> laminate -> panel and strip.
laminate = Laminate.of(ply_of(found.best), STACKING, PLY_THICKNESS)
answers = propagate(COMPONENTS, found.best, uncertain, draws=150, seed=SEED)
for name, answer in answers.items():
    print(f"{name}: {answer.value:.4g} {answer.unit}, {answer.interval[0]:.4g} to {answer.interval[1]:.4g}")

# The same modulus learned from descriptors of virtual specimens, validated by slice.
given = specimens(SEED)
comparison = trained(given)
leaky = leaked(given, comparison.best.name)
parts = {s.name: float(found.best[1] / 1e9 * np.linalg.norm(s.deviations[:, 1])) for s in uncertain}
physics = by_physics(found, parts)
learned = by_learning(comparison, given, found, {name: parts[name] for name in ("pixels", "constituents")})

# Both fused, and held against tests: of what the models believe, and of something else.
tests = {}
for name, resin in (("virtual coupons as believed", 1.0), ("virtual coupons with a soft resin", SOFTENED)):
    readings = tested(found, resin, SEED)
    tests[name] = (readings, held_against(physics, learned, readings))
    print(f"{name}: {tests[name][1].verdict}")

# Strength from real tables, and the one coupon that is real.
strengths = all_validated()
creep = crept()
print(f"printed CF/PEEK: {creep.inside:.1%} of the creep curve within its band")

target = Path(sys.argv[1] if len(sys.argv) > 1 else "out/composite_properties.html")
study = Study(
    found, described, uncertain, laminate, answers, given, comparison, leaky, physics, learned, tests, strengths, creep
)
print(written(page(study), target))

# The slice holds 57 ± 3 % of fibres, and so does what follows from it.
assert abs(found.phases.fraction[-1] - 0.57) < 0.05
assert all(a.interval[0] < a.value < a.interval[1] for a in answers.values())
# No source of uncertainty is larger than the segmentation: more windows would not help.
assert max(answers["deflection"].parts, key=answers["deflection"].parts.__getitem__) == "segmentation"
# The two ways agree; the tests agree with them, but for the set with a soft resin, which is found out.
sound, soft = (fusion for _, fusion in tests.values())
assert sound.consistent and not sound.inadequate
assert soft.inadequate and soft.discrepancies["fused"].interval[1] < 0
assert all(v.error < v.spread for v in strengths)
assert creep.inside > 0.95 and not creep.gap.significant
