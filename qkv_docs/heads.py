"""Several attentions side by side, each with its own projections: multi-head attention."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qkv_docs._checks import FloatArray, array, integer
from qkv_docs._layer import Rotary, layer_inputs, rotated
from qkv_docs._shapes import at_least_2d
from qkv_docs.attention import scaled_dot_product_attention
from qkv_docs.norm import rms_norm


def split_heads(x: ArrayLike, n_heads: int) -> NDArray[Any]:
    """Cut the columns into heads: `(..., n, d)` to `(..., n_heads, n, d / n_heads)`.

    The columns cut here are those of a projection such as `X W_Q`, and each of them depends on
    all of X: the heads do not slice the embedding.

    Args:
        x: a row for each token, `(..., n, d)`, of any dtype.
        n_heads: the number of heads, a divisor of d.

    Returns:
        The heads, `(..., n_heads, n, d / n_heads)`, x seen in another way, not a copy.

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
    b_q: ArrayLike | None = None,
    b_k: ArrayLike | None = None,
    b_v: ArrayLike | None = None,
    b_o: ArrayLike | None = None,
    g_q: ArrayLike | None = None,
    g_k: ArrayLike | None = None,
    eps: float = 1e-6,
    context: ArrayLike | None = None,
    values: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    n_kv_heads: int | None = None,
    scale: float | None = None,
    softcap: float | None = None,
    sinks: ArrayLike | None = None,
    rotary: Rotary | None = None,
    positions: ArrayLike | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Project, attend in each head on its own, put the heads side by side, project again.

    Most arguments have a default that leaves something out: the plain layer needs the first six.

    Args:
        x: where the queries come from, `(..., n_q, d_model)`.
        w_q: parameter, `(d_model, n_heads * d_k)`.
        w_k: parameter, `(d_context, n_kv_heads * d_k)`.
        w_v: parameter, `(d_values, n_kv_heads * d_v)`.
        w_o: parameter, `(n_heads * d_v, d_out)`.
        n_heads: the number of query heads.
        b_q: parameter, `(n_heads * d_k,)`, added to the queries: a bias; none by default.
        b_k: parameter, `(n_kv_heads * d_k,)`, the bias of the keys.
        b_v: parameter, `(n_kv_heads * d_v,)`, the bias of the values.
        b_o: parameter, `(d_out,)`, the bias of the output.
        g_q: parameter, gains of the queries, which `rms_norm` is then done to (QK-norm): `(d_k,)`
            for the queries of each head, `(n_heads * d_k,)` for all heads at once, as in OLMo 2.
        g_k: parameter, gains of the keys, `(d_k,)` or `(n_kv_heads * d_k,)`.
        eps: what `rms_norm` adds to the mean square of queries and keys.
        context: where keys and values come from, `(..., n_k, d_context)`: cross-attention.
            x itself by default: self-attention.
        values: where the values come from, `(..., n_k, d_values)`, if not from the context.
        mask: boolean, True = may attend; broadcasts to `(..., n_q, n_k)`, the same for all heads.
            Two axes are always `(n_q, n_k)`: a padding mask `(batch, n_k)`, as PyTorch takes it,
            is `mask[:, None, :]` here, which `padding_mask` makes. With as many axes as the
            weights, `(..., n_heads, n_q, n_k)`, it is one for each head.
        bias: added to the scaled scores; broadcasts to `(..., n_heads, n_q, n_k)`: ALiBi, T5's
            relative positions. -inf hides a key as False in the mask does.
        n_kv_heads: the number of key and value heads, a divisor of n_heads: grouped-query
            attention, in which neighbouring query heads share one; 1 is multi-query attention.
            n_heads by default.
        scale: what the dot products are multiplied by; `1 / sqrt(d_k)` by default.
        softcap: what no scaled score passes, see `scaled_dot_product_attention`.
        sinks: parameter, `(n_heads,)`: the score of a key without a value in each head.
        rotary: a function of rows and positions, done to queries and keys: `rope`, or with other
            settings `functools.partial(rope, base=5e5, layout="half")`.
        positions: where the keys stand, `(..., n_k)`, for `rotary`; 0, 1, 2, … by default. The
            queries stand at the last n_q of them, as with `causal_mask`.

    Returns:
        `output`, `(..., n_q, d_out)`, and `weights`, `(..., n_heads, n_q, n_k)`, in the dtype of
        rows and parameters, among which bias and sinks do not count.

    Raises:
        TypeError: an array does not hold real numbers, the mask is not boolean, a number of heads
            is not an integer, a setting is not a number, or rotary is not a function.
        ValueError: the shapes or the numbers of heads do not fit.

    Source:
        [@vaswani2017, 3.2.2]; multi-query [@shazeer2019]; grouped-query [@ainslie2023]; QK-norm
        of each head, before the rotation [@huggingface-qwen3], or of all heads at once
        [@transformers, modeling_olmo2.py].

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(5, 8))
        >>> w_q, w_k, w_v, w_o = rng.normal(size=(4, 8, 8))
        >>> output, weights = multi_head_attention(x, w_q, w_k, w_v, w_o, n_heads=2)
        >>> output.shape, weights.shape
        ((5, 8), (2, 5, 5))
        >>> multi_head_attention(x, w_q, w_k, w_v, w_o, n_heads=2, b_q=np.ones(4))
        Traceback (most recent call last):
        ValueError: b_q needs one number for each column of w_q, (8,), got (4,)
    """
    parameters = {"w_q": w_q, "w_k": w_k, "w_v": w_v, "w_o": w_o, "g_q": g_q, "g_k": g_k}
    parameters |= {"b_q": b_q, "b_k": b_k, "b_v": b_v, "b_o": b_o}
    layer = layer_inputs(x, context, values, parameters, n_heads, n_kv_heads, mask)
    with np.errstate(all="ignore"):  # a masked row may be huge, inf or nan
        q = split_heads(layer.x @ layer.w_q + layer.b_q, n_heads)  # (..., n_heads, n_q, d_k)
        k = split_heads(layer.context @ layer.w_k + layer.b_k, layer.n_kv_heads)
        v = split_heads(layer.values @ layer.w_v + layer.b_v, layer.n_kv_heads)
        q, k = normalised(q, layer.g_q, eps), normalised(k, layer.g_k, eps)
        q, k = rotated(q, k, rotary, positions)  # both as they were, unless asked for
    heads, weights = scaled_dot_product_attention(
        q, k, v, layer.mask, bias=bias, scale=scale, softcap=softcap, sinks=sinks, grouped=True
    )
    output = merge_heads(heads) @ layer.w_o + layer.b_o  # (..., n_q, d_out)
    return output.astype(layer.dtype, copy=False), weights.astype(layer.dtype, copy=False)


def normalised(heads: FloatArray, gain: FloatArray | None, eps: float) -> FloatArray:
    """The rows of each head after `rms_norm`, or of all heads at once: the gains say which."""
    if gain is None:
        return heads
    if len(gain) == heads.shape[-1]:
        return rms_norm(heads, gain, eps)
    return split_heads(rms_norm(merge_heads(heads), gain, eps), heads.shape[-3])
