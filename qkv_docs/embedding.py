"""From token ids to vectors: a lookup, which is also a product with one-hot rows."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from qkv_docs._checks import FloatArray, float_dtype, integer, known_ids
from qkv_docs._shapes import embedding_table


def one_hot(ids: ArrayLike, size: int, *, dtype: DTypeLike = np.float64) -> FloatArray:
    """Return one row for each id: 1 at the id, 0 everywhere else.

    Args:
        ids: token ids, integers of any shape `(...)`, each in `0 .. size - 1`.
        size: the number of tokens in the vocabulary, at least 1.
        dtype: of the result: that of the table which the rows are multiplied by.

    Returns:
        The rows, `(..., size)`.

    Raises:
        IndexError: an id is outside the vocabulary; a negative id is never counted from the end.
        TypeError: the ids or the size are not integers, or there is no such floating dtype.
        ValueError: the size is less than 1.

    Examples:
        >>> one_hot([2, 0], size=3)
        array([[0., 0., 1.],
               [1., 0., 0.]])
    """
    ids = known_ids(ids, integer("size", size, least=1))
    rows = np.zeros((*ids.shape, size), float_dtype(dtype))
    np.put_along_axis(rows, ids[..., None], 1.0, axis=-1)
    return rows


def embed(ids: ArrayLike, table: ArrayLike) -> NDArray[Any]:
    """Return the embedding of each id: its row of the embedding table.

    The same as `one_hot(ids, len(table)) @ table`, without the multiplications by 0.
    A table holds one context-free vector per token: where a token stands changes nothing.

    Args:
        ids: token ids, integers of any shape `(...)`.
        table: the embedding table, `(size, d_model)`, a parameter.

    Returns:
        The embeddings, `(..., d_model)`, in the dtype of the table; a copy.

    Raises:
        IndexError: an id is outside the table; a negative id is never counted from the end.
        TypeError: the ids are not integers, or the table does not hold real numbers.
        ValueError: the table does not have two dimensions.

    Source:
        [@vaswani2017, 3.4]

    Examples:
        >>> table = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])
        >>> embed([2, 0, 2], table)
        array([[0.5, 0.6],
               [0.1, 0.2],
               [0.5, 0.6]])
        >>> np.allclose(one_hot([2, 0, 2], 3) @ table, embed([2, 0, 2], table))
        True
        >>> embed([3], table)
        Traceback (most recent call last):
        IndexError: id 3 is outside a table of size 3 (ids run from 0 to 2)
    """
    table = embedding_table(table)
    rows: NDArray[Any] = table[known_ids(ids, len(table))]  # (..., d_model)
    return rows
