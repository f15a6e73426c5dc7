"""Covariances: derivatives against automatic ones, symmetry, positive definiteness, oddness."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from scalebridge.learn.kernels import GradientKernel, Kernel, SeparableKernel
from scalebridge.learn.radial import PROFILES

PROFILE_NAMES = sorted(PROFILES)


def points(n: int, d: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def inverse_squares(d: int) -> torch.Tensor:
    return torch.linspace(0.4, 2.0, d, dtype=torch.float64)


def kernels(d: int, profile: str, odd: bool) -> list[Kernel]:
    return [GradientKernel(profile, odd), SeparableKernel(profile, odd, 2)]


def smoothed_five(s: torch.Tensor) -> torch.Tensor:
    """The Matern covariance of smoothness 7/2 from its textbook form (Rasmussen and Williams, 4.16)."""
    t = (7 * s).sqrt()
    return (-t).exp() * (1 + t + 2 / 5 * t**2 + t**3 / 15)


def test_the_matern_profile_is_the_textbook_one() -> None:
    s = torch.linspace(1e-3, 20, 50, dtype=torch.float64)
    torch.testing.assert_close(PROFILES["matern72"](s)[0], smoothed_five(s))


@pytest.mark.parametrize("name", PROFILE_NAMES)
def test_a_profile_gives_its_own_three_derivatives(name: str) -> None:
    s = torch.linspace(1e-2, 12, 40, dtype=torch.float64, requires_grad=True)
    told = PROFILES[name](s)
    for k in range(3):
        (slope,) = torch.autograd.grad(told[k].sum(), s, retain_graph=True)
        torch.testing.assert_close(told[k + 1], slope, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", PROFILE_NAMES)
def test_a_profile_and_its_gradient_are_finite_at_distance_zero(name: str) -> None:
    s = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    told = PROFILES[name](s)
    assert told[0].tolist() == [1.0] * 3
    (slope,) = torch.autograd.grad(sum(t.sum() for t in told), s)
    assert torch.isfinite(slope).all()


def energy_covariance(x: torch.Tensor, z: torch.Tensor, scale: torch.Tensor, profile: str, odd: bool) -> torch.Tensor:
    """Covariance of the potential itself: even in its argument where the gradient is odd."""

    def h(delta: torch.Tensor) -> torch.Tensor:
        return PROFILES[profile]((delta * delta * scale).sum())[0]

    return h(x - z) + h(x + z) if odd else h(x - z)


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("profile", PROFILE_NAMES)
@pytest.mark.parametrize("d", [1, 3])
def test_the_gradient_kernel_is_the_mixed_derivative_of_the_covariance_of_the_potential(
    d: int, profile: str, odd: bool
) -> None:
    x, z, scale = points(3, d), points(2, d, 1), inverse_squares(d)
    told = GradientKernel(profile, odd).cross(x, z, scale)
    for i in range(len(x)):
        for j in range(len(z)):

            def of_both(pair: torch.Tensor) -> torch.Tensor:
                return energy_covariance(pair[:d], pair[d:], scale, profile, odd)

            hessian: Any = torch.autograd.functional.hessian(of_both, torch.cat([x[i], z[j]]))
            torch.testing.assert_close(told[i, :, j, :], hessian[:d, d:], rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("profile", PROFILE_NAMES)
@pytest.mark.parametrize("d", [1, 3])
def test_every_kernel_applies_its_covariance_and_the_exact_derivative_of_that(d: int, profile: str, odd: bool) -> None:
    x, z, scale = points(4, d), points(5, d, 1), inverse_squares(d)
    for kernel in kernels(d, profile, odd):
        m = kernel.cross(x, z, scale).shape[1]
        coefficients = points(5, m, 2)
        value, slope = kernel.apply(x, z, scale, coefficients)
        torch.testing.assert_close(value, torch.einsum("nakb,kb->na", kernel.cross(x, z, scale), coefficients))

        def at(rows: torch.Tensor, kernel: Kernel = kernel, c: torch.Tensor = coefficients) -> torch.Tensor:
            return torch.einsum("nakb,kb->a", kernel.cross(rows[None], z, scale), c)

        for i in range(len(x)):
            exact: Any = torch.autograd.functional.jacobian(at, x[i])
            torch.testing.assert_close(slope[i], exact, rtol=1e-7, atol=1e-8)
        if isinstance(kernel, GradientKernel):
            torch.testing.assert_close(slope, slope.transpose(1, 2))


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("profile", PROFILE_NAMES)
@pytest.mark.parametrize("d", [1, 3])
def test_covariances_are_symmetric_positive_definite_and_agree_with_their_blocks(
    d: int, profile: str, odd: bool
) -> None:
    x, scale = points(12, d), inverse_squares(d)
    for kernel in kernels(d, profile, odd):
        cross = kernel.cross(x, x, scale)
        n, m = cross.shape[:2]
        matrix = cross.reshape(n * m, n * m)
        torch.testing.assert_close(matrix, matrix.T)
        assert float(torch.linalg.eigvalsh(matrix).min()) > -1e-12
        torch.testing.assert_close(kernel.blocks(x, scale), torch.einsum("nanb->nab", cross))


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_an_odd_kernel_is_odd_and_knows_the_response_at_zero(profile: str) -> None:
    x, z, scale = points(4, 3), points(5, 3, 1), inverse_squares(3)
    for kernel in kernels(3, profile, True):
        torch.testing.assert_close(kernel.cross(-x, z, scale), -kernel.cross(x, z, scale))
        zero = torch.zeros(1, 3, dtype=torch.float64)
        assert float(kernel.cross(zero, z, scale).abs().max()) < 1e-14
        assert float(kernel.blocks(zero, scale).abs().max()) < 1e-14
