"""A real external program, of a few lines of Python, that misbehaves on request."""

from __future__ import annotations

import sys
from typing import Any

from scalebridge.errors import InputError, did_you_mean
from scalebridge.models.program import Json, Pattern, Program

FAULTS = (
    "crash", "daemon", "fail", "flood", "half", "hang", "killed", "nan", "nothing", "unconverged",
)  # fmt: skip

_INPUT = "x = {{ x }}\nfault = {{ fault }}\nevery = {{ every }}\nlog = {{ log }}\n"

# Reads input.txt, solves y = x + sin x by fixed-point iteration of nothing in particular, writes result.json.
_SOLVER = """
import json, math, os, signal, sys, time

given = dict(line.strip().split(" = ") for line in open("input.txt"))
x, fault, every = float(given["x"]), given["fault"], int(given["every"])
if given["log"] != "none":
    with open(given["log"], "a") as log:
        log.write("%d %r\\n" % (os.getpid(), x))
print("solving at x =", x, flush=True)
faulty = round(x) % every == every - 1
if not faulty:
    fault = "none"
if fault == "hang":
    time.sleep(600)
if fault == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if fault == "crash":
    os.abort()
if fault == "fail":
    print("singular matrix", file=sys.stderr)
    sys.exit(3)
if fault == "flood":
    block = b"x" * (1 << 20)
    while True:
        os.write(1, block)
if fault == "daemon":
    ready, begun = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            if given["log"] != "none":
                with open(given["log"], "a") as log:
                    log.write("%d daemon\\n" % os.getpid())
            os.write(begun, b"1")
            time.sleep(600)
        os._exit(0)
    os.read(ready, 1)
text = json.dumps({"y": math.nan if fault == "nan" else x + math.sin(x)})
if fault != "nothing":
    with open("result.json", "w") as file:
        file.write(text[: len(text) // 2] if fault == "half" else text)
if fault != "unconverged":
    print("converged")
"""


def fake_program(fault: str = "none", every: int = 5, log: str = "none", **settings: Any) -> Program:
    """Return a `Program` that solves ``y = x + sin(x)`` and misbehaves at every so manieth whole x.

    Args:
        fault: ``none``, ``crash`` (SIGABRT), ``daemon`` (leaves one behind), ``fail`` (exit code 3), ``flood``
            (prints without end), ``half`` (writes half its result), ``hang``, ``killed`` (SIGKILL), ``nan``,
            ``nothing`` (writes no result) or ``unconverged``.
        every: it misbehaves where x, rounded, is ``every - 1`` modulo ``every``; 1 for always.
        log: a file outside, to which every process of it appends a line with its number.
        settings: of `Program`, as ``timeout=1.0``.
    """
    if fault not in ("none", *FAULTS):
        raise InputError(f"A fake program has no fault '{fault}'{did_you_mean(fault, ('none', *FAULTS))}")
    return Program(
        # Without its site-packages the interpreter starts in a third of the time.
        [sys.executable, "-S", "-E", "solver.py"],
        {"x": ("1", -100, 100)},
        {"y": "1"},
        {"y": Json("result.json", "y")},
        **{
            "template": {"input.txt": _INPUT, "solver.py": _SOLVER},
            "options": {"fault": fault, "every": every, "log": log},
            "converged": Pattern("stdout.txt", "^converged"),
            "name": "fake-program",
            **settings,
        },
    )
