"""Attention a few queries at a time: what is computed on the way stays in the processor's cache."""

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from qkv_docs._checks import BoolArray, FloatArray
from qkv_docs._inputs import Bias, Mask, Pair

SCORES = 2**20  # so many at once, 4 MiB in float32
Attend: TypeAlias = Callable[[FloatArray, FloatArray, FloatArray, Mask, Bias], Pair]


def in_blocks(
    attend: Attend, q: FloatArray, k: FloatArray, v: FloatArray, mask: Mask, bias: Bias
) -> Pair:
    """What `attend` makes of all queries, output and weights, called for some of them at a time.

    It gets only the keys from the first to the last that these queries may see: the others have
    weight 0.
    """
    shape = (*q.shape[:-1], k.shape[-2])
    if math.prod(shape) <= SCORES:
        return attend(q, k, v, mask, bias)
    output = np.zeros((*q.shape[:-1], v.shape[-1]), q.dtype)
    weights = np.zeros(shape, q.dtype)
    step = max(16, SCORES * q.shape[-2] // math.prod(shape))
    for start in range(0, q.shape[-2], step):
        rows = slice(start, start + step)
        keys = slice(None) if mask is None else seen(mask[..., rows, :])
        output[..., rows, :], weights[..., rows, keys] = attend(
            q[..., rows, :],
            k[..., keys, :],
            v[..., keys, :],
            None if mask is None else mask[..., rows, keys],
            None if bias is None else bias[..., rows, keys],
        )
    return output, weights


def seen(mask: BoolArray) -> slice:
    """From the first key to the last that at least one of the rows of the mask shows."""
    once = mask[tuple(slice(1 if step == 0 else None) for step in mask.strides[:-1])]
    keys = np.flatnonzero(once.any(axis=tuple(range(mask.ndim - 1))))
    return slice(keys[0], keys[-1] + 1) if keys.size else slice(0)
