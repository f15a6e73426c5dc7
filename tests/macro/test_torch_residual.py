from __future__ import annotations

import numpy as np
import pytest

from scalebridge import InputError, ShapeError, macro
from scalebridge.models import ClosureValue


def conductivity(x, bend=0.0):
    return ClosureValue(
        1 + x**2 + bend * np.sin(3 * x), (2 * x + 3 * bend * np.cos(3 * x))[:, :, None], np.ones(len(x), bool)
    )


class Chain:
    """Temperatures at n inner nodes of a rod between 0 and 1, the closure called at the midpoints of its links."""

    n = 5

    def states(self, u):
        import torch

        ends = torch.cat([torch.zeros(1, dtype=u.dtype), u, torch.ones(1, dtype=u.dtype)])
        return ((ends[1:] + ends[:-1]) / 2)[:, None]

    def flow(self, u, y):
        import torch

        ends = torch.cat([torch.zeros(1, dtype=u.dtype), u, torch.ones(1, dtype=u.dtype)])
        return y[:, 0] * (ends[1:] - ends[:-1]) * (self.n + 1)

    def residual(self, u, y):
        return self.flow(u, y)[1:] - self.flow(u, y)[:-1]

    qois = property(lambda self: {"inlet": lambda u, y: self.flow(u, y)[0], "mean": lambda u, y: u.mean()})

    def solve(self, closure):
        import torch

        u = np.linspace(0, 1, self.n + 2)[1:-1]
        for _ in range(30):
            x = self.states(torch.from_numpy(u))
            answer = closure(x.numpy())
            y, c = torch.from_numpy(answer.values), torch.from_numpy(answer.tangent)
            by_u, by_y = torch.autograd.functional.jacobian(self.residual, (torch.from_numpy(u), y))
            dx = torch.autograd.functional.jacobian(self.states, torch.from_numpy(u))
            matrix = by_u + torch.einsum("rnm,nmd,ndk->rk", by_y, c, dx)
            u = u - torch.linalg.solve(matrix, self.residual(torch.from_numpy(u), y)).numpy()
        qois = {name: float(q(torch.from_numpy(u), y)) for name, q in self.qois.items()}
        sensitivity = macro.adjoint(
            self.residual, states=self.states, qois=self.qois, u=u, values=answer.values, tangent=answer.tangent
        )
        return qois, x.numpy(), sensitivity


@pytest.mark.parametrize("qoi", ["inlet", "mean"])
def test_adjoint_of_a_torch_residual_is_the_derivative(qoi):
    _, x, sensitivity = Chain().solve(conductivity)
    plus, minus = (Chain().solve(lambda x, s=s: conductivity(x, s))[0][qoi] for s in (1e-5, -1e-5))
    assert (sensitivity(qoi) * np.sin(3 * x)).sum() == pytest.approx((plus - minus) / 2e-5, rel=1e-6)


def test_arrays_that_do_not_fit_are_refused():
    chain = Chain()
    with pytest.raises(ShapeError, match=r"\[n, m, d\]"):
        macro.adjoint(
            chain.residual,
            states=chain.states,
            qois=chain.qois,
            u=np.zeros(5),
            values=np.ones((6, 1)),
            tangent=np.ones((6, 1)),
        )


def test_an_undetermined_unknown_is_refused():
    chain = Chain()
    with pytest.raises(InputError, match="singular"):
        macro.adjoint(
            chain.residual,
            states=chain.states,
            qois=chain.qois,
            u=np.zeros(5),
            values=np.zeros((6, 1)),
            tangent=np.zeros((6, 1, 1)),
        )


def test_an_unknown_quantity_of_interest_is_answered_with_the_nearest():
    _, _, sensitivity = Chain().solve(conductivity)
    with pytest.raises(InputError, match="did you mean 'inlet'"):
        sensitivity("inlt")
