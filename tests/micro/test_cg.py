"""Conjugate gradients for a batch: rows that are done, and rows that cannot be solved, leave the others alone."""

from __future__ import annotations

from collections.abc import Callable

import torch

from scalebridge.micro.rve.cg import ConjugateGradients, Vector


class Given:
    """A system of an operator on the field and the identity on the macroscopic part, without preconditioner."""

    def __init__(self, operator: Callable[[torch.Tensor], torch.Tensor]) -> None:
        self.operator = operator

    def apply(self, p: Vector, out: Vector) -> None:
        out.field.copy_(self.operator(p.field))
        out.macro.copy_(p.macro)

    def precondition(self, r: Vector, out: Vector) -> None:
        out.copy_(r)


def right_hand_side(b: int) -> Vector:
    generator = torch.Generator().manual_seed(1)
    field, macro = (torch.randn(s, dtype=torch.float64, generator=generator) for s in [(b, 2, 2, 3), (b, 3)])
    return Vector(field, macro)


def test_a_zero_right_hand_side_beside_others_stays_zero_and_finite() -> None:
    a = torch.diag(torch.arange(1.0, 13.0, dtype=torch.float64))
    system = Given(lambda p: (p.flatten(1) @ a).view_as(p))
    right = right_hand_side(3)
    right.field[1], right.macro[1] = 0.0, 0.0
    x = right.like()
    target = torch.tensor([1e-12, 0.0, 1e-12], dtype=torch.float64)
    outcome = ConjugateGradients(x).solve(system, right.like().copy_(right), x, target, 50)
    assert outcome.converged.tolist() == [True, True, True]
    assert int(outcome.iterations[1]) == 0
    assert float(x.field[1].abs().max()) == 0.0
    torch.testing.assert_close(system.operator(x.field), right.field, rtol=1e-10, atol=1e-11)
    torch.testing.assert_close(x.macro, right.macro, rtol=1e-10, atol=1e-11)


def test_a_system_that_is_not_definite_is_reported_and_leaves_its_neighbours_alone() -> None:
    factor = torch.tensor([2.0, -1.0], dtype=torch.float64).view(2, 1, 1, 1)
    right = right_hand_side(2)
    right.macro.zero_()
    x = right.like()
    target = torch.full((2,), 1e-10, dtype=torch.float64)
    outcome = ConjugateGradients(x).solve(Given(lambda p: factor * p), right.like().copy_(right), x, target, 20)
    assert outcome.converged.tolist() == [True, False]
    torch.testing.assert_close(x.field[0], right.field[0] / 2.0, rtol=1e-12, atol=1e-12)
    assert float(x.field[1].abs().max()) == 0.0


def test_a_row_that_is_not_finite_is_not_converged_and_leaves_its_neighbours_alone() -> None:
    right = right_hand_side(2)
    right.field[1, 0, 0, 0] = torch.nan
    x = right.like()
    target = torch.full((2,), 1e-10, dtype=torch.float64)
    outcome = ConjugateGradients(x).solve(Given(lambda p: 3.0 * p), right.like().copy_(right), x, target, 20)
    assert outcome.converged.tolist() == [True, False]
    torch.testing.assert_close(x.field[0], right.field[0] / 3.0, rtol=1e-9, atol=1e-9)
