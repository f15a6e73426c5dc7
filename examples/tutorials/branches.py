# One branch per scale: five micro and three macro features, their weighted sum as the target, 1000 samples. How far is
# a branched network off on samples it has not seen, and which scale carries how much?
#
#   python examples/tutorials/branches.py

import numpy as np

from scalebridge.learn.networks import BranchedNetwork, Recipe

MICRO = ["fraction", "diameter", "spacing", "orientation", "voids"]
MACRO = ["thickness", "width", "load"]
WEIGHTS = np.array([0.8, -0.5, 0.3, 0.6, -0.9, 1.2, -0.4, 0.7])

x = np.random.default_rng(0).uniform(0.0, 1.0, (1000, 8))
y = x @ WEIGHTS[:, None]

network = BranchedNetwork(
    dict.fromkeys(MICRO + MACRO, "1"),
    {"target": "1"},
    branches={"micro": MICRO, "macro": MACRO},
    recipe=Recipe(repeats=1, epochs=60),
).fit(x[:800], y[:800])

posterior = network.posterior(x[800:])
error = np.mean(np.abs(posterior.mean - y[800:]))
inside = np.mean((y[800:] >= posterior.quantile(0.05)) & (y[800:] <= posterior.quantile(0.95)))
print(f"mean absolute error {error:.4f} on 200 samples held back, {inside:.0%} inside their 90 % intervals")

# For a weighted sum of independent inputs the parts of the variance are known.
known = WEIGHTS**2 / (WEIGHTS**2).sum()
told = network.importance()
for branch, part in (("micro", known[:5].sum()), ("macro", known[5:].sum())):
    print(f"{branch}: {told[branch].share:.2f} of the variance (known: {part:.2f})")
    assert abs(told[branch].share - part) < 0.1

assert error < 0.02
