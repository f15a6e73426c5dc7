"""Columns of thermodynamic output: identifiers, kinds and units.

Source: LAMMPS documentation, commands ``thermo_style`` and ``variable`` (thermo keywords), and the headers that
LAMMPS writes for them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Space, Variable
from scalebridge.simulators.lammps.unit_styles import unit_of

_KINDS = {
    "1": (
        "Step step Elapsed elapsed Elaplong elaplong Part part Atoms atoms Bonds Angles Dihedrals Impropers "
        "Nbuild nbuild Ndanger ndanger Timeout timeout"
    ),
    "time": "Dt dt Time time",
    "s": "CPU cpu CPULeft cpuremain",
    "temperature": "Temp temp",
    "pressure": ("Press press Pxx Pyy Pzz Pxy Pxz Pyz pxx pyy pzz pxy pxz pyz"),
    "energy": (
        "PotEng pe KinEng ke TotEng etotal Enthalpy enthalpy E_vdwl evdwl E_coul ecoul E_pair epair E_bond ebond "
        "E_angle eangle E_dihed edihed E_impro eimp E_mol emol E_long elong E_tail etail Ecouple ecouple Econserve "
        "econserve"
    ),
    "length^3": "Volume Vol vol volume",
    "density": "Density density",
    "length": (
        "Lx Ly Lz lx ly lz Xlo Xhi Ylo Yhi Zlo Zhi xlo xhi ylo yhi zlo zhi Xy Xz Yz xy xz yz Cella Cellb Cellc cella "
        "cellb cellc Avecx Avecy Avecz Bvecx Bvecy Bvecz Cvecx Cvecy Cvecz Xlat Ylat Zlat xlat ylat zlat"
    ),
    "degree": "CellAlpha CellBeta CellGamma cellalpha cellbeta cellgamma",
    "force": "Fmax fmax Fnorm fnorm",
}
KEYWORD_KINDS: Mapping[str, str] = {word: kind for kind, words in _KINDS.items() for word in words.split()}
# Of the scalar and of the components of the vector of a global compute, by its style; ``None`` where it has none.
COMPUTE_KINDS: Mapping[str, tuple[str | None, str | None]] = {
    "com": (None, "length"),
    "gyration": ("length", "length^2"),
    "heat/flux": (None, "energy*velocity"),
    "ke": ("energy", None),
    "msd": (None, "length^2"),
    "pe": ("energy", None),
    "pressure": ("pressure", "pressure"),
    "temp": ("temperature", "energy"),
    "vacf": (None, "velocity^2"),
}
_REFERENCE = re.compile(r"^([cv])_([A-Za-z0-9_]+)((?:\[\d+\])*)$")


def kind_of(column: str, computes: Mapping[str, str], variables: Mapping[str, str]) -> str | None:
    """The kind of quantity of a thermo column; ``None`` where the log does not tell.

    Args:
        column: as the header says it, such as ``"Press"`` or ``"c_msd[4]"``.
        computes: from the ID of a compute to its style.
        variables: from the name of an equal-style variable to its formula.
    """
    if column in KEYWORD_KINDS:
        return KEYWORD_KINDS[column]
    match = _REFERENCE.match(column)
    if match is None:
        return None
    if match[1] == "c":
        scalar, component = COMPUTE_KINDS.get(computes.get(match[2], ""), (None, None))
        return {0: scalar, 1: component}.get(match[3].count("["))
    formula = variables.get(match[2], "")
    inner = _REFERENCE.match(formula)
    return kind_of(formula, computes, {}) if inner is None or inner[1] == "c" else None


def identifiers(texts: Sequence[str]) -> tuple[str, ...]:
    """An identifier for every header, all different: ``"c_msd[4]"`` becomes ``"c_msd_4"``."""
    made: list[str] = []
    taken: set[str] = set()
    for text in texts:
        name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_") or "column"
        name = f"column_{name}" if name[0].isdigit() else name
        unique, k = name, 2
        while unique in taken:
            unique, k = f"{name}_{k}", k + 1
        taken.add(unique)
        made.append(unique)
    return tuple(made)


def columns_space(
    texts: Sequence[str], kinds: Sequence[str | None], style: str | None, units: Mapping[str, str] | None, owner: str
) -> tuple[Space, tuple[str, ...]]:
    """Variables for columns, and the names of those whose unit nobody states.

    Args:
        texts: headers of the file.
        kinds: of each; ``None`` where it is not known.
        style: LAMMPS' units.
        units: the user's, from header or identifier to unit.
        owner: what messages call the file.

    Raises:
        InputError: a unit for a column that is not there.
        UnitError: a unit that is not known.
    """
    names, given = identifiers(texts), dict(units or {})
    for word in given:
        if word not in names and word not in texts:
            raise InputError(f"{owner} has no column '{word}'{did_you_mean(word, names)}")
    variables, unstated = [], []
    for name, text, kind in zip(names, texts, kinds, strict=True):
        unit = given.get(name) or given.get(text) or (None if kind is None else unit_of(kind, style))
        if unit is None:
            unstated.append(name)
        variables.append(Variable(name, unit or "1", description="" if text == name else text))
    return Space(variables), tuple(unstated)
