"""Attention tile by tile: exact, without ever holding the table of scores."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from qkv_docs._checks import FloatArray, integer, numbers
from qkv_docs._inputs import Pair
from qkv_docs._shapes import output_gradient, softmax_input
from qkv_docs._tiles import Tiles, cut
from qkv_docs.attention import masked_product
from qkv_docs.gradients import sum_to_shape


@dataclass(frozen=True, eq=False)
class FlashTile:
    """What `flash_attention` holds once it has read one tile: the arrays are copies.

    Args:
        head: the batch axes, `()` where there are none.
        queries: the rows of this tile.
        keys: its columns.
        scores: the scores of the tile, `(rows, columns)`, -inf where hidden; all the rest of the
            table is nowhere.
        maximum: the largest score so far of each query, `(rows,)`.
        total: the sum of the exponentials so far, `(rows,)`, that maximum subtracted.
        added: the values added up so far, `(rows, d_v)`; divided by `total`, the output of a
            softmax over the keys read so far.
        moved: the bytes read and written so far: a tile of queries once, a tile of keys and
            values whenever it is read, the output once.

    Examples:
        >>> tiles = []
        >>> q, k, v = np.array([[1.0]]), np.array([[2.0], [3.0]]), np.array([[10.0], [20.0]])
        >>> output = flash_attention(q, k, v, columns=1, watch=tiles.append)
        >>> [tile.maximum.tolist() for tile in tiles]
        [[2.0], [3.0]]
        >>> bool(tiles[-1].added / tiles[-1].total == output)
        True
    """

    head: tuple[int, ...]
    queries: slice
    keys: slice
    scores: FloatArray
    maximum: FloatArray
    total: FloatArray
    added: FloatArray
    moved: int


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
    watch: Callable[[FlashTile], object] | None = None,
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
        watch: called with a `FlashTile` after every tile that is read.

    Returns:
        The output, `(..., n_q, d_v)`, in the dtype of q, k and v. There are no weights to return.

    Raises:
        TypeError: as in `scaled_dot_product_attention`, or the size of a tile is not an integer.
        ValueError: as there, or the size of a tile is less than 1.

    Source:
        [@dao2023, 3.1], algorithm 1; the running maximum and sum [@milakov2018, algorithm 3].

    Examples:
        >>> q = np.array([[4.0, 0.0]])
        >>> k = np.array([[1.0, 0.0], [0.0, 1.0]])
        >>> v = np.array([[10.0], [20.0]])
        >>> flash_attention(q, k, v, columns=1).round(2)
        array([[10.56]])
    """
    tiles = cut(
        q, k, v, mask, bias=bias, scale=scale, softcap=softcap, sinks=sinks, grouped=grouped,
        rows=rows, columns=columns,
    )  # fmt: skip
    return forward(tiles, watch)[0].astype(tiles.dtype, copy=False)


def forward(
    tiles: Tiles, watch: Callable[[FlashTile], object] | None = None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The output, and the maximum and the sum of each row, (..., n_q, 1)."""
    q, v = tiles.q, tiles.v
    output = np.zeros((*q.shape[:-1], v.shape[-1]), q.dtype)
    peak, total = start(q.shape[:-1], q, tiles.sinks)
    moved = 0
    for head, tile, keys in tiles.of_queries():
        q_tile = tiles.scaled(head, tile)
        added = output[head][tile]  # views: what is found here is kept there
        most, summed = peak[head][tile], total[head][tile]
        moved += q_tile.nbytes + added.nbytes
        for part, allowed in tiles.of_keys(head, tile, keys):
            scores = tiles.scores(q_tile, head, tile, part, allowed)
            found = scores.copy() if watch else scores  # the next line overwrites them
            exps, most[:], summed[:], shrink = take_in(scores, most, summed)
            added *= shrink  # by exp(old maximum - new maximum)
            added += masked_product(exps, v[head][part], allowed)
            if watch:
                moved += tiles.k[head][part].nbytes + v[head][part].nbytes
                state = most[:, 0].copy(), summed[:, 0].copy(), added.copy()
                watch(FlashTile(head, tile, part, found, *state, moved))
        added /= np.maximum(summed, 1)  # at least 1, or 0 where nothing may be attended to
    return output, peak, total


def flash_attention_backward(
    grad_output: ArrayLike,
    q: ArrayLike,
    k: ArrayLike,
    v: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    bias: ArrayLike | None = None,
    scale: float | None = None,
    rows: int = 256,
    columns: int = 512,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return what `scaled_dot_product_attention_backward` returns, tile by tile.

    The weights were never kept: those of a tile are computed again, from its scores and from the
    maximum and the sum of each row, which the forward pass has found. So here, too, memory grows
    with n, not with its square.

    Args:
        grad_output: the gradient of the output, `(..., n_q, d_v)`.
        q: queries, `(..., n_q, d_k)`.
        k: keys, `(..., n_k, d_k)`.
        v: values, `(..., n_k, d_v)`.
        mask: boolean, True = may attend, as in `scaled_dot_product_attention`.
        bias: what was added to the scaled scores, as there; its own gradient, a table, is left out.
        scale: what the dot products were multiplied by; `1 / sqrt(d_k)` by default.
        rows: the queries of a tile, 1 or more.
        columns: the keys of a tile, 1 or more.

    Returns:
        The gradients of q, k and v, each in the shape of its array; what was broadcast is summed.
        The dtype is that of q, k and v.

    Raises:
        TypeError: an array does not hold real numbers, the mask is not boolean, or a setting is
            not a number of its kind.
        ValueError: the shapes do not fit, or the size of a tile is less than 1.

    Source:
        [@dao2023, 3.1], algorithm 2, which keeps maximum and sum as one number.

    Examples:
        >>> q, k, v = np.array([[1.0]]), np.array([[0.0], [0.0]]), np.array([[1.0], [3.0]])
        >>> for grad in flash_attention_backward([[1.0]], q, k, v, columns=1):
        ...     print(grad.tolist())
        [[0.0]]
        [[-0.5], [0.5]]
        [[0.5], [0.5]]
    """
    shapes = [numbers(name, one).shape for name, one in (("q", q), ("k", k), ("v", v))]
    tiles = cut(q, k, v, mask, bias=bias, scale=scale, rows=rows, columns=columns)
    output, peak, total = forward(tiles)
    grad_output = output_gradient(grad_output, output)
    grad_q, grad_k, grad_v = (np.zeros(one.shape, one.dtype) for one in tiles[:3])
    for head, tile, keys in tiles.of_queries():
        q_tile, grad = tiles.scaled(head, tile), grad_output[head][tile]
        average = (grad * output[head][tile]).sum(axis=-1, keepdims=True)  # as softmax_backward's
        for part, allowed in tiles.of_keys(head, tile, keys):
            scores = tiles.scores(q_tile, head, tile, part, allowed)
            weights = np.exp(below(scores, peak[head][tile])) / np.maximum(total[head][tile], 1)
            with np.errstate(all="ignore"):  # a masked value may be huge or inf
                grad_scores = weights * (grad @ tiles.v[head][part].T - average)
            if allowed is not None:
                grad_scores = np.where(allowed, grad_scores, 0)
            seen_by = None if allowed is None else allowed.T
            grad_q[head][tile] += masked_product(grad_scores, tiles.k[head][part], allowed)
            grad_k[head][part] += masked_product(grad_scores.T, q_tile, seen_by)
            grad_v[head][part] += masked_product(weights.T, grad, seen_by)
    grad_q *= tiles.scale
    grads = zip((grad_q, grad_k, grad_v), shapes, strict=True)
    grad_q, grad_k, grad_v = (sum_to_shape(g, shape).astype(tiles.dtype) for g, shape in grads)
    return grad_q, grad_k, grad_v


def start(shape: tuple[int, ...], like: FloatArray, sinks: FloatArray | None = None) -> Pair:
    """The maximum and the sum of each row, (..., n, 1), before anything was read but the sinks."""
    lowest = np.finfo(like.dtype).min  # finite: rows of -inf stay -inf
    first = np.full((*shape, 1), -np.inf, like.dtype)
    if sinks is not None:
        first[...] = sinks[..., None, None]
    peak = np.maximum(first, lowest)
    return peak, np.exp(below(first, peak))


def take_in(
    scores: FloatArray, peak: FloatArray, total: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """One more block of scores, which is overwritten: its exps, the new maximum and sum, and the
    factor for whatever was added up under the old maximum."""
    raised = np.maximum(peak, scores.max(axis=-1, keepdims=True))
    exps = below(scores, raised, scores)
    np.exp(exps, out=exps)
    shrink = np.exp(below(peak, raised))
    with np.errstate(invalid="ignore"):  # BLAS adds up a row in half the time of sum
        summed = exps @ np.ones((exps.shape[-1], 1), exps.dtype)
    return exps, raised, total * shrink + summed, shrink


def below(x: FloatArray, peak: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """`x - peak`, and 0 where both are inf."""
    if np.isposinf(peak).any():
        with np.errstate(invalid="ignore"):
            return np.where(x == peak, 0, x - peak)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.subtract(x, peak, out=out)
