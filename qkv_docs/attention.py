"""Scaled dot-product attention: compare, turn the scores into weights, average the values."""

import numpy as np
from numpy.typing import ArrayLike

from qkv_docs._blocks import Block, in_blocks
from qkv_docs._checks import FloatArray
from qkv_docs._inputs import Mask, attention_inputs, score_settings
from qkv_docs._shapes import softmax_input


def softmax(x: ArrayLike, axis: int = -1) -> FloatArray:
    """Turn numbers into weights, none negative, that sum to 1: `exp(x_i) / sum_j exp(x_j)`.

    The largest number is subtracted first, which changes nothing in the result and keeps `exp`
    from overflowing. Three rules for what the formula leaves open: a row of -inf gives 0;
    entries at +inf share the whole weight equally (PyTorch gives nan); a row with nan is nan.

    Args:
        x: numbers, `(...)`, with at least one dimension.
        axis: the axis to sum over; the last one by default.

    Returns:
        The weights, in the shape and dtype of `x` (integers give float64).

    Raises:
        TypeError: `x` does not hold real numbers.
        ValueError: `x` is a scalar, or has no such axis.

    Source:
        [@milakov2018, algorithm 2], the shift by the maximum.

    Examples:
        >>> softmax([1.0, 2.0, 3.0]).round(2)
        array([0.09, 0.24, 0.67])
        >>> softmax([1001.0, 1002.0, 1003.0]).round(2)
        array([0.09, 0.24, 0.67])
        >>> softmax([-np.inf, -np.inf])
        array([0., 0.])
    """
    x, axis, dtype = softmax_input(x, axis)
    return softmax_into(np.empty_like(x), x, axis).astype(dtype, copy=False)


def softmax_into(out: FloatArray, x: FloatArray, axis: int = -1) -> FloatArray:
    """The softmax of x, written into `out`, which may be x itself."""
    lowest = np.finfo(x.dtype).min  # a finite start: a row of -inf stays -inf
    with np.errstate(invalid="ignore", over="ignore"):
        peak = x.max(axis=axis, keepdims=True, initial=lowest)
        if np.isposinf(peak).any():  # inf - inf is nan
            x = np.where(x == peak, 0, x - peak)
            peak = 0
        np.subtract(x, peak, out=out)
        np.exp(out, out=out)  # the largest is exp(0) = 1
    total: FloatArray = out.sum(axis=axis, keepdims=True)  # at least 1, or 0 for a row of -inf
    out /= np.maximum(total, 1)
    return out


def scaled_dot_product_attention(
    q: ArrayLike,
    k: ArrayLike,
    v: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    bias: ArrayLike | None = None,
    scale: float | None = None,
    softcap: float | None = None,
    sinks: ArrayLike | None = None,
    grouped: bool = False,
) -> tuple[FloatArray, FloatArray]:
    """Return for each query the average of the values, weighted by how well the keys fit.

    `softmax(q k^T / sqrt(d_k)) v`. A query that may attend to nothing (its row of the mask is
    False, or there are no keys) gets weights 0 and output 0. A masked key has no influence on
    that query, even where its key or value is nan or inf.

    Args:
        q: queries, `(..., n_q, d_k)`.
        k: keys, `(..., n_k, d_k)`.
        v: values, `(..., n_k, d_v)`. The batch dimensions of all three broadcast.
        mask: boolean, True = may attend; broadcasts to `(..., n_q, n_k)`, the last axes lined up:
            two axes are `(n_q, n_k)`, a padding mask is `(batch, 1, n_k)`. With heads, q
            `(batch, n_heads, n_q, d_k)`, a mask `(n_heads, n_q, n_k)` is one a head; one a
            sequence is `(batch, 1, n_q, n_k)`, a padding mask `(batch, 1, 1, n_k)`.
        bias: added to the scaled scores, `(..., n_q, n_k)`, broadcast as a mask is: relative
            positions, ALiBi. -inf hides a key as False in the mask does.
        scale: what the dot products are multiplied by; `1 / sqrt(d_k)` by default.
        softcap: a number above 0 that no scaled score passes, `softcap * tanh(score / softcap)`,
            before the bias; Gemma 2 has 50.
        sinks: one number for each head, `(n_heads,)`, or for all: a score behind which
            stands no token and no value, and which takes its share of every row; gpt-oss has them.
        grouped: whether q, `(..., n_heads, n_q, d_k)`, may have a multiple of the heads of k and
            v, `(..., n_kv_heads, n_k, d)`: neighbouring query heads share one.

    Returns:
        `output`, `(..., n_q, d_v)`, and `weights`, the attention weights, `(..., n_q, n_k)`, whose
        rows sum to 1 (to 0 where nothing may be attended to, to less than 1 with sinks). The
        dtype is that of q, k and v.

    Raises:
        TypeError: an array does not hold real numbers, the mask is not boolean, or scale or
            softcap is not a number.
        ValueError: the shapes do not fit, d_k is 0, an array has fewer than two dimensions, the
            softcap is not above 0, or a padding mask `(batch, 1, n_k)` fits the heads as well.

    Source:
        [@vaswani2017, eq. 1]; grouped heads [@ainslie2023];
        softcap [@transformers, modeling_gemma2.py]; sinks [@transformers, modeling_gpt_oss.py].

    Examples:
        >>> q = np.array([[4.0, 0.0]])
        >>> k = np.array([[1.0, 0.0], [0.0, 1.0]])
        >>> v = np.array([[10.0], [20.0]])
        >>> output, weights = scaled_dot_product_attention(q, k, v)
        >>> weights.round(2)
        array([[0.94, 0.06]])
        >>> output.round(2)
        array([[10.56]])
        >>> scaled_dot_product_attention(q, k, v, mask=[False, True])[0]
        array([[20.]])
        >>> scaled_dot_product_attention(np.ones((3, 4)), np.ones((5, 8)), np.ones((5, 8)))
        Traceback (most recent call last):
        ValueError: q and k need the same d_k, got (3, 4) and (5, 8)
    """
    q, k, v, mask, bias, dtype = attention_inputs(q, k, v, mask, bias, grouped)
    scale, softcap, sinks = score_settings(q, scale, softcap, sinks)

    def attend(block: Block) -> FloatArray:
        q, k, v, mask, bias, sinks, weights = block  # the last are still to be written
        with np.errstate(all="ignore"):  # what is masked may be huge, inf or nan
            q = q * scale  # first, for the product might overflow
            scores = np.matmul(q, k.swapaxes(-1, -2), out=weights)  # (..., n_q, n_k)
            if softcap is not None:
                scores[...] = softcap * np.tanh(scores / softcap)
            if bias is not None:
                scores += bias
        if mask is not None:
            np.copyto(scores, -np.inf, where=~mask)  # exp(-inf) = 0
        if sinks is None:
            softmax_into(weights, scores)
        else:
            weights[...] = softmax_with_sinks(scores, sinks)
        return masked_product(weights, v, mask)  # weights @ v, (..., n_q, d_v)

    output, weights = in_blocks(attend, q, k, v, mask, bias, sinks)
    return output.astype(dtype, copy=False), weights.astype(dtype, copy=False)


def softmax_with_sinks(scores: FloatArray, sinks: FloatArray) -> FloatArray:
    """Softmax with one more score in each row, which takes its share and is left out after."""
    column = np.broadcast_to(sinks[..., None, None], (*scores.shape[:-1], 1))
    return softmax(np.concatenate([scores, column], axis=-1))[..., :-1]


def masked_product(weights: FloatArray, v: FloatArray, mask: Mask) -> FloatArray:
    """`weights @ v`, in which a masked row of `v` is left out, not multiplied by 0.

    The two differ only where `v` is not finite, for 0 * inf and 0 * nan are nan: those rows are
    added one by one, to the queries that may see them.
    """
    with np.errstate(invalid="ignore"):
        total: FloatArray = weights @ v
        if mask is None or np.isfinite(total).all():
            return total
        finite = np.isfinite(v).all(axis=-1, keepdims=True)  # (..., n_k, 1)
        total = weights @ np.where(finite, v, 0)
        rest = np.where(finite, 0, v)
        for j in np.flatnonzero(rest.any(axis=-1).reshape(-1, v.shape[-2]).any(axis=0)):
            term = weights[..., :, j, None] * rest[..., None, j, :]  # (..., n_q, d_v)
            total = total + np.where(mask[..., :, j, None], term, 0)
    return total
