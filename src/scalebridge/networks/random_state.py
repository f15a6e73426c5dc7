"""Torch's random state, seeded for a while and left as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch


@contextmanager
def own_random_state(seed: int, devices: Sequence[int] = ()) -> Iterator[None]:
    """Seed torch within; restore its state on the CPU and on the CUDA ``devices`` after.

    Every network of ours is built and trained inside, so that nobody else's random numbers depend on it.
    """
    with torch.random.fork_rng(list(devices)):
        # Not torch.manual_seed: while CUDA sleeps, each call of it queues a seed and a traceback for later.
        torch.default_generator.manual_seed(seed)
        for device in devices:
            torch.cuda.default_generators[device].manual_seed(seed)
        yield
