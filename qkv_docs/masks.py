"""Who may look at whom: boolean masks, True = may attend. Combine them with `&`."""

import numpy as np
from numpy.typing import ArrayLike

from qkv_docs._checks import BoolArray, integer, integers, known_lengths


def causal_mask(n_q: int, n_k: int | None = None) -> BoolArray:
    """Return the mask that hides the future: a query sees its own position and those before.

    The last query lines up with the last key, as it must when the keys of earlier tokens come
    from a cache. (PyTorch's `is_causal=True` lines up the first ones, which differs as soon as
    n_q and n_k do; its `causal_lower_right` is this one.) With n_q > n_k the first n_q - n_k
    queries see nothing.

    Args:
        n_q: the number of queries, 0 or more.
        n_k: the number of keys, 0 or more; `n_q` by default.

    Returns:
        The mask, `(n_q, n_k)`.

    Raises:
        TypeError: a number is not an integer.
        ValueError: a number is negative.

    Source:
        [@vaswani2017, 3.2.3]

    Examples:
        >>> causal_mask(3).astype(int)
        array([[1, 0, 0],
               [1, 1, 0],
               [1, 1, 1]])
        >>> causal_mask(2, 4).astype(int)
        array([[1, 1, 1, 0],
               [1, 1, 1, 1]])
    """
    n_q = integer("n_q", n_q, least=0)
    n_k = n_q if n_k is None else integer("n_k", n_k, least=0)
    query = np.arange(n_q)[:, None] + (n_k - n_q)  # its position among the keys
    key = np.arange(n_k)
    return key <= query


def padding_mask(lengths: ArrayLike, n: int) -> BoolArray:
    """Return the mask that hides the padding: only the first `length` keys may be seen.

    Args:
        lengths: the number of real tokens of each sequence, integers in `0 .. n`, `(...)`.
        n: the number of tokens with the padding, 0 or more.

    Returns:
        The mask, `(..., 1, n)`, the same for every query of a sequence. It broadcasts in
        attention, and with `causal_mask(n)` by `&`. Where heads stand before the tokens, q
        `(batch, n_heads, n, d_k)`, give the lengths as `(batch, 1)`; without that axis the mask of
        a sequence would go to a head.

    Raises:
        TypeError: the lengths or n are not integers.
        ValueError: a length is negative or greater than n, or n is negative.

    Examples:
        >>> mask = padding_mask([2, 3], 3)
        >>> mask.shape
        (2, 1, 3)
        >>> mask[:, 0].astype(int)
        array([[1, 1, 0],
               [1, 1, 1]])
        >>> (padding_mask(2, 3) & causal_mask(3)).astype(int)
        array([[1, 0, 0],
               [1, 1, 0],
               [1, 1, 0]])
    """
    n = integer("n", n, least=0)
    lengths = known_lengths(lengths, n)
    key = np.arange(n)
    return key < lengths[..., None, None]


def sliding_window_mask(
    n_q: int, window: int, n_k: int | None = None, *, both_sides: bool = False
) -> BoolArray:
    """Return the causal mask in which a query sees only the last `window` keys, its own included.

    The last query lines up with the last key, as in `causal_mask`.

    Args:
        n_q: the number of queries, 0 or more.
        window: how many keys a query sees at most, 1 or more; 1 leaves only its own.
        n_k: the number of keys, 0 or more; `n_q` by default.
        both_sides: whether it sees as many keys after its own as before it, `2 * window - 1` in
            all. The mask is then not causal.

    Returns:
        The mask, `(n_q, n_k)`.

    Raises:
        TypeError: a number is not an integer.
        ValueError: a number of tokens is negative, or the window is less than 1.

    Source:
        [@beltagy2020, 3.1], there with a window on both sides.

    Examples:
        >>> sliding_window_mask(4, window=2).astype(int)
        array([[1, 0, 0, 0],
               [1, 1, 0, 0],
               [0, 1, 1, 0],
               [0, 0, 1, 1]])
        >>> sliding_window_mask(4, window=2, both_sides=True).astype(int)
        array([[1, 1, 0, 0],
               [1, 1, 1, 0],
               [0, 1, 1, 1],
               [0, 0, 1, 1]])
        >>> sliding_window_mask(1, window=2, n_k=4).astype(int)
        array([[0, 0, 1, 1]])
    """
    n_q, n_k = integer("n_q", n_q, least=0), n_q if n_k is None else n_k
    window = integer("window", window, least=1, most=None)
    query = np.arange(n_q)[:, None] + (integer("n_k", n_k, least=0) - n_q)
    back = query - np.arange(n_k)  # how far back a key lies; below 0, it lies ahead
    near: BoolArray = (back < window) & (back > -window if both_sides else back >= 0)
    return near


def document_mask(documents: ArrayLike) -> BoolArray:
    """Return the mask that keeps texts apart which were packed into one sequence.

    Args:
        documents: for each token the number of its document, integers, `(..., n)`.

    Returns:
        The mask, `(..., n, n)`. A query sees the keys of its own document. With `causal_mask(n)`
        by `&`.

    Raises:
        TypeError: the documents are not integers.
        ValueError: a scalar came.

    Examples:
        >>> document_mask([0, 0, 1]).astype(int)
        array([[1, 1, 0],
               [1, 1, 0],
               [0, 0, 1]])
        >>> (document_mask([0, 0, 1]) & causal_mask(3)).astype(int)
        array([[1, 0, 0],
               [1, 1, 0],
               [0, 0, 1]])
    """
    documents = integers("documents", documents)
    if documents.ndim == 0:
        raise ValueError("documents need one number for each token, (..., n), got a scalar")
    same: BoolArray = documents[..., :, None] == documents[..., None, :]
    return same


def prefix_mask(lengths: ArrayLike, n: int) -> BoolArray:
    """Return the causal mask in which everyone sees the whole prefix too, as in a prefix LM.

    `causal_mask(n) | padding_mask(lengths, n)`: the prefix is read in both directions, what
    follows only backwards.

    Args:
        lengths: the number of tokens of each sequence's prefix, integers in `0 .. n`, `(...)`.
        n: the number of tokens, 0 or more.

    Returns:
        The mask, `(..., n, n)`.

    Raises:
        TypeError: the lengths or n are not integers.
        ValueError: a length is negative or greater than n, or n is negative.

    Examples:
        >>> prefix_mask(2, 4).astype(int)
        array([[1, 1, 0, 0],
               [1, 1, 0, 0],
               [1, 1, 1, 0],
               [1, 1, 1, 1]])
    """
    return padding_mask(lengths, n) | causal_mask(n)
