"""The commands of ``scalebridge``. Each is thin: it reads its arguments and calls the room that does the work.

Exit codes: 0 done, 1 not converged or runs failed, 2 bad input, 3 infrastructure, 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from scalebridge.cli import fit_options
from scalebridge.cli import homogenise_options as options
from scalebridge.cli.fit import FitRequest, fit_from, predict_from
from scalebridge.cli.homogenise import Request, homogenise_image
from scalebridge.cli.surface import DONE, exit_code, say

app = typer.Typer(
    help="Tolerance in, interval out: answer a macro question with as few micro runs as it needs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

StudyFile = Annotated[Path, typer.Argument(metavar="STUDY", help="the study file")]
Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="[a.b=c]...", help="keys of the study to replace, as question.rtol=0.02")
]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="where answer, report and runs are kept")]
Place = Annotated[Path, typer.Argument(metavar="DIR", help="the directory that 'run' wrote")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON instead of a table")]
OUT = Path("out")


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="folder to write it into")] = Path("study"),
) -> int:
    """Write a small study that runs, to start from."""
    from scalebridge.cli.start import write_example

    return write_example(directory)


@app.command()
def doctor(as_json: AsJson = False) -> int:
    """Show versions, cores, disk, and what is missing."""
    from scalebridge.cli.doctor import examine

    return examine(as_json)


@app.command()
def check(
    study: Annotated[Path | None, typer.Argument(metavar="STUDY", help="the study file")] = None,
    overrides: Overrides = None,
    schema: Annotated[bool, typer.Option("--schema", help="print the JSON Schema of study files")] = False,
    as_json: AsJson = False,
) -> int:
    """Check a study without running anything.

    Keys, values, files, units and the quantity of interest are checked.
    """
    from scalebridge.cli.before import check_study, print_schema

    return print_schema() if schema else check_study(study, overrides or [], as_json)


@app.command()
def plan(study: StudyFile, overrides: Overrides = None, out: Out = OUT, as_json: AsJson = False) -> int:
    """Show what a run would do, why, and its cost."""
    from scalebridge.cli.before import plan_study

    return plan_study(study, overrides or [], out, as_json)


@app.command()
def run(
    study: StudyFile,
    overrides: Overrides = None,
    out: Out = OUT,
    validate: Annotated[
        str | None,
        typer.Option("--validate", metavar="direct", help="solve on a coarse mesh by direct FE² too, and compare"),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Answer a study; resume one that was cut off.

    Leaves answer.json, report.html and every micro run in DIR; nothing that is there is run again.
    Exit codes: 0 converged, 1 not converged or runs failed, 2 bad input, 3 infrastructure, 130 interrupted.
    The first Ctrl-C finishes and saves the micro runs under way, the second aborts.
    """
    from scalebridge.cli.run import run_study

    return run_study(study, overrides or [], out, validate, as_json)


@app.command()
def homogenise(
    image: options.Image,
    material: options.Materials = None,
    conductivity: options.Conductivities = None,
    out: options.OutDir = None,
    plane: options.PlaneOf = "generalised",
    window_size: options.WindowSize = None,
    windows: options.WindowCount = None,
    seed: options.Seed = 0,
    error: options.OtherGrid = None,
    vary_segmentation: options.VarySegmentation = False,
    composite: options.Composite = 1,
    pixel_size: options.PixelSize = None,
    labels: options.AsLabels = None,
    crop: options.Crop = None,
    shape: options.Shape = None,
    dtype: options.Dtype = None,
    dataset: options.Dataset = None,
    voxels: options.VoxelCount = None,
    discretisation: options.Discretisation = "rotated",
    precision: options.Precision = "double",
    tolerance: options.Tolerance = 1e-6,
    device: options.Device = "cpu",
    vti: options.VtiFile = None,
    no_field: options.NoField = False,
    plan: options.PlanOnly = False,
    as_json: AsJson = False,
) -> int:
    """Effective stiffness and conductivity of an image.

    Prints the tensor, the constants along the axes with their bounds, and the Hill-Mandel check.

    \b
    A grey slice is segmented into 'matrix' and 'fibre' (and 'void', if a material has that name):
      scalebridge homogenise slice.png -m "matrix: E=3.5 GPa, nu=0.35" -m "fibre: E=72 GPa, nu=0.22"
    An image of a few grey levels or whole numbers is labels; names go from dark to bright, or from 0 on:
      scalebridge homogenise cell.npy -m "resin: E=3.5 GPa, nu=0.35" -m "glass: E=72 GPa, nu=0.22"
    A grey volume is parted by Otsu's levels, one phase per name from dark to bright:
      scalebridge homogenise rock.raw --shape 400,400,400 --dtype uint8 -k "pore: 0.6 W/(m*K)" -k "quartz: 7.7 W/(m*K)"

    \b
    Materials:
      E=, nu=                                isotropic
      E_L=, E_T=, nu_L=, nu_T=, G_L=, axis=  transversely isotropic; axis=3 is out of the plane of a slice
      E1=, E2=, E3=, nu12=, ..., G23=        orthotropic
      void, rigid

    \b
    Directions: 1 along rows (x), 2 down columns (y), 3 out of the slice (z of a volume).
    Exit codes: 0 done, 1 not converged (or a window), 2 bad input, 3 infrastructure, 130 interrupted.
    """
    return homogenise_image(Request(**locals()))


@app.command()
def fit(
    images: fit_options.Images,
    table: fit_options.Table,
    by: fit_options.By,
    target: fit_options.Targets,
    groups: fit_options.Groups = "auto",
    use: fit_options.Use = None,
    pattern: fit_options.Pattern = None,
    pixel_size: fit_options.PixelSize = None,
    features: fit_options.Features = "both",
    weights: fit_options.Weights = None,
    level: fit_options.Level = 0.9,
    seed: fit_options.Seed = 0,
    out: fit_options.Out = OUT / "fit",
    as_json: AsJson = False,
) -> int:
    """Properties of specimens from their images and a table.

    Joins images and rows by identifier, turns images into descriptors and features of a network, compares a forest and
    others on specimens held back, and leaves one report.

    \b
    scalebridge fit IMAGES/ TABLE.csv --by SpecimenID --target TensileStrength

    \b
    Images are named by the specimen: S01.png, S01_2.png, S01/2.png; or say where by --pattern.
    A second call goes on where the first one ended, and describes no image twice.
    Exit codes: 0 done, 2 bad input, 3 infrastructure, 130 interrupted.
    """
    return fit_from(FitRequest(**locals()))


@app.command()
def predict(
    directory: fit_options.Fitted,
    images: fit_options.Images,
    table: fit_options.NewTable = None,
    pattern: fit_options.Pattern = None,
    to: fit_options.To = None,
    as_json: AsJson = False,
) -> int:
    """Properties of what new images show, by what 'fit' learned."""
    return predict_from(directory, images, table, pattern, to, as_json)


@app.command()
def wrap(
    program: Annotated[list[str], typer.Argument(metavar="PROGRAM...", help="the program and its arguments")],
    example: Annotated[Path, typer.Option("--input", "-i", metavar="FILE", help="an input file it has run with")],
    output: Annotated[
        list[str] | None, typer.Option("--output", metavar="FILE", help="a file it writes; all if not given")
    ] = None,
    run: Annotated[
        bool, typer.Option("--run", help="run it once with the example, and look at what it writes")
    ] = False,
    vary: Annotated[
        list[str] | None, typer.Option("--vary", metavar="NAME", help="a number that becomes an input")
    ] = None,
    bring: Annotated[
        list[Path] | None, typer.Option("--file", metavar="PATH", help="a further file or folder it needs")
    ] = None,
    stdin: Annotated[bool, typer.Option("--stdin", help="it reads the example as its input stream")] = False,
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", help="of the run")] = 600.0,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="DIR", help="where the model is written")] = None,
) -> int:
    """Make a model of a program from an example of its input.

    Finds the numbers of the example that may be inputs and those of the output that may be results, and writes a
    template, a Python file with the model, and a study to go on from; never over files that are there.

    \b
    scalebridge wrap --input beam.in --run -- solver --fast beam.in
    scalebridge wrap --input in.json --output result.json -- python solver.py in.json
    """
    from scalebridge.cli.wrap import Request, wrap_program

    return wrap_program(Request(program, example, output or [], bring or [], vary or [], run, stdin, timeout, out))


@app.command()
def status(directory: Place = OUT, as_json: AsJson = False) -> int:
    """Show how far a run has come, also while it runs."""
    from scalebridge.cli.after import show_status

    return show_status(directory, as_json)


@app.command()
def why(
    run: Annotated[str, typer.Argument(metavar="RUN", help="number of a micro run, or the start of its key")],
    out: Out = OUT,
    as_json: AsJson = False,
) -> int:
    """Show why a micro run was made, and its result."""
    from scalebridge.cli.after import show_why

    return show_why(run, out, as_json)


@app.command()
def report(
    directory: Place = OUT,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="the HTML file; DIR/report.html if not given")
    ] = None,
) -> int:
    """Write the report of a saved answer anew."""
    from scalebridge.cli.after import write_report_of

    return write_report_of(directory, to)


@app.command()
def export(
    source: Annotated[Path, typer.Argument(metavar="DIR", help="the directory that 'run' wrote, or a saved surrogate")],
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="c, umat, onnx, python or micro-manager")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="where the files go")] = OUT / "export",
    name: Annotated[str, typer.Option("--name", help="of files and functions")] = "law",
    language: Annotated[str, typer.Option("--language", help="of a UMAT: fortran or c")] = "fortran",
    stress_unit: Annotated[
        str, typer.Option("--stress-unit", metavar="UNIT", help="in which the solver counts")
    ] = "Pa",
) -> int:
    """Write what a run learned for other programs.

    \b
    scalebridge export out/demo --to umat --stress-unit MPa --name composite

    \b
    c              one header of C99: value, exact tangent, deviation, guard
    umat           a user material of Abaqus's kind, in Fortran or C
    onnx           a graph in double precision
    python         a module of NumPy and a C compiler alone
    micro-manager  a micro simulation of preCICE's Micro Manager
    """
    from scalebridge.cli.export import export_surrogate

    return export_surrogate(source, to, out, name, language, stress_unit)


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="print the version")] = False) -> None:
    if version:
        import scalebridge

        print(f"scalebridge {scalebridge.__version__}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code; what the user gave wrong is one sentence on stderr."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = app(given, prog_name="scalebridge", standalone_mode=False)
    except BaseException as error:
        code = exit_code(error)
        if code is None:
            raise
        if text := say(error):
            print(f"scalebridge: {text}", file=sys.stderr)
    sys.exit(code if isinstance(code, int) else DONE)
