"""Any program with input and output files as a model.

`Program` is the model; `Pattern`, `Csv`, `Columns`, `Json`, `Npy`, `Npz` and `Hdf5` read its results, `Mpi` runs it on
several ranks. `carry_out` and `working_folder` run one program once, for adapters of several steps.
"""

from scalebridge.models.program.folders import WorkingFolder, working_folder
from scalebridge.models.program.launcher import Mpi
from scalebridge.models.program.model import Program
from scalebridge.models.program.parsers import Columns, Csv, Hdf5, Json, NoValue, Npy, Npz, Pattern
from scalebridge.models.program.process import Ended, Limits, carry_out

__all__ = [
    "Columns",
    "Csv",
    "Ended",
    "Hdf5",
    "Json",
    "Limits",
    "Mpi",
    "NoValue",
    "Npy",
    "Npz",
    "Pattern",
    "Program",
    "WorkingFolder",
    "carry_out",
    "working_folder",
]
