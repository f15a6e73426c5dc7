# How warm does a plate get? A first model in ten minutes: plates solved by finite elements, a small network that is
# told seven numbers of each, a convolutional network that is shown pictures of the same, both judged on plates held
# back, and one page.
#
#   python examples/plate_temperature/plate_temperature.py        writes out/plate_temperature.html

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from plate import FIELD, INPUTS, NUMBERS, PICTURES, pictures, plate
from plate_page import write_page

import scalebridge as sb
from scalebridge.learn.networks import ConvolutionalNetwork, Network, Recipe

OUT = Path(sys.argv[1] if len(sys.argv) > 1 else "out/plate_temperature.html")
TRAINING, HELD_BACK = 240, 100
LEVEL = 0.9

# 1. Data: 340 plates, of which the networks never see a hundred.
start = time.perf_counter()
x = sb.designs.latin_hypercube(INPUTS, TRAINING + HELD_BACK, seed=0).x
runs = plate.run(x)
assert runs.ok.all(), runs.reason
numbers, fields = runs.values[:, : NUMBERS.size], runs.values[:, NUMBERS.size :]
seen, held = slice(0, TRAINING), slice(TRAINING, None)
print(f"{len(x)} plates solved in {time.perf_counter() - start:.0f} s")


def judged(posterior, wanted):
    """Mean absolute error, that of the mean of the training plates, and the share of values in the interval."""
    low, high = posterior.quantile((1 - LEVEL) / 2), posterior.quantile((1 + LEVEL) / 2)
    return {
        "error": float(np.mean(np.abs(posterior.mean - wanted))),
        "largest": float(np.max(np.abs(posterior.mean - wanted))),
        "inside": float(np.mean((wanted >= low) & (wanted <= high))),
        "width": float(np.mean(high - low)),
    }


# 2. A small network: seven numbers to two.
start = time.perf_counter()
small = Network(INPUTS, NUMBERS, recipe=Recipe(repeats=1, epochs=300, patience=40)).fit(x[seen], numbers[seen])
told = small.posterior(x[held])
peak = judged(told, numbers[held])
print(
    f"network: {peak['error']:.2f} K off on average on plates held back, {peak['inside']:.0%} inside their intervals "
    f"({time.perf_counter() - start:.0f} s)"
)

# 3. A convolutional network: two pictures to a third.
start = time.perf_counter()
shown = pictures(x)
recipe = Recipe(repeats=1, epochs=40, batch=16, patience=20, learning_rate=4e-3)
deep = ConvolutionalNetwork(PICTURES, FIELD, widths=(8, 16, 32), recipe=recipe).fit(shown[seen], fields[seen])
seen_fields = deep.posterior(shown[held])
field = judged(seen_fields, fields[held])
print(
    f"CNN: {field['error']:.2f} K off on average over the fields held back, {field['inside']:.0%} inside "
    f"({time.perf_counter() - start:.0f} s)"
)

# 4. What would no learning have given? The mean of the plates seen.
plain = {"error": float(np.mean(np.abs(numbers[held] - numbers[seen].mean(axis=0))))}
plain_field = {"error": float(np.mean(np.abs(fields[held] - fields[seen].mean(axis=0))))}

# 5. One new plate, with its interval.
new = np.array([[300.0, 320.0, 360.0, 290.0, 1.2e7, 0.035, 0.06]])
answer, true = small.posterior(new), plate.run(new).values[0]
low, high = answer.quantile(0.05)[0, 0], answer.quantile(0.95)[0, 0]
print(
    f"a new plate: hottest place {answer.mean[0, 0]:.1f} K, 90 % interval [{low:.1f}, {high:.1f}] K; "
    f"solved: {true[0]:.1f} K"
)

write_page(
    OUT,
    plates={"x": x[held], "numbers": numbers[held], "fields": fields[held], "count": TRAINING},
    small={"posterior": told, "judged": peak, "plain": plain, "curve": small.curve, "level": LEVEL},
    deep={"posterior": seen_fields, "judged": field, "plain": plain_field, "curve": deep.curve, "level": LEVEL},
    new={"value": answer.mean[0, 0], "low": low, "high": high, "true": true[0], "x": new[0]},
)
print(f"page: {OUT}")

# Hard numbers: a network is worth its name if it leaves at most a tenth of the error of the mean plate.
assert peak["error"] < 0.1 * plain["error"]
assert field["error"] < 0.1 * plain_field["error"]
assert 0.85 < peak["inside"] <= 1.0 and 0.85 < field["inside"] <= 1.0
assert low - 2.0 < true[0] < high + 2.0
