"""Functions as models: batches, failures, refusals, and an identity that is the same in every process."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.errors import InputError
from scalebridge.models import FunctionModel, Model
from scalebridge.models.function import source_digest
from scalebridge.testing import check_model


@sb.model(inputs={"T": ("K", 80, 700), "rho": ("kg/m^3", 1, 1500)}, outputs={"viscosity": ("Pa*s", 0, None)})
def gas(T: float, rho: float) -> dict[str, float]:
    """Viscosity of a gas."""
    return {"viscosity": 1e-6 * np.sqrt(T) * (1 + rho / 500)}


def test_a_function_is_a_model_and_stays_a_function() -> None:
    assert isinstance(gas, Model)
    assert gas.name == "gas"
    assert gas.__doc__ == "Viscosity of a gas."
    assert gas(T=100.0, rho=0.0)["viscosity"] == pytest.approx(1e-5)
    assert gas.run(np.array([[100.0, 0.0]])).values[0, 0] == pytest.approx(1e-5)
    check_model(gas)


def test_a_batched_function_sees_whole_arrays_of_the_declared_shape() -> None:
    seen = []

    @sb.model({"F": sb.Variable("F", "1", (2, 2)), "s": "1"}, {"P": sb.Variable("P", "Pa", (2, 2))}, batched=True)
    def stress(F: np.ndarray, s: np.ndarray) -> dict[str, np.ndarray]:
        seen.append((F.shape, s.shape))
        return {"P": s[:, None, None] * F}

    check_model(stress)
    stress.run(np.ones((4, 5)))
    assert seen[-1] == ((4, 2, 2), (4,))


def test_a_function_that_raises_is_a_failed_row_with_the_reason() -> None:
    @sb.model({"x": "1"}, {"y": "1"}, noise_std={"y": 0.1})
    def root(x: float) -> dict[str, float]:
        if x < 0:
            raise ValueError("no real root")
        return {"y": x**0.5}

    runs = root.run(np.array([[4.0], [-1.0], [9.0]]))
    assert runs.status.tolist() == ["ok", "failed", "ok"]
    assert runs.reason[1] == "ValueError: no real root"
    np.testing.assert_array_equal(runs.noise_std[runs.ok], 0.1)


@pytest.mark.parametrize("batched", [False, True])
def test_a_row_of_nan_is_refused_before_the_function_could_hide_it(batched: bool) -> None:
    @sb.model({"x": "1"}, {"y": "1"}, batched=batched)
    def ramp(x: np.ndarray) -> dict[str, np.ndarray]:
        return {"y": np.fmax(x, 0.0)}

    runs = ramp.run(np.array([[1.0], [np.nan], [2.0], [np.inf]]))
    assert runs.status.tolist() == ["ok", "failed", "ok", "failed"]
    assert runs.reason[1] == "the input is not finite"
    assert runs.values[[0, 2], 0].tolist() == [1.0, 2.0]


def test_an_empty_batch_gives_no_rows() -> None:
    assert gas.run(np.zeros((0, 2))).values.shape == (0, 1)


RETURNS = {
    "no mapping": (lambda x: 3.0, "returned a float; return a mapping from y"),
    "another name": (lambda x: {"z": x}, "a value 'z' it does not know"),
    "too many values": (lambda x: {"y": [x, x]}, r"'y' in the shape \(2,\) per sample; declared is \(\)"),
    "a text": (lambda x: {"y": "abc"}, "returned values that are not numbers"),
    "nothing": (lambda x: {}, "lacks the value 'y'"),
}


@pytest.mark.parametrize("case", RETURNS)
def test_a_function_that_returns_something_else_is_refused(case: str) -> None:
    function, message = RETURNS[case]
    with pytest.raises(InputError, match=message):
        sb.model({"x": "1"}, {"y": "1"})(function).run(np.ones((1, 1)))


def test_a_batched_function_of_too_few_rows_is_refused() -> None:
    halved = sb.model({"x": "1"}, {"y": "1"}, batched=True)(lambda x: {"y": x[:2]})
    with pytest.raises(InputError, match="returned 2 rows for 3"):
        halved.run(np.ones((3, 1)))
    ragged = sb.model({"x": "1"}, {"y": "1", "z": "1"}, batched=True)(lambda x: {"y": x, "z": x[:1]})
    with pytest.raises(InputError, match="1 samples of 'z' and 3 of 'y'"):
        ragged.run(np.ones((3, 1)))


def needs_more(x: float, y: float) -> dict[str, float]:
    return {"z": x + y}


def test_a_declaration_that_does_not_fit_the_function_is_refused() -> None:
    with pytest.raises(InputError, match="declares the input 'temperature', which its function does not take"):
        sb.model({"temperature": "K"}, {"z": "1"})(lambda T: {"z": T})
    with pytest.raises(InputError, match="needs the argument 'y', which is no declared input"):
        sb.model({"x": "1"}, {"z": "1"})(needs_more)
    with pytest.raises(InputError, match="declares the noise of 'w', which is no output"):
        sb.model({"x": "1", "y": "1"}, {"z": "1"}, noise_std={"w": 1.0})(needs_more)
    with pytest.raises(InputError, match="give a deviation >= 0"):
        sb.model({"x": "1", "y": "1"}, {"z": "1"}, noise_std={"z": -1.0})(needs_more)


def test_a_stochastic_function_is_given_its_seed_and_repeats_with_it() -> None:
    @sb.model({"x": "1"}, {"y": "1"}, stochastic=True)
    def walk(x: float, seed: int) -> dict[str, float]:
        return {"y": x + np.random.default_rng(seed).standard_normal()}

    x = np.zeros((3, 1))
    one = walk.run(x, (1, 2, 1)).values.ravel()
    assert one[0] == one[2] != one[1]
    check_model(walk)
    renamed = walk.rename(x="z")
    assert renamed.stochastic
    np.testing.assert_array_equal(renamed.run(x, (1, 2, 1)).values.ravel(), one)


def closing_over(value: object) -> FunctionModel:
    @sb.model({"x": "1"}, {"y": "1"})
    def closed(x: float) -> dict[str, float]:
        return {"y": x * len(str(value))}

    return closed


def double(x: float) -> float:
    return 2 * x


def triple(x: float) -> float:
    return 3 * x


class Plain:
    def __init__(self, size: int) -> None:
        self.size = size


LONG = np.zeros(3000)
OTHER = np.where(np.arange(3000) == 1500, 1.0, 0.0)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (1.0, 1.0000001),
        (double, triple),
        (LONG, OTHER),
        ({"a": LONG}, {"a": OTHER}),
        (functools.partial(double, 1), functools.partial(double, 2)),
        (Plain(1), Plain(2)),
        (gas, gas.fix(rho=3.0)),
        (closing_over(1), closing_over(2)),
    ],
    ids=["numbers", "functions", "long arrays", "arrays inside", "partials", "objects", "models", "models of models"],
)
def test_the_identity_tells_apart_what_a_function_closes_over(one: object, two: object) -> None:
    assert closing_over(one).identity() != closing_over(two).identity()
    assert closing_over(one).identity() == closing_over(one).identity()


def test_settings_enter_the_identity_and_keep_the_name() -> None:
    @sb.model({"x": "1"}, {"y": "1"})
    def scaled(x: float, k: float = 1.0) -> dict[str, float]:
        return {"y": k * x}

    one, two = (replace(scaled, function=partial(scaled.function, k=k)) for k in (2.0, 3.0))
    assert one.name == "scaled"
    assert one.identity()["name"].endswith("scaled")
    assert one.identity() != two.identity() != scaled.identity()
    assert two.run(np.ones((1, 1))).values[0, 0] == 3.0


def test_a_function_that_calls_itself_has_an_identity() -> None:
    @sb.model({"x": "1"}, {"y": "1"})
    def countdown(x: float) -> dict[str, float]:
        return {"y": 0.0 if x < 1 else countdown(x=x - 1)["y"] + 1}

    assert countdown.identity() == countdown.identity()
    assert countdown.run(np.array([[3.0]])).values[0, 0] == 3.0


def test_the_identity_is_the_same_in_every_process(tmp_path: Path) -> None:
    (tmp_path / "user_file.py").write_text(
        "import functools\n"
        "import scalebridge as sb\n"
        "def law(x, k):\n    return k * x\n"
        "class Options:\n    def __init__(self): self.k = 3\n"
        "def build():\n"
        "    inner, options = functools.partial(law, k=2), Options()\n"
        "    @sb.model({'x': '1'}, {'y': '1'})\n"
        "    def outer(x):\n        return {'y': inner(x) * options.k + law(x, 1)}\n"
        "    return outer\n"
        "print(sorted(build().identity().items()))\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "user_file.py"], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert "source" in runs[0]


def _digest_elsewhere(code: str, seed: str) -> str:
    """The digest of a function without source, in a process whose hashes are seeded otherwise."""
    script = f"from scalebridge.models.function import source_digest\nimport math\n{code}\nprint(source_digest(f))\n"
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    return done.stdout.strip()


def test_functions_without_source_are_told_apart_and_the_same_in_every_process() -> None:
    sine, cosine = "f = lambda x: math.sin(x)", "f = lambda x: math.cos(x)"
    members = "f = lambda x: x in {'one', 'two', 'three', 'four'}"
    inner = "f = lambda x: (lambda y: y + {})(x)"
    closed = "def make():\n    names = {'one', 'two', 'three', 'four'}\n    return lambda x: x in names\nf = make()"
    assert _digest_elsewhere(sine, "1") == _digest_elsewhere(sine, "2") != _digest_elsewhere(cosine, "1")
    assert _digest_elsewhere(inner.format(1), "1") != _digest_elsewhere(inner.format(2), "1")
    for code in (members, closed):
        assert _digest_elsewhere(code, "1") == _digest_elsewhere(code, "2")


def test_two_short_functions_of_one_line_are_told_apart() -> None:
    first, second = (lambda x: x + 1), (lambda x: x + 2)
    again = (lambda x: x + 1), (lambda x: x + 2)
    assert source_digest(first) != source_digest(second)
    assert source_digest(again[0]) != source_digest(again[1])
