"""Loops of conjugate gradients on a CPU, fused by Numba (the extra ``fast``); plain torch does without.

`solver` is linear elasticity in three dimensions, `plane` in two. The arithmetic is that of the rotated scheme and the
reference medium; the order of the sums differs.
"""
