"""Keys: the same run has the same key, another run another."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scalebridge.campaign.keys import model_key, run_keys, seed_of

finite = st.floats(-1e300, 1e300)


@given(st.lists(finite, min_size=1, max_size=6), st.integers(0, 3))
def test_a_key_does_not_depend_on_batch_order_or_memory_layout(row: list[float], replicate: int) -> None:
    x = np.array([row, [v + 1.0 for v in row]])
    forward = run_keys("m", x, replicate)
    assert run_keys("m", np.asfortranarray(x)[::-1], replicate) == forward[::-1]


@given(st.lists(finite, min_size=1, max_size=6))
def test_signed_zeros_are_one_input_and_the_next_float_is_another(row: list[float]) -> None:
    x = np.array([row])
    assert run_keys("m", np.where(x == 0, -0.0, x), 0) == run_keys("m", np.where(x == 0, 0.0, x), 0)
    assert run_keys("m", np.nextafter(x, np.inf), 0) != run_keys("m", x, 0)


def test_model_replicate_and_settings_enter_the_key() -> None:
    x = np.ones((1, 2))
    identity = {"name": "f", "version": "1", "source": "a"}
    keys = [model_key(i) for i in (identity, identity | {"version": "2"}, identity | {"grid": "8"})]
    assert len({*keys, model_key(dict(reversed(identity.items())))}) == 3
    assert len({run_keys(k, x, r)[0] for k in keys for r in (0, 1)}) == 6


def test_the_seed_of_a_run_comes_from_its_key_alone() -> None:
    a, b = run_keys("m", np.array([[1.0], [2.0]]), 0)
    assert seed_of(a) == seed_of(a) != seed_of(b)
    assert 0 <= seed_of(a) < 2**32
