"""What is known of a fluid at one state, in numbers and in words."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field

from scalebridge.errors import InputError, did_you_mean
from scalebridge.simulators.lammps.reading import Reading


@dataclass(frozen=True)
class FluidState:
    """Properties of a fluid at one temperature and density.

    Args:
        temperature, density: of the state, with unit, as text.
        readings: property -> value with its deviations.
        units: property -> unit.
        status: ``ok``, or why there are no readings: ``failed``, ``timeout``, ``outside``.
        reason: empty where ok.
        seconds: that the run took.
    """

    temperature: str
    density: str
    readings: Mapping[str, Reading] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    status: str = "ok"
    reason: str = ""
    seconds: float = 0.0

    def __getitem__(self, name: str) -> Reading:
        """Return a property.

        Raises:
            InputError: the run failed, or the property was not asked for.
        """
        if self.status != "ok":
            raise InputError(f"There is no {name} at this state, the run is '{self.status}': {self.reason}.")
        if name not in self.readings:
            raise InputError(f"The property '{name}' was not asked for{did_you_mean(name, self.readings)}")
        return self.readings[name]

    def words(self, name: str, confidence: float = 0.95) -> str:
        """Return a property, its interval and what the interval consists of, in words."""
        reading = self[name]
        low, high = reading.interval(confidence)
        chance = Reading(0.0, reading.noise_std, {}, reading.degrees).interval(confidence)[1]
        unit = "" if self.units[name] == "1" else f" {self.units[name]}"
        parts = [f"chance ±{chance:.2g}", *(f"{part} ±{size:.2g}" for part, size in reading.parts.items())]
        return f"{name} {reading.value:.4g}{unit}, {confidence:.0%} in [{low:.4g}, {high:.4g}]: {', '.join(parts)}"

    def __str__(self) -> str:
        head = f"temperature {self.temperature}, density {self.density}"
        if self.status != "ok":
            return f"{head}: {self.status}, {self.reason}"
        return "\n".join([head, *(f"  {self.words(name)}" for name in self.readings)])

    def _repr_html_(self) -> str:
        lines = str(self).splitlines()
        items = "".join(f"<li>{html.escape(line.strip())}</li>" for line in lines[1:])
        return f"<p>{html.escape(lines[0])}</p><ul>{items}</ul>"
