"""The house rules that CI holds the package to: limits, names, what an import brings, the public surface."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import scalebridge as sb

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "scalebridge"
HEAVY = ("torch", "scipy", "pint", "skfem", "matplotlib")
REFUSED_NAMES = re.compile(r"(Manager|Handler|Helper|Utils|Base)(?=[A-Z_0-9]|$)")
REFUSED_MODULES = {"pickle", "dill", "joblib", "shelve", "marshal"}
ROOMS_WITH_CLOUDPICKLE = ("campaign", "models")
PUBLIC = [
    "Active",
    "Adapted",
    "Answer",
    "Campaign",
    "ClosureValue",
    "InfrastructureError",
    "InputError",
    "MacroSolution",
    "MeshEstimate",
    "Runs",
    "Scale",
    "ScaleBridgeError",
    "ShapeError",
    "Space",
    "Store",
    "StoreError",
    "Structure",
    "Study",
    "UnitError",
    "Variable",
    "compare",
    "data",
    "designs",
    "exchange",
    "explain",
    "learn",
    "learn_model",
    "macro",
    "micro",
    "microstructure",
    "model",
    "networks",
    "problems",
    "simulators",
    "solve",
    "testing",
]


def modules_of(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def where(path: Path, node: ast.AST | None = None) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def package_nodes() -> Iterator[tuple[Path, ast.AST]]:
    for path in modules_of("src"):
        for node in ast.walk(tree_of(path)):
            yield path, node


def test_no_file_is_longer_than_600_lines() -> None:
    files = modules_of("src", "tests", "benchmarks", "examples", "tools")
    assert files
    lengths = {where(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {name: n for name, n in lengths.items() if n > 600} == {}


def test_no_function_is_longer_than_80_lines() -> None:
    found: dict[str, int] = {}
    for path in modules_of("src", "tests", "benchmarks", "examples", "tools"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > 80:
                    found[f"{where(path, node)} {node.name}"] = length
    assert found == {}


def our_chain(cls: type) -> list[type]:
    """The class and its ancestors that are ours, the longest line of descent only."""
    if not cls.__module__.startswith("scalebridge"):
        return []
    return [cls, *max((our_chain(parent) for parent in cls.__bases__), key=len, default=[])]


def our_classes() -> list[type]:
    """Every class defined at the top of a module of the package, modules that need an extra left out."""
    names = [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in modules_of("src")]
    names = sorted({name.removesuffix(".__init__") for name in names} - {"scalebridge.__main__"})
    modules = [importlib.import_module(name) for name in names]
    members = [member for module in modules for member in vars(module).values() if isinstance(member, type)]
    return [cls for cls in members if cls.__module__ in names]


def test_no_class_stands_deeper_than_two_of_ours() -> None:
    # Errors carry no behaviour to override: theirs is one tree of a root, its kinds and their special cases.
    found = {}
    for cls in our_classes():
        chain = our_chain(cls)
        if len(chain) > (3 if issubclass(cls, Exception) else 2):
            found[f"{cls.__module__}.{cls.__name__}"] = [ancestor.__name__ for ancestor in chain]
    assert found == {}


def test_no_name_says_manager_handler_helper_utils_or_base() -> None:
    found = []
    for path, node in package_nodes():
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and REFUSED_NAMES.search(node.name):
            found.append(f"{where(path, node)} {node.name}")
    stems = [where(path) for path in modules_of("src") if REFUSED_NAMES.search(path.stem.title())]
    assert found + stems == []


def imported_modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module.split(".")[0]]
    return []


def test_nothing_in_the_package_pickles() -> None:
    found = []
    for path, node in package_nodes():
        names = set(imported_modules(node))
        travels = path.relative_to(PACKAGE).parts[0] in ROOMS_WITH_CLOUDPICKLE
        if names & REFUSED_MODULES or ("cloudpickle" in names and not travels):
            found.append(where(path, node))
    assert found == []


def called(node: ast.AST) -> str:
    """The dotted name a call calls, or an empty string."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def test_nothing_in_the_package_evaluates_text_or_loads_yaml_unsafely() -> None:
    refused = {"eval", "exec", "yaml.load", "yaml.unsafe_load", "torch.load"}
    unsafe_arrays = re.compile(r"\.load\(.*allow_pickle=True")
    found = []
    for path, node in package_nodes():
        # Weights alone: what the file's pickle may name is a fixed list of tensors' parts.
        if called(node) == "torch.load" and "weights_only=True" in ast.unparse(node):
            continue
        if called(node) in refused or (called(node) and unsafe_arrays.search(ast.unparse(node))):
            found.append(where(path, node))
    assert found == []


def test_importing_the_package_leaves_the_heavy_libraries_out() -> None:
    code = f"import json, sys, scalebridge; print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize("room", ["quantities", "models", "campaign"])
def test_a_worker_room_starts_without_torch(room: str) -> None:
    code = f"import sys, scalebridge.{room}; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_public_surface_is_the_agreed_list() -> None:
    assert list(sb.__all__) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_imports_and_is_documented(name: str) -> None:
    member = getattr(sb, name)
    assert (member.__doc__ or "").strip(), f"scalebridge.{name} has no docstring"


def test_no_line_of_the_constraints_names_a_place_to_fetch_from() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert "torch==2.13.0" in pins
    shape = re.compile(r"[a-z0-9._-]+==[0-9a-z.]+( ; [^/]+)?")
    assert [line for line in pins if not shape.fullmatch(line)] == []


def test_the_version_is_said_once() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f'version = "{sb.__version__}"' in project
    assert f"version: {sb.__version__}" in citation


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def readme_blocks(language: str) -> list[tuple[int, str]]:
    """Line of the opening fence and text of every block of a language in the README."""
    fenced = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    found = [m for m in fenced.finditer(readme()) if m.group(1) == language]
    return [(readme().count("\n", 0, m.start()) + 1, m.group(2)) for m in found]


def test_the_readme_is_short_and_names_the_commands() -> None:
    assert len(readme().splitlines()) < 150
    commands = "".join(text for _, text in readme_blocks(""))
    for command in ("make demo", "make test", "pip install -c constraints.txt"):
        assert command in commands


def test_every_file_the_readme_links_to_exists() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", readme()) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_first_example_of_the_readme_is_short_and_stands_above_line_40() -> None:
    line, text = readme_blocks("python")[0]
    code = [row for row in text.splitlines() if row.strip()]
    assert len(code) <= 12
    assert line + len(text.splitlines()) < 40


def test_the_first_example_of_the_readme_answers_within_its_tolerance(tmp_path: Path) -> None:
    _, text = readme_blocks("python")[0]
    rtol = float(re.findall(r"rtol=([0-9.]+)", text)[0])
    ending = """
import json
low, high = answer.interval
print(json.dumps([answer.value, low, high, answer.converged, answer.micro_runs]))
"""
    (tmp_path / "example.py").write_text(text + ending, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "example.py"], cwd=tmp_path, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    value, low, high, converged, runs = json.loads(done.stdout.splitlines()[-1])
    assert converged and low <= value <= high and runs > 0
    assert (high - low) / 2 <= rtol * abs(value) * (1 + 1e-9)
    # Kirchhoff: the heat flow is the integral of the conductivity over the temperature, divided by the thickness.
    cold, hot = 293.15, 1173.15
    exact = (0.03 * (hot - cold) + 4 / 3 * 5.67e-8 / 2000 * (hot**4 - cold**4)) / 0.1
    assert abs(value - exact) <= rtol * exact
