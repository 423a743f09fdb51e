"""T5's relative positions: a learned number for each head and each bucket of distances."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qkv_docs._checks import integer, numbers, result_dtype


def t5_bias(
    table: ArrayLike,
    n_q: int,
    n_k: int | None = None,
    *,
    bidirectional: bool = True,
    max_distance: int = 128,
) -> NDArray[np.floating]:
    """Return what T5 adds to the scores: for each head the entry of the distance's bucket.

    Half of the buckets are distances of their own, 0, 1, 2, …, the others widen like a logarithm
    up to `max_distance`, beyond which all share the last. The last query lines up with the last
    key, as in `causal_mask`.

    Args:
        table: parameter, `(n_buckets, n_heads)`.
        n_q: the number of queries, 0 or more.
        n_k: the number of keys, 0 or more; `n_q` by default.
        bidirectional: whether keys after the query have buckets of their own, one half of all, as
            in the encoder. In the decoder, False, they share the bucket of distance 0.
        max_distance: the distance from which on all keys share the last bucket.

    Returns:
        The bias, `(n_heads, n_q, n_k)`, in the dtype of the table, for the argument `bias` of
        `multi_head_attention`.

    Raises:
        TypeError: the table does not hold real numbers, or a number is not an integer.
        ValueError: the table has not two dimensions or too few buckets, or a number is too small.

    Source:
        [@transformers, modeling_t5.py]

    Examples:
        >>> table = np.arange(8.0)[:, None]  # one head: the bias is the number of the bucket
        >>> t5_bias(table, 4, bidirectional=False, max_distance=16)[0]
        array([[0., 0., 0., 0.],
               [1., 0., 0., 0.],
               [2., 1., 0., 0.],
               [3., 2., 1., 0.]])
        >>> t5_bias(table, 1, 4, max_distance=16)[0]
        array([[2., 2., 1., 0.]])
    """
    table = numbers("table", table)
    table = table.astype(result_dtype(table), copy=False)
    least = 4 if bidirectional else 2
    if table.ndim != 2 or len(table) < least:
        raise ValueError(
            f"table needs {least} rows or more, (n_buckets, n_heads), got {table.shape}"
        )
    n_q = integer("n_q", n_q, least=0)
    n_k = n_q if n_k is None else integer("n_k", n_k, least=0)
    buckets = len(table) // 2 if bidirectional else len(table)
    exact = buckets // 2  # distances with a bucket of their own
    max_distance = integer("max_distance", max_distance, least=exact + 1)
    ahead = np.arange(n_k) - (np.arange(n_q)[:, None] + (n_k - n_q))
    distance = np.abs(ahead) if bidirectional else np.maximum(-ahead, 0)
    # float32, as T5 itself: a distance on a boundary falls into the same bucket.
    growth = np.log(np.maximum(distance, 1).astype(np.float32) / np.float32(exact))
    wide = exact + (
        growth / np.float32(math.log(max_distance / exact)) * np.float32(buckets - exact)
    ).astype(np.int64)
    bucket = np.where(distance < exact, distance, np.minimum(wide, buckets - 1))
    if bidirectional:
        bucket += buckets * (ahead > 0)
    return np.moveaxis(table[bucket], -1, 0)
