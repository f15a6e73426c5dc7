"""Layers and networks of several members: shapes, independence of members, images and numbers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from scalebridge.networks import MLP, Branched, ImageToField, ImageToNumbers, LinearMembers, Members, Reordered


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_many_linear_layers_at_once_are_each_a_linear_layer() -> None:
    layer = LinearMembers(3, 4, 2).double()
    x = draw(5, 4)
    wanted = torch.stack([nn.functional.linear(x, layer.weight[k].T, layer.bias[k, 0]) for k in range(3)])
    torch.testing.assert_close(layer(x), wanted)
    torch.testing.assert_close(layer(x.expand(3, 5, 4)), wanted)


@pytest.mark.parametrize(
    "net",
    [
        MLP(3, 2, (8, 8), members=4),
        MLP(3, 2, (), members=4),
        Branched([(0, 2), (1,)], 2, (8, 4), (8,), members=4),
        Members(ImageToNumbers((1, 1, 1), 2, 2, (4,), seed=k) for k in range(4)),
    ],
    ids=["mlp", "line", "branched", "convolutional"],
)
def test_members_answer_apart_and_the_gradient_of_one_leaves_the_others_alone(net: nn.Module) -> None:
    net = net.double()
    answer = net(draw(5, 3))
    assert answer.shape == (4, 5, 2)
    assert len({float(a) for a in answer[:, 0, 0].detach()}) == 4
    answer[1].sum().backward()
    touched = [
        [bool(p.grad[k].any()) for k in range(4)]
        for p in net.parameters()
        if p.grad is not None and p.ndim == 3 and p.shape[0] == 4
    ]
    assert all(row[1] or not any(row) for row in touched)
    assert not any(row[0] or row[2] or row[3] for row in touched)


def test_the_same_seed_builds_the_same_network_and_another_seed_another() -> None:
    one, two, three = (MLP(3, 1, seed=s).state_dict()["last.weight"] for s in (1, 1, 2))
    assert torch.equal(one, two) and not torch.equal(one, three)


def test_a_branch_sees_its_own_inputs_alone() -> None:
    net = Branched([(0, 2), (1,)], 1, (8, 4), (8,)).double()
    x, moved = draw(5, 3), draw(5, 3)
    moved[:, 1] += 1.0
    with torch.no_grad():
        first = [net.branches[0](z[:, [0, 2]]) for z in (x, moved)]
        second = [net.branches[1](z[:, [1]]) for z in (x, moved)]
    assert torch.equal(*first) and not torch.equal(*second)


def test_a_column_order_is_undone_before_the_module_sees_it() -> None:
    x = draw(4, 3)
    assert torch.equal(Reordered([2, 0, 1], nn.Identity())(x), x[:, [2, 0, 1]])


@pytest.mark.parametrize("size", [(8, 8), (7, 10), (5, 4)], ids=str)
def test_a_field_has_the_size_of_the_image_whatever_that_is(size: tuple[int, int]) -> None:
    net = ImageToField((2, *size), numbers=3, fields=2, widths=(4, 8, 8)).double()
    area = size[0] * size[1]
    assert net(draw(3, 2 * area + 3)).shape == (3, 2 * area)


def test_every_pixel_and_every_number_reaches_every_value_of_a_field() -> None:
    net = ImageToField((1, 12, 12), numbers=1, widths=(4, 8, 8, 8)).double()
    x = draw(1, 145).requires_grad_(True)
    (slope,) = torch.autograd.grad(net(x)[0, 0], x)
    assert float((slope != 0).double().mean()) > 0.99
    assert float(slope[0, 144].abs()) > 0


def test_numbers_reach_the_answer_of_an_image() -> None:
    net = ImageToNumbers((1, 8, 8), numbers=2, outputs=1).double()
    x = draw(1, 66).requires_grad_(True)
    (slope,) = torch.autograd.grad(net(x)[0, 0], x)
    assert bool((slope[0, 64:] != 0).all())
