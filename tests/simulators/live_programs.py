"""What the tests of programs that are driven live share: faults of a stand-in, and programs that are stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scalebridge.simulators import live


@pytest.fixture(autouse=True, scope="module")
def stopped() -> Iterator[None]:
    """Leave no program running behind a module."""
    yield
    live.stop()


@pytest.fixture
def faulty(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., Path]]:
    """Make the stand-in that the module's ``FAULTS`` names misbehave from its next start on; return where its calls
    are written.
    """

    def ask(**faults: Any) -> Path:
        live.stop()
        monkeypatch.setenv(request.module.FAULTS, json.dumps({"log": str(tmp_path / "calls.txt"), **faults}))
        return tmp_path / "calls.txt"

    yield ask
    live.stop()
