"""A small stand-in for LAMMPS: the program ``lmp`` and the class ``lammps`` of its Python module, without the physics.

It follows the real one where an adapter looks: the command line, variables (``index`` keeps a value given from
outside, ``equal`` does not), ``include``, loops by ``jump SELF``, the log and its thermo blocks, ``print``,
``fix ave/time`` and ``fix ave/correlate``, and the words and exit codes of errors. What it "simulates" is noise around
numbers that depend on the variables ``T`` and ``rho`` alone: the energy is ``-10 rho + 1.5 T``, the pressure
``rho T``, and the viscosity that a Green-Kubo integral finds is ``exp(3 rho) / (10 T)``.

Signs of trouble are asked for by name: ``pair_style hang`` never ends, ``pair_style crash`` kills its process,
``pair_style lost`` loses atoms in the next run, ``pair_style nan`` fills the thermo output with NaN; after
``timer timeout`` and ``fix halt`` runs end half way.

Source: LAMMPS documentation, "Command-line options", "variable", "print", "Python module".
"""

from __future__ import annotations

import ast
import math
import operator
import os
import random
import re
import signal
import stat
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

_OPERATORS: dict[type, Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
}
_VERSION = "22 Jul 2025 - Update 4"
_PACKAGES = {"reaxff": "REAXFF", "pace": "ML-PACE"}
# Commands that are taken and have no consequence here.
_KNOWN = re.compile(
    r"atom_style|boundary|clear|create_(atoms|box)|dimension|dump|fix_modify|group|label|lattice|mass|minimize|neigh\w*|newton|"
    r"pair_(coeff|modify)|read_(data|restart)|region|restart|thermo_\w+|uncompute|undump|unfix|units|write_(data|restart)"
)


class FakeError(Exception):
    """An error that LAMMPS would report."""


class MPIAbortException(Exception):
    """Raised where LAMMPS would abort all of its processes."""


class lammps:
    """The class of LAMMPS' Python module, as far as adapters use it.

    Args:
        name: of a shared library; ignored.
        cmdargs: as on the command line.
    """

    def __init__(self, name: str = "", cmdargs: Sequence[str] | None = None) -> None:
        options = _options(list(cmdargs or ()))
        self._echo = options["screen"] != "none"
        self._log: IO[str] | None = open(options["log"], "w", encoding="utf-8") if options["log"] != "none" else None  # noqa: SIM115
        self._variables: dict[str, list[str]] = {k: list(v) for k, v in options["variables"]}
        self._formulas: dict[str, str] = {}
        self._state = {"step": 0.0, "dt": 0.005, "thermo": 100.0}
        self._random = random.Random(0)
        self._fixes: dict[str, list[str]] = {}
        self._msd_from: dict[str, float] = {}
        self._trouble = ""
        self._stops = ""
        self._say(f"LAMMPS ({_VERSION})")

    def close(self) -> None:
        """End it."""
        if self._log is not None:
            self._log.close()

    def command(self, cmd: str) -> None:
        """Carry out one command."""
        self._carry_out(cmd)

    def file(self, path: str) -> None:
        """Carry out the commands of a file."""
        try:
            self._run_file(path)
        except FakeError as error:
            self._say(str(error))
            raise Exception(str(error)) from None

    def extract_variable(self, name: str, group: str | None = None, vartype: int | None = None) -> float | str | None:
        """Return an equal-style variable as a number, another as text, ``None`` where there is none."""
        if name in self._formulas:
            return self._value(self._formulas[name])
        return self._variables[name][0] if name in self._variables else None

    def extract_compute(self, cid: str, cstyle: int, ctype: int) -> Any:
        """Return a global compute: a scalar (0), a vector (1) or the length of one (3)."""
        if ctype == 3:
            return 6
        return self._value(f"c_{cid}") if ctype == 0 else [self._value(f"c_{cid}[{i + 1}]") for i in range(6)]

    def eval(self, expr: str) -> float:
        """Return the value of a formula."""
        return self._value(expr)

    # Files and commands

    def _run_file(self, path: str) -> None:
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError:
            raise FakeError(
                f"ERROR: Cannot open input script {path}: No such file or directory (src/input.cpp:221)"
            ) from None
        lines = re.sub(r"&\n", " ", text).splitlines()
        place = 0
        while place < len(lines):
            line = lines[place].split("#")[0].strip()
            place += 1
            if not line:
                continue
            label = self._carry_out(line)
            if label == "quit":
                return
            if label:
                place = next(i for i, other in enumerate(lines) if other.split()[:2] == ["label", label]) + 1

    def _carry_out(self, raw: str) -> str | None:
        """Carry out a command; return the label to jump to, or ``quit``."""
        self._say(raw, screen=False)
        try:
            line = self._substituted(raw)
            if line != raw:
                self._say(line, screen=False)
            name, _, rest = line.partition(" ")
            words = [w.strip("\"'") for w in rest.split()]
            if name == "jump":
                jump, self._jumping = getattr(self, "_jumping", True), True
                return words[1] if jump else None
            if name == "quit":
                return "quit"
            handler = getattr(self, f"_do_{name}", None)
            if handler is not None:
                handler(words, rest.strip())
            elif not _KNOWN.fullmatch(name):
                raise FakeError(f"ERROR: Unknown command: {raw} (src/input.cpp:446)")
        except FakeError as error:
            if "Last input line" in str(error) or "Lost atoms" in str(error):
                raise
            raise FakeError(f"{error}\nLast input line: {raw}") from None
        return None

    def _do_variable(self, words: list[str], rest: str) -> None:
        name, style, values = words[0], words[1], words[2:]
        if style == "equal":
            self._formulas[name] = " ".join(values)
        elif style == "loop":
            if name not in self._variables:
                self._variables[name] = [str(i + 1) for i in range(int(values[0]))]
        elif name not in self._variables:
            self._variables[name] = values

    def _do_log(self, words: list[str], rest: str) -> None:
        if self._log is not None:
            self._log.close()
        mode = "a" if "append" in words else "w"
        self._log = open(words[0], mode, encoding="utf-8") if words[0] != "none" else None  # noqa: SIM115

    def _do_timer(self, words: list[str], rest: str) -> None:
        self._stops = "timeout" if "timeout" in words else self._stops

    def _do_next(self, words: list[str], rest: str) -> None:
        values = self._variables[words[0]]
        values.pop(0)
        self._jumping = bool(values)
        if not values:
            del self._variables[words[0]]

    def _do_include(self, words: list[str], rest: str) -> None:
        self._run_file(words[0])

    def _do_if(self, words: list[str], rest: str) -> None:
        condition, _, commands = rest.partition(" then ")
        left, _, right = condition.strip().strip('"').partition(" == ")
        if left == right:
            for command in re.findall(r'"([^"]*)"', commands):
                self._carry_out(command)

    def _do_print(self, words: list[str], rest: str) -> None:
        match = re.match(r'"([^"]*)"\s*(.*)', rest)
        text, options = (match[1], match[2].split()) if match else (rest, [])
        for option, mode in (("file", "w"), ("append", "a")):
            if option in options:
                with open(options[options.index(option) + 1], mode, encoding="utf-8") as stream:
                    stream.write(text + "\n")
        if "screen" not in options:
            self._say(text)

    def _do_pair_style(self, words: list[str], rest: str) -> None:
        style = words[0]
        if style in ("hang", "lost", "nan", "crash"):
            self._trouble = style
        elif style in _PACKAGES:
            raise FakeError(
                f"ERROR: Unrecognized pair style '{style}' is part of the {_PACKAGES[style]} package which is not "
                "enabled in this LAMMPS binary.\nFor more information see the manual (src/force.cpp:275)"
            )
        elif style not in ("lj/cut", "none", "zero"):
            raise FakeError(f"ERROR: Unrecognized pair style '{style}' (src/force.cpp:275)")

    def _do_velocity(self, words: list[str], rest: str) -> None:
        if words[1] == "create":
            self._random = random.Random(int(words[3]))

    def _do_timestep(self, words: list[str], rest: str) -> None:
        self._state["dt"] = float(words[0])

    def _do_thermo(self, words: list[str], rest: str) -> None:
        self._state["thermo"] = float(words[0])

    def _do_reset_timestep(self, words: list[str], rest: str) -> None:
        self._state["step"] = float(words[0])

    def _do_fix(self, words: list[str], rest: str) -> None:
        self._stops = "halt" if words[2] == "halt" else self._stops
        self._fixes[words[0]] = words[2:]
        if words[2] == "ave/correlate":
            self._write_correlation(words[2:], first=True)
        if words[2] == "ave/time":
            Path(words[words.index("file") + 1]).write_text(
                f"# Time-averaged data for fix {words[0]}\n# TimeStep {' '.join(words[6 : words.index('file')])}\n"
            )

    def _do_compute(self, words: list[str], rest: str) -> None:
        self._msd_from[words[0]] = self._state["step"]

    # A run

    def _do_run(self, words: list[str], rest: str) -> None:
        if not words or not words[0].isdigit():
            raise FakeError(f"ERROR: Expected integer parameter instead of '{' '.join(words)}' in input script")
        self._be_in_trouble()
        if words[1:2] == ["every"]:
            for _ in range(int(words[0]) // int(words[2])):
                self._do_run([words[2]], "")
                for command in re.findall(r'"([^"]*)"', rest):
                    self._carry_out(command)
            return
        steps, every = int(words[0]), max(int(self._state["thermo"]), 1)
        if self._stops:
            steps //= 2
        self._say("   Step          Temp          PotEng         Press")
        begin = int(self._state["step"])
        for step in range(0, steps + 1, every):
            self._say(" ".join([f"{begin + step:>10}", *(f"{v:.8g}" for v in self._thermo())]))
        if self._stops == "timeout":
            self._say("WARNING: Wall time limit reached (src/timer.cpp:201)")
        self._state["step"] = begin + steps
        for words_of_fix in list(self._fixes.values()):
            if words_of_fix[0] == "ave/time":
                self._write_means(words_of_fix, begin, steps)
            if words_of_fix[0] == "ave/correlate" and self._state["step"] % int(words_of_fix[3]) == 0:
                self._write_correlation(words_of_fix, first=False)
        self._say(f"Loop time of 0.001 on 1 procs for {steps} steps with {self._atoms:.0f} atoms")

    def _be_in_trouble(self) -> None:
        if self._trouble == "hang":
            time.sleep(3600)
        if self._trouble == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        if self._trouble == "lost":
            raise FakeError("ERROR: Lost atoms: original 256 current 250 (src/thermo.cpp:490)")

    def _thermo(self) -> tuple[float, float, float]:
        if self._trouble == "nan":
            return math.nan, math.nan, math.nan
        noise = self._random.gauss
        temperature, density = self._given("T"), self._given("rho")
        return (
            temperature + noise(0, 0.01),
            -10 * density + 1.5 * temperature + noise(0, 0.01),
            density * temperature + noise(0, 0.01),
        )

    def _write_means(self, words: list[str], begin: int, steps: int) -> None:
        every = int(words[3])
        names = words[4 : words.index("file")]
        with open(words[words.index("file") + 1], "a", encoding="utf-8") as stream:
            for step in range(begin + every, begin + steps + 1, every):
                temperature, energy, pressure = self._thermo()
                known = {"c_thermo_pe": energy * self._atoms, "c_thermo_press": pressure}
                stream.write(f"{step} {' '.join(repr(known.get(name, temperature)) for name in names)}\n")

    def _write_correlation(self, words: list[str], first: bool) -> None:
        every, lags, block = (int(w) for w in words[1:4])
        names = [w for w in words[4:] if w.startswith(("v_", "c_"))]
        path = Path(words[words.index("file") + 1])
        step = 0 if first else int(self._state["step"])
        with path.open("w" if first else "a", encoding="utf-8") as stream:
            if first:
                columns = " ".join(f"{name}*{name}" for name in names)
                stream.write("# Time-correlated data for fix\n# Timestep Number-of-time-windows\n# Index TimeDelta ")
                stream.write(f"Ncount {columns}\n")
            stream.write(f"{step} {lags}\n")
            heights = [self._random.gauss(1, 0.1) for _ in names]
            for lag in range(lags):
                count = (1 if lag == 0 else 0) if first else block // every - lag
                values = [self._correlation(lag * every * self._state["dt"]) * h for h in heights] if count else [0.0]
                shown = " ".join(repr(v + self._random.gauss(0, 1e-3)) for v in values * (len(names) // len(values)))
                stream.write(f"{lag + 1} {lag * every} {count} {shown}\n")

    def _correlation(self, lag: float) -> float:
        temperature, density = self._given("T"), self._given("rho")
        viscosity, decay = math.exp(3 * density) / (10 * temperature), 0.2
        volume = self._atoms / density
        return viscosity * temperature / volume / decay * math.exp(-lag / decay)

    # Text

    @property
    def _atoms(self) -> float:
        return 4 * float(self._variables.get("cells", ["4"])[0]) ** 3

    def _given(self, name: str) -> float:
        return float(self._variables.get(name, ["1"])[0])

    def _substituted(self, line: str) -> str:
        def plain(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            value = self.extract_variable(name)
            if value is None:
                raise FakeError(f"ERROR: Substitution for illegal variable {name} (src/input.cpp:665)")
            return value if isinstance(value, str) else f"{value:.15g}"

        def formula(match: re.Match[str]) -> str:
            text, colon, form = match[1].partition(":%")
            return f"{self._value(text):{form}}" if colon else f"{self._value(text):.15g}"

        line = re.sub(r"\$\(((?:[^()]|\([^()]*\))*)\)", formula, line)
        return re.sub(r"\$\{(\w+)\}|\$([A-Za-z])", plain, line)

    def _value(self, text: str) -> float:
        plain = re.sub(r"\$\{(\w+)\}", lambda m: str(self.extract_variable(m[1])), text)
        plain = re.sub(r"\b([cf])_(\w+)(?:\[(\d+)\])?", lambda m: repr(self._compute(m[2], int(m[3] or 0))), plain)
        try:
            return self._node(ast.parse(plain.strip("\"' ").replace("^", "**"), mode="eval").body)
        except (SyntaxError, KeyError, ValueError) as error:
            raise FakeError(
                f"ERROR: Invalid syntax in variable formula {text} ({error}) (src/variable.cpp:1)"
            ) from None

    def _node(self, node: ast.expr) -> float:
        if isinstance(node, ast.Constant):
            return float(node.value)  # type: ignore[arg-type]
        if isinstance(node, ast.BinOp):
            return _OPERATORS[type(node.op)](self._node(node.left), self._node(node.right))
        if isinstance(node, ast.UnaryOp):
            return _OPERATORS[type(node.op)](self._node(node.operand))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "sqrt":
            return math.sqrt(self._node(node.args[0]))
        if isinstance(node, ast.Name):
            return self._named(node.id)
        raise ValueError(f"no number: {ast.dump(node)}")

    def _named(self, name: str) -> float:
        if name.startswith("v_"):
            value = self.extract_variable(name[2:])
            if value is None:
                raise FakeError(f"ERROR: Invalid variable reference {name} in variable formula (src/variable.cpp:1)")
            return float(value)
        keywords = {
            "vol": self._atoms / self._given("rho"),
            "temp": self._given("T"),
            "press": 0.0,
            "pe": -1.0,
        }
        return keywords[name] if name in keywords else self._state[name]

    def _compute(self, name: str, element: int) -> float:
        if name not in self._msd_from and not name.startswith("thermo"):
            raise FakeError(f"ERROR: Variable formula compute ID {name} does not exist (src/variable.cpp:1)")
        elapsed = self._state["step"] - self._msd_from.get(name, 0.0)
        return 0.2 * elapsed * self._state["dt"] + 1e-3 * element + self._random.gauss(0, 1e-3)

    def _say(self, text: str, screen: bool = True) -> None:
        if self._log is not None:
            self._log.write(text + "\n")
            self._log.flush()
        if screen and self._echo:
            print(text, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as the program ``lmp`` and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if "-h" in words:
        print(f"Large-scale Atomic/Molecular Massively Parallel Simulator - {_VERSION}")
        return 0
    options = _options(words)
    instance = lammps(cmdargs=words)
    try:
        instance.file(options["in"])
    except Exception:
        return 1
    finally:
        instance.close()
    return 0


def fake_program(folder: Path) -> Path:
    """Write an executable ``lmp`` into ``folder`` that is this stand-in, and return its path."""
    path = folder / "lmp"
    # By its file: the packages around it take longer to import than a run takes.
    path.write_text(
        f"#!{sys.executable}\nimport runpy, sys\n"
        f"sys.exit(runpy.run_path({str(Path(__file__).resolve())!r})['main']())\n",
        encoding="utf-8",
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def _options(words: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"in": "", "log": "log.lammps", "screen": "", "variables": []}
    place = 0
    while place < len(words):
        name = words[place].lstrip("-")
        if name in ("in", "log", "screen"):
            found[name] = words[place + 1]
            place += 2
        elif name == "var":
            end = next((i for i in range(place + 3, len(words)) if words[i].startswith("-")), len(words))
            found["variables"].append((words[place + 1], words[place + 2 : end]))
            place = end
        else:
            # -sf omp, -pk omp 2: what they do is not followed.
            place += 1
    return found
