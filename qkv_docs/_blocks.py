"""Attention a head and a few queries at a time: what is computed stays in the processor's cache."""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from qkv_docs._checks import BoolArray, FloatArray
from qkv_docs._inputs import Bias, Mask, Pair

SCORES = 2**20  # so many at once, 4 MiB in float32


class Block(NamedTuple):
    """Some queries, what they may see and are given, and the place of their attention weights."""

    q: FloatArray
    k: FloatArray
    v: FloatArray
    mask: Mask
    bias: Bias
    sinks: FloatArray | None
    weights: FloatArray


def in_blocks(
    attend: Callable[[Block], FloatArray],
    q: FloatArray,
    k: FloatArray,
    v: FloatArray,
    mask: Mask,
    bias: Bias,
    sinks: FloatArray | None,
) -> Pair:
    """Output and weights of all queries; `attend` returns the one and writes the others.

    It is called for some queries at a time, with the keys from the first to the last that these
    may see: the others have weight 0.
    """
    heads = q.shape[:-2]
    output = np.empty((*q.shape[:-1], v.shape[-1]), q.dtype)
    weights = np.zeros((*q.shape[:-1], k.shape[-2]), q.dtype)
    k, v = (np.broadcast_to(x, (*heads, *x.shape[-2:])) for x in (k, v))
    sinks = None if sinks is None else np.broadcast_to(sinks, heads)
    for head, rows in blocks(weights.shape):
        keys = slice(None)
        if mask is not None and weights.size > SCORES:
            keys = seen(mask[head][..., rows, :])
        block = Block(
            q[head][..., rows, :],
            k[head][..., keys, :],
            v[head][..., keys, :],
            None if mask is None else mask[head][..., rows, keys],
            None if bias is None else bias[head][..., rows, keys],
            None if sinks is None else sinks[head],
            weights[head][..., rows, keys],
        )
        output[head][..., rows, :] = attend(block)
    return output, weights


def blocks(shape: tuple[int, ...]) -> Iterator[tuple[tuple[Any, ...], slice]]:
    """Heads and rows that cut an array (..., n_q, n_k) into parts of about SCORES numbers.

    >>> list(blocks((2, 3, 5)))
    [((), slice(None, None, None))]
    >>> list(blocks((2, 1000, 1000)))
    [((0,), slice(None, None, None)), ((1,), slice(None, None, None))]
    """
    if math.prod(shape) <= SCORES:
        yield (), slice(None)
    elif len(shape) == 2:
        step = max(16, SCORES // shape[1])
        for start in range(0, shape[0], step):
            yield (), slice(start, start + step)
    else:
        step = max(1, SCORES // math.prod(shape[1:]))
        for start in range(0, shape[0], step):
            if step > 1:
                yield (slice(start, start + step),), slice(None)
            else:
                yield from (((start, *head), rows) for head, rows in blocks(shape[1:]))


def seen(mask: BoolArray) -> slice:
    """From the first key to the last that at least one of the rows of the mask shows."""
    once = mask[tuple(slice(1 if step == 0 else None) for step in mask.strides[:-1])]
    keys = np.flatnonzero(once.any(axis=tuple(range(mask.ndim - 1))))
    return slice(keys[0], keys[-1] + 1) if keys.size else slice(0)
