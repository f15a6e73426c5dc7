from __future__ import annotations

import subprocess
import sys

import pytest

from scalebridge import macro


def test_importing_the_room_imports_no_heavy_library():
    code = (
        "import sys, scalebridge.macro; "
        "print([m for m in ('torch', 'scipy', 'skfem', 'pint', 'matplotlib', 'meshio') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_every_public_name_is_there():
    for name in macro.__all__:
        assert getattr(macro, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Slid'"):
        _ = macro.Slid
