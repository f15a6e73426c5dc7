"""FEniCSx's side: a plate whose stress comes from `law.py`, asked at the quadrature points. No ScaleBridge here.

    python3 fenicsx_side.py FOLDER

FOLDER holds `law.py`, as scalebridge wrote it, and `problem.npz`; `answer.npz` is written there. One process, and
dolfinx 0.5 as Debian 12 has it (python3-dolfinx): later versions renamed some of what is called here. A problem of
one's own takes `ExternalLaw` and `newton` as they are.
"""

import importlib
import sys
from pathlib import Path

import basix
import numpy as np
import ufl
from dolfinx import fem
from dolfinx.fem import petsc
from dolfinx.mesh import create_mesh, locate_entities_boundary
from mpi4py import MPI
from petsc4py import PETSc

TOLERANCE = 1e-12  # of the residual, relative to the internal forces
ITERATIONS = 30


def mandel(displacement):
    """Strain as the law takes it: 11, 22 and sqrt(2) 12."""
    strain = ufl.sym(ufl.grad(displacement))
    return ufl.as_vector([strain[0, 0], strain[1, 1], np.sqrt(2) * strain[0, 1]])


class ExternalLaw:
    """Stress and tangent at the quadrature points, from an `evaluate` outside FEniCSx.

    Args:
        evaluate: strain [n, 3] -> stress [n, 3] (Pa), tangent [n, 3, 3], inside [n].
        displacement: the function that is solved for.
        degree: of the quadrature.
    """

    def __init__(self, evaluate, displacement, degree):
        body = displacement.function_space.mesh
        rule = {"cell": body.ufl_cell(), "degree": degree, "quad_scheme": "default"}
        vectors = fem.FunctionSpace(body, ufl.VectorElement("Quadrature", dim=3, **rule))
        matrices = fem.FunctionSpace(body, ufl.TensorElement("Quadrature", shape=(3, 3), **rule))
        points, _ = basix.make_quadrature(basix.CellType.triangle, degree)
        self.evaluate = evaluate
        self.stress, self.tangent = fem.Function(vectors), fem.Function(matrices)
        self.strain = fem.Expression(mandel(displacement), points)
        self.cells = np.arange(body.topology.index_map(2).size_local, dtype=np.int32)
        # Cell by cell, point by point: which row of the functions' arrays is that point's.
        self.rows = vectors.dofmap.list.array, matrices.dofmap.list.array
        self.inside = np.ones(len(self.rows[0]), dtype=bool)

    def update(self):
        """Ask once, at all quadrature points of the present displacement."""
        strain = self.strain.eval(self.cells).reshape(-1, 3)
        stress, tangent, self.inside = self.evaluate(strain)
        self.stress.x.array.reshape(-1, 3)[self.rows[0]] = stress
        self.tangent.x.array.reshape(-1, 9)[self.rows[1]] = tangent.reshape(-1, 9)


def newton(displacement, law, degree, conditions):
    """Solve for the displacement; return the internal forces [n, 2] there and the number of steps taken."""
    space = displacement.function_space
    test, trial = ufl.TestFunction(space), ufl.TrialFunction(space)
    dx = ufl.Measure("dx", space.mesh, metadata={"quadrature_degree": degree, "quadrature_scheme": "default"})
    residual = fem.form(ufl.inner(law.stress, mandel(test)) * dx)
    stiffness = fem.form(ufl.inner(law.tangent * mandel(trial), mandel(test)) * dx)
    linear = PETSc.KSP().create(space.mesh.comm)
    linear.setType("preonly")
    linear.getPC().setType("lu")
    for n_steps in range(ITERATIONS):
        law.update()
        force = petsc.assemble_vector(residual)
        internal = force.array.reshape(-1, 2).copy()
        petsc.apply_lifting(force, [stiffness], [conditions], x0=[displacement.vector], scale=-1.0)
        petsc.set_bc(force, conditions, x0=displacement.vector, scale=-1.0)
        if n_steps and force.norm() <= TOLERANCE * np.linalg.norm(internal):
            return internal, n_steps
        matrix = petsc.assemble_matrix(stiffness, bcs=conditions)
        matrix.assemble()
        linear.setOperators(matrix)
        step = force.duplicate()
        linear.solve(force, step)
        displacement.vector.axpy(-1.0, step)
    raise SystemExit(f"Newton's method did not converge in {ITERATIONS} iterations.")


def plate(points, cells):
    """Elements on the plate's triangles [e, 3], or [e, 6] with nodes on their edges, which may be curved."""
    order = {3: 1, 6: 2}[cells.shape[1]]
    body = create_mesh(MPI.COMM_SELF, cells, points, ufl.Mesh(ufl.VectorElement("Lagrange", ufl.triangle, order)))
    return fem.VectorFunctionSpace(body, ("Lagrange", order))


def held(space, x, value):
    """Degrees of freedom where the plate ends at x, and the condition that they have a value (m)."""
    facets = locate_entities_boundary(space.mesh, 1, lambda at: np.isclose(at[0], x))
    dofs = fem.locate_dofs_topological(space, 1, facets)
    return dofs, fem.dirichletbc(np.array(value, dtype=np.float64), dofs, space)


def solve(points, cells, pull, degree, evaluate):
    """Clamp the plate at its left end and pull it at its right end; what is returned is for a thickness of 1 m."""
    space = plate(points, cells)
    displacement = fem.Function(space)
    law = ExternalLaw(evaluate, displacement, degree)
    _, clamped = held(space, points[:, 0].min(), (0.0, 0.0))
    right, pulled = held(space, points[:, 0].max(), (pull, 0.0))
    internal, n_steps = newton(displacement, law, degree, [clamped, pulled])
    return {
        "points": space.tabulate_dof_coordinates()[:, :2],
        "displacement": displacement.x.array.reshape(-1, 2),
        "force": internal[right].sum(axis=0),
        "n_steps": n_steps,
        "n_outside": np.count_nonzero(~law.inside),
    }


def main(folder):
    sys.path.insert(0, str(folder))
    law = importlib.import_module("law")
    with np.load(folder / "problem.npz") as problem:
        pull, degree = float(problem["pull"]), int(problem["degree"])
        answer = solve(problem["points"], problem["cells"], pull, degree, law.evaluate)
    np.savez(folder / "answer.npz", **answer)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
