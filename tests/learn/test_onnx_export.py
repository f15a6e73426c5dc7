"""Surrogates as ONNX graphs: answers beside onnxruntime, what the file says, what is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.learn import (
    Auto,
    Conformal,
    Ensemble,
    GaussianProcess,
    GradientBoosting,
    PolynomialChaos,
    QuantileForest,
    RandomForest,
    Recalibrated,
    ScikitLearn,
)
from scalebridge.learn.heteroscedastic_gaussian_process import HeteroscedasticGaussianProcess
from scalebridge.learn.onnx_export import export_onnx
from scalebridge.learn.sparse_gaussian_process import SparseGaussianProcess
from scalebridge.models import Structure
from tests.learn.cases import BOUNDED, INPUTS, OUTPUTS, drawn

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
runtime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")

SHAPED = sb.Space([sb.Variable("v", "m", (2,), description="place"), sb.Variable("c", "K")])
CUBE = sb.Space({"a": ("1", -1, 1), "b": ("1", -1, 1), "c": ("1", -1, 1)})


def answers(path: Path, surrogate: Any, x: np.ndarray) -> dict[str, np.ndarray]:
    """Every output of the file by its name, at ``x [n, d]``."""
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    told = session.run(None, surrogate.inputs.unpack(x))
    return {output.name: value for output, value in zip(session.get_outputs(), told, strict=True)}


def apart(path: Path, surrogate: Any, x: np.ndarray) -> tuple[float, float]:
    """Largest gaps of mean and deviation to the surrogate's own, relative to them and to the outputs' spread."""
    told, posterior, unit = answers(path, surrogate, x), surrogate.posterior(x), surrogate.data[1].std(axis=0)
    gaps = []
    for what, wanted in (("mean", posterior.mean), ("std", posterior.std)):
        value = surrogate.outputs.pack({v.name: told[f"{v.name}_{what}"] for v in surrogate.outputs})
        gaps.append(float(np.max(np.abs(value - wanted) / (unit + np.abs(wanted)))))
    return gaps[0], gaps[1]


def noisy(n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    x, y = drawn(n)
    return x, y + 0.05 * y.std(axis=0) * np.random.default_rng(1).standard_normal(y.shape)


def new() -> np.ndarray:
    """Points inside, far outside, and runs themselves."""
    inside = drawn(40, 7)[0]
    return np.concatenate([inside, 3 * inside[:5], drawn(5)[0]])


def methods() -> dict[str, Any]:
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.linear_model import Ridge
    from sklearn.tree import DecisionTreeRegressor

    process = GaussianProcess(SHAPED, OUTPUTS, average=4)
    quick = GaussianProcess(SHAPED, OUTPUTS, profile="matern72", average=0)
    return {
        "process": process,
        "process of squares": GaussianProcess(INPUTS, OUTPUTS, profile="squared_exponential", average=2),
        "rough process": GaussianProcess(INPUTS, OUTPUTS, profile="matern52", average=0),
        "sparse process": SparseGaussianProcess(INPUTS, OUTPUTS, inducing=20),
        "process with noise that changes": HeteroscedasticGaussianProcess(INPUTS, OUTPUTS, iterations=20),
        "odd process": GaussianProcess(INPUTS, OUTPUTS, structure=Structure(even=True), average=3),
        "process around a fitted trend": GaussianProcess(INPUTS, OUTPUTS, trend="fitted"),
        "odd process around a fitted trend": GaussianProcess(
            INPUTS, OUTPUTS, trend="fitted", structure=Structure(even=True)
        ),
        "polynomials": PolynomialChaos(CUBE, OUTPUTS),
        "polynomials without bounds": PolynomialChaos(INPUTS, BOUNDED),
        "forest": RandomForest(INPUTS, OUTPUTS, trees=30),
        "bounded forest": RandomForest(INPUTS, BOUNDED, trees=30),
        "quantile forest": QuantileForest(INPUTS, OUTPUTS, trees=30),
        "boosting": GradientBoosting(SHAPED, BOUNDED, iterations=30),
        "linear": ScikitLearn(INPUTS, OUTPUTS, Ridge()),
        "tree": ScikitLearn(INPUTS, OUTPUTS, DecisionTreeRegressor(max_depth=4)),
        "averaged trees": ScikitLearn(INPUTS, OUTPUTS, ExtraTreesRegressor(10, random_state=0)),
        "recalibrated": Recalibrated(RandomForest(INPUTS, OUTPUTS, trees=10)),
        "auto": Auto(INPUTS, OUTPUTS, candidates=("random_forest", "polynomial_chaos")),
        "ensemble": Ensemble(SHAPED, OUTPUTS, (quick, RandomForest(SHAPED, OUTPUTS, trees=10)), copies=2),
    }


@pytest.mark.parametrize("method", list(methods()))
def test_the_graph_answers_as_the_surrogate_does(method: str, tmp_path: Path) -> None:
    # Double precision throughout, in trees too: forests compare in single precision, and so does their graph.
    x, y = noisy()
    fitted = methods()[method].fit(x, y, 0.05 * y.std(axis=0))
    path = tmp_path / "m.onnx"
    export_onnx(fitted, path)
    mean, std = apart(path, fitted, new())
    # Two ways in which a process sums its own mean differ by rounding, more where its variance is large.
    rounding = np.max(np.abs(fitted.predict(new())[0] - fitted.posterior(new()).mean) / y.std(axis=0))
    assert mean < 1e-10 + 10 * rounding and std < 1e-10 + 10 * rounding and rounding < 1e-9
    assert np.array_equal(answers(path, fitted, new())["inside"], fitted.domain.contains(new()))


@pytest.mark.parametrize("even", [False, True], ids=["free", "odd response"])
def test_the_gradient_of_a_potential_has_a_graph(even: bool, tmp_path: Path) -> None:
    x = drawn(40)[0]
    y = np.stack([2 * x[:, 0] + np.sin(x[:, 0] + x[:, 1]), np.sin(x[:, 0] + x[:, 1]) + x[:, 1], x[:, 2] ** 3], axis=1)
    outputs = sb.Space({"p": "Pa", "q": "Pa", "r": "Pa"})
    fitted = GaussianProcess(INPUTS, outputs, structure=Structure(potential=True, even=even)).fit(x, y, 0.01)
    export_onnx(fitted, tmp_path / "m.onnx")
    mean, std = apart(tmp_path / "m.onnx", fitted, new())
    assert mean < 1e-10 and std < 1e-10


def test_a_process_through_exact_runs_agrees_as_far_as_its_equations_are_well_posed(tmp_path: Path) -> None:
    # No noise: coefficients of 1e8 take eight of sixteen digits, whoever computes with them.
    x, y = drawn(60)
    fitted = GaussianProcess(INPUTS, OUTPUTS, profile="matern72", average=2).fit(x, y)
    export_onnx(fitted, tmp_path / "m.onnx")
    mean, std = apart(tmp_path / "m.onnx", fitted, new())
    assert mean < 1e-8 and std < 1e-7


@pytest.mark.parametrize("method", ["process", "linear", "polynomials"])
def test_one_input_and_one_output_keep_all_digits(method: str, tmp_path: Path) -> None:
    # A scaling of one column is a number: a runtime may draw it into a product in single precision.
    x, y = noisy()
    from sklearn.linear_model import LinearRegression

    made = {"process": GaussianProcess, "linear": ScikitLearn, "polynomials": PolynomialChaos}[method]
    options = {"linear": {"estimator": LinearRegression()}, "process": {"average": 2}}.get(method, {})
    fitted = made({"a": "1"}, {"y": "1"}, **options).fit(x[:, :1], y[:, :1], 0.05)
    export_onnx(fitted, tmp_path / "m.onnx")
    assert max(apart(tmp_path / "m.onnx", fitted, new()[:, :1])) < 1e-10


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_few_runs_make_a_graph_too(rows: int, tmp_path: Path) -> None:
    x, y = drawn(rows)
    for method in (GradientBoosting(INPUTS, OUTPUTS), RandomForest(INPUTS, OUTPUTS, trees=4)):
        fitted = method.fit(x, y)
        export_onnx(fitted, tmp_path / "m.onnx")
        assert max(apart(tmp_path / "m.onnx", fitted, new())) < 1e-10 * (1 + np.abs(y).max())


def test_the_file_says_names_units_bounds_and_domain(tmp_path: Path) -> None:
    fitted = RandomForest(SHAPED, BOUNDED, trees=5).fit(*drawn(30))
    export_onnx(fitted, tmp_path / "m.onnx")
    model = onnx.load(tmp_path / "m.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert [i.name for i in model.graph.input] == ["v", "c"]
    assert [o.name for o in model.graph.output] == ["y_mean", "z_mean", "y_std", "z_std", "inside"]
    assert [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim][1:] == [2]
    assert model.graph.input[0].doc_string == "place [m]"
    assert {i.type.tensor_type.elem_type for i in model.graph.input} == {onnx.TensorProto.DOUBLE}
    about = json.loads({p.key: p.value for p in model.metadata_props}["scalebridge"])
    assert [(v["name"], v["unit"]) for v in about["inputs"] + about["outputs"]] == [
        ("v", "m"), ("c", "K"), ("y", "1"), ("z", "Pa")
    ]  # fmt: skip
    assert about["outputs"][1]["bounds"] == [0, 1]
    assert np.array_equal(about["domain"]["lower"], fitted.domain.lower)
    assert about["identity"] == dict(fitted.identity())
    assert about["runs"]["count"] == 30


def test_nothing_outside_the_file_is_referred_to(tmp_path: Path) -> None:
    fitted = GaussianProcess(INPUTS, OUTPUTS, profile="matern52", average=0).fit(*drawn(30))
    export_onnx(fitted, tmp_path / "m.onnx")
    model = onnx.load(tmp_path / "m.onnx", load_external_data=False)
    kept = [*model.graph.initializer, *(a.t for n in model.graph.node for a in n.attribute)]
    assert all(t.data_location == onnx.TensorProto.DEFAULT and not t.external_data for t in kept)
    assert {o.domain for o in model.opset_import} == {"", "ai.onnx.ml"} and not model.functions
    assert [p.name for p in tmp_path.iterdir()] == ["m.onnx"]


def test_the_same_surrogate_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        export_onnx(PolynomialChaos(INPUTS, OUTPUTS).fit(*drawn(30)), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def refused(made: Any, tmp_path: Path, words: str) -> None:
    with pytest.raises(sb.InputError, match=words):
        export_onnx(made, tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_what_has_no_graph_is_refused_with_the_reason(tmp_path: Path) -> None:
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

    x, y = drawn(40)
    refused(ScikitLearn(INPUTS, OUTPUTS, KNeighborsRegressor()).fit(x, y), tmp_path, "KNeighborsRegressor of scikit")
    yes = sb.Space({"yes": ("1", 0, 1)})
    made = ScikitLearn(INPUTS, yes, KNeighborsClassifier()).fit(x, (y[:, :1] > 0).astype(float))
    refused(made, tmp_path, "a classifier's posterior")
    refused(Conformal(RandomForest(INPUTS, OUTPUTS, trees=5)).fit(x, y), tmp_path, "Conformal has no graph; these have")
    refused("a text", tmp_path, "give a fitted surrogate")


def test_one_that_is_not_fitted_is_refused(tmp_path: Path) -> None:
    refused(RandomForest(INPUTS, OUTPUTS), tmp_path, "is not fitted; call fit")


def test_names_that_collide_are_refused(tmp_path: Path) -> None:
    x, y = drawn(20)
    made = RandomForest(sb.Space({"a": "1", "b": "1", "y_mean": "1"}), OUTPUTS, trees=3).fit(x, y)
    refused(made, tmp_path, "'y_mean' has the name of another value; rename")


def test_an_input_may_have_the_name_of_an_output(tmp_path: Path) -> None:
    fitted = RandomForest(sb.Space({"a": "1", "b": "1", "y": "1"}), OUTPUTS, trees=3).fit(*drawn(20))
    export_onnx(fitted, tmp_path / "m.onnx")
    assert max(apart(tmp_path / "m.onnx", fitted, new())) < 1e-10


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    made = RandomForest(INPUTS, OUTPUTS, trees=3).fit(*drawn(20))
    with pytest.raises(sb.InputError, match=r"the folder '.*nowhere' does not exist; make it first"):
        export_onnx(made, tmp_path / "nowhere" / "m.onnx")


def test_a_missing_package_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    refused(RandomForest(INPUTS, OUTPUTS, trees=3).fit(*drawn(20)), tmp_path, r'pip install "scalebridge\[onnx\]"')


def test_processes_without_a_graph_say_which_option_has_one(tmp_path: Path) -> None:
    x, y = drawn(12)
    fitted = GaussianProcess(INPUTS, OUTPUTS).fit(x, y, None, np.zeros((12, 2, 3)))
    with pytest.raises(sb.InputError, match="gradients='ignore'"):
        export_onnx(fitted, tmp_path / "m.onnx")
