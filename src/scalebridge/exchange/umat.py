"""A surrogate from strain to stress as a user material of Abaqus and of programs that take the same interface."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from scalebridge.errors import InputError, did_you_mean
from scalebridge.exchange.c_code import header_text
from scalebridge.exchange.tracing import checked
from scalebridge.exchange.writing import checked_name, write_text
from scalebridge.quantities import Variable
from scalebridge.quantities.units import conversion

LANGUAGES = ("fortran", "c")
# Place of each Mandel component among stress(ntens) with the direct components first: 11, 22, 33, then 12, 13, 23.
_PLACES = {3: (0, 1, 3), 6: (0, 1, 2, 5, 4, 3)}
_ROOT = 1 / math.sqrt(2)


def export_umat(
    surrogate: Any,
    folder: str | os.PathLike[str],
    *,
    name: str = "law",
    language: str = "fortran",
    stress_unit: str = "Pa",
    temperature: str | None = None,
) -> list[Path]:
    """Write a fitted surrogate as an Abaqus-style UMAT; older files are replaced.

    ``NAME.h`` holds the surrogate (see `export_c`), ``NAME.c`` its function for other languages, and ``NAME_umat.f90``
    or ``NAME_umat.c`` the routine ``umat``: total strain in, stress and the exact tangent ``DDSDDE`` out, both in the
    order 11, 22, 33, 12, 13, 23 with engineering shear strains. ``STATEV(1)`` is 1 where the strain lies in the
    surrogate's domain and 0 outside of it, where the answer is a continuation that no run supports. Compile with
    ``gcc -O2 -c NAME.c`` and ``gfortran -O2 -c NAME_umat.f90``, or the compilers of the program.

    The law is of total strain at small strain, without history. A law in plane strain (three components) serves
    elements in plane strain; it does not know the stress out of the plane, which is left zero. Other elements (plane
    stress, axial symmetry, solids) stop with a sentence, as plane stress does under a law of six components.

    Args:
        surrogate: fitted; its first symmetric input is the strain, its one output the stress, both of 3 or 6 Mandel
            components. Further inputs are numbers.
        folder: must exist.
        name: of the files and functions.
        language: of the routine, ``"fortran"`` (free form, 2003) or ``"c"``.
        stress_unit: in which the program counts, as ``"MPa"``.
        temperature: name of the input that is the temperature (``TEMP + DTEMP``, in that input's unit); the other
            further inputs are ``PROPS(1)``, ``PROPS(2)``, ... in the order of the space.

    Returns:
        The paths written.

    Raises:
        InputError: a surrogate that is no law from strain to stress or that has no graph, an unknown language, input
            or unit, a name that C does not take, no folder, the extra ``onnx`` is missing.
    """
    place = Path(folder)
    if language not in LANGUAGES:
        raise InputError(f"The language of a UMAT is '{language}'{did_you_mean(language, LANGUAGES)}")
    checked_name(name)
    strain, stress = _law(surrogate)
    law = _Law(surrogate, name, strain, stress, conversion(stress.unit, stress_unit, "The stress")[0], temperature)
    files = {f"{name}.h": header_text(surrogate, name, std=False), f"{name}.c": law.function()}
    if language == "fortran":
        files[f"{name}_umat.f90"] = law.fortran()
    else:
        files[f"{name}_umat.c"] = law.c()
    return [write_text(place / file, text) for file, text in files.items()]


def _law(surrogate: Any) -> tuple[Variable, Variable]:
    outputs, symmetric = list(checked(surrogate).outputs), [v for v in surrogate.inputs if v.kind == "symmetric"]
    if len(outputs) != 1 or outputs[0].kind != "symmetric" or len(symmetric) != 1:
        raise InputError(
            f"A UMAT needs a law with one symmetric input (strain) and one symmetric output (stress); the surrogate "
            f"'{surrogate.name}' maps {', '.join(surrogate.inputs.names)} to {', '.join(surrogate.outputs.names)}."
        )
    strain, stress = symmetric[0], outputs[0]
    if strain.size != stress.size:
        raise InputError(f"The strain has {strain.size} components and the stress {stress.size}; give as many in both.")
    for v in surrogate.inputs:
        if v is not strain and v.shape:
            raise InputError(f"The input '{v.name}' is an array; beside the strain a UMAT takes numbers only.")
    if conversion(strain.unit, "1", "The strain")[1]:
        raise InputError(f"The strain '{strain.name}' is in '{strain.unit}', which is no strain.")
    return strain, stress


class _Law:
    """What the routines of a UMAT have in common."""

    def __init__(
        self, surrogate: Any, name: str, strain: Variable, stress: Variable, factor: float, temperature: str | None
    ) -> None:
        others = [v.name for v in surrogate.inputs if v.name != strain.name]
        if temperature is not None and temperature not in others:
            raise InputError(f"The temperature of the UMAT is '{temperature}'{did_you_mean(temperature, others)}")
        self.name, self.m, self.d = name, stress.size, surrogate.inputs.size
        self.factor, self.unstrain = factor, conversion("1", strain.unit, "The strain")[0]
        starts, at = {}, 0
        for v in surrogate.inputs:
            starts[v.name] = at
            at += v.size
        self.strain_at = starts[strain.name]
        properties = [n for n in others if n != temperature]
        self.others = [
            (starts[n], "temperature" if n == temperature else f"property {properties.index(n) + 1}") for n in others
        ]
        self.n_properties = len(properties)

    def function(self) -> str:
        """C file with the function that other languages call."""
        return (
            f'#include "{self.name}.h"\n\n'
            "/* Value and derivative at x; returns 1 in the domain of the surrogate, 0 outside. */\n"
            f"int {self.name}_call(const double *x, double *y, double *dydx) {{\n"
            f"    {self.name}_evaluate(x, y, dydx);\n"
            f"    return {self.name}_inside(x);\n"
            "}\n"
        )

    def fortran(self) -> str:
        """Free-form Fortran."""
        places = ", ".join(str(p + 1) for p in _PLACES[self.m])
        factors = ", ".join("1.0d0" if p < 3 else "root" for p in _PLACES[self.m])
        others = [f"  x({at + 1}) = {_fortran_source(source)}" for at, source in self.others]
        return _FORTRAN.format(
            name=self.name,
            d=self.d,
            m=self.m,
            places=places,
            factors=factors,
            root=_double(_ROOT),
            start=self.strain_at,
            others="\n".join(others) + ("\n" if others else ""),
            unstrain=_double(self.unstrain),
            factor=_double(self.factor),
            properties=self.n_properties,
            refused=_FORTRAN_PLANE.format(name=self.name) if self.m == 3 else "",
        )

    def c(self) -> str:
        """C99 with the name that Fortran compilers give to ``umat``."""
        others = [f"    x[{at}] = {_c_source(source)};" for at, source in self.others]
        return _C.format(
            name=self.name,
            d=self.d,
            m=self.m,
            places=", ".join(map(str, _PLACES[self.m])),
            factors=", ".join("1.0" if p < 3 else repr(_ROOT) for p in _PLACES[self.m]),
            start=self.strain_at,
            others="\n".join(others) + ("\n" if others else ""),
            unstrain=repr(self.unstrain),
            factor=repr(self.factor),
            properties=self.n_properties,
            refused=_C_PLANE.format(name=self.name) if self.m == 3 else "",
        )


def _fortran_source(source: str) -> str:
    return "temp + dtemp" if source == "temperature" else f"props({source.removeprefix('property ')})"


def _c_source(source: str) -> str:
    return "*temp + *dtemp" if source == "temperature" else f"props[{int(source.removeprefix('property ')) - 1}]"


def _double(value: float) -> str:
    """A double of Fortran."""
    return repr(value).replace("e", "d") if "e" in repr(value) else f"{value!r}d0"


_FORTRAN_PLANE = """  if (nshr /= 1 .or. abs(stran(3) + dstran(3)) > 1.0d-12) then
    write(*, *) '{name}: the law is one of plane strain; ', &
      'the element has strain out of the plane, or more shears'
    stop 1
  end if
"""

_C_PLANE = """    if (*nshr != 1 || stran[2] + dstran[2] > 1e-12 || stran[2] + dstran[2] < -1e-12) {{
        fputs("{name}: the law is one of plane strain; the element has strain out of the plane, or more shears\\n",
              stderr);
        exit(1);
    }}
"""

_FORTRAN = """! UMAT of the surrogate in {name}.h, written by scalebridge.
! Compile {name}.c beside it and link both.
subroutine umat(stress, statev, ddsdde, sse, spd, scd, rpl, ddsddt, drplde, drpldt, stran, dstran, time, dtime, &
    temp, dtemp, predef, dpred, cmname, ndi, nshr, ntens, nstatv, props, nprops, coords, drot, pnewdt, celent, &
    dfgrd0, dfgrd1, noel, npt, layer, kspt, kstep, kinc)
  use, intrinsic :: iso_c_binding, only: c_double, c_int
  implicit none
  character(len=80) :: cmname
  integer :: ndi, nshr, ntens, nstatv, nprops, noel, npt, layer, kspt, kstep, kinc
  real(c_double) :: stress(ntens), statev(nstatv), ddsdde(ntens, ntens), ddsddt(ntens), drplde(ntens)
  real(c_double) :: stran(ntens), dstran(ntens), time(2), predef(1), dpred(1), props(nprops), coords(3)
  real(c_double) :: drot(3, 3), dfgrd0(3, 3), dfgrd1(3, 3)
  real(c_double) :: sse, spd, scd, rpl, drpldt, dtime, temp, dtemp, pnewdt, celent
  interface
    integer(c_int) function {name}_call(x, y, dydx) bind(c, name="{name}_call")
      import :: c_double, c_int
      real(c_double), intent(in) :: x(*)
      real(c_double), intent(out) :: y(*), dydx(*)
    end function
  end interface
  ! Places of the Mandel components in stress(ntens), and what an engineering shear strain is of one.
  integer, parameter :: places({m}) = (/ {places} /)
  real(c_double), parameter :: root = {root}
  real(c_double), parameter :: factors({m}) = (/ {factors} /)
  real(c_double) :: x({d}), y({m}), slope({d}, {m})
  integer(c_int) :: inside
  integer :: i, j

  if (nprops < {properties}) then
    write(*, *) '{name}: the user material needs {properties} constants and was given', nprops
    stop 1
  end if
  if (ndi /= 3) then
    write(*, *) '{name}: the user material is not for elements with', ndi, 'direct stresses (plane stress)'
    stop 1
  end if
{refused}  x = 0.0d0
{others}  do i = 1, {m}
    if (places(i) <= ntens) x({start} + i) = {unstrain} * factors(i) * (stran(places(i)) + dstran(places(i)))
  end do
  inside = {name}_call(x, y, slope)
  stress = 0.0d0
  ddsdde = 0.0d0
  do i = 1, {m}
    if (places(i) > ntens) cycle
    stress(places(i)) = {factor} * factors(i) * y(i)
    do j = 1, {m}
      if (places(j) > ntens) cycle
      ! Row by row in C is column by column here.
      ddsdde(places(i), places(j)) = {factor} * {unstrain} * factors(i) * factors(j) * slope({start} + j, i)
    end do
  end do
  if (nstatv >= 1) statev(1) = real(inside, c_double)
end subroutine umat
"""

_C = """/* UMAT of the surrogate in {name}.h, written by scalebridge. Compile {name}.c beside it and link both. */
#include <stdio.h>
#include <stdlib.h>

int {name}_call(const double *x, double *y, double *dydx);

void umat_(double *stress, double *statev, double *ddsdde, double *sse, double *spd, double *scd, double *rpl,
           double *ddsddt, double *drplde, double *drpldt, const double *stran, const double *dstran,
           const double *time, const double *dtime, const double *temp, const double *dtemp, const double *predef,
           const double *dpred, const char *cmname, const int *ndi, const int *nshr, const int *ntens,
           const int *nstatv, const double *props, const int *nprops, const double *coords, const double *drot,
           double *pnewdt, const double *celent, const double *dfgrd0, const double *dfgrd1, const int *noel,
           const int *npt, const int *layer, const int *kspt, const int *kstep, const int *kinc) {{
    /* Places of the Mandel components in stress, and what an engineering shear strain is of one. */
    static const int places[{m}] = {{{places}}};
    static const double factors[{m}] = {{{factors}}};
    double x[{d}] = {{0.0}}, y[{m}], slope[{m} * {d}];
    const int n = *ntens;
    (void)sse; (void)spd; (void)scd; (void)rpl; (void)ddsddt; (void)drplde; (void)drpldt; (void)time; (void)dtime;
    (void)temp; (void)dtemp; (void)predef; (void)dpred; (void)cmname; (void)nshr; (void)props;
    (void)coords; (void)drot; (void)pnewdt; (void)celent; (void)dfgrd0; (void)dfgrd1; (void)noel; (void)npt;
    (void)layer; (void)kspt; (void)kstep; (void)kinc;
    if (*nprops < {properties}) {{
        fprintf(stderr, "{name}: the user material needs {properties} constants and was given %d\\n", *nprops);
        exit(1);
    }}
    if (*ndi != 3) {{
        fprintf(stderr, "{name}: not for elements with %d direct stresses (plane stress)\\n", *ndi);
        exit(1);
    }}
{refused}{others}    for (int i = 0; i < {m}; ++i)
        if (places[i] < n) x[{start} + i] = {unstrain} * factors[i] * (stran[places[i]] + dstran[places[i]]);
    const int inside = {name}_call(x, y, slope);
    for (int i = 0; i < n; ++i) stress[i] = 0.0;
    for (int i = 0; i < n * n; ++i) ddsdde[i] = 0.0;
    for (int i = 0; i < {m}; ++i) {{
        if (places[i] >= n) continue;
        stress[places[i]] = {factor} * factors[i] * y[i];
        for (int j = 0; j < {m}; ++j)
            if (places[j] < n)
                ddsdde[places[j] * n + places[i]] =
                    {factor} * {unstrain} * factors[i] * factors[j] * slope[i * {d} + {start} + j];
    }}
    if (*nstatv >= 1) statev[0] = inside;
}}
"""
