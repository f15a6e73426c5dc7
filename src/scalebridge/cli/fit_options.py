"""The options of ``scalebridge fit`` and ``predict``, in the order of their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Images = Annotated[Path, typer.Argument(metavar="IMAGES", help="folder of images, named by specimen")]
Table = Annotated[Path, typer.Argument(metavar="TABLE", help="table of specimens (.csv .xlsx .parquet)")]
By = Annotated[str, typer.Option("--by", metavar="COLUMN", help="the column that identifies specimens")]
Targets = Annotated[list[str], typer.Option("--target", "-t", metavar="COLUMN", help="property to predict; repeatable")]
Groups = Annotated[
    str,
    typer.Option(
        "--groups", metavar="COLUMN", help="groups held back together; 'none' for no such; found if not given"
    ),
]
Use = Annotated[
    list[str] | None, typer.Option("--use", metavar="COLUMN", help="column a new specimen comes with too; repeatable")
]
Pattern = Annotated[
    str | None,
    typer.Option("--pattern", metavar="REGEX", help=r"where the identifier stands in a path: 'specimen_(\w+)_\d+'"),
]
PixelSize = Annotated[str | None, typer.Option("--pixel-size", metavar="LENGTH", help="edge of a pixel, as '1.1 um'")]
Features = Annotated[str, typer.Option("--features", metavar="KIND", help="descriptors, cnn or both")]
Weights = Annotated[
    Path | None,
    typer.Option("--weights", metavar="FILE", help="weights of a ResNet; a small network is trained if not given"),
]
Level = Annotated[float, typer.Option("--level", metavar="P", help="of the intervals")]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="of every random choice")]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="where report, figures and surrogates are kept")]
Fitted = Annotated[Path, typer.Argument(metavar="DIR", help="the directory that 'fit' wrote")]
To = Annotated[Path | None, typer.Option("--to", metavar="FILE", help="write a CSV file")]
NewTable = Annotated[
    Path | None,
    typer.Option("--table", metavar="TABLE", help="of the new specimens, where the fit goes by it"),
]
