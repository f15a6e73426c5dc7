"""ResNets that read torchvision's files: the published names and shapes, a second forward pass, refusals."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from scalebridge.errors import InputError, ShapeError
from scalebridge.networks import ResNet, as_imagenet, read_resnet


def normalisation(prefix: str, width: int) -> dict[str, tuple[int, ...]]:
    kept = {f"{prefix}.{k}": (width,) for k in ("weight", "bias", "running_mean", "running_var")}
    return {**kept, f"{prefix}.num_batches_tracked": ()}


def published(depth: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of torchvision's state dict, in its order, written down from its published models."""
    counts = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}[depth]
    told: dict[str, tuple[int, ...]] = {"conv1.weight": (64, 3, 7, 7), **normalisation("bn1", 64)}
    channels = 64
    for stage, (width, count) in enumerate(zip((64, 128, 256, 512), counts, strict=True), start=1):
        out = width * (4 if depth == 50 else 1)
        for k in range(count):
            at = f"layer{stage}.{k}"
            if depth == 50:
                convs = [(channels, width, 1), (width, width, 3), (width, out, 1)]
            else:
                convs = [(channels, width, 3), (width, width, 3)]
            for i, (into, from_, size) in enumerate(convs, start=1):
                told[f"{at}.conv{i}.weight"] = (from_, into, size, size)
                told |= normalisation(f"{at}.bn{i}", from_)
            if k == 0 and (stage > 1 or depth == 50):
                told[f"{at}.downsample.0.weight"] = (out, channels, 1, 1)
                told |= normalisation(f"{at}.downsample.1", out)
            channels = out
    return {**told, "fc.weight": (1000, channels), "fc.bias": (1000,)}


def filled(depth: int, seed: int = 0) -> dict[str, Tensor]:
    """Weights of plausible size under the published names."""
    draw = torch.Generator().manual_seed(seed)
    made = {}
    for name, shape in published(depth).items():
        if name.endswith("num_batches_tracked"):
            made[name] = torch.tensor(7)
        elif len(shape) == 4:
            made[name] = torch.randn(shape, generator=draw) * (2 / (shape[1] * shape[2] * shape[3])) ** 0.5
        elif name.endswith("running_var") or (len(shape) == 1 and name.endswith("weight")):
            made[name] = 0.5 + torch.rand(shape, generator=draw)
        else:
            made[name] = 0.05 * torch.randn(shape, generator=draw)
    return made


def by_hand(w: dict[str, Tensor], x: Tensor) -> Tensor:
    """ResNet-18 written out from its paper with the functions of torch."""

    def norm(x: Tensor, at: str) -> Tensor:
        shape = (1, -1, 1, 1)
        centred = (x - w[f"{at}.running_mean"].reshape(shape)) / (w[f"{at}.running_var"].reshape(shape) + 1e-5).sqrt()
        return centred * w[f"{at}.weight"].reshape(shape) + w[f"{at}.bias"].reshape(shape)

    x = F.max_pool2d(F.relu(norm(F.conv2d(x, w["conv1.weight"], stride=2, padding=3), "bn1")), 3, 2, 1)
    for stage in (1, 2, 3, 4):
        for k in (0, 1):
            at, stride = f"layer{stage}.{k}", 2 if stage > 1 and k == 0 else 1
            y = F.relu(norm(F.conv2d(x, w[f"{at}.conv1.weight"], stride=stride, padding=1), f"{at}.bn1"))
            y = norm(F.conv2d(y, w[f"{at}.conv2.weight"], padding=1), f"{at}.bn2")
            if f"{at}.downsample.0.weight" in w:
                x = norm(F.conv2d(x, w[f"{at}.downsample.0.weight"], stride=stride), f"{at}.downsample.1")
            x = F.relu(x + y)
    return x.mean(dim=(2, 3)) @ w["fc.weight"].T + w["fc.bias"]


@pytest.mark.parametrize(
    ("depth", "entries", "weights"), [(18, 122, 11689512), (34, 218, 21797672), (50, 320, 25557032)]
)
def test_names_and_shapes_are_those_that_torchvision_publishes(depth: int, entries: int, weights: int) -> None:
    net = ResNet(depth)
    own = {name: tuple(v.shape) for name, v in net.state_dict().items()}
    assert own == published(depth)
    assert list(own) == list(published(depth))
    assert len(own) == entries
    assert sum(p.numel() for p in net.parameters()) == weights


def test_a_file_gives_what_the_network_written_out_by_hand_gives(tmp_path: Path) -> None:
    weights = filled(18)
    torch.save(weights, tmp_path / "net.pth")
    net = read_resnet(tmp_path / "net.pth").double()
    x = torch.rand((2, 3, 70, 65), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    wanted = by_hand({k: v.double() for k, v in weights.items()}, x)
    with torch.no_grad():
        torch.testing.assert_close(net(x), wanted, rtol=1e-9, atol=1e-9)
    assert not net.training


def test_the_bottleneck_strides_in_its_middle_convolution() -> None:
    net = ResNet(50)
    first = net.get_submodule("layer2.0")
    assert [first.get_submodule(f"conv{i}").stride for i in (1, 2, 3)] == [(1, 1), (2, 2), (1, 1)]


@pytest.mark.parametrize(
    ("stage", "channels", "side"), [(0, 64, 16), (1, 64, 16), (2, 128, 8), (3, 256, 4), (4, 512, 2)]
)
def test_every_stage_gives_its_maps_and_their_means(stage: int, channels: int, side: int) -> None:
    net = ResNet(18).eval()
    x = as_imagenet(torch.rand(2, 64, 64, generator=torch.Generator().manual_seed(0)))
    with torch.no_grad():
        maps = net.maps(x, stage)
        assert maps.shape == (2, channels, side, side)
        torch.testing.assert_close(net.features(x, stage), maps.mean(dim=(2, 3)))


def test_a_grey_image_is_three_equal_channels_normalised_as_imagenet() -> None:
    x = as_imagenet(torch.full((1, 2, 2), 0.5))
    assert x[0, :, 0, 0].tolist() == pytest.approx(
        [(0.5 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, (0.5 - 0.406) / 0.225]
    )


def test_classes_and_depth_are_read_from_the_file_and_old_files_without_counters_are_read(tmp_path: Path) -> None:
    weights = {k: v for k, v in filled(34).items() if not k.endswith("num_batches_tracked")}
    weights["fc.weight"], weights["fc.bias"] = weights["fc.weight"][:5], weights["fc.bias"][:5]
    torch.save(weights, tmp_path / "net.pth")
    net = read_resnet(tmp_path / "net.pth")
    assert (net.depth, net.fc.out_features) == (34, 5)


def test_safetensors_give_the_same_weights(tmp_path: Path) -> None:
    weights = filled(18)
    torch.save(weights, tmp_path / "net.pth")
    header, numbers = {}, b""
    for name, v in weights.items():
        raw = v.numpy().tobytes()
        kind = "I64" if v.dtype == torch.int64 else "F32"
        header[name] = {"dtype": kind, "shape": list(v.shape), "data_offsets": [len(numbers), len(numbers) + len(raw)]}
        numbers += raw
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    path = tmp_path / "net.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + numbers)
    one, two = read_resnet(tmp_path / "net.pth").state_dict(), read_resnet(path).state_dict()
    assert all(torch.equal(one[k], two[k]) for k in weights)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="outside the file"):
        read_resnet(path)
    path.write_bytes(struct.pack("<Q", 1 << 60) + text)
    with pytest.raises(InputError, match="no sound safetensors"):
        read_resnet(path)


def test_what_does_not_fit_is_told_in_one_sentence(tmp_path: Path) -> None:
    weights = filled(18)
    del weights["layer1.0.bn2.bias"]
    weights["conv1.weight"] = weights["conv1.weight"][:, :1]
    weights["head.weight"] = torch.zeros(3)
    torch.save(weights, tmp_path / "net.pth")
    with pytest.raises(InputError) as told:
        read_resnet(tmp_path / "net.pth")
    assert str(told.value) == (
        "The weights 'net.pth' do not fit ResNet-18: 1 missing (layer1.0.bn2.bias); 1 not known (head.weight); 1 of "
        "another shape ('conv1.weight' is [64, 1, 7, 7], [64, 3, 7, 7] is needed); give a state dict whose names and "
        "shapes are those of ResNet-18."
    )


class Code:
    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("run",))


@pytest.mark.parametrize("content", [b"", b"no weights", "code", "list", "missing", "nan"], ids=str)
def test_a_file_without_sound_tensors_is_refused_and_nothing_in_it_is_run(
    content: bytes | str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "net.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "nan":
        torch.save({**filled(18), "bn1.weight": torch.full((64,), torch.nan)}, path)
    elif content != "missing":
        torch.save({"code": Code()} if content == "code" else [1, 2], path)
    with pytest.raises(InputError, match=r"net\.pth"):
        read_resnet(path)
    assert "run" not in capsys.readouterr().out


def test_other_depths_stages_and_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="18, 34, 50"):
        ResNet(20)
    with pytest.raises(InputError, match="no stage 5"):
        ResNet(18).maps(torch.zeros(1, 3, 64, 64), 5)
    with pytest.raises(ShapeError, match="as_imagenet"):
        ResNet(18)(torch.zeros(1, 1, 64, 64))
