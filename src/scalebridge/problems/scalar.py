"""Published scalar functions on which surrogates are compared, with their cheap versions and known values.

All are deterministic, inputs uniform between their bounds. Collected with their sources by S. Surjanovic and
D. Bingham, Virtual Library of Simulation Experiments (2013); the cheap versions by S. Xiong, P. Qian, J. Wu,
Technometrics 55 (2013) 37, unless said otherwise.
"""

from __future__ import annotations

import hashlib
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scalebridge.errors import InputError, did_you_mean
from scalebridge.models import Runs, Scale
from scalebridge.quantities import Floats, Space

Columns = Mapping[str, Floats]


@dataclass(frozen=True)
class ScalarFunction:
    """A published function of several numbers as a `scalebridge.models.Model` of one output.

    Args:
        name: short name.
        inputs: ``d`` numbers with units and bounds.
        outputs: one number with its unit.
        formula: maps columns ``{name: [b]}`` to values ``[b]``.
        source: where it was published.
        known: published facts, by name: ``mean`` and ``variance`` for inputs uniform between their bounds,
            ``first_order`` and ``total`` Sobol indices ``[d]``, ``minimum`` or ``maximum`` with ``at [d]``.
        finer: the version that this one is a cheap copy of.
    """

    name: str
    inputs: Space
    outputs: Space
    formula: Callable[[Columns], Floats]
    source: str
    known: Mapping[str, Any] = field(default_factory=dict, compare=False)
    finer: ScalarFunction | None = None

    version = "1"
    scale: Scale | None = None

    def identity(self) -> Mapping[str, str]:
        """Name, version and a digest of the formula."""
        text = inspect.getsource(self.formula)
        return {
            "name": f"problems.{self.name}",
            "version": self.version,
            "source": hashlib.sha256(text.encode()).hexdigest()[:16],
        }

    def run(self, x: Floats) -> Runs:
        """Values at ``x [b, d]``; a row that is not finite, or where the formula has no value, fails."""
        x = self.inputs.check(x, f"The function '{self.name}'")
        with np.errstate(all="ignore"):
            y = self.formula(dict(zip(self.inputs.names, x.T, strict=True)))
        finite = np.isfinite(x).all(axis=1) & np.isfinite(y)
        status = np.where(finite, "ok", "failed")
        told = tuple("" if ok else "the input is not finite or has no value" for ok in finite)
        return Runs(np.where(finite, y, np.nan)[:, None], status, told)

    def __call__(self, x: Floats) -> Floats:
        """Values ``[b, 1]`` at ``x [b, d]``; NaN where there is none."""
        return self.run(x).values


BOREHOLE = {
    "rw": ("m", 0.05, 0.15), "r": ("m", 100, 50000), "Tu": ("m^2/year", 63070, 115600), "Hu": ("m", 990, 1110),
    "Tl": ("m^2/year", 63.1, 116), "Hl": ("m", 700, 820), "L": ("m", 1120, 1680), "Kw": ("m/year", 9855, 12045),
}  # fmt: skip


def borehole(fidelity: str = "high") -> ScalarFunction:
    """Flow of water through a borehole between two aquifers, m³/year; 8 inputs.

    Source: W. V. Harper, S. K. Gupta, BMI/ONWI-516 (1983); M. D. Morris, T. J. Mitchell, D. Ylvisaker,
    Technometrics 35 (1993) 243.
    """
    # Monotonic in every input: the largest value stands in a corner.
    corner = np.array([0.15, 100, 115600, 1110, 116, 700, 1120, 12045])
    known = {"maximum": 309.5755876604079, "at": corner}
    made = ScalarFunction(
        "borehole", Space(BOREHOLE), Space({"flow": "m^3/year"}), _borehole, "Harper and Gupta 1983", known
    )
    return _version(made, fidelity, _borehole_cheap, "Xiong, Qian and Wu 2013")


def _borehole(c: Columns) -> Floats:
    return _flow(c, 2 * math.pi, 1.0)


def _borehole_cheap(c: Columns) -> Floats:
    return _flow(c, 5.0, 1.5)


def _flow(c: Columns, factor: float, one: float) -> Floats:
    logarithm = np.log(c["r"] / c["rw"])
    leak = 2 * c["L"] * c["Tu"] / (logarithm * c["rw"] ** 2 * c["Kw"])
    flow: Floats = factor * c["Tu"] * (c["Hu"] - c["Hl"]) / (logarithm * (one + leak + c["Tu"] / c["Tl"]))
    return flow


def otl_circuit() -> ScalarFunction:
    """Midpoint voltage of a push-pull circuit without output transformer, V; 6 inputs.

    Source: E. N. Ben-Ari, D. M. Steinberg, Quality Engineering 19 (2007) 327.
    """
    inputs = {
        "Rb1": ("kiloohm", 50, 150), "Rb2": ("kiloohm", 25, 70), "Rf": ("kiloohm", 0.5, 3),
        "Rc1": ("kiloohm", 1.2, 2.5), "Rc2": ("kiloohm", 0.25, 1.2), "beta": ("1", 50, 300),
    }  # fmt: skip
    return ScalarFunction("otl_circuit", Space(inputs), Space({"voltage": "V"}), _otl, "Ben-Ari and Steinberg 2007")


def _otl(c: Columns) -> Floats:
    base = 12 * c["Rb2"] / (c["Rb1"] + c["Rb2"])
    gain = c["beta"] * (c["Rc2"] + 9)
    total = gain + c["Rf"]
    voltage: Floats = ((base + 0.74) * gain + 11.35 * c["Rf"] + 0.74 * c["Rf"] * gain / c["Rc1"]) / total
    return voltage


def piston() -> ScalarFunction:
    """Time of one cycle of a piston in a cylinder, s; 7 inputs.

    Source: R. Kenett, S. Zacks, Modern Industrial Statistics (1998).
    """
    inputs = {
        "M": ("kg", 30, 60), "S": ("m^2", 0.005, 0.020), "V0": ("m^3", 0.002, 0.010), "k": ("N/m", 1000, 5000),
        "P0": ("Pa", 90000, 110000), "Ta": ("K", 290, 296), "T0": ("K", 340, 360),
    }  # fmt: skip
    return ScalarFunction("piston", Space(inputs), Space({"cycle": "s"}), _piston, "Kenett and Zacks 1998")


def _piston(c: Columns) -> Floats:
    gas = c["P0"] * c["V0"] * c["Ta"] / c["T0"]
    a = c["P0"] * c["S"] + 19.62 * c["M"] - c["k"] * c["V0"] / c["S"]
    volume = c["S"] / (2 * c["k"]) * (np.sqrt(a**2 + 4 * c["k"] * gas) - a)
    cycle: Floats = 2 * math.pi * np.sqrt(c["M"] / (c["k"] + c["S"] ** 2 * gas / volume**2))
    return cycle


def wing_weight() -> ScalarFunction:
    """Weight of the wing of a light aircraft, lb; 10 inputs.

    Source: A. Forrester, A. Sóbester, A. Keane, Engineering Design via Surrogate Modelling (2008), section 1.4.
    """
    inputs = {
        "Sw": ("ft^2", 150, 200), "Wfw": ("lb", 220, 300), "A": ("1", 6, 10), "sweep": ("degree", -10, 10),
        "q": ("lbf/ft^2", 16, 45), "taper": ("1", 0.5, 1), "tc": ("1", 0.08, 0.18), "Nz": ("1", 2.5, 6),
        "Wdg": ("lb", 1700, 2500), "Wp": ("lb/ft^2", 0.025, 0.08),
    }  # fmt: skip
    return ScalarFunction(
        "wing_weight", Space(inputs), Space({"weight": "lb"}), _wing, "Forrester, Sóbester and Keane 2008"
    )


def _wing(c: Columns) -> Floats:
    cosine = np.cos(np.deg2rad(c["sweep"]))
    size = 0.036 * c["Sw"] ** 0.758 * c["Wfw"] ** 0.0035 * (c["A"] / cosine**2) ** 0.6
    shape = c["q"] ** 0.006 * c["taper"] ** 0.04 * (100 * c["tc"] / cosine) ** -0.3
    weight: Floats = size * shape * (c["Nz"] * c["Wdg"]) ** 0.49 + c["Sw"] * c["Wp"]
    return weight


def ishigami() -> ScalarFunction:
    """``sin x1 + 7 sin² x2 + 0.1 x3⁴ sin x1`` on ``[-pi, pi]³``: strong interaction, one input that acts only in it.

    Source: T. Ishigami, T. Homma, Proc. ISUMA (1990) 398; indices by B. Sudret, Reliab. Eng. Syst. Saf. 93 (2008) 964.
    """
    a, b, pi = 7.0, 0.1, math.pi
    first, second = 0.5 * (1 + b * pi**4 / 5) ** 2, a**2 / 8
    both = b**2 * pi**8 * (1 / 18 - 1 / 50)
    variance = first + second + both
    known = {
        "mean": a / 2,
        "variance": variance,
        "first_order": np.array([first, second, 0.0]) / variance,
        "total": np.array([first + both, second, both]) / variance,
    }
    inputs = {f"x{i}": ("1", -pi, pi) for i in (1, 2, 3)}
    return ScalarFunction("ishigami", Space(inputs), Space({"y": "1"}), _ishigami, "Ishigami and Homma 1990", known)


def _ishigami(c: Columns) -> Floats:
    y: Floats = np.sin(c["x1"]) * (1 + 0.1 * c["x3"] ** 4) + 7 * np.sin(c["x2"]) ** 2
    return y


def forrester(fidelity: str = "high") -> ScalarFunction:
    """``(6x - 2)² sin(12x - 4)`` on [0, 1]: one input, one local and one global minimum, one inflection.

    Source: A. Forrester, A. Sóbester, A. Keane, Proc. R. Soc. A 463 (2007) 3251, with its cheap version.
    """
    known = {"minimum": -6.020740055766, "at": np.array([0.757248757841856])}
    source = "Forrester, Sóbester and Keane 2007"
    made = ScalarFunction("forrester", Space({"x": ("1", 0, 1)}), Space({"y": "1"}), _forrester, source, known)
    return _version(made, fidelity, _forrester_cheap, source)


def _forrester(c: Columns) -> Floats:
    y: Floats = (6 * c["x"] - 2) ** 2 * np.sin(12 * c["x"] - 4)
    return y


def _forrester_cheap(c: Columns) -> Floats:
    return 0.5 * _forrester(c) + 10 * (c["x"] - 0.5) - 5


def park(fidelity: str = "high") -> ScalarFunction:
    """Park's first function on [0, 1]⁴, mildly nonlinear.

    Source: J.-S. Park, PhD thesis, University of Illinois (1991), function 1.
    """
    known = {"maximum": 25.589254158606547, "at": np.ones(4)}
    inputs = {f"x{i}": ("1", 0, 1) for i in (1, 2, 3, 4)}
    made = ScalarFunction("park", Space(inputs), Space({"y": "1"}), _park, "Park 1991", known)
    return _version(made, fidelity, _park_cheap, "Xiong, Qian and Wu 2013")


def _park(c: Columns) -> Floats:
    # x1/2 (sqrt(1 + g/x1²) - 1), written so that it has a value at x1 = 0.
    g = (c["x2"] + c["x3"] ** 2) * c["x4"]
    y: Floats = 0.5 * (np.sqrt(c["x1"] ** 2 + g) - c["x1"]) + (c["x1"] + 3 * c["x4"]) * np.exp(1 + np.sin(c["x3"]))
    return y


def _park_cheap(c: Columns) -> Floats:
    y: Floats = (1 + np.sin(c["x1"]) / 10) * _park(c) - 2 * c["x1"] + c["x2"] ** 2 + c["x3"] ** 2 + 0.5
    return y


def currin(fidelity: str = "high") -> ScalarFunction:
    """Currin's exponential function on [0, 1]², steep near zero.

    Source: C. Currin, T. Mitchell, M. Morris, D. Ylvisaker, ORNL-6498 (1988).
    """
    known = {"maximum": 13.798722044728434, "at": np.array([0.216666666666666, 0.0])}
    inputs = {"x1": ("1", 0, 1), "x2": ("1", 0, 1)}
    made = ScalarFunction(
        "currin", Space(inputs), Space({"y": "1"}), _currin, "Currin, Mitchell, Morris and Ylvisaker 1988", known
    )
    return _version(made, fidelity, _currin_cheap, "Xiong, Qian and Wu 2013")


def _currin(c: Columns) -> Floats:
    x1, x2 = c["x1"], c["x2"]
    # exp(-1/(2 x2)) is zero at x2 = 0.
    fade = 1 - np.exp(-1 / (2 * np.where(x2 > 0, x2, 1e-300)))
    up, down = 2300 * x1**3 + 1900 * x1**2 + 2092 * x1 + 60, 100 * x1**3 + 500 * x1**2 + 4 * x1 + 20
    y: Floats = fade * up / down
    return y


def _currin_cheap(c: Columns) -> Floats:
    y = np.zeros_like(c["x1"])
    for a in (0.05, -0.05):
        for b in (0.05, -0.05):
            y += 0.25 * _currin({"x1": c["x1"] + a, "x2": np.maximum(c["x2"] + b, 0.0)})
    return y


def _version(made: ScalarFunction, fidelity: str, cheap: Callable[[Columns], Floats], source: str) -> ScalarFunction:
    if fidelity == "high":
        return made
    if fidelity != "low":
        near = did_you_mean(fidelity, ["high", "low"])
        raise InputError(f"The function '{made.name}' was asked for the fidelity '{fidelity}'{near}")
    return ScalarFunction(f"{made.name}_cheap", made.inputs, made.outputs, cheap, source, finer=made)
