"""Rows times a matrix, also where NumPy has no fast way for `@`."""

import sys

import numpy as np

from qkv_docs._checks import FloatArray

# In the browser NumPy has no BLAS, and its own loop for `@` goes down the columns of the matrix,
# one number from each row; that of einsum goes along the rows. benchmarks/sentence.py measures
# both.
NO_BLAS = sys.platform == "emscripten"


def product(x: FloatArray, w: FloatArray) -> FloatArray:
    """`x @ w`: `(n, d_in)` times `(d_in, d_out)`, as `(n, d_out)`."""
    result: FloatArray = np.einsum("nk,km->nm", x, w) if NO_BLAS else x @ w
    return result
