"""Reading values from the files that a program has written."""

from scalebridge.models.program.parsers.arrays import Hdf5, Npy, Npz
from scalebridge.models.program.parsers.files import NoValue
from scalebridge.models.program.parsers.pattern import Pattern
from scalebridge.models.program.parsers.structured import Json
from scalebridge.models.program.parsers.tables import Columns, Csv

__all__ = ["Columns", "Csv", "Hdf5", "Json", "NoValue", "Npy", "Npz", "Pattern"]
