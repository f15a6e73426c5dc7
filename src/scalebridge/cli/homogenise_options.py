"""The options of ``scalebridge homogenise``, in the order of its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Image = Annotated[
    Path,
    typer.Argument(metavar="IMAGE", help="slice, stack, volume (.png .tif .npy .npz .raw .vti .h5 .mat) or mesh"),
]
Materials = Annotated[
    list[str] | None,
    typer.Option("--material", "-m", metavar="TEXT", help="'NAME: E=3.5 GPa, nu=0.35'; once per phase"),
]
Conductivities = Annotated[
    list[str] | None,
    typer.Option("--conductivity", "-k", metavar="TEXT", help="'NAME: 0.2 W/(m*K)'; once per phase"),
]
OutDir = Annotated[Path | None, typer.Option("--out", "-o", metavar="DIR", help="leave JSON, report and picture there")]
PlaneOf = Annotated[str, typer.Option("--plane", metavar="KIND", help="of a slice: generalised, strain or stress")]
WindowSize = Annotated[
    int | None, typer.Option("--window-size", metavar="M", help="tell the scatter over windows of M pixels")
]
WindowCount = Annotated[
    int | None, typer.Option("--windows", metavar="N", help="N of them at random; side by side if not given")
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="of the random windows")]
OtherGrid = Annotated[
    str | None,
    typer.Option("--error", metavar="GRID", help="solve on a 'finer' or 'coarser' grid too, and compare"),
]
VarySegmentation = Annotated[
    bool, typer.Option("--vary-segmentation", help="solve with the threshold one deviation lower and higher too")
]
Composite = Annotated[
    int, typer.Option("--composite", metavar="F", help="merge F pixels along each axis into composite voxels")
]
PixelSize = Annotated[
    str | None, typer.Option("--pixel-size", metavar="LENGTH", help="'1.1 um', or one per axis: '2 um, 1 um, 1 um'")
]
AsLabels = Annotated[
    bool | None,
    typer.Option("--phases-as-labels/--segment", help="whether values are labels; found out if not given"),
]
Crop = Annotated[
    str | None, typer.Option("--crop", metavar="PART", help="use a part: 0:380,146:362 (rows, columns; or z, y, x)")
]
Shape = Annotated[str | None, typer.Option("--shape", metavar="Z,Y,X", help="of a raw file")]
Dtype = Annotated[str | None, typer.Option("--dtype", metavar="TYPE", help="of a raw file, such as uint8")]
Dataset = Annotated[str | None, typer.Option("--dataset", metavar="NAME", help="the array, where a file holds several")]
VoxelCount = Annotated[int | None, typer.Option("--voxels", metavar="N", help="of a mesh, along each axis")]
Discretisation = Annotated[
    str, typer.Option("--discretisation", metavar="NAME", help="rotated, hexahedra or moulinec_suquet")
]
Precision = Annotated[str, typer.Option("--precision", metavar="KIND", help="double or single")]
Tolerance = Annotated[float, typer.Option("--tolerance", metavar="X", help="of the linear systems")]
Device = Annotated[str, typer.Option("--device", metavar="NAME", help="cpu or cuda")]
VtiFile = Annotated[Path | None, typer.Option("--vti", metavar="FILE", help="write a solved field for ParaView")]
NoField = Annotated[bool, typer.Option("--no-field", help="solve no field: faster, no Hill-Mandel check")]
PlanOnly = Annotated[bool, typer.Option("--plan", help="say grid, fractions, memory and time, and solve nothing")]
