"""Which shapes fit: the checks of functions that take several arrays at once."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qkv_docs._checks import (
    BoolArray,
    FloatArray,
    FloatDType,
    array,
    integer,
    numbers,
    real_arrays,
)


def embedding_table(table: ArrayLike) -> NDArray[Any]:
    """The table as an array of two dimensions."""
    table = numbers("table", table)
    if table.ndim != 2:
        raise ValueError(f"table needs two dimensions, (size, d_model), got {table.shape}")
    return table


def vector_pairs(a: ArrayLike, b: ArrayLike) -> tuple[FloatArray, FloatArray, FloatDType]:
    """Two arrays whose last axes are vectors of the same length."""
    (a, b), dtype = real_arrays(a=a, b=b)
    if a.ndim == 0 or b.ndim == 0:
        raise ValueError(f"a and b need to be vectors, (..., d), got {a.shape} and {b.shape}")
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(f"a and b need the same last axis d, got {a.shape} and {b.shape}")
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise ValueError(f"a and b need to broadcast, got {a.shape} and {b.shape}") from None
    return a, b, dtype


def softmax_input(x: ArrayLike, axis: int) -> tuple[FloatArray, int, FloatDType]:
    """Numbers with at least one axis to sum over, and that axis."""
    (x,), dtype = real_arrays(x=x)
    if x.ndim == 0:
        raise ValueError("x needs one dimension or more, got a scalar")
    axis = integer("axis", axis)
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"axis {axis} is out of bounds for x {x.shape}")
    return x, axis, dtype


def fit(axes: Mapping[str, str], arrays: Mapping[str, Any]) -> dict[str, int]:
    """Compare the arrays with their axes, `{"w_q": "d_model d_k", ...}`: one size for each name.

    An axis that is a number has that size. Returns the sizes.
    """
    sizes: dict[str, int] = {}
    for name, wanted in axes.items():
        shape, names = np.shape(arrays[name]), wanted.split()
        known = dict(sizes)
        fits = len(shape) == len(names) and all(
            came == (int(axis) if axis.isdigit() else sizes.setdefault(axis, came))
            for axis, came in zip(names, shape, strict=True)
        )
        if not fits:
            asked = f"({', '.join(names)}{',' if len(names) == 1 else ''})"
            where = ", ".join(f"{axis} = {known[axis]}" for axis in known if axis in names)
            raise ValueError(
                f"{name} needs the shape {asked}, got {shape}{where and f' where {where}'}"
            )
    return sizes


class AttentionInputs(NamedTuple):
    """Checked inputs of attention, in the dtype to compute in."""

    q: FloatArray
    k: FloatArray
    v: FloatArray
    mask: BoolArray | None
    dtype: FloatDType


def attention_inputs(
    q: ArrayLike, k: ArrayLike, v: ArrayLike, mask: ArrayLike | None
) -> AttentionInputs:
    """The checks of scaled dot-product attention: dtypes, shapes, mask."""
    (q, k, v), dtype = real_arrays(q=q, k=k, v=v)
    for name, rows in (("q", q), ("k", k), ("v", v)):
        at_least_2d(name, rows)
    if q.shape[-1] != k.shape[-1]:
        raise ValueError(f"q and k need the same d_k, got {q.shape} and {k.shape}")
    if q.shape[-1] == 0:
        raise ValueError(f"d_k must be at least 1, got q {q.shape} and k {k.shape}")
    if k.shape[-2] != v.shape[-2]:
        raise ValueError(f"k and v need the same number of keys n_k, got {k.shape} and {v.shape}")
    try:
        batch = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    except ValueError:
        raise ValueError(
            "the batch dimensions of q, k and v need to broadcast, "
            f"got {q.shape}, {k.shape} and {v.shape}"
        ) from None
    q = np.broadcast_to(q, (*batch, *q.shape[-2:]))  # so that the weights have every batch axis
    allowed = boolean_mask(mask, (*batch, q.shape[-2], k.shape[-2]))
    return AttentionInputs(q, k, v, allowed, dtype)


def boolean_mask(mask: ArrayLike | None, shape: tuple[int, ...]) -> BoolArray | None:
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
    first, last = with_all_axes(seen.shape, shape, own=2)
    if first and last and seen.shape[-2] == 1:
        raise ValueError(
            f"mask {seen.shape} fits two axes of (..., n_q, n_k) = {shape}: "
            f"reshape it to {first} for a mask a sequence, {last} for a mask a head"
        )
    try:
        return np.broadcast_to(seen, shape)
    except ValueError:
        hint = f"; for a mask a sequence, reshape it to {first}" if first else ""
        raise ValueError(
            f"mask needs to broadcast to (..., n_q, n_k) = {shape}, got {seen.shape}{hint}"
        ) from None


def with_all_axes(
    shape: tuple[int, ...], whole: tuple[int, ...], own: int
) -> tuple[tuple[int, ...] | None, tuple[int, ...] | None]:
    """The shape with axes of 1 put in: its batch axes meet the first of `whole`, or the last.

    None where they do not fit, and where there is nothing to choose. The last `own` axes are no
    batch axes.
    """
    ones = (1,) * (len(whole) - len(shape))
    batch, rest = shape[: max(len(shape) - own, 0)], shape[-own:]
    if not ones or max(batch, default=1) == 1:
        return None, None
    first, last = (
        candidate if all(a in (1, b) for a, b in zip(candidate, whole, strict=True)) else None
        for candidate in ((*batch, *ones, *rest), (*ones, *batch, *rest))
    )
    return first, last


def at_least_2d(name: str, rows: NDArray[Any]) -> None:
    """One row a token: a single vector is a ValueError, not a guess."""
    if rows.ndim < 2:
        raise ValueError(f"{name} needs two dimensions or more, (..., n, d), got {rows.shape}")


def rotation_inputs(
    x: ArrayLike, positions: ArrayLike
) -> tuple[FloatArray, NDArray[np.float64], FloatDType]:
    """The checks of `rope`: rows of x and a finite position for each of them.

    `(batch, n)` would go to the heads of x `(batch, n_heads, n, d)` where there are as many:
    refused, for it is sequences that have positions of their own.
    """
    (x,), dtype = real_arrays(x=x)
    at_least_2d("x", x)
    (positions,), _ = real_arrays(positions=positions)
    rows = x.shape[:-1]
    first, last = with_all_axes(positions.shape, rows, own=1)
    if first and last:
        raise ValueError(
            f"positions {positions.shape} fit two axes of x {x.shape}: "
            f"reshape them to {first} for those of a sequence, {last} for those of a head"
        )
    fits = positions.ndim > 0 and positions.shape[-1] == x.shape[-2]
    try:
        np.broadcast_shapes(positions.shape, rows)
    except ValueError:
        fits = False
    if not fits:
        hint = f"; for those of a sequence, reshape them to {first}" if first else ""
        raise ValueError(
            f"positions need one number for each row of x {x.shape}, got {positions.shape}{hint}"
        )
    if not np.isfinite(positions).all():
        raise ValueError("positions must be finite, got nan or inf")
    return x, positions.astype(np.float64), dtype


def layer_norm_inputs(
    x: ArrayLike, gain: ArrayLike, shift: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray, FloatDType]:
    """Rows, and one gain and one shift for each of their columns."""
    (x, gain, shift), dtype = real_arrays(x=x, gain=gain, shift=shift)
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError(f"x needs rows of one column or more, (..., d), got {x.shape}")
    if not gain.shape == shift.shape == x.shape[-1:]:
        raise ValueError(
            f"gain and shift need the shape {x.shape[-1:]} of a row of x {x.shape}, "
            f"got {gain.shape} and {shift.shape}"
        )
    return x, gain, shift, dtype


def gradient_pairs(
    grad: ArrayLike, weights: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatDType]:
    """Attention weights and their gradient, which has the same shape."""
    (grad, weights), dtype = real_arrays(grad=grad, weights=weights)
    if grad.shape != weights.shape or grad.ndim == 0:
        raise ValueError(
            f"grad and weights need the same shape (..., n), got {grad.shape} and {weights.shape}"
        )
    return grad, weights, dtype


def output_gradient(grad_output: ArrayLike, output: FloatArray) -> FloatArray:
    """The gradient of the output, in the dtype to compute in."""
    (grad,), _ = real_arrays(grad_output=grad_output)
    if grad.shape != output.shape:
        raise ValueError(
            f"grad_output needs the shape of the output, {output.shape}, got {grad.shape}"
        )
    return grad.astype(output.dtype, copy=False)


def multi_head_mask(
    x: FloatArray,
    context: FloatArray,
    w_q: FloatArray,
    w_k: FloatArray,
    w_v: FloatArray,
    w_o: FloatArray,
    n_heads: int,
    n_kv_heads: int,
    mask: ArrayLike | None,
) -> BoolArray | None:
    """The checks of multi-head attention; returns the mask with an axis for the heads."""
    if integer("n_heads", n_heads, least=1) % integer("n_kv_heads", n_kv_heads, least=1):
        raise ValueError(f"n_kv_heads must divide n_heads, got {n_kv_heads} and {n_heads}")
    at_least_2d("x", x)
    at_least_2d("context", context)
    for name, w in (("w_q", w_q), ("w_k", w_k), ("w_v", w_v), ("w_o", w_o)):
        if w.ndim != 2:
            raise ValueError(f"{name} needs two dimensions, (rows, columns), got {w.shape}")
    for name, w, source, rows, heads in (
        ("w_q", w_q, "x", x, n_heads),
        ("w_k", w_k, "context", context, n_kv_heads),
        ("w_v", w_v, "context", context, n_kv_heads),
    ):
        if rows.shape[-1] != w.shape[0]:
            raise ValueError(
                f"{name} needs one row for each column of {source}, got {w.shape} and {rows.shape}"
            )
        if w.shape[1] % heads:
            raise ValueError(f"{heads} heads must divide the columns of {name}, got {w.shape}")
    if w_q.shape[1] // n_heads != w_k.shape[1] // n_kv_heads:
        raise ValueError(
            f"w_q and w_k need the same d_k in each head, got {w_q.shape} for {n_heads} heads "
            f"and {w_k.shape} for {n_kv_heads}"
        )
    d_v = w_v.shape[1] // n_kv_heads
    if w_o.shape[0] != n_heads * d_v:
        raise ValueError(f"w_o needs n_heads * d_v = {n_heads * d_v} rows, got {w_o.shape}")
    try:
        batch = np.broadcast_shapes(x.shape[:-2], context.shape[:-2])
    except ValueError:
        raise ValueError(
            f"the batch dimensions of x and context need to broadcast, "
            f"got {x.shape} and {context.shape}"
        ) from None
    mask = boolean_mask(mask, (*batch, x.shape[-2], context.shape[-2]))
    return None if mask is None else mask[..., None, :, :]
