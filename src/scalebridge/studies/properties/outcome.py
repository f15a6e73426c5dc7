"""What a fit of properties found: to predict with, as JSON and as a report."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InfrastructureError
from scalebridge.models import Surrogate
from scalebridge.studies.properties.encoding import Encoded
from scalebridge.studies.properties.features import FeatureTable

SCHEMA_VERSION = 1


@dataclass(frozen=True, eq=False)
class PropertyFit:
    """Properties learned from images and a table; made by `fit_properties`, kept by `save`.

    Args:
        record: all figures, plain values, as ``fit.json`` holds them.
        features: of the specimens.
        surrogates: the fitted and calibrated surrogate of each target by name.
        network: that made features; ``None`` without.
        arrays: pictures for the report.
    """

    record: Mapping[str, Any]
    features: FeatureTable
    surrogates: Mapping[str, Surrogate]
    network: Encoded | None
    arrays: Mapping[str, NDArray[Any]]

    def __getitem__(self, target: str) -> Mapping[str, Any]:
        """The record of one target."""
        return next(t for t in self.record["targets"] if t["name"] == target)

    def describe(self) -> str:
        """What was learned, a line for each target."""
        lines = []
        for t in self.record["targets"]:
            f, m = t["procedure"], t["mean_only"]
            unit = "" if t["unit"] == "1" else f" {t['unit']}"
            lines.append(
                f"{t['name']}: error {f['rmse']:.3g}{unit} at specimens held back (mean of others {m['rmse']:.3g}), "
                f"{100 * self.record['level']:g} % intervals hold {100 * f['coverage']:.0f} %; {t['chosen']}"
            )
        return "\n".join(lines)

    def save(self, directory: str | Path) -> Path:
        """Leave ``fit.json``, ``report.html``, tables, documents and the surrogates in a directory; return it.

        Raises:
            InfrastructureError: it cannot be written.
        """
        from scalebridge.learn import save
        from scalebridge.reports.properties import write_report

        place = Path(directory)
        try:
            (place / "surrogates").mkdir(parents=True, exist_ok=True)
            # Without fit.json the directory holds no fit: nothing half written is ever taken for one.
            (place / "fit.json").unlink(missing_ok=True)
            self._tables(place)
            for name, text in self.record["written"].items():
                (place / name).write_text(text, encoding="utf-8")
            if self.network is not None:
                self.network.save(place)
            for target, surrogate in self.surrogates.items():
                save(surrogate, place / "surrogates" / f"{target}.zip")
            np.savez_compressed(place / "arrays.npz", **self.arrays)  # type: ignore[arg-type]
            text = json.dumps(plain(self.record), indent=1, ensure_ascii=False, allow_nan=False)
            (place / "fit.part").write_text(text + "\n", encoding="utf-8")
            (place / "fit.part").replace(place / "fit.json")
        except OSError as error:
            raise InfrastructureError(f"'{place}' cannot be written: {error.strerror}.") from error
        write_report(plain(self.record), self.arrays, place / "report.html")
        return place

    def _tables(self, place: Path) -> None:
        by = self.record["by"]
        with (place / "features.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow([by, "images", *(_header(c.name, c.unit) for c in self.features.columns)])
            for name, count, row in zip(
                self.features.specimens, self.features.counts, self.features.values, strict=True
            ):
                table.writerow([name, count, *(f"{v:.8g}" for v in row)])
        with (place / "held_out.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["target", by, "group", "fold", "measured", "predicted", "lower", "upper"])
            for t in self.record["targets"]:
                for r in t["held_out"]:
                    values = (f"{r[k]:.8g}" for k in ("measured", "mean", "lower", "upper"))
                    table.writerow([t["name"], r["specimen"], r["group"], r["fold"], *values])


def plain(value: Any) -> Any:
    """What JSON has: numbers that are not finite become null, arrays lists."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _header(name: str, unit: str) -> str:
    return name if unit == "1" else f"{name} [{unit}]"
