"""Blocks of a log by the commands that made them: a run in pieces is one, a run that was ended early says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from scalebridge.simulators.lammps.logs import Block


def by_command(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Return the blocks with the pieces of every ``run N every M`` joined.

    The first row of a piece is the last one of the piece before it, and is left out.
    """
    joined: list[Block] = []
    for block in blocks:
        if joined and _goes_on(joined[-1], block):
            joined[-1] = _joined(joined[-1], block)
        else:
            joined.append(block)
    return tuple(joined)


def ended_early(block: Block) -> str:
    """Return in words that a run made fewer steps than its command asks for; nothing where it made all."""
    asked = _steps_asked(block)
    if asked is None or block.n_steps is None or block.n_steps >= asked:
        return ""
    return f"'{block.command}' ended after {block.n_steps} of its {asked} steps (by 'fix halt' or a time limit)"


def _goes_on(before: Block, block: Block) -> bool:
    asked = _steps_asked(before)
    return (
        " every " in f"{block.command} "
        and before.command == block.command
        and before.texts == block.texts
        and before.complete
        and asked is not None
        and before.n_steps is not None
        and before.n_steps < asked
    )


def _joined(before: Block, block: Block) -> Block:
    n_steps = None if block.n_steps is None or before.n_steps is None else before.n_steps + block.n_steps
    loop_time = None if block.loop_time is None or before.loop_time is None else before.loop_time + block.loop_time
    values = np.concatenate([before.values, block.values[1:]])
    return replace(block, values=values, n_steps=n_steps, loop_time=loop_time)


def _steps_asked(block: Block) -> int | None:
    words = block.command.split()
    if len(words) < 2 or words[0] != "run" or not words[1].isdigit() or "upto" in words:
        return None
    return int(words[1])
