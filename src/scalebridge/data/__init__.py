"""Data of every scale as one `Dataset`: read, align, cleanse, judge, keep.

Names are imported on first use (PEP 562), so that ``import scalebridge`` brings no library of a file format.

::

    specimens = sb.data.read("specimens.csv", index="SpecimenID", units={"Density": "g/cm^3"})
    specimens.describe()
    sb.compare(specimens.only(["Density", "Resistance"]), "Resistance", groups=specimens["Tree"])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.lazy import attach

if TYPE_CHECKING:
    from scalebridge.data.alignment.aggregation import aggregate
    from scalebridge.data.alignment.blocks import block_average
    from scalebridge.data.alignment.clocks import correct_drift, fit_drift, lag, shift_time, to_epoch, to_utc
    from scalebridge.data.alignment.coordinates import local_metres, register
    from scalebridge.data.alignment.diversity import Diversity, diversity
    from scalebridge.data.alignment.footprint import FootprintMean, footprint_mean
    from scalebridge.data.alignment.identifiers import Matching, match
    from scalebridge.data.alignment.images import image_shift
    from scalebridge.data.alignment.joining import join
    from scalebridge.data.alignment.neutron_probe import SiteConditions
    from scalebridge.data.alignment.resampling import resample
    from scalebridge.data.alignment.soil import probe_average, probe_footprint, site_conditions
    from scalebridge.data.alignment.transforms import Transform, fit_transform
    from scalebridge.data.alignment.units import same_units
    from scalebridge.data.archive import load, save
    from scalebridge.data.averaging import SeriesMean, mean_of_series
    from scalebridge.data.checks.checking import quality
    from scalebridge.data.checks.finding import Finding, QualityReport
    from scalebridge.data.cleansing.censoring import mark_censored
    from scalebridge.data.cleansing.duplicates import Duplicates, drop_duplicates, duplicates
    from scalebridge.data.cleansing.gaps import drop_gaps, fill_gaps, gaps
    from scalebridge.data.cleansing.noise import noise_std, smooth, with_noise
    from scalebridge.data.cleansing.outliers import blank_outliers, flag_outliers, outliers
    from scalebridge.data.dataset import Dataset
    from scalebridge.data.fields.cells import CellBlock
    from scalebridge.data.fields.columns import sampled
    from scalebridge.data.fields.datasets import fields_dataset
    from scalebridge.data.fields.field import Field
    from scalebridge.data.fields.mesh import Mesh
    from scalebridge.data.fields.pyvista_grids import from_pyvista
    from scalebridge.data.fields.reading import read_mesh
    from scalebridge.data.fields.series import read_steps
    from scalebridge.data.fields.writing import write_mesh
    from scalebridge.data.frames import Frame, TimeFrame
    from scalebridge.data.readers.graph import read_graph
    from scalebridge.data.readers.grid import read_grid
    from scalebridge.data.readers.images import read_images
    from scalebridge.data.readers.points import read_points
    from scalebridge.data.readers.series import read_series
    from scalebridge.data.readers.table import read_table
    from scalebridge.data.reading import read
    from scalebridge.data.source import File, Source
    from scalebridge.data.steps import Changed, Step
    from scalebridge.data.tables import from_columns
    from scalebridge.data.versions.changes import Changes, changes
    from scalebridge.data.versions.store import Version, Versions

_HOME = {
    "CellBlock": "fields.cells",
    "Changed": "steps",
    "Changes": "versions.changes",
    "Dataset": "dataset",
    "Diversity": "alignment.diversity",
    "Duplicates": "cleansing.duplicates",
    "Field": "fields.field",
    "File": "source",
    "Finding": "checks.finding",
    "FootprintMean": "alignment.footprint",
    "Frame": "frames",
    "Matching": "alignment.identifiers",
    "Mesh": "fields.mesh",
    "QualityReport": "checks.finding",
    "SeriesMean": "averaging",
    "SiteConditions": "alignment.neutron_probe",
    "Source": "source",
    "Step": "steps",
    "TimeFrame": "frames",
    "Transform": "alignment.transforms",
    "Version": "versions.store",
    "Versions": "versions.store",
    "aggregate": "alignment.aggregation",
    "blank_outliers": "cleansing.outliers",
    "block_average": "alignment.blocks",
    "changes": "versions.changes",
    "correct_drift": "alignment.clocks",
    "diversity": "alignment.diversity",
    "drop_duplicates": "cleansing.duplicates",
    "drop_gaps": "cleansing.gaps",
    "duplicates": "cleansing.duplicates",
    "fields_dataset": "fields.datasets",
    "fill_gaps": "cleansing.gaps",
    "fit_drift": "alignment.clocks",
    "fit_transform": "alignment.transforms",
    "flag_outliers": "cleansing.outliers",
    "footprint_mean": "alignment.footprint",
    "from_columns": "tables",
    "from_pyvista": "fields.pyvista_grids",
    "gaps": "cleansing.gaps",
    "image_shift": "alignment.images",
    "join": "alignment.joining",
    "lag": "alignment.clocks",
    "load": "archive",
    "local_metres": "alignment.coordinates",
    "mark_censored": "cleansing.censoring",
    "match": "alignment.identifiers",
    "mean_of_series": "averaging",
    "noise_std": "cleansing.noise",
    "outliers": "cleansing.outliers",
    "probe_average": "alignment.soil",
    "probe_footprint": "alignment.soil",
    "quality": "checks.checking",
    "read": "reading",
    "read_graph": "readers.graph",
    "read_grid": "readers.grid",
    "read_images": "readers.images",
    "read_mesh": "fields.reading",
    "read_points": "readers.points",
    "read_series": "readers.series",
    "read_steps": "fields.series",
    "read_table": "readers.table",
    "register": "alignment.coordinates",
    "resample": "alignment.resampling",
    "same_units": "alignment.units",
    "sampled": "fields.columns",
    "save": "archive",
    "shift_time": "alignment.clocks",
    "site_conditions": "alignment.soil",
    "smooth": "cleansing.noise",
    "to_epoch": "alignment.clocks",
    "to_utc": "alignment.clocks",
    "with_noise": "cleansing.noise",
    "write_mesh": "fields.writing",
}

__all__ = [
    "CellBlock",
    "Changed",
    "Changes",
    "Dataset",
    "Diversity",
    "Duplicates",
    "Field",
    "File",
    "Finding",
    "FootprintMean",
    "Frame",
    "Matching",
    "Mesh",
    "QualityReport",
    "SeriesMean",
    "SiteConditions",
    "Source",
    "Step",
    "TimeFrame",
    "Transform",
    "Version",
    "Versions",
    "aggregate",
    "blank_outliers",
    "block_average",
    "changes",
    "correct_drift",
    "diversity",
    "drop_duplicates",
    "drop_gaps",
    "duplicates",
    "fields_dataset",
    "fill_gaps",
    "fit_drift",
    "fit_transform",
    "flag_outliers",
    "footprint_mean",
    "from_columns",
    "from_pyvista",
    "gaps",
    "image_shift",
    "join",
    "lag",
    "load",
    "local_metres",
    "mark_censored",
    "match",
    "mean_of_series",
    "noise_std",
    "outliers",
    "probe_average",
    "probe_footprint",
    "quality",
    "read",
    "read_graph",
    "read_grid",
    "read_images",
    "read_mesh",
    "read_points",
    "read_series",
    "read_steps",
    "read_table",
    "register",
    "resample",
    "same_units",
    "sampled",
    "save",
    "shift_time",
    "site_conditions",
    "smooth",
    "to_epoch",
    "to_utc",
    "with_noise",
    "write_mesh",
]

__getattr__, __dir__ = attach(__name__, _HOME)
