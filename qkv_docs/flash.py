"""Attention tile by tile: exact, without ever holding the table of scores."""

from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from qkv_docs._blocks import seen
from qkv_docs._checks import FloatArray, integer
from qkv_docs._inputs import Pair, attention_inputs, score_settings
from qkv_docs._shapes import softmax_input
from qkv_docs.attention import masked_product


def online_softmax(x: ArrayLike, block: int = 64) -> FloatArray:
    """Return `softmax(x)`, its maximum and its sum found in one reading, a block at a time.

    Whenever a block raises the maximum, the sum so far is multiplied by `exp(old - new)`, as if
    the new maximum had been subtracted from the start.

    Args:
        x: numbers, `(..., n)`.
        block: how many numbers of a row are read at once, 1 or more.

    Returns:
        The weights, `(..., n)`, in the dtype of `x` (integers give float64).

    Raises:
        TypeError: `x` does not hold real numbers, or block is not an integer.
        ValueError: `x` is a scalar, or block is less than 1.

    Source:
        [@milakov2018, algorithm 3]

    Examples:
        >>> online_softmax([1.0, 2.0, 3.0], block=1).round(2)
        array([0.09, 0.24, 0.67])
    """
    x, _, dtype = softmax_input(x, -1)
    step = integer("block", block, least=1)
    peak, total = start(x.shape[:-1], x)
    for first in range(0, x.shape[-1], step):
        _, peak, total, _ = take_in(x[..., first : first + step].copy(), peak, total)
    weights = np.exp(below(x, peak)) / np.maximum(total, 1)
    return weights.astype(dtype, copy=False)


def flash_attention(
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
    rows: int = 256,
    columns: int = 512,
) -> FloatArray:
    """Return the output of `scaled_dot_product_attention`, computed tile by tile.

    For each tile of queries the keys are read a tile at a time, with the running maximum and sum
    of `online_softmax`; what has been added up is rescaled whenever the maximum rises. Memory
    beside the output is that of a few tiles, whatever n is. Tiles that the mask hides are skipped.

    Args:
        q: queries, `(..., n_q, d_k)`.
        k: keys, `(..., n_k, d_k)`.
        v: values, `(..., n_k, d_v)`.
        mask: boolean, True = may attend, as in `scaled_dot_product_attention`.
        bias: added to the scaled scores, as there.
        scale: what the dot products are multiplied by; `1 / sqrt(d_k)` by default.
        softcap: what no scaled score passes, as there.
        sinks: the score of a key without a value in each head, as there.
        grouped: whether q may have a multiple of the heads of k and v, as there.
        rows: the queries of a tile, 1 or more.
        columns: the keys of a tile, 1 or more.

    Returns:
        The output, `(..., n_q, d_v)`, in the dtype of q, k and v. There are no weights to return.

    Raises:
        TypeError: as in `scaled_dot_product_attention`, or the size of a tile is not an integer.
        ValueError: as there, or the size of a tile is less than 1.

    Source:
        [@dao2022], of which the abstract and appendix B.2 were read, with the running maximum and
        sum of [@milakov2018, algorithm 3].

    Examples:
        >>> q = np.array([[4.0, 0.0]])
        >>> k = np.array([[1.0, 0.0], [0.0, 1.0]])
        >>> v = np.array([[10.0], [20.0]])
        >>> flash_attention(q, k, v, columns=1).round(2)
        array([[10.56]])
    """
    q, k, v, mask, bias, dtype = attention_inputs(q, k, v, mask, bias, grouped)
    scale, softcap, sinks = score_settings(q, scale, softcap, sinks)
    rows, columns = integer("rows", rows, least=1), integer("columns", columns, least=1)
    *batch, n_q, n_k = *q.shape[:-1], k.shape[-2]
    k, v = (np.broadcast_to(one, (*batch, *one.shape[-2:])) for one in (k, v))
    first_peak = np.broadcast_to(-np.inf if sinks is None else sinks, tuple(batch))
    output = np.zeros((*q.shape[:-1], v.shape[-1]), q.dtype)
    for top, head in product(range(0, n_q, rows), np.ndindex(*batch)):
        tile = slice(top, top + rows)
        with np.errstate(all="ignore"):
            q_tile = q[head][tile] * scale
        peak, total = start(q_tile.shape[:-1], q_tile, first_peak[head])
        added = output[head][tile]  # a view: what is added up here is the output
        keys = slice(0, n_k) if mask is None else seen(mask[head][tile])
        for left in range(keys.start or 0, keys.stop, columns):
            part = slice(left, min(left + columns, keys.stop))
            allowed = None if mask is None else mask[head][tile, part]
            if allowed is not None and not allowed.any():
                continue
            with np.errstate(all="ignore"):  # what is masked may be huge, inf or nan
                scores = q_tile @ k[head][part].T  # (rows, columns)
                if softcap is not None:
                    scores = softcap * np.tanh(scores / softcap)
                if bias is not None:
                    scores += bias[head][tile, part]
            if allowed is not None and not allowed.all():
                np.copyto(scores, -np.inf, where=~allowed)
            exps, peak, total, shrink = take_in(scores, peak, total)
            added *= shrink  # by exp(old maximum - new maximum)
            added += masked_product(exps, v[head][part], allowed)
        added /= np.maximum(total, 1)  # at least 1, or 0 where nothing may be attended to
    return output.astype(dtype, copy=False)


def start(shape: tuple[int, ...], like: FloatArray, sink: ArrayLike = -np.inf) -> Pair:
    """The maximum and the sum, (..., 1), before anything was read but the sink."""
    lowest = np.finfo(like.dtype).min  # finite: rows of -inf stay -inf
    sink = np.asarray(sink, like.dtype)
    peak = np.full((*shape, 1), np.maximum(sink, lowest), like.dtype)
    return peak, np.exp(below(np.broadcast_to(sink, peak.shape), peak))


def take_in(
    scores: FloatArray, peak: FloatArray, total: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """One more block of scores, which is overwritten: its exps, the new maximum and sum, and the
    factor for whatever was added up under the old maximum."""
    raised = np.maximum(peak, scores.max(axis=-1, keepdims=True))
    exps = below(scores, raised, scores)
    np.exp(exps, out=exps)
    shrink = np.exp(below(peak, raised))
    return exps, raised, total * shrink + exps.sum(axis=-1, keepdims=True), shrink


def below(x: FloatArray, peak: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """`x - peak`, and 0 where both are inf."""
    if np.isposinf(peak).any():
        with np.errstate(invalid="ignore"):
            return np.where(x == peak, 0, x - peak)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.subtract(x, peak, out=out)
