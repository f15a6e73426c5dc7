"""Problems are light: NumPy only until one is solved."""

from __future__ import annotations

import subprocess
import sys


def test_the_problems_need_no_heavy_library() -> None:
    code = (
        "import sys, scalebridge.problems, scalebridge.testing; "
        "print([m for m in ('torch', 'scipy', 'skfem', 'matplotlib', 'pint') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_every_public_name_is_there() -> None:
    import scalebridge.problems as problems
    import scalebridge.testing as testing

    for room in (problems, testing):
        assert all(hasattr(room, name) for name in room.__all__)
        assert sorted(room.__all__, key=str) == sorted(set(room.__all__))
