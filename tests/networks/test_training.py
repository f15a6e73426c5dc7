"""The loop that trains networks: seeds, early stopping, checkpoints, interruptions, refusals."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from scalebridge.errors import InputError, ShapeError
from scalebridge.networks import Epoch, train


def network(seed: int = 0, dropout: float = 0.0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Dropout(dropout), nn.Linear(16, 1)).double()


def squared(module: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    x, y = batch
    result: Tensor = (module(x) - y).square().mean()
    return result


def plane(n: int, seed: int, noise: float = 0.0) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, 2))
    y = np.sin(2 * x[:, :1]) + x[:, 1:] + noise * rng.standard_normal((n, 1))
    return torch.as_tensor(x), torch.as_tensor(y)


def weights(module: nn.Module) -> Tensor:
    return torch.cat([p.detach().ravel() for p in module.parameters()])


def test_a_trained_network_explains_98_percent_of_rows_held_out() -> None:
    trained = train(network(), squared, plane(200, 1), epochs=60, batch=16, learning_rate=1e-2, validation=plane(50, 2))
    assert min(trained.validation) < 0.02 * float(plane(50, 2)[1].var())
    assert trained.best == int(np.argmin(trained.validation))
    assert "held-out" in str(trained)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    made = [weights(train(network(dropout=0.2), squared, plane(60, 1), epochs=4, seed=s).module) for s in (3, 3, 4)]
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])


def test_torch_s_own_random_state_is_left_as_it_was() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    train(network(dropout=0.2), squared, plane(60, 1), epochs=2)
    assert torch.equal(before, torch.get_rng_state())


def test_training_ends_when_held_out_rows_stop_improving_and_the_best_weights_are_kept() -> None:
    held = plane(40, 8, noise=1.0)
    net = network()
    trained = train(net, squared, plane(12, 7, noise=1.0), epochs=400, learning_rate=3e-2, validation=held, patience=15)
    assert trained.stopped == "patience"
    assert len(trained.history) == trained.best + 16
    with torch.no_grad():
        assert math.isclose(float(squared(net, held)), trained.validation[trained.best], rel_tol=1e-9)


def test_without_held_out_rows_the_last_weights_are_kept() -> None:
    trained = train(network(), squared, plane(30, 1), epochs=5, patience=1)
    assert (trained.best, trained.stopped, len(trained.history)) == (4, "epochs", 5)
    assert all(math.isnan(v) for v in trained.validation)


def test_the_learning_rate_falls_along_a_cosine_to_a_hundredth() -> None:
    rates = [e.learning_rate for e in train(network(), squared, plane(20, 1), epochs=100, learning_rate=0.01).history]
    assert rates[0] == pytest.approx(0.01)
    assert rates[50] == pytest.approx(0.01 * (1 + 0.01) / 2)
    assert all(b < a for a, b in itertools.pairwise(rates))
    assert rates[-1] < 1.1e-4


def test_ctrl_c_keeps_the_best_so_far() -> None:
    def stop(epoch: Epoch) -> None:
        if epoch.number == 3:
            raise KeyboardInterrupt

    trained = train(network(), squared, plane(60, 1), epochs=50, validation=plane(20, 2), progress=stop)
    assert (trained.stopped, len(trained.history)) == ("interrupted", 4)


def test_ctrl_c_before_the_first_epoch_is_not_swallowed() -> None:
    def stop(module: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(network(), stop, plane(20, 1))


def test_an_interrupted_run_goes_on_from_its_checkpoint_to_the_same_weights(tmp_path: Path) -> None:
    def stop(epoch: Epoch) -> None:
        if epoch.number == 4:
            raise KeyboardInterrupt

    data, held = plane(60, 1), plane(20, 2)
    whole = train(network(dropout=0.1), squared, data, epochs=12, validation=held, seed=2)
    path = tmp_path / "run.pt"
    train(network(dropout=0.1), squared, data, epochs=12, validation=held, seed=2, checkpoint=path, progress=stop)
    resumed = train(network(9, dropout=0.1), squared, data, epochs=12, validation=held, seed=2, checkpoint=path)
    assert resumed.history == whole.history
    assert torch.equal(weights(resumed.module), weights(whole.module))
    assert list(tmp_path.iterdir()) == [path]


def test_a_checkpoint_of_other_settings_or_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    train(network(), squared, plane(20, 1), epochs=2, checkpoint=path)
    with pytest.raises(InputError, match="epochs = 2, now 3"):
        train(network(), squared, plane(20, 1), epochs=3, checkpoint=path)
    with pytest.raises(InputError, match="another network"):
        train(nn.Linear(2, 1).double(), squared, plane(20, 1), epochs=2, checkpoint=path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError, match="damaged"):
        train(network(), squared, plane(20, 1), epochs=2, checkpoint=path)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_is_one_sentence_that_says_when(value: float) -> None:
    x, y = plane(20, 1)
    y[3] = value
    with pytest.raises(InputError, match=r"epoch 1, batch 1: the loss is (nan|inf)"):
        train(network(), squared, (x, y), batch=20)
    with pytest.raises(InputError, match="held-out rows"):
        train(network(), squared, plane(20, 1), validation=(x, y), batch=20)


def test_batches_may_be_made_anew_at_every_epoch_and_are_of_equal_size() -> None:
    sizes: list[int] = []

    def loss(module: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        sizes.append(len(batch[0]))
        return squared(module, batch)

    train(network(), loss, plane(33, 1), epochs=1, batch=16)
    assert sizes == [11, 11, 11]

    def noisy(generator: torch.Generator) -> Iterator[tuple[Tensor, ...]]:
        x, y = plane(10, 1)
        yield x + 0.1 * torch.randn(x.shape, generator=generator, dtype=x.dtype), y

    one, two = (train(network(), squared, noisy, epochs=3, seed=1).training for _ in range(2))
    assert one == two


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"epochs": 0}, "epochs = 0"),
        ({"batch": 2.5}, "batch = 2.5"),
        ({"patience": -1}, "patience = -1"),
        ({"learning_rate": math.nan}, "learning_rate = nan"),
        ({"clip": 0.0}, "clip = 0.0"),
    ],
    ids=lambda value: str(value),
)
def test_an_option_out_of_its_range_is_refused_by_its_name(options: dict[str, float], told: str) -> None:
    with pytest.raises(InputError, match=told):
        train(network(), squared, plane(20, 1), **options)  # type: ignore[arg-type]


def test_rows_that_do_not_pair_are_refused() -> None:
    x, y = plane(20, 1)
    with pytest.raises(ShapeError, match=r"data of \[20, 19\] rows"):
        train(network(), squared, (x, y[1:]))
    with pytest.raises(ShapeError, match="validation"):
        train(network(), squared, (x, y), validation=(x[:0], y[:0]))
    with pytest.raises(InputError, match="without weights"):
        train(nn.Identity(), squared, (x, y))


def test_long_gradients_are_cut() -> None:
    net = nn.Linear(2, 1).double()
    before = weights(net).clone()
    steps: list[float] = []
    train(
        net,
        lambda m, b: 1e12 * squared(m, b),
        plane(20, 1),
        epochs=3,
        learning_rate=1e-3,
        progress=lambda e: steps.append(e.training),
    )
    assert float((weights(net) - before).abs().max()) < 0.01
