"""What a solve takes is told before it starts, and holds."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.errors import InputError
from scalebridge.micro.rve.memory import Plan

SCRIPT = """
import sys
import numpy as np, torch
import scalebridge as sb
torch.set_num_threads(1)
n, kind = int(sys.argv[1]), sys.argv[2]
def ball(n):
    x = (np.arange(n) + 0.5) / n - 0.5
    z, y, x = np.meshgrid(x, x, x, indexing="ij", sparse=True)
    return (x**2 + y**2 + z**2 < 0.09).astype(np.uint8)
laws = {
    "power": [sb.micro.PowerLaw(1.0, 0.3, 0.01, 0.5), sb.micro.Elastic(10.0, 0.3)],
    "conduction": [sb.micro.Conductor(1.0), sb.micro.Conductor(10.0)],
}.get(kind, [sb.micro.Elastic(1.0, 0.3), sb.micro.Elastic(10.0, 0.3)])
options = {"discretisation": "hexahedra"} if kind == "hexahedra" else {}
def solve(made):
    if kind == "power":
        made.homogenise([[0.01, 0, 0, 0, 0, 0.0]])
    elif kind == "conduction":
        made.conductivity()
    else:
        made.stiffness()
solve(sb.micro.RVE(ball(8), laws, **options))
made = sb.micro.RVE(ball(n), laws, **options)
def peak():
    # Of this process alone: getrusage starts from the peak of the one that made it.
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
before = peak()
solve(made)
print(peak() - before, made.plan().bytes)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak from /proc")
@pytest.mark.parametrize(("kind", "n"), [("elastic", 64), ("hexahedra", 32), ("conduction", 64), ("power", 32)])
def test_a_solve_takes_what_its_plan_says(kind: str, n: int) -> None:
    ran = subprocess.run([sys.executable, "-c", SCRIPT, str(n), kind], capture_output=True, text=True, check=True)
    taken, planned = (int(word) for word in ran.stdout.split())
    assert 0.5 * planned < taken < 1.05 * planned


def test_single_precision_halves_the_fields() -> None:
    image = np.zeros((32, 32, 32), dtype=int)
    image[:16] = 1
    laws = [sb.micro.Elastic(1.0, 0.3), sb.micro.Elastic(10.0, 0.3)]
    double, single = (sb.micro.RVE(image, laws, precision=p).plan() for p in ("double", "single"))  # type: ignore[arg-type]
    assert single.parts["solver"] * 2 == double.parts["solver"]
    assert "GiB free" in str(double)


def test_an_image_too_large_for_the_machine_is_refused_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    from scalebridge.micro.rve import memory

    monkeypatch.setattr(memory, "available_bytes", lambda device: 1000)
    image = np.eye(8, dtype=int)
    made = sb.micro.RVE(image, [sb.micro.Elastic(1.0, 0.3), sb.micro.Elastic(10.0, 0.3)])
    with pytest.raises(InputError, match=r"The RVE needs .* GiB and 0\.0 GiB are free; crop or coarsen"):
        made.stiffness()
    assert not Plan(100, 100, 1, {}).fits
