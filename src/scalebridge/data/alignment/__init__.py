"""Data of different scales made consistent: units, frames, clocks, sampling, identifiers, footprints, diversity."""
