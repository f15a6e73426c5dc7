"""The room of networks costs nothing until a name of it is used, and every name it lists is there."""

from __future__ import annotations

import subprocess
import sys

import scalebridge.learn.networks
import scalebridge.networks


def test_importing_the_rooms_of_networks_brings_no_torch() -> None:
    code = (
        "import sys, scalebridge.networks, scalebridge.learn.networks, scalebridge.microstructure.deep.features;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_name_of_the_rooms_is_there() -> None:
    for room in (scalebridge.networks, scalebridge.learn.networks):
        for name in room.__all__:
            assert getattr(room, name).__doc__
        assert dir(room) == sorted(room.__all__)
