"""Exports compiled by the real compilers answer as the surrogates do."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.exchange import export_c, export_micro_manager, export_python, export_umat
from scalebridge.learn import GaussianProcess
from tests.exchange.cases import compiled, law, methods, pointer, points, potential, runs

pytestmark = [
    pytest.mark.adapters,
    pytest.mark.skipif(shutil.which("gcc") is None or shutil.which("gfortran") is None, reason="no gcc or gfortran"),
]

CALLS = """#include "law.h"
void value(const double *x, double *y) { law_value(x, y); }
void evaluate(const double *x, double *y, double *t) { law_evaluate(x, y, t); }
void deviation(const double *x, double *s) { law_std(x, s); }
int inside(const double *x) { return law_inside(x); }
"""


@pytest.mark.parametrize("method", list(methods()))
def test_the_header_answers_as_the_surrogate_does_to_1e_10(method: str, tmp_path: Path) -> None:
    fitted = methods()[method].fit(*runs())
    export_c(fitted, tmp_path / "law.h")
    (tmp_path / "calls.c").write_text(CALLS)
    library = compiled(tmp_path, [tmp_path / "calls.c"], "gcc")
    for x in points():
        y, again, std, slope = np.zeros(3), np.zeros(3), np.zeros(3), np.zeros((3, 3))
        library.evaluate(pointer(x), pointer(y), pointer(slope))
        library.value(pointer(x), pointer(again))
        library.deviation(pointer(x), pointer(std))
        values, tangent = fitted.predict(x[None])
        assert np.allclose(y, values[0], rtol=1e-10, atol=1e-10) and np.array_equal(again, y)
        assert np.allclose(slope, tangent[0], rtol=1e-10, atol=1e-10)
        assert np.allclose(std, fitted.posterior(x[None]).std[0], rtol=1e-6, atol=1e-7)
        kept = fitted.domain.contains(x[None]) & fitted.inputs.inside(x[None])
        assert library.inside(pointer(np.ascontiguousarray(x))) == int(kept[0])


def umat_arguments(
    ntens: int, stran: np.ndarray, dstran: np.ndarray, props: np.ndarray, temp: float = 0.0, dtemp: float = 0.0
) -> tuple[dict[str, np.ndarray], list[ctypes.c_void_p]]:
    """The arguments of UMAT in their order; names of those that are looked at."""
    number, whole = (lambda v: np.array([v], dtype=float)), (lambda v: np.array([v], dtype=np.intc))
    kept = {"stress": np.full(ntens, 9.0), "statev": np.full(1, 9.0), "ddsdde": np.full((ntens, ntens), 9.0)}
    rest = [number(0.0) for _ in range(4)] + [np.zeros(ntens), np.zeros(ntens), number(0.0)]
    rest += [stran, dstran, np.zeros(2), number(1.0), number(temp), number(dtemp), number(0.0), number(0.0)]
    rest += [np.zeros(80, dtype=np.int8), whole(3), whole(ntens - 3), whole(ntens), whole(1), props, whole(len(props))]
    rest += [np.zeros(3), np.eye(3), number(1.0), number(1.0), np.eye(3), np.eye(3), *(whole(1) for _ in range(6))]
    arrays = [*kept.values(), *rest]
    kept["all"] = arrays  # type: ignore[assignment]
    return kept, [pointer(a) for a in arrays]


def engineering(mandel: np.ndarray) -> np.ndarray:
    """Strains in the order 11, 22, 33, 12, 13, 23 with engineering shears."""
    if mandel.size == 3:
        return np.array([mandel[0], mandel[1], 0.0, np.sqrt(2) * mandel[2]])
    return np.concatenate([mandel[:3], np.sqrt(2) * mandel[[5, 4, 3]]])


@pytest.mark.parametrize("language", ["fortran", "c"])
@pytest.mark.parametrize("m", [3, 6])
def test_the_umat_gives_stress_tangent_and_flag_to_1e_10(m: int, language: str, tmp_path: Path) -> None:
    fitted = potential(m)
    files = export_umat(fitted, tmp_path, language=language, stress_unit="MPa")
    compilers = ("gcc", "gfortran") if language == "fortran" else ("gcc",)
    library = compiled(tmp_path, [f for f in files if f.suffix != ".h"], *compilers)
    ntens, places = (4, [0, 1, 3]) if m == 3 else (6, [0, 1, 2, 5, 4, 3])
    factors = np.array([1.0 if p < 3 else np.sqrt(0.5) for p in places])
    for x in points(m):
        whole = engineering(x)
        kept, arguments = umat_arguments(ntens, 0.75 * whole, 0.25 * whole, np.zeros(0))
        library.umat_(*arguments)
        values, tangent = fitted.predict(x[None])
        stress, slope = np.zeros(ntens), np.zeros((ntens, ntens))
        stress[places] = 1e-6 * factors * values[0]
        slope[np.ix_(places, places)] = 1e-6 * factors[:, None] * factors * tangent[0]
        assert np.allclose(kept["stress"], stress, rtol=1e-10, atol=1e-16)
        assert np.allclose(kept["ddsdde"].T, slope, rtol=1e-10, atol=1e-16)
        assert kept["statev"][0] == float(fitted.domain.contains(x[None])[0])


def test_a_umat_under_the_longest_name_is_no_line_too_long_for_fortran(tmp_path: Path) -> None:
    name = "a" * 31
    for m in (3, 6):
        files = export_umat(potential(m, runs=8), tmp_path, name=name)
        compiled(tmp_path, [f for f in files if f.suffix != ".h"], "gcc", "gfortran")
        assert max(map(len, (tmp_path / f"{name}_umat.f90").read_text().splitlines())) <= 132


def test_further_inputs_come_from_temperature_and_constants(tmp_path: Path) -> None:
    strain = sb.Variable("strain", "1", (3,), kind="symmetric")
    inputs = sb.Space([sb.Variable("porosity"), strain, sb.Variable("T", "K")])
    stress = sb.Space([sb.Variable("stress", "Pa", (3,), kind="symmetric")])
    rng = np.random.default_rng(1)
    x = np.column_stack([rng.uniform(0, 0.3, 60), rng.uniform(-1, 1, (60, 3)), rng.uniform(290, 400, 60)])
    y = law(x[:, 1:4]) * (1 - x[:, :1]) * (1 - (x[:, 4:] - 290) / 1000)
    fitted = GaussianProcess(inputs, stress, average=0, profile="matern72").fit(x, y)
    files = export_umat(fitted, tmp_path, name="foam", temperature="T")
    library = compiled(tmp_path, [f for f in files if f.suffix != ".h"], "gcc", "gfortran")
    state = np.array([0.1, 0.2, -0.3, 0.4, 350.0])
    whole = engineering(state[1:4])
    kept, arguments = umat_arguments(4, whole, 0 * whole, np.array([0.1]), 340.0, 10.0)
    library.umat_(*arguments)
    assert np.allclose(kept["stress"][:2], fitted.predict(state[None])[0][0, :2], rtol=1e-10)


def test_the_python_module_needs_no_scalebridge_and_says_what_is_inside(tmp_path: Path) -> None:
    fitted = potential(3)
    export_python(fitted, tmp_path)
    x = points()
    np.save(tmp_path / "x.npy", x)
    code = (
        "import sys; sys.modules['scalebridge'] = None\n"
        "import numpy as np, law\n"
        "y, t, inside = law.evaluate(np.load('x.npy'))\n"
        "np.savez('answer.npz', y=y, t=t, inside=inside)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "answer.npz") as told:
        values, tangent = fitted.predict(x)
        assert np.allclose(told["y"], values, rtol=1e-10, atol=1e-10)
        assert np.allclose(told["t"], tangent, rtol=1e-10, atol=1e-10)
        assert np.array_equal(told["inside"], fitted.domain.contains(x))


def test_threads_that_use_the_python_module_first_at_once_all_get_their_answers(tmp_path: Path) -> None:
    export_python(potential(3), tmp_path)
    code = (
        "import os, numpy as np, law\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "x = np.random.default_rng(0).uniform(-1, 1, (200, 3))\n"
        "with ThreadPoolExecutor(8) as pool:\n"
        "    told = list(pool.map(lambda _: law.evaluate(x), range(16)))\n"
        "assert all(np.array_equal(y, told[0][0]) and np.array_equal(t, told[0][1]) for y, t, _ in told)\n"
        "print(sum(name.endswith('.so') for name in os.listdir()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "1"), done.stderr


def test_the_micro_simulation_answers_point_by_point(tmp_path: Path) -> None:
    fitted = potential(3)
    export_micro_manager(fitted, tmp_path)
    code = (
        "import numpy as np\n"
        "from law_micro import MicroSimulation\n"
        "micro = MicroSimulation(7)\n"
        "micro.initialize()\n"
        "answer = micro.solve({'Strain': np.array([0.1, -0.2, 0.3])}, 1.0)\n"
        "micro.set_state(micro.get_state())\n"
        "print(*answer['Stress'], answer['Inside'], micro.get_global_id())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = np.array(done.stdout.split(), dtype=float)
    assert np.allclose(told[:3], fitted.predict(np.array([[0.1, -0.2, 0.3]]))[0][0], rtol=1e-10)
    assert told[3:].tolist() == [1.0, 7.0]


def test_two_headers_stand_in_one_file(tmp_path: Path) -> None:
    export_c(potential(3), tmp_path / "first.h")
    export_c(potential(3, runs=20), tmp_path / "second.h")
    text = '#include "first.h"\n#include "second.h"\nvoid both(const double *x, double *y) {\n'
    (tmp_path / "both.c").write_text(text + "    first_value(x, y);\n    second_value(x, y + 3);\n}\n")
    library = compiled(tmp_path, [tmp_path / "both.c"], "gcc")
    x, y = np.array([0.1, 0.2, 0.3]), np.zeros(6)
    library.both(pointer(x), pointer(y))
    assert np.allclose(y[:3], potential(3).predict(x[None])[0][0], rtol=1e-10)
    assert np.allclose(y[3:], potential(3, runs=20).predict(x[None])[0][0], rtol=1e-10)


def test_what_is_no_number_stays_none(tmp_path: Path) -> None:
    # Bounds of the outputs must not make a value of it.
    fitted = methods()["bounded process"].fit(*runs())
    export_c(fitted, tmp_path / "law.h")
    (tmp_path / "calls.c").write_text(CALLS)
    library = compiled(tmp_path, [tmp_path / "calls.c"], "gcc")
    x, y, slope = np.array([0.1, np.nan, 0.2]), np.zeros(3), np.zeros((3, 3))
    library.evaluate(pointer(x), pointer(y), pointer(slope))
    assert np.isnan(y).all() and library.inside(pointer(x)) == 0


@pytest.mark.parametrize("language", ["fortran", "c"])
@pytest.mark.parametrize(
    ("m", "ndi", "ntens", "out_of_plane"), [(3, 2, 3, 0.0), (6, 2, 3, 0.0), (3, 3, 4, 1e-4), (3, 3, 6, 0.0)]
)
def test_elements_that_the_law_is_not_for_stop_with_a_sentence(
    m: int, ndi: int, ntens: int, out_of_plane: float, language: str, tmp_path: Path
) -> None:
    files = export_umat(potential(m, runs=8), tmp_path, language=language)
    compilers = ("gcc", "gfortran") if language == "fortran" else ("gcc",)
    compiled(tmp_path, [f for f in files if f.suffix != ".h"], *compilers)
    code = (
        "import sys, ctypes, numpy as np\n"
        "from tests.exchange.test_compiled_real import umat_arguments\n"
        f"strain = np.zeros({ntens}); strain[2] = {out_of_plane}\n"
        f"kept, arguments = umat_arguments({ntens}, strain, 0 * strain, np.zeros(0))\n"
        f"kept['all'][18][0], kept['all'][19][0] = {ndi}, {ntens - ndi}\n"
        "ctypes.CDLL(sys.argv[1]).umat_(*arguments)\n"
        "print('went on')\n"
    )
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", code, str(tmp_path / "library.so")]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 1 and "went on" not in done.stdout
    assert "plane" in done.stdout + done.stderr
