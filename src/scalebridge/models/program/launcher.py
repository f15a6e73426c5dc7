"""Launchers of parallel programs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from scalebridge.errors import InputError


@dataclass(frozen=True)
class Mpi:
    """Runs a program on several ranks: ``mpirun -n 4 program ...``.

    Args:
        n: number of ranks.
        command: the launcher: ``("mpirun",)``, ``("srun",)``, ``("mpiexec.hydra",)``.
        options: of the launcher, before the program.
        oversubscribe: more ranks than cores; by default where there are more, which Open MPI refuses otherwise.

    Raises:
        InputError: no rank, a text in place of a list.
    """

    n: int
    command: tuple[str, ...] = ("mpirun",)
    options: tuple[str, ...] = ()
    oversubscribe: bool | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.n, int) or self.n < 1:
            raise InputError(f"Mpi was given n = {self.n}; give a number of ranks from 1.")
        for name in ("command", "options"):
            value = getattr(self, name)
            if isinstance(value, str) or (name == "command" and not value):
                raise InputError(f'Mpi was given {name} = {value!r}; give a list, as in ("mpirun",).')
            object.__setattr__(self, name, tuple(str(word) for word in value))

    def before(self) -> list[str]:
        """Return what stands before the program."""
        return [*self.command, "-n", str(self.n), *self.options]

    def environment(self) -> Mapping[str, str]:
        """Return the variables that the launcher needs here: leave for root, and for more ranks than cores."""
        found: dict[str, str] = {}
        if os.geteuid() == 0:
            # Open MPI wants both; other launchers do not look at them.
            found |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        if self.oversubscribe or (self.oversubscribe is None and self.n > cores):
            # Of Open MPI 4 and of 5; as a variable, since the option would stop other launchers.
            found |= {
                "OMPI_MCA_rmaps_base_oversubscribe": "1",
                "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
            }
        return found
