"""Accelerated corrections converge like a Krylov method."""

from __future__ import annotations

import numpy as np

from scalebridge.simulators.calculix.acceleration import History
from scalebridge.simulators.calculix.linear import Change


def steps_needed(depth):
    """Corrections of a linear system of six unknowns with a poor stiffness until they are 1e-9 of the first."""
    rng = np.random.default_rng(1)
    rotation = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    operator = rotation @ np.diag([0.2, 0.5, 0.8, 1.0, 1.3, 1.7]) @ rotation.T
    wanted, x = rng.standard_normal(6), np.zeros(6)
    history = History(np.ones((1, 2)), depth)
    first = np.linalg.norm(wanted)
    for step in range(1, 200):
        strain = (wanted - operator @ x).reshape(1, 2, 3)
        change = Change(2 * strain.reshape(3, 2), strain, np.zeros((3, 2)))
        if np.linalg.norm(strain) < 1e-9 * first:
            return step
        history = history.with_entry(2 * x.reshape(3, 2), x.reshape(1, 2, 3), change)
        if history.ready:
            change = history.improved(change)
        # What is linear in the strain stays so: the displacements follow.
        np.testing.assert_allclose(change.u.ravel(), 2 * change.strain.ravel(), atol=1e-9)
        x = x + change.strain.ravel()
    return 200


def test_six_unknowns_take_about_six_corrections_and_many_without():
    assert steps_needed(10) <= 9
    assert steps_needed(3) < steps_needed(0)
    assert steps_needed(0) > 60


def test_a_history_that_is_forgotten_starts_anew():
    history = History(np.ones((1, 1)), 3)
    change = Change(np.zeros((3, 2)), np.ones((1, 1, 3)), np.zeros((3, 2)))
    for _ in range(5):
        history = history.with_entry(np.zeros((3, 2)), np.zeros((1, 1, 3)), change)
    assert len(history.fields) == 3 and history.ready
    # Two changes that are the same tell nothing.
    assert history.improved(change) is change
    assert not history.forgotten().ready
