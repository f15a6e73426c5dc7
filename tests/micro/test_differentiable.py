"""Gradients of effective quantities against central differences, and their use in a training loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch

import scalebridge as sb
from scalebridge.errors import InputError, ShapeError
from scalebridge.microstructure import subvoxel

ACCURACY = 1e-7
SEED = np.random.default_rng(11)
SOLID = (SEED.random((3, 4, 5)) < 0.3).astype(int)
SHEET = (SEED.random((7, 6)) < 0.4).astype(int)
FIBRE = sb.micro.TransverselyIsotropic(E_L=20.0, E_T=8.0, G_L=3.0, nu_L=0.25, nu_T=0.35, alpha_L=-1e-6, alpha_T=2e-5)
MATRIX = sb.micro.Elastic(2.0, 0.35, 6e-5)
GLASS = sb.micro.Elastic(9.0, 0.2, 5e-6)

Scalar = Callable[[float], float]


def rve(image: np.ndarray | subvoxel.SubVoxels, *laws: object, **options: object) -> sb.micro.RVE:
    """Tolerance: effective tangents err by its square, their gradients and mean stresses by the tolerance itself."""
    return sb.micro.RVE(image, laws, **{"tolerance": 1e-9, **options})


def slope(function: Scalar, x: float, step: float) -> float:
    """Central difference of fourth order."""
    near, far = (function(x + k * step) - function(x - k * step) for k in (1, 2))
    return (8.0 * near - far) / (12.0 * step)


def weights(*shape: int) -> torch.Tensor:
    return torch.as_tensor(np.random.default_rng(5).normal(size=shape))


def check_constants(
    function: Callable[[Mapping[str, torch.Tensor | float]], torch.Tensor], constants: dict[str, float]
) -> None:
    """Compare the gradient of a fixed mixture of the outputs by each constant with its central difference."""
    leaves = {k: torch.tensor(v, dtype=torch.float64, requires_grad=True) for k, v in constants.items()}
    value = function(leaves)
    w = weights(*value.shape)
    (w * value).sum().backward()
    for name, x in constants.items():
        expected = slope(lambda v, name=name: float((w * function({**constants, name: v})).sum()), x, 1e-3 * x)  # type: ignore[misc]
        assert float(leaves[name].grad) == pytest.approx(expected, rel=ACCURACY), name  # type: ignore[arg-type]


def check_field(function: Callable[[torch.Tensor], torch.Tensor], field: torch.Tensor, step: float = 1e-3) -> None:
    """The same along a random direction of a field."""
    leaf = field.clone().requires_grad_()
    value = function(leaf)
    w = weights(*value.shape)
    (w * value).sum().backward()
    way = torch.as_tensor(np.random.default_rng(21).normal(size=tuple(field.shape)))
    expected = slope(lambda t: float((w * function(field + t * way)).sum()), 0.0, step)
    assert float((leaf.grad * way).sum()) == pytest.approx(expected, rel=ACCURACY)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (SOLID, {}),
        (SOLID, {"discretisation": "hexahedra"}),
        (SHEET, {}),
        (SHEET, {"plane": "stress"}),
        (SHEET, {"plane": "generalised"}),
        (SHEET, {"voxel_size": [1.0, 2.0], "discretisation": "moulinec_suquet"}),
    ],
)
def test_the_stiffness_has_exact_gradients_by_the_constants_of_its_phases(image: np.ndarray, options: dict) -> None:  # type: ignore[type-arg]
    made = rve(image, MATRIX, GLASS, **options)
    check_constants(lambda p: sb.micro.effective_tensor(made, p), {"0.E": 2.0, "0.nu": 0.35, "1.nu": 0.2})


@pytest.mark.parametrize("image", [SOLID, SHEET])
def test_the_conductivity_has_exact_gradients(image: np.ndarray) -> None:
    made = rve(image, sb.micro.Conductor(1.0), sb.micro.AnisotropicConductor(np.diag([8.0, 3.0, 2.0])))
    check_constants(lambda p: sb.micro.effective_tensor(made, p), {"0.k": 1.0, "1.k11": 8.0, "1.k22": 3.0})


def test_the_value_is_the_stiffness_of_the_rve() -> None:
    made = rve(SOLID, MATRIX, GLASS, tolerance=1e-8)
    np.testing.assert_allclose(sb.micro.effective_tensor(made, {}).numpy(), made.stiffness(), rtol=0, atol=1e-12)
    other = rve(SOLID, MATRIX, sb.micro.Elastic(5.0, 0.2), tolerance=1e-8)
    np.testing.assert_allclose(
        sb.micro.effective_tensor(made, {"1.E": 5.0}).numpy(), other.stiffness(), rtol=0, atol=1e-12
    )


def test_a_rigid_phase_and_a_void_take_no_part_in_the_gradient() -> None:
    # Not connected, so that what stands for the rigid phase moves the stiffness by its 1e-7 only.
    image = np.zeros((6, 6, 6), dtype=int)
    image[1:3, 1:3, 1:3], image[4, 4, 4] = 1, 2
    made = rve(image, MATRIX, sb.micro.Rigid(), sb.micro.Void())
    leaf = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    c = sb.micro.effective_tensor(made, {"0.E": leaf})
    c[0, 0].backward()
    # The stiffness is proportional to the only modulus there is.
    assert float(leaf.grad) == pytest.approx(float(c[0, 0].detach()) / 2.0, rel=1e-6)  # type: ignore[arg-type]


@pytest.mark.parametrize(("image", "options"), [(SOLID, {}), (SHEET, {}), (SHEET, {"plane": "generalised"})])
def test_the_stiffness_has_exact_gradients_by_directions(image: np.ndarray, options: dict) -> None:  # type: ignore[type-arg]
    directions = torch.as_tensor(np.random.default_rng(2).normal(size=(*image.shape, 3)))
    made = rve(image, MATRIX, FIBRE, orientation=_unit(directions), **options)
    check_field(lambda d: sb.micro.effective_tensor(made, {}, orientation=d), directions)
    check_constants(lambda p: sb.micro.effective_tensor(made, p), {"0.E": 2.0, "1.E_L": 20.0, "1.G_L": 3.0})


def test_a_law_that_happens_to_be_isotropic_has_exact_gradients_in_its_own_axes() -> None:
    shear = 9.0 / 2.6
    alike = sb.micro.TransverselyIsotropic(E_L=9.0, E_T=9.0, G_L=shear, nu_L=0.3, nu_T=0.3)
    directions = np.random.default_rng(2).normal(size=(*SHEET.shape, 3))
    made = rve(SHEET, MATRIX, alike, orientation=_unit(torch.as_tensor(directions)))
    check_constants(lambda p: sb.micro.effective_tensor(made, p), {"0.E": 2.0, "1.E_L": 9.0, "1.G_L": shear})


def test_the_stiffness_has_exact_gradients_by_a_turn_of_all_axes() -> None:
    made = rve(SOLID, MATRIX, sb.micro.Orthotropic(9.0, 5.0, 3.0, 0.2, 0.25, 0.3, 2.0, 1.5, 1.0))
    start = torch.eye(3, dtype=torch.float64).expand(*SOLID.shape, 3, 3)
    axis = torch.as_tensor(np.random.default_rng(2).normal(size=(*SOLID.shape, 3)))

    def turned(angles: torch.Tensor) -> torch.Tensor:
        spin = torch.linalg.cross(start, angles[..., None, :].expand_as(start))
        return sb.micro.effective_tensor(made, {}, orientation=torch.linalg.matrix_exp(spin))

    check_field(turned, 0.3 * axis)


@pytest.mark.parametrize("shape", [(10, 12), (6, 8, 8)])
def test_the_stiffness_has_exact_gradients_by_fractions_of_composite_voxels(shape: tuple[int, ...]) -> None:
    voxels = _ball(shape)
    made = rve(voxels, MATRIX, GLASS)
    fraction = torch.as_tensor(0.1 + 0.8 * voxels.fraction)
    check_field(lambda f: sb.micro.effective_tensor(made, {}, fraction=f), fraction, step=3e-4)
    check_constants(lambda p: sb.micro.effective_tensor(made, p), {"0.E": 2.0, "1.nu": 0.2})
    np.testing.assert_allclose(
        sb.micro.effective_tensor(made, {}, fraction=torch.as_tensor(voxels.fraction)).numpy(),
        made.stiffness(),
        atol=1e-12,
    )


@pytest.mark.parametrize(("image", "options"), [(SOLID, {}), (SHEET, {}), (SHEET, {"plane": "stress"})])
def test_the_mean_stress_of_a_power_law_has_exact_gradients(image: np.ndarray, options: dict) -> None:  # type: ignore[type-arg]
    made = rve(image, sb.micro.PowerLaw(2.0, 0.35, 0.02, 0.4), GLASS, tolerance=1e-11, **options)
    g = made.inputs.size
    measure = 0.02 * weights(2, g)
    constants = {"0.n": 0.4, "1.E": 9.0}
    if made.plane == "strain" and made.dim == 2:
        constants |= {"0.E": 2.0, "0.nu": 0.35, "0.yield_stress": 0.02}
    check_constants(lambda p: sb.micro.mean_stress(made, measure, p), constants)
    check_field(lambda m: sb.micro.mean_stress(made, m, {}), measure, step=1e-5)
    response = made.homogenise(measure.numpy())
    np.testing.assert_allclose(sb.micro.mean_stress(made, measure, {}).numpy(), response.stress, rtol=1e-9)
    jacobian = torch.autograd.functional.jacobian(lambda m: sb.micro.mean_stress(made, m, {}), measure)
    np.testing.assert_allclose(jacobian[0, :, 0].numpy(), response.tangent[0], rtol=1e-8, atol=1e-9)


def test_the_mean_stress_has_exact_gradients_by_directions_and_fractions() -> None:
    directions = torch.as_tensor(np.random.default_rng(2).normal(size=(*SHEET.shape, 3)))
    made = rve(SHEET, sb.micro.PowerLaw(2.0, 0.35, 0.02, 0.4), FIBRE, tolerance=1e-11)
    measure = 0.02 * weights(1, 3)
    check_field(lambda d: sb.micro.mean_stress(made, measure, {}, orientation=d), directions)
    voxels = _ball((8, 8))
    composite = rve(voxels, sb.micro.PowerLaw(2.0, 0.35, 0.02, 0.4), GLASS, tolerance=1e-11)
    fraction = torch.as_tensor(0.1 + 0.8 * voxels.fraction)
    check_field(lambda f: sb.micro.mean_stress(composite, measure, {}, fraction=f), fraction, step=3e-4)


def test_the_mean_stress_at_finite_strain_has_exact_gradients() -> None:
    made = rve(SHEET, sb.micro.NeoHooke(1.0, 0.3), sb.micro.NeoHooke(6.0, 0.3), tolerance=1e-11)
    measure = torch.tensor([[1.2, 0.1, -0.05, 0.9]], dtype=torch.float64)
    check_constants(lambda p: sb.micro.mean_stress(made, measure, p), {"0.E": 1.0, "1.E": 6.0, "1.nu": 0.3})
    check_field(lambda m: sb.micro.mean_stress(made, m, {}), measure, step=1e-4)


def test_a_law_of_ones_own_has_exact_gradients() -> None:
    def energy(strain: torch.Tensor, k: torch.Tensor, stiffening: torch.Tensor) -> torch.Tensor:
        square = (strain * strain).sum(-1)
        return 0.5 * k * square + 0.25 * stiffening * square * square

    own = sb.micro.TorchLaw(energy, parameters={"k": 3.0, "stiffening": 500.0}, even=True)
    made = rve(SHEET, MATRIX, own, tolerance=1e-11)
    measure = 0.05 * weights(1, 3)
    check_constants(lambda p: sb.micro.mean_stress(made, measure, p), {"1.k": 3.0, "1.stiffening": 500.0})


@pytest.mark.parametrize(
    ("image", "options"), [(SOLID, {}), (SHEET, {}), (SHEET, {"plane": "stress"}), (SHEET, {"plane": "generalised"})]
)
def test_the_thermal_expansion_has_exact_gradients(image: np.ndarray, options: dict) -> None:  # type: ignore[type-arg]
    directions = torch.as_tensor(np.random.default_rng(2).normal(size=(*image.shape, 3)))
    made = rve(image, MATRIX, FIBRE, orientation=_unit(directions), **options)
    constants = {"0.nu": 0.35, "1.alpha_T": 2e-5}
    if made.plane == "strain" and made.dim == 2:
        constants |= {"0.E": 2.0, "0.expansion": 6e-5, "1.E_L": 20.0}
    check_constants(lambda p: sb.micro.effective_expansion(made, p), constants)
    check_field(lambda d: sb.micro.effective_expansion(made, {}, orientation=d), directions)


def test_the_thermal_expansion_has_exact_gradients_by_fractions() -> None:
    voxels = _ball((6, 8, 8))
    made = rve(voxels, MATRIX, GLASS)
    fraction = torch.as_tensor(0.1 + 0.8 * voxels.fraction)
    check_field(lambda f: sb.micro.effective_expansion(made, {}, fraction=f), fraction, step=3e-4)


def test_single_precision_gives_gradients_of_five_digits() -> None:
    found = {}
    for precision, tolerance in (("double", 1e-9), ("single", 1e-5)):
        leaf = torch.tensor(9.0, dtype=torch.float64, requires_grad=True)
        made = rve(SOLID, MATRIX, GLASS, precision=precision, tolerance=tolerance)
        (weights(6, 6) * sb.micro.effective_tensor(made, {"1.E": leaf})).sum().backward()
        found[precision] = float(leaf.grad)  # type: ignore[arg-type]
    assert found["single"] == pytest.approx(found["double"], rel=1e-5)


def test_a_training_loop_recovers_the_constants_of_an_inclusion() -> None:
    target = torch.as_tensor(rve(SOLID, MATRIX, GLASS, tolerance=1e-8).stiffness())
    made = rve(SOLID, MATRIX, sb.micro.Elastic(3.0, 0.4), tolerance=1e-8)
    logarithm = torch.tensor(np.log(3.0), dtype=torch.float64, requires_grad=True)
    # A line search must not leave the range of Poisson's ratio.
    logit = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS([logarithm, logit], max_iter=25, line_search_fn="strong_wolfe", tolerance_change=1e-14)
    calls = 0

    def loss() -> torch.Tensor:
        nonlocal calls
        calls += 1
        search.zero_grad()
        c = sb.micro.effective_tensor(made, {"1.E": logarithm.exp(), "1.nu": 0.49 * logit.sigmoid()})
        value = ((c - target) ** 2).sum() / (target**2).sum()
        value.backward()
        return value

    search.step(loss)  # type: ignore[no-untyped-call]
    assert float(logarithm.exp().detach()) == pytest.approx(9.0, rel=1e-3)
    assert float(0.49 * logit.detach().sigmoid()) == pytest.approx(0.2, abs=1e-3)
    assert calls <= 40


def test_a_call_starts_from_the_fields_of_the_last() -> None:
    made = rve(SOLID, MATRIX, GLASS, tolerance=1e-6)
    sb.micro.effective_tensor(made, {"1.E": 9.0})
    first = sum(made.__dict__["_warm"]["unit_cg"])
    sb.micro.effective_tensor(made, {"1.E": 9.001})
    second = sum(made.__dict__["_warm"]["unit_cg"])
    assert second <= 0.5 * first
    assert "_warm" not in made.__getstate__()


def test_a_value_does_not_depend_on_the_call_before() -> None:
    made = rve(SHEET, sb.micro.PowerLaw(2.0, 0.35, 0.02, 0.4), GLASS, tolerance=1e-9)
    near, far = (torch.tensor([[s, 0.0, 0.01]], dtype=torch.float64) for s in (0.02, -0.3))
    alone = sb.micro.mean_stress(made, near, {}).clone()
    sb.micro.mean_stress(made, far, {})
    np.testing.assert_allclose(sb.micro.mean_stress(made, near, {}).numpy(), alone.numpy(), rtol=1e-8)


def test_a_small_gradient_after_a_large_one_keeps_its_digits() -> None:
    made = rve(SHEET, sb.micro.PowerLaw(2.0, 0.35, 0.02, 0.4), GLASS, tolerance=1e-9)
    measure, leaf = 0.02 * weights(1, 3), torch.tensor(9.0, dtype=torch.float64, requires_grad=True)
    found = []
    for size in (1.0, 1e-9, 0.0, 1.0):
        (slope_of,) = torch.autograd.grad((size * sb.micro.mean_stress(made, measure, {"1.E": leaf})).sum(), leaf)
        found.append(float(slope_of))
    np.testing.assert_allclose(found[1] * 1e9, found[0], rtol=1e-7)
    assert found[2] == 0.0
    np.testing.assert_allclose(found[3], found[0], rtol=1e-7)


def test_gradients_come_in_the_dtype_of_what_they_belong_to() -> None:
    leaf = torch.tensor(9.0, dtype=torch.float32, requires_grad=True)
    sb.micro.effective_tensor(rve(SHEET, MATRIX, GLASS), {"1.E": leaf}).sum().backward()
    assert leaf.grad is not None
    assert leaf.grad.dtype == torch.float32


def test_a_second_derivative_is_refused() -> None:
    leaf = torch.tensor(9.0, dtype=torch.float64, requires_grad=True)
    c = sb.micro.effective_tensor(rve(SHEET, MATRIX, GLASS), {"1.E": leaf})
    (first,) = torch.autograd.grad((c**2).sum(), leaf, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.backward()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda r: sb.micro.effective_tensor(r, {"E": 1.0}), InputError, "'LABEL.NAME'"),
        (lambda r: sb.micro.effective_tensor(r, {"2.E": 1.0}), InputError, "from 0 to 1"),
        (lambda r: sb.micro.effective_tensor(r, {"1.G": 1.0}), InputError, "no parameter 'G'; it has E, nu, expansion"),
        (lambda r: sb.micro.effective_tensor(r, {"1.E": -1.0}), InputError, "not stable with E = -1"),
        (lambda r: sb.micro.effective_tensor(r, {"1.E": float("nan")}), InputError, "finite"),
        (lambda r: sb.micro.effective_tensor(r, {"1.E": torch.ones(2)}), ShapeError, r"shape \(2,\)"),
        (lambda r: sb.micro.effective_tensor(r, {}, fraction=torch.ones(2)), InputError, "no mixed voxels"),
        (lambda r: sb.micro.effective_tensor(r, {}, orientation=torch.ones(2)), ShapeError, "a direction per voxel"),
        (lambda r: sb.micro.mean_stress(r, torch.zeros(3), {}), ShapeError, r"\(b, 3\)"),
    ],
)
def test_misuse_is_answered_in_one_sentence(
    call: Callable[[sb.micro.RVE], object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        call(rve(SHEET, MATRIX, GLASS))


def test_laws_with_memory_are_refused() -> None:
    made = rve(SHEET, MATRIX, sb.micro.J2(70.0, 0.3, 0.1))
    with pytest.raises(InputError, match="depends on the path"):
        sb.micro.mean_stress(made, torch.zeros(1, 3, dtype=torch.float64), {})
    with pytest.raises(InputError, match="not linear"):
        sb.micro.effective_expansion(made, {})
    conductors = rve(SHEET, sb.micro.Conductor(1.0), sb.micro.Conductor(2.0))
    with pytest.raises(InputError, match="small strain"):
        sb.micro.effective_expansion(conductors, {})


def _unit(directions: torch.Tensor) -> np.ndarray:
    return (directions / directions.norm(dim=-1, keepdim=True)).numpy()


def _ball(shape: tuple[int, ...]) -> subvoxel.SubVoxels:
    def distance(*x: np.ndarray) -> np.ndarray:
        return 0.3 - np.sqrt(sum((c - 0.5) ** 2 for c in x))

    return subvoxel.from_level_set(distance, shape)
