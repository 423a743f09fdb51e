"""What attention takes: queries, keys and values that fit, and what goes with their scores."""

import math
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qkv_docs._checks import BoolArray, FloatArray, FloatDType, array, number, real_arrays
from qkv_docs._shapes import at_least_2d, with_all_axes

S = TypeVar("S", bound=np.generic)
Mask: TypeAlias = BoolArray | None
Bias: TypeAlias = FloatArray | None
Pair: TypeAlias = tuple[FloatArray, FloatArray]


class AttentionInputs(NamedTuple):
    """Checked inputs of attention, in the dtype to compute in."""

    q: FloatArray
    k: FloatArray
    v: FloatArray
    mask: Mask
    bias: Bias
    dtype: FloatDType


def attention_inputs(
    q: ArrayLike,
    k: ArrayLike,
    v: ArrayLike,
    mask: ArrayLike | None,
    bias: ArrayLike | None = None,
    grouped: bool = False,
) -> AttentionInputs:
    """The checks of scaled dot-product attention: dtypes, shapes, mask and bias."""
    (q, k, v), dtype = real_arrays(q=q, k=k, v=v)
    for name, rows in (("q", q), ("k", k), ("v", v)):
        at_least_2d(name, rows)
    if q.shape[-1] != k.shape[-1]:
        raise ValueError(f"q and k need the same d_k, got {q.shape} and {k.shape}")
    if q.shape[-1] == 0:
        raise ValueError(f"d_k must be at least 1, got q {q.shape} and k {k.shape}")
    if k.shape[-2] != v.shape[-2]:
        raise ValueError(f"k and v need the same number of keys n_k, got {k.shape} and {v.shape}")
    if grouped:
        k, v = for_each_query_head(q, k, v)
    try:
        batch = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    except ValueError:
        raise ValueError(
            "the batch dimensions of q, k and v need to broadcast, "
            f"got {q.shape}, {k.shape} and {v.shape}"
        ) from None
    q = np.broadcast_to(q, (*batch, *q.shape[-2:]))  # so that the weights have every batch axis
    shape = (*batch, q.shape[-2], k.shape[-2])
    allowed, added = boolean_mask(mask, shape), additive_bias(bias, shape, q.dtype)
    if added is not None and (hidden := np.isneginf(added)).any():
        allowed = ~hidden if allowed is None else allowed & ~hidden
    return AttentionInputs(q, k, v, allowed, added, dtype)


def score_settings(
    q: FloatArray, scale: float | None, softcap: float | None, sinks: ArrayLike | None
) -> tuple[float, float | None, FloatArray | None]:
    """What is done to scores: scale, softcap and sinks, the latter one for each head of q."""
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else number("scale", scale)
    if softcap is not None and number("softcap", softcap) <= 0:
        raise ValueError(f"softcap must be above 0, got {softcap}")
    softcap = None if softcap is None else float(softcap)
    if sinks is None:
        return scale, softcap, None
    (seen,), _ = real_arrays(sinks=sinks)
    try:
        wanted = np.broadcast_shapes(seen.shape, q.shape[:-2])
    except ValueError:
        wanted = ()
    if wanted != q.shape[:-2]:
        raise ValueError(
            f"sinks need one number for each head of q {q.shape} or for all, got {seen.shape}"
        )
    return scale, softcap, seen.astype(q.dtype, copy=False)


def for_each_query_head(
    q: FloatArray, k: FloatArray, v: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Keys and values once for each head of q: neighbouring query heads share one."""
    if min(q.ndim, k.ndim, v.ndim) < 3:
        raise ValueError(
            f"grouped heads need an axis of heads, (..., n_heads, n, d), "
            f"got q {q.shape}, k {k.shape} and v {v.shape}"
        )
    heads, shared = q.shape[-3], k.shape[-3]
    if v.shape[-3] != shared or shared == 0 or heads % shared:
        raise ValueError(
            "grouped heads need as many heads of v as of k, and of q a multiple of that, "
            f"got q {q.shape}, k {k.shape} and v {v.shape}"
        )
    if heads == shared:
        return k, v
    return np.repeat(k, heads // shared, axis=-3), np.repeat(v, heads // shared, axis=-3)


def boolean_mask(mask: ArrayLike | None, shape: tuple[int, ...]) -> Mask:
    """The mask seen as an array of that shape, (..., n_q, n_k); None stays None.

    NumPy lines up the last axes. A padding mask `(batch, 1, n_k)` would so go to the heads of
    `(batch, n_heads, n_q, n_k)` where there are as many: refused, for no head has a padding of its
    own. `(m, n_q, n_k)` may well be a mask for each head, and is one.
    """
    if mask is None:
        return None
    seen = array("mask", mask, "must be boolean, True = may attend")
    if seen.dtype != np.bool_:
        raise TypeError(f"mask must be boolean, True = may attend, got {seen.dtype}")
    return over_scores("mask", seen, shape)


def additive_bias(bias: ArrayLike | None, shape: tuple[int, ...], dtype: FloatDType) -> Bias:
    """The bias seen as an array of that shape, in the dtype to compute in; None stays None."""
    if bias is None:
        return None
    (seen,), _ = real_arrays(bias=bias)
    return over_scores("bias", seen.astype(dtype, copy=False), shape)


def over_scores(name: str, seen: NDArray[S], shape: tuple[int, ...]) -> NDArray[S]:
    """A mask or a bias seen as an array of that shape, (..., n_q, n_k)."""
    first, last = with_all_axes(seen.shape, shape, own=2)
    if first and last and seen.shape[-2] == 1:
        raise ValueError(
            f"{name} {seen.shape} fits two axes of (..., n_q, n_k) = {shape}: "
            f"reshape it to {first} for a {name} a sequence, {last} for a {name} a head"
        )
    try:
        return np.broadcast_to(seen, shape)
    except ValueError:
        hint = f"; for a {name} a sequence, reshape it to {first}" if first else ""
        raise ValueError(
            f"{name} needs to broadcast to (..., n_q, n_k) = {shape}, got {seen.shape}{hint}"
        ) from None
