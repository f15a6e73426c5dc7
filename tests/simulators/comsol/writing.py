"""Small exports and meshes of our own making, in the form that COMSOL's manuals show."""

from __future__ import annotations


def _row(*words: str) -> str:
    """A row of columns of 25 signs, as COMSOL writes them; what is longer is followed by one blank."""
    return " ".join(word.ljust(24) for word in words) + "\n"


SPREADSHEET = """% Model:              busbar.mph
% Version:            COMSOL 6.1.0.252
% Date:               Mar 4 2025, 10:12
% Dimension:          2
% Nodes:              3
% Expressions:        4
% Description:        Temperature, von Mises stress
% Length unit:        mm
"""
SPREADSHEET += _row(
    "% X", "Y", "T (K) @ t=0", "solid.mises (N/m^2) @ t=0", "T (K) @ t=0.1", "solid.mises (N/m^2) @ t=0.1"
)
SPREADSHEET += _row("0", "0", "293.15", "1.5E6", "300.5", "2.5E6")
SPREADSHEET += _row("1.5", "0", "293.15", "1.25E6", "301.5", "2.25E6")
SPREADSHEET += _row("0", "2", "293.15", "NaN", "302.5", "NaN")

TABLE = """% Model:              capacitor.mph
% Version:            COMSOL 5.5.0.359
% Date:               Apr 26 2021, 18:02
% Table:              parametric
% d (m)                   U (V)                    C (F), Point: 1          Z (Ω)
0.001                     1                        1.5E-12                  1.0+2.0i
0.002                     1                        0.75E-12                 3-4.5E-1i
"""

SECTIONWISE = """% Model:              plate.mph
% Version:            COMSOL 6.0.0.318
% Dimension:          2
% Nodes:              4
% Elements:           2
% Expressions:        2
% Description:        Temperature
% Length unit:        m
% Coordinates
0 0
1 0
1 1
0 1
% Elements (triangles)
1 2 3
1 3 4
% Data (T (K) @ t=0)
293.15
294
295
296
% Data (T (K) @ t=2.5)
300
301
302
303
"""

GRID = """% Model:              plate.mph
% Version:            COMSOL 6.0.0.318
% Dimension:          2
% Length unit:        m
% Grid
0 1 2
0 10
% Data (V (V))
1 2 3
4 5 6
"""

# Of a cut point: one column under the other.
COLUMNS = """% Model:              probe.mph
% Version:            COMSOL 6.2.0.415
% Dimension:          0
% Nodes:              1
% Expressions:        2
% Description:        Temperature
% Length unit:        m
% X
0.25
% Y
0.5
% Z
-1
% T (K) @ t=0
267.15
% T (K) @ t=0.4
268
"""

MESH = """# Created by hand

# Major & minor version
0 1
2 # number of tags
# Tags
5 mesh1
6 hot #1
2 # number of types
# Types
3 obj
3 obj

# --------- Object 0 ----------

0 0 1
4 Mesh # class
4 # version
3 # sdim
8 # number of mesh vertices
0 # lowest mesh vertex index

# Mesh vertex coordinates
0 0 0
1 0 0
0 1 0
1 1 0
0 0 1
1 0 1
0 1 1
1 1 1

2 # number of element types

# Type #0

4 quad # type name

4 # number of vertices per element
2 # number of elements
# Elements
0 1 2 3
4 5 6 7

2 # number of geometric entity indices
# Geometric entity indices
0
1

# Type #1

3 hex # type name

8 # number of vertices per element
1 # number of elements
# Elements
0 1 2 3 4 5 6 7

1 # number of geometric entity indices
# Geometric entity indices
1

# --------- Object 1 ----------

0 0 1
9 Selection # class
0 # Version
6 hot #1 # Label
5 mesh1 # Geometry/mesh tag
2 # Dimension
1 # Number of entities
# Entities
1
"""


def second_order(name: str, points: list[tuple[float, float, float]]) -> str:
    """A mesh of one element of a type, whose nodes are its points in order."""
    rows = "\n".join(" ".join(str(v) for v in point) for point in points)
    nodes = " ".join(str(k) for k in range(len(points)))
    return (
        "0 1\n1\n5 mesh1\n1\n3 obj\n0 0 1\n4 Mesh\n4\n3\n"
        f"{len(points)}\n0\n{rows}\n1\n{len(name)} {name}\n{len(points)}\n1\n{nodes}\n1\n1\n"
    )
