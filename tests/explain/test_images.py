"""Maps of what a network looks at: known gradients, completeness, places, and refusals; by Captum."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.explain import Attribution, grad_cam, integrated_gradients, saliency

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module", autouse=True)
def captum() -> None:
    pytest.importorskip("captum")


def network(seed: int = 0) -> Any:
    """A tiny convolutional network from one channel to two outputs."""
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.AvgPool2d(2),
        torch.nn.Conv2d(4, 3, 3, padding=1),
        torch.nn.Softplus(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(3, 2),
    ).double()


def corner() -> Any:
    """A network whose first output is ten times the mean of the upper left quarter; a detector of it, and nothing."""
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(1, 2, 1, bias=False).double()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([1.0, 0.0]).reshape(2, 1, 1, 1))

    class Corner(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, x: Any) -> Any:
            return 10 * self.layer(x)[:, :, :8, :8].mean(dim=(2, 3))

    return Corner().double()


def image(shape: tuple[int, int] = (16, 16), seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape)


def quarter() -> np.ndarray:
    mask = np.zeros((16, 16), dtype=bool)
    mask[:8, :8] = True
    return mask


@pytest.mark.parametrize("baseline", [0.0, 0.2, "image"])
def test_integrated_gradients_sum_to_the_change_from_the_baseline(baseline: Any) -> None:
    start = image(seed=9) if baseline == "image" else baseline
    net, at = network(), image()
    found = integrated_gradients(net, at, target=1, baseline=start, steps=128)
    with torch.no_grad():
        full = np.broadcast_to(np.asarray(start, dtype=float), at.shape)
        change = float((net(torch.tensor(at)[None, None]) - net(torch.tensor(full.copy())[None, None]))[0, 1])
    assert found.value - found.reference == pytest.approx(change, rel=1e-12)
    assert found.map.sum() == pytest.approx(change, rel=0.01)
    assert found.gap < 0.01 and "adds up" in found.sentence


def test_integrated_gradients_of_a_linear_network_are_the_weights_times_the_image() -> None:
    found = integrated_gradients(corner(), image())
    assert np.allclose(found.map, np.where(quarter(), 10 / 64 * image(), 0.0), atol=1e-12)


def test_saliency_is_the_size_of_the_gradient() -> None:
    found = saliency(corner(), image())
    assert np.allclose(found.map, np.where(quarter(), 10 / 64, 0.0), atol=1e-12)
    assert np.isnan(found.gap) and "where the network looks" in found.sentence


def test_saliency_agrees_with_differences() -> None:
    net, at = network(), image((8, 8))
    found, step = saliency(net, at, target=1), 1e-6
    for row, column in ((0, 0), (3, 5), (7, 7)):
        moved = at.copy()
        moved[row, column] += step
        with torch.no_grad():
            change = float((net(torch.tensor(moved)[None, None]) - net(torch.tensor(at)[None, None]))[0, 1])
        assert found.map[row, column] == pytest.approx(abs(change) / step, rel=1e-3)


def test_grad_cam_lights_up_where_the_output_comes_from() -> None:
    net = corner()
    at = np.where(quarter(), 1.0, 0.1)
    found = grad_cam(net, net.layer, at)
    assert found.map.shape == (16, 16) and (found.map >= 0).all()
    assert found.share_inside(quarter()) > 0.7
    assert found.map[:8, :8].min() > found.map[8:, 8:].max()


def test_a_mask_tells_how_much_of_the_attribution_lies_in_it() -> None:
    assert saliency(corner(), image()).share_inside(quarter()) == pytest.approx(1.0)
    with pytest.raises(sb.ShapeError, match="one per pixel"):
        saliency(corner(), image()).share_inside(np.ones((4, 4)))


def test_channels_are_taken_and_a_network_is_left_as_it_was() -> None:
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.Dropout(0.5), torch.nn.AdaptiveAvgPool2d(1))
    net = torch.nn.Sequential(net, torch.nn.Flatten()).double().train()
    net[0][0].bias.requires_grad_(False)
    found = integrated_gradients(net, np.ones((3, 6, 6)))
    assert found.map.shape == (6, 6) and found.gap < 1e-6
    assert net.training
    assert [p.requires_grad for p in net.parameters()] == [True, False]


def test_maps_are_the_same_twice_and_in_the_networks_precision() -> None:
    net = network().float()
    first, second = (integrated_gradients(net, image()) for _ in range(2))
    assert (first.map == second.map).all()
    assert first.gap < 0.01


def test_a_map_is_drawn_over_its_image(tmp_path: Path) -> None:
    integrated_gradients(network(), image()).figure(tmp_path / "map.png")
    saliency(corner(), image()).figure(tmp_path / "size.png")
    assert (tmp_path / "map.png").stat().st_size > 5000


def test_what_a_network_does_not_take_is_said_in_a_sentence() -> None:
    net = network()
    with pytest.raises(sb.ShapeError, match=r"give \[h, w\] or \[channels, h, w\]"):
        saliency(net, np.ones(5))
    with pytest.raises(sb.InputError, match=r"does not take an image of shape \(3, 8, 8\)"):
        saliency(net, np.ones((3, 8, 8)))
    with pytest.raises(sb.InputError, match="output number 2"):
        saliency(net, image(), target=2)
    with pytest.raises(sb.InputError, match="not finite"):
        saliency(net, np.full((8, 8), np.nan))
    with pytest.raises(sb.InputError, match="not part of the network"):
        grad_cam(net, torch.nn.Conv2d(1, 1, 1), image())
    with pytest.raises(sb.InputError, match="a layer without places"):
        grad_cam(net, net[-1], image())
    with pytest.raises(sb.ShapeError, match="same shape"):
        integrated_gradients(net, image(), baseline=np.ones((4, 4)))
    with pytest.raises(sb.InputError, match="at least two"):
        integrated_gradients(net, image(), steps=1)


def test_without_captum_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "captum", None)
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(sb.InputError, match=r"pip install 'scalebridge\[explain\]'"):
        saliency(network(), image())


def test_without_salib_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.explain.cases import Known

    for name in ("SALib", "SALib.analyze", "SALib.sample"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(sb.InputError, match=r"pip install 'scalebridge\[explain\]'"):
        sb.explain.sobol_indices(Known(lambda x: x[:, 0], 2), engine="salib")


def test_a_map_without_any_attribution_says_so() -> None:
    flat = Attribution("saliency", np.zeros((4, 4)), np.ones((1, 4, 4)), 1.0, float("nan"), 0)
    assert "No pixel moves the output" in flat.sentence
    assert flat.share_inside(np.ones((4, 4))) == 0.0
