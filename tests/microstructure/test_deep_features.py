"""Features of images by networks: what they tell apart, their scatter, their files, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from scalebridge.errors import InputError
from scalebridge.microstructure import from_array
from scalebridge.microstructure.deep.encoder import Encoder
from scalebridge.microstructure.deep.features import DeepFeatures, deep_features
from scalebridge.microstructure.deep.learning import learn_features
from scalebridge.networks import PatchEncoder, ResNet, as_imagenet
from tests.microstructure import generated_media as generated

WIDTHS = (8, 16, 32)


def untrained(seed: int, patch: int = 32) -> Encoder:
    weights = {name: v.numpy() for name, v in PatchEncoder(WIDTHS, seed).state_dict().items()}
    return Encoder(patch, WIDTHS, weights, (), seed, np.zeros(0))


@pytest.fixture(scope="module")
def quick() -> Encoder:
    return learn_features(generated.media(4, 96, 5)[0], patch=32, steps=6, batch=16, widths=WIDTHS, seed=3)


def test_learned_features_tell_fraction_and_size_of_held_out_media_better_than_an_untrained_network() -> None:
    images, known = generated.media(24, 192, 1)
    others, asked = generated.media(40, 192, 100)
    learned = learn_features(images, patch=32, steps=100, batch=64, widths=WIDTHS, seed=0)
    scores = [
        generated.linear_probe(deep_features(images, e).values, known, deep_features(others, e).values, asked)
        for e in (untrained(0), learned)
    ]
    unexplained = 1 - np.array(scores)
    assert (unexplained[1] < 0.8 * unexplained[0]).all()
    assert (np.array(scores[1]) > 0.8).all()


def test_the_same_seed_gives_the_same_encoder_and_another_seed_another(quick: Encoder) -> None:
    images = generated.media(4, 96, 5)[0]
    again, other = (learn_features(images, patch=32, steps=6, batch=16, widths=WIDTHS, seed=seed) for seed in (3, 4))
    assert quick.digest == again.digest != other.digest


def test_features_are_means_and_deviations_over_patches_with_their_standard_errors(quick: Encoder) -> None:
    images = generated.media(3, 130, 6)[0]
    told = deep_features(images, quick)
    assert told.values.shape == told.std.shape == (3, 64)
    assert told.names[0] == "encoder_mean_1" and told.names[-1] == "encoder_deviation_32"
    assert told.patches.tolist() == [16, 16, 16]
    np.testing.assert_allclose(told.std[:, :32], told.values[:, 32:] / 4)
    np.testing.assert_allclose(told.std[:, 32:], told.values[:, 32:] / np.sqrt(30))
    assert "64 features of 3 images" in str(told)


def test_standard_errors_of_means_cover_the_scatter_between_halves_of_an_image(quick: Encoder) -> None:
    ratio = []
    for seed in range(20):
        image = generated.discs(256, 0.35, 4.0, seed)
        # Means over halves differ by the root of the sum of their variances.
        halves = deep_features([image[:, :128], image[:, 128:]], quick)
        ratio.append((halves.values[0] - halves.values[1]) / np.hypot(*halves.std))
    inside = np.mean(np.abs(np.array(ratio)[:, :32]) < 1.96)
    assert 0.85 < inside <= 1.0


def test_brightness_and_contrast_of_a_whole_image_are_no_feature(quick: Encoder) -> None:
    image = generated.media(1, 128, 7)[0][0]
    told = deep_features([image, 0.1 + 0.5 * image], quick)
    np.testing.assert_allclose(told.values[0], told.values[1], rtol=1e-4, atol=1e-6)


def test_an_encoder_comes_back_from_its_file_to_the_last_bit(quick: Encoder, tmp_path: Path) -> None:
    images = generated.media(2, 96, 8)[0]
    quick.save(tmp_path / "one.npz")
    quick.save(tmp_path / "two.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    loaded = Encoder.load(tmp_path / "one.npz")
    assert (loaded.patch, loaded.widths, loaded.seed, loaded.digest) == (32, WIDTHS, 3, quick.digest)
    assert loaded.trained_on == ("image 0", "image 1", "image 2", "image 3")
    by_path = deep_features(images, tmp_path / "one.npz")
    np.testing.assert_array_equal(by_path.values, deep_features(images, quick).values)


@pytest.mark.parametrize("how", ["cut", "changed", "foreign", "missing", "pickled"])
def test_a_damaged_or_foreign_encoder_file_is_refused(how: str, quick: Encoder, tmp_path: Path) -> None:
    path = tmp_path / "one.npz"
    if how == "foreign":
        np.savez(path, a=np.zeros(3))
    elif how == "pickled":
        np.savez(path, manifest=np.array({"format": "scalebridge-encoder"}, dtype=object))
    elif how != "missing":
        quick.save(path)
        content = path.read_bytes()
        if how == "cut":
            path.write_bytes(content[: len(content) // 2])
        else:
            with np.load(path) as whole:
                arrays = {name: whole[name] for name in whole.files}
            arrays["curve"] = arrays["curve"] + 1
            np.savez(path, **arrays)
    with pytest.raises(InputError, match=r"one\.npz"):
        Encoder.load(path)


def test_a_resnet_from_a_file_gives_the_means_of_its_stage(tmp_path: Path) -> None:
    net = ResNet(18, 10, seed=1).eval()
    torch.save(net.state_dict(), tmp_path / "net.pth")
    images = generated.media(2, 96, 9)[0]
    told = deep_features(images, tmp_path / "net.pth", patch=48, stage=2)
    assert told.values.shape == (2, 256)
    assert told.names[0] == "resnet18_stage2_mean_1"
    corners = [(0, 0), (0, 48), (48, 0), (48, 48)]
    patches = torch.tensor(np.stack([images[1][r : r + 48, c : c + 48] for r, c in corners]), dtype=torch.float32)
    with torch.no_grad():
        wanted = net.features(as_imagenet(patches), 2).numpy().astype(float)
    np.testing.assert_allclose(told.values[1], np.r_[wanted.mean(0), wanted.std(0, ddof=1)], rtol=1e-3, atol=1e-5)


def test_without_an_encoder_one_is_learned_from_the_images_and_handed_back(monkeypatch: pytest.MonkeyPatch) -> None:
    images = generated.media(2, 128, 10)[0]

    def quickly(images: object, **options: object) -> Encoder:
        options.pop("progress")
        return learn_features(images, steps=2, batch=4, widths=WIDTHS, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("scalebridge.microstructure.deep.features.learn_features", quickly)
    told = deep_features(images, patch=32, seed=2)
    assert isinstance(told, DeepFeatures) and isinstance(told.encoder, Encoder)
    np.testing.assert_array_equal(deep_features(images, told.encoder).values, told.values)


def test_patches_outside_a_round_field_of_view_are_left_out(quick: Encoder) -> None:
    image = generated.discs(256, 0.4, 5.0, 1)
    y, x = np.mgrid[:256, :256] - 127.5
    shown = from_array(np.where(np.hypot(x, y) < 127, np.maximum(image, 0.2), 0.0), name="round")
    told = deep_features([shown], quick)
    assert 16 <= told.patches[0] < 52


def test_what_cannot_be_used_is_refused_in_one_sentence(quick: Encoder) -> None:
    image = generated.media(1, 128, 11)[0][0]
    with pytest.raises(InputError, match=r"'image 0' of 40 x 40 pixels holds 1 patches of 32"):
        deep_features([image[:40, :40]], quick)
    with pytest.raises(InputError, match="patch = 48, but the encoder"):
        deep_features([image], quick, patch=48)
    with pytest.raises(InputError, match="No images"):
        deep_features([], quick)
    with pytest.raises(InputError, match="encoder = float"):
        deep_features([image], 3.0)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="patch = 8"):
        learn_features([image], patch=8)
    with pytest.raises(InputError, match="batch = 1"):
        learn_features([image], batch=1)
    with pytest.raises(InputError, match="No patch of 256 pixels"):
        learn_features([image], patch=256)
    with pytest.raises(InputError, match="same grey value"):
        learn_features([np.full((64, 64), 0.5)], patch=32)
