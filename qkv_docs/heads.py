"""Several attentions side by side, each with its own projections: multi-head attention."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qkv_docs._checks import FloatArray, array, integer, real_arrays
from qkv_docs._shapes import at_least_2d, multi_head_mask
from qkv_docs.attention import scaled_dot_product_attention


def split_heads(x: ArrayLike, n_heads: int) -> NDArray[Any]:
    """Cut the columns into heads: `(..., n, d)` to `(..., n_heads, n, d / n_heads)`.

    The columns cut here are those of a projection such as `X W_Q`, and each of them depends on
    all of X: the heads do not slice the embedding.

    Args:
        x: a row for each token, `(..., n, d)`, of any dtype.
        n_heads: the number of heads, a divisor of d.

    Returns:
        The heads, `(..., n_heads, n, d / n_heads)`: x seen in another way, not a copy.

    Raises:
        TypeError: n_heads is not an integer, or x is a masked array.
        ValueError: n_heads does not divide d, or x has fewer than two dimensions.

    Source:
        [@vaswani2017, 3.2.2]

    Examples:
        >>> x = np.arange(8).reshape(2, 4)
        >>> x
        array([[0, 1, 2, 3],
               [4, 5, 6, 7]])
        >>> first, second = split_heads(x, 2)
        >>> first
        array([[0, 1],
               [4, 5]])
        >>> second
        array([[2, 3],
               [6, 7]])
    """
    x = array("x", x)
    at_least_2d("x", x)
    *batch, n, d = x.shape
    if d % integer("n_heads", n_heads, least=1):
        raise ValueError(f"n_heads must divide d, got {n_heads} heads for x {x.shape}")
    heads = x.reshape(*batch, n, n_heads, d // n_heads)
    return heads.swapaxes(-2, -3)  # (..., n_heads, n, d / n_heads)


def merge_heads(x: ArrayLike) -> NDArray[Any]:
    """Put the heads side by side again: `(..., n_heads, n, d)` to `(..., n, n_heads * d)`.

    Args:
        x: the heads, `(..., n_heads, n, d)`, of any dtype.

    Returns:
        The rows, `(..., n, n_heads * d)`; `merge_heads(split_heads(x, n_heads))` is x.

    Raises:
        TypeError: x is a masked array.
        ValueError: x has fewer than three dimensions.

    Source:
        [@vaswani2017, 3.2.2], the `Concat`.

    Examples:
        >>> merge_heads([[[0, 1], [4, 5]], [[2, 3], [6, 7]]])
        array([[0, 1, 2, 3],
               [4, 5, 6, 7]])
    """
    x = array("x", x)
    if x.ndim < 3:
        raise ValueError(f"x needs three dimensions or more, (..., n_heads, n, d), got {x.shape}")
    *batch, n_heads, n, d = x.shape
    return x.swapaxes(-2, -3).reshape(*batch, n, n_heads * d)


def multi_head_attention(
    x: ArrayLike,
    w_q: ArrayLike,
    w_k: ArrayLike,
    w_v: ArrayLike,
    w_o: ArrayLike,
    n_heads: int,
    *,
    context: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    n_kv_heads: int | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Project, attend in each head on its own, put the heads side by side, project again.

    Args:
        x: where the queries come from, `(..., n_q, d_model)`.
        w_q: parameter, `(d_model, n_heads * d_k)`.
        w_k: parameter, `(d_context, n_kv_heads * d_k)`.
        w_v: parameter, `(d_context, n_kv_heads * d_v)`.
        w_o: parameter, `(n_heads * d_v, d_out)`.
        n_heads: the number of query heads.
        context: where keys and values come from, `(..., n_k, d_context)`: cross-attention.
            x itself by default: self-attention.
        mask: boolean, True = may attend; broadcasts to `(..., n_q, n_k)`, the same for all heads.
            Two axes are always `(n_q, n_k)`: a padding mask `(batch, n_k)`, as PyTorch takes it,
            is `mask[:, None, :]` here, which `padding_mask` makes.
        n_kv_heads: the number of key and value heads, a divisor of n_heads: grouped-query
            attention, in which neighbouring query heads share one; 1 is multi-query attention.
            n_heads by default.

    Returns:
        `output`, `(..., n_q, d_out)`, and `weights`, `(..., n_heads, n_q, n_k)`, in the dtype of
        the arrays.

    Raises:
        TypeError: an array does not hold real numbers, the mask is not boolean, or a number of
            heads is not an integer.
        ValueError: the shapes or the numbers of heads do not fit.

    Source:
        [@vaswani2017, 3.2.2]; multi-query [@shazeer2019]; grouped-query [@ainslie2023].

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(5, 8))
        >>> w_q, w_k, w_v, w_o = rng.normal(size=(4, 8, 8))
        >>> output, weights = multi_head_attention(x, w_q, w_k, w_v, w_o, n_heads=2)
        >>> output.shape, weights.shape
        ((5, 8), (2, 5, 5))
    """
    (x, context, w_q, w_k, w_v, w_o), dtype = real_arrays(
        x=x, context=x if context is None else context, w_q=w_q, w_k=w_k, w_v=w_v, w_o=w_o
    )
    n_kv_heads = n_heads if n_kv_heads is None else n_kv_heads
    mask = multi_head_mask(x, context, w_q, w_k, w_v, w_o, n_heads, n_kv_heads, mask)
    with np.errstate(all="ignore"):  # a masked row may be huge, inf or nan
        q = split_heads(x @ w_q, n_heads)  # (..., n_heads, n_q, d_k)
        k = split_heads(context @ w_k, n_kv_heads)  # (..., n_kv_heads, n_k, d_k)
        v = split_heads(context @ w_v, n_kv_heads)  # (..., n_kv_heads, n_k, d_v)
    shared = n_heads // n_kv_heads  # query heads for each key head
    k, v = np.repeat(k, shared, axis=-3), np.repeat(v, shared, axis=-3)
    heads, weights = scaled_dot_product_attention(q, k, v, mask)
    output = merge_heads(heads) @ w_o  # (..., n_q, d_out)
    return output.astype(dtype), weights.astype(dtype)
