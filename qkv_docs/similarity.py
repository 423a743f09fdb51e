"""How alike are two vectors: the dot product, and the cosine that ignores length."""

import numpy as np
from numpy.typing import ArrayLike

from qkv_docs._checks import FloatArray
from qkv_docs._shapes import vector_pairs


def dot_product(a: ArrayLike, b: ArrayLike) -> FloatArray:
    """Multiply two vectors entry by entry and add up: `sum(a_i * b_i)`.

    Args:
        a: vectors, `(..., d)`.
        b: vectors, `(..., d)`; the dimensions before the last broadcast.

    Returns:
        The dot products, `(...)`, in the dtype of a and b (integers give float64).

    Raises:
        TypeError: an array does not hold real numbers.
        ValueError: a scalar came, or the shapes do not fit.

    Source:
        [@vaswani2017, 3.2.1], footnote 4: for independent entries of mean 0 and variance 1 the
        dot product has mean 0 and variance d.

    Examples:
        >>> print(dot_product([1.0, 2.0], [3.0, 4.0]))
        11.0
        >>> dot_product([[1.0, 0.0], [0.0, 1.0]], [3.0, 4.0])
        array([3., 4.])
    """
    a, b, dtype = vector_pairs(a, b)
    total: FloatArray = (a * b).sum(axis=-1)
    return total.astype(dtype)


def cosine_similarity(a: ArrayLike, b: ArrayLike) -> FloatArray:
    """Return the cosine of the angle between two vectors: the dot product of their directions.

    A vector of zeros points nowhere: its cosine with anything is 0. A vector that holds inf or
    nan gives nan.

    Args:
        a: vectors, `(..., d)`.
        b: vectors, `(..., d)`; the dimensions before the last broadcast.

    Returns:
        The cosines, `(...)`, from -1 (opposite) through 0 (at right angles) to 1 (same direction),
        in the dtype of a and b (integers give float64).

    Raises:
        TypeError: an array does not hold real numbers.
        ValueError: a scalar came, or the shapes do not fit.

    Examples:
        >>> print(cosine_similarity([1.0, 0.0], [5.0, 0.0]))
        1.0
        >>> cosine_similarity([[3.0, 4.0], [0.0, 0.0]], [1.0, 0.0])
        array([0.6, 0. ])
    """
    a, b, dtype = vector_pairs(a, b)
    cosines = dot_product(directions(a), directions(b))
    return np.clip(cosines, -1, 1).astype(dtype)  # rounding may leave 1 by a hair


def directions(x: FloatArray) -> FloatArray:
    """Each vector divided by its length, so that its own length is 1; zeros stay zeros."""
    largest = np.abs(x).max(axis=-1, keepdims=True, initial=0)
    with np.errstate(invalid="ignore"):  # inf / inf is nan
        x = x / np.where(largest == 0, 1, largest)  # now squares cannot overflow
    length = np.sqrt((x * x).sum(axis=-1, keepdims=True))
    return x / np.where(length == 0, 1, length)
