"""The stand-in's faults are asked for by a fixture, and programs are stopped behind each module."""

from tests.simulators.live_programs import faulty, stopped

__all__ = ["faulty", "stopped"]
