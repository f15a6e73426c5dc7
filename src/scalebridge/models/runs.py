"""What a batch of model runs returns: values and a status per row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.quantities import Floats

STATUSES = ("ok", "failed", "timeout", "outside")


@dataclass(frozen=True)
class Runs:
    """Values and status of ``b`` model runs.

    Args:
        values: ``[b, m]``; rows that are not ``ok`` hold NaN.
        status: ``[b]``, each ``ok``, ``failed``, ``timeout`` or ``outside``; by default ``ok`` where finite.
        reason: ``[b]``, why a row is not ``ok``; empty where it is.
        cost_s: ``[b]`` seconds.
        jacobian: ``[b, m, d]``, where the model gives it.
        noise_std: ``[b, m]``, standard deviation of the model's own noise, where it has any.
        error_std: ``[b, m]``, the model's own discretisation error, where it knows it.
    """

    values: Floats
    status: NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, dtype="<U8"))
    reason: tuple[str, ...] = ()
    cost_s: Floats = field(default_factory=lambda: np.zeros(0))
    jacobian: Floats | None = None
    noise_std: Floats | None = None
    error_std: Floats | None = None

    def __post_init__(self) -> None:
        values = np.asarray(self.values, dtype=np.float64)
        if values.ndim != 2:
            raise ShapeError(f"Runs got values of shape {values.shape}; they are [b, m].")
        b = len(values)
        finite = np.isfinite(values).all(axis=1)
        status = np.asarray(self.status if len(self.status) else ["ok"] * b, dtype="<U8")
        reason = list(self.reason) if len(self.reason) else [""] * b
        cost = np.asarray(self.cost_s, dtype=np.float64) if len(self.cost_s) else np.zeros(b)
        if not (len(status) == len(reason) == len(cost) == b):
            raise ShapeError(f"Runs got {b} rows of values, {len(status)} of status, {len(reason)} of reason.")
        for name in ("jacobian", "noise_std", "error_std"):
            array, ndim = getattr(self, name), 3 if name == "jacobian" else 2
            if array is not None and (np.ndim(array) != ndim or np.shape(array)[:2] != values.shape):
                raise ShapeError(f"Runs got {name} of shape {np.shape(array)} beside values {values.shape}.")
        unknown = sorted(set(status.tolist()) - set(STATUSES))
        if unknown:
            raise InputError(f"Runs got the status '{unknown[0]}'; valid: {', '.join(STATUSES)}.")
        status = status.copy()
        for i in np.flatnonzero((status == "ok") & ~finite):
            status[i], reason[i] = "failed", "a value is not finite"
        values = np.where((status == "ok")[:, None], values, np.nan)
        for name, value in (
            ("values", values),
            ("status", status),
            ("reason", tuple(reason)),
            ("cost_s", cost),
        ):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Which rows hold values ``[b]``."""
        kept: NDArray[np.bool_] = self.status == "ok"
        return kept

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> Runs:
        """Return the rows given, in that order."""
        index = np.asarray(rows, dtype=np.int64)
        return Runs(
            self.values[index],
            self.status[index],
            tuple(self.reason[i] for i in index),
            self.cost_s[index],
            None if self.jacobian is None else self.jacobian[index],
            None if self.noise_std is None else self.noise_std[index],
            None if self.error_std is None else self.error_std[index],
        )

    @staticmethod
    def refused(b: int, m: int, status: str, reason: str, cost_s: float = 0.0) -> Runs:
        """Return ``b`` rows without values, all of one status and reason."""
        return Runs(np.full((b, m), np.nan), np.array([status] * b), (reason,) * b, np.full(b, cost_s))

    @staticmethod
    def join(parts: Sequence[Runs]) -> Runs:
        """Concatenate along rows; an optional array is kept where every part with an ok row has it."""

        def optional(name: str) -> Floats | None:
            arrays = [getattr(p, name) for p in parts]
            known = [a for a in arrays if a is not None]
            if not known or any(a is None and p.ok.any() for a, p in zip(arrays, parts, strict=True)):
                return None
            # A refused row has none of its own and must not cost the others theirs.
            rest = known[0].shape[1:]
            pairs = zip(arrays, parts, strict=True)
            return np.concatenate([np.full((len(p), *rest), np.nan) if a is None else a for a, p in pairs])

        return Runs(
            np.concatenate([p.values for p in parts]),
            np.concatenate([p.status for p in parts]),
            tuple(r for p in parts for r in p.reason),
            np.concatenate([p.cost_s for p in parts]),
            optional("jacobian"),
            optional("noise_std"),
            optional("error_std"),
        )
