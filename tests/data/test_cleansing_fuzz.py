"""Odd datasets through every treatment: an answer or one sentence, never a traceback or a warning."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from scalebridge.data import Dataset, from_columns
from scalebridge.data.alignment.aggregation import aggregate
from scalebridge.data.alignment.blocks import block_average
from scalebridge.data.alignment.coordinates import local_metres
from scalebridge.data.alignment.diversity import diversity
from scalebridge.data.alignment.joining import join
from scalebridge.data.alignment.resampling import resample
from scalebridge.data.checks import quality
from scalebridge.data.cleansing.censoring import mark_censored
from scalebridge.data.cleansing.duplicates import drop_duplicates
from scalebridge.data.cleansing.gaps import METHODS, drop_gaps, fill_gaps
from scalebridge.data.cleansing.noise import smooth, with_noise
from scalebridge.data.cleansing.outliers import flag_outliers
from scalebridge.data.versions.changes import changes
from scalebridge.errors import ScaleBridgeError
from scalebridge.learn.life import StressLife

NAMES = ("x", "run out", "Tree", "core_number", "density", "modulus", "T", "fraction", "speed")
UNITS = ("", " [MPa]", " [degC]", " [kg]", " [percent]", " [s]")


def odd(rng: np.random.Generator) -> Dataset:
    """Up to a hundred rows of noise, constants, gaps, huge and tiny numbers, codes, text, arrays and images."""
    n = int(rng.choice([1, 2, 3, 5, 12, 40, 100]))
    makes: tuple[Callable[[], Any], ...] = (
        lambda: rng.standard_normal(n),
        lambda: np.full(n, rng.choice([0, 1.5, -999])),
        lambda: np.where(rng.random(n) < 0.5, np.nan, rng.standard_normal(n)),
        lambda: np.full(n, np.nan),
        lambda: 10 ** rng.uniform(-300, 300, n),
        lambda: rng.integers(0, 4, n).astype(float),
        lambda: [str(rng.choice(["a", "", "yes", "no", "S1", "s01"])) for _ in range(n)],
        lambda: rng.standard_normal((n, 3)),
        lambda: [None if rng.random() < 0.3 else np.ones((int(rng.integers(1, 3)), 2)) for _ in range(n)],
    )
    columns: dict[str, Any] = {}
    for k in range(int(rng.integers(1, 6))):
        kind = int(rng.integers(len(makes)))
        unit = str(rng.choice(UNITS)) if kind not in (6, 8) else ""
        columns[f"{rng.choice(NAMES)}{k}{unit}"] = makes[kind]()
    if rng.random() < 0.5:
        columns["ID"] = [f"S{i}" for i in rng.permutation(n)]
    return from_columns(columns, index="ID" if "ID" in columns else None)


def treatments(data: Dataset, other: Dataset, rng: np.random.Generator) -> dict[str, Callable[[], object]]:
    """Every treatment with columns that may not suit it."""
    a, b, c = (str(rng.choice(data.space.names)) for _ in range(3))
    theirs, method = str(rng.choice(other.space.names)), str(rng.choice(METHODS))
    return {
        "quality": lambda: json.dumps(quality(data, a, b if b != a else None).as_dict()),
        "flag": lambda: flag_outliers(data),
        "drop gaps": lambda: drop_gaps(data),
        "duplicates": lambda: drop_duplicates(data, by=a),
        "fill": lambda: fill_gaps(data, a, method, along=b),
        "noise": lambda: with_noise(data, a, b),
        "smooth": lambda: smooth(data, a, 5),
        "censor": lambda: mark_censored(data, a, flag=b, at_least=1.0),
        "aggregate": lambda: aggregate(data, a, cluster=b),
        "join": lambda: join(data, other, a, right_by=theirs, many="aggregate", unmatched="keep"),
        "changes": lambda: json.dumps(changes(data, other).as_dict()),
        "resample": lambda: resample(data, [0.0, 0.5], along=a),
        "blocks": lambda: block_average(data, 0.5, along=a),
        "metres": lambda: local_metres(data, a, b),
        "diversity": lambda: diversity(data, 2).peak(1),
        "lives": lambda: StressLife().fit_dataset(data, a, c),
    }


@pytest.mark.parametrize("start", range(0, 120, 40), ids=str)
def test_every_treatment_answers_or_refuses_in_a_sentence(start: int) -> None:
    answered, refused = 0, 0
    for seed in range(start, start + 40):
        rng = np.random.default_rng(seed)
        try:
            data, other = odd(rng), odd(rng)
        except ScaleBridgeError:
            continue
        for name, treat in treatments(data, other, rng).items():
            try:
                treat()
                answered += 1
            except ScaleBridgeError as error:
                refused += 1
                assert len(str(error)) > 30, name
    assert answered > 100 and refused > 100
