"""Generated structures in an RVE: composite voxels, directions and rotations give what theory asks of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.microstructure.generated.grains import random_grains
from scalebridge.microstructure.generated.level_cut import LevelCut
from scalebridge.microstructure.generated.packings import packed_disks, packed_fibres
from scalebridge.microstructure.generated.spinodal import spinodal
from scalebridge.microstructure.generated.unequal_balls import UnequalBalls
from scalebridge.microstructure.generated.woven import woven

pytestmark = pytest.mark.theory
RESIN = sb.micro.Elastic(3.5, 0.35)
YARN = sb.micro.TransverselyIsotropic(60.0, 10.0, 0.28, 0.35, 4.0)
MEDIA: dict[str, Callable[[], LevelCut | UnequalBalls]] = {
    "spinodal": lambda: spinodal(0.5, wavelength=0.25, dim=2, seed=1),
    "fibres": lambda: packed_disks(0.6, 30, scatter=0.1, gap=0.15, seed=2),
}


@pytest.mark.parametrize("name", MEDIA)
def test_conductivities_of_a_medium_and_of_its_inverse_multiply_as_keller_has_it(name: str) -> None:
    voxels = MEDIA[name]().subvoxels(96, spread=0.0)
    one, other = (sb.micro.Conductor(k) for k in (1.0, 10.0))
    k = sb.micro.RVE(voxels, [one, other]).conductivity()
    inverse = sb.micro.RVE(voxels, [other, one]).conductivity()
    # Keller 1964, Mendelson 1975: K(inverse) = k1 k2 R K^-1 R^T with a quarter turn R.
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    np.testing.assert_allclose(inverse, 10.0 * turn @ np.linalg.inv(k) @ turn.T, atol=0.03 * k.max())


def test_composite_voxels_of_a_packing_are_nearer_to_the_fine_answer_than_plain_ones() -> None:
    packing = MEDIA["fibres"]()
    laws = [sb.micro.Conductor(1.0), sb.micro.Conductor(20.0)]
    fine = sb.micro.RVE(packing.subvoxels(384, spread=0.0), laws).conductivity()
    errors = [
        np.abs(sb.micro.RVE(image, laws).conductivity() - fine).max()
        for image in (packing.labels(96), packing.subvoxels(96, spread=0.0))
    ]
    assert errors[1] < 0.5 * errors[0] and errors[1] < 0.01 * fine.max()


def test_fibres_along_x_conduct_as_the_rule_of_mixtures() -> None:
    packing = packed_fibres(0.5, 12, axis="x", scatter=0.2, gap=0.1, seed=3)
    laws = [sb.micro.Conductor(1.0), sb.micro.Conductor(10.0)]
    k = sb.micro.RVE(packing.subvoxels((32, 32, 2)), laws).conductivity()
    assert k[0, 0] == pytest.approx(0.5 * 1.0 + 0.5 * 10.0, rel=5e-3)
    assert k[1, 1] < k[0, 0] and abs(k[0, 1]) < 1e-6


@pytest.mark.parametrize("pattern", ["plain", "twill"])
def test_a_balanced_fabric_is_as_stiff_along_warp_as_along_weft(pattern: str) -> None:
    fabric = woven(pattern, 0.5, width=0.85, thickness=0.25)
    shape = (16, 12 * len(fabric.over), 12 * len(fabric.over))
    rve = sb.micro.RVE(
        fabric.labels(shape),
        [RESIN, YARN, YARN],
        orientation=fabric.directions(shape),
        voxel_size=fabric.voxel_size(shape),
    )
    c = rve.stiffness()
    assert c[0, 0] == pytest.approx(c[1, 1], rel=0.02) and c[3, 3] == pytest.approx(c[4, 4], rel=0.03)
    assert c[0, 0] > 1.5 * c[2, 2]
    found = sb.micro.engineering_constants(c)
    # A quarter of the volume runs along x: below its share of the yarn's modulus with the rest across, above resin.
    assert 3.5 < found.E1 < 0.25 * 60.0 + 0.25 * 10.0 + 0.5 * 3.5


def test_crimp_makes_a_fabric_softer() -> None:
    moduli = []
    for thickness in (0.1, 0.3):
        fabric = woven("plain", 0.5, width=0.85, thickness=thickness)
        shape = (16, 24, 24)
        rve = sb.micro.RVE(
            fabric.labels(shape),
            [RESIN, YARN, YARN],
            orientation=fabric.directions(shape),
            voxel_size=fabric.voxel_size(shape),
        )
        moduli.append(sb.micro.engineering_constants(rve.stiffness()).E1)
    assert moduli[1] < 0.95 * moduli[0]


def test_a_polycrystal_of_copper_lies_between_voigt_and_reuss_and_is_nearly_isotropic() -> None:
    c11, c12, c44 = 168.4, 121.4, 75.4
    cubic = np.diag([c11 - c12] * 3 + [2 * c44] * 3)
    cubic[:3, :3] += c12
    grains = random_grains(60, scatter=0.3, seed=1)
    rve = sb.micro.RVE(
        grains.labels(20), [sb.micro.Anisotropic(cubic)], homogeneous=True, orientation=grains.rotations(20)
    )
    c = rve.stiffness()
    shear = (np.trace(c) - (c[:3, :3].sum() / 3)) / 10
    voigt, reuss = (c11 - c12 + 3 * c44) / 5, 5 * (c11 - c12) * c44 / (4 * c44 + 3 * (c11 - c12))
    assert reuss < shear < voigt
    # A cubic crystal's bulk modulus is every orientation's, and so the polycrystal's.
    assert c[:3, :3].sum() / 9 == pytest.approx((c11 + 2 * c12) / 3, rel=1e-3)
    assert c[0, 0] == pytest.approx(c[1, 1], rel=0.08)
