"""What runs in a worker: one attempt, under its lock and epoch, recorded before it is answered."""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

import cloudpickle

from scalebridge.campaign.arrays import write_records
from scalebridge.campaign.locks import FileLock, lock_path, read_epoch
from scalebridge.campaign.rows import Result
from scalebridge.campaign.solving import Batch, SpotCheck, solve_batch
from scalebridge.errors import InputError
from scalebridge.models.model import Model
from scalebridge.models.supervisor import travel_by_value


@dataclass(frozen=True)
class PackedModel:
    """A model on its way to another process of ours."""

    digest: str
    content: bytes

    @staticmethod
    def of(model: Model) -> PackedModel:
        """Pack a model; raise `InputError` where it cannot travel."""
        # Built-in modules are found by no path either, and everything would follow them by value.
        for module in _homes(model) - sys.stdlib_module_names:
            # A file loaded by hand cannot be imported elsewhere: its functions travel by value.
            if module in sys.modules and module != "__main__" and PathFinder.find_spec(module.split(".")[0]) is None:
                travel_by_value(sys.modules[module])
        try:
            content: bytes = cloudpickle.dumps(model)
        except Exception as error:
            raise InputError(
                f"The model '{model.name}' cannot be sent to a process ({type(error).__name__}: {error}); "
                "keep open files, locks and connections out of it, or run it in-process."
            ) from error
        return PackedModel(hashlib.sha256(content).hexdigest(), content)

    def load(self) -> Model:
        """Unpack the model, once per process for as long as it is the latest."""
        if self.digest not in _LOADED:
            _LOADED.clear()
            _LOADED[self.digest] = cloudpickle.loads(self.content)
        return _LOADED[self.digest]


# The model of the last attempt in this process: most workers serve one campaign.
_LOADED: dict[str, Model] = {}


@dataclass(frozen=True)
class Task:
    """A batch to run elsewhere, with the tokens of its attempts and where to record what is finished."""

    model: PackedModel
    batch: Batch
    tokens: tuple[int, ...]
    directory: str | None
    epoch: int


def carry_out(task: Task) -> tuple[list[Result], SpotCheck | None]:
    """Run a task: take its lock, see that the writer is still the present one, run, record, answer."""
    with _licence(task) as licensed:
        if not licensed:
            fenced = Result(None, "failed", "fenced: another campaign has taken over the store", 0.0)
            return [fenced] * len(task.tokens), None
        results, check = solve_batch(task.model.load(), task.batch)
        _record(task, results)
        return results, check


@contextlib.contextmanager
def _licence(task: Task) -> Iterator[bool]:
    """Hold the attempt's lock while it runs; False where a later writer has the store.

    The lock comes before the look at the epoch: a later writer first raises the epoch and then ends whoever
    holds a lock, so that no attempt of an earlier writer can begin, or still run, once the later one goes on.
    """
    if task.directory is None or not (directory := Path(task.directory)).is_dir():
        yield True
        return
    try:
        lock = FileLock(lock_path(directory, task.tokens[0]))
    except OSError:
        yield False
        return
    try:
        yield read_epoch(directory) == task.epoch
    finally:
        lock.release(unlink=True)


def _record(task: Task, results: Sequence[Result]) -> None:
    rows = [
        (key, token, r.row)
        for key, token, r in zip(task.batch.keys, task.tokens, results, strict=True)
        if r.row is not None
    ]
    if task.directory is not None and rows:
        # Where it cannot be recorded here, the campaign records what comes back to it, or says why not.
        with contextlib.suppress(OSError):
            write_records(Path(task.directory) / "arrays" / f"{task.tokens[0]}.npy", rows)


def _homes(model: object) -> set[str]:
    homes = set()
    while model is not None:
        for part in (type(model), getattr(model, "function", None), *getattr(model, "functions", ())):
            homes.add(str(getattr(part, "__module__", "__main__")))
        model = getattr(model, "model", None)
    return homes
