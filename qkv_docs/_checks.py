"""What may come in: all checks live here, so that the functions can be about the idea.

One rule for numbers: float16 is computed in float32 and rounded once, at the end; every other
floating dtype is computed as it is. A dtype is never widened in the result.
"""

import operator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray: TypeAlias = NDArray[np.floating[Any]]
BoolArray: TypeAlias = NDArray[np.bool_]
FloatDType: TypeAlias = np.dtype[np.floating[Any]]


def real_arrays(**named: ArrayLike) -> tuple[list[FloatArray], FloatDType]:
    """The arrays ready to compute with, and the dtype of the result; integers become float64."""
    arrays = {name: np.asarray(value) for name, value in named.items()}
    for name, array in arrays.items():
        if array.dtype.kind not in "fiu":
            raise TypeError(f"{name} must hold real numbers, got {array.dtype}")
    dtypes = [a.dtype if a.dtype.kind == "f" else np.dtype(np.float64) for a in arrays.values()]
    dtype: FloatDType = np.result_type(*dtypes)
    working = np.result_type(dtype, np.float32)  # float16 -> float32, the others stay
    return [a.astype(working, copy=False) for a in arrays.values()], dtype


def float_arrays(**named: ArrayLike) -> tuple[list[FloatArray], FloatDType]:
    """As `real_arrays`, but integers are refused, as PyTorch refuses them."""
    for name, value in named.items():
        dtype = np.asarray(value).dtype
        if dtype.kind != "f":
            raise TypeError(f"{name} must be float16, float32 or float64, got {dtype}")
    return real_arrays(**named)


def integer(name: str, value: Any, least: int) -> int:
    """The value as an int, which must be at least `least`."""
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if number < least:
        raise ValueError(f"{name} must be at least {least}, got {number}")
    return number


def integers(name: str, values: ArrayLike) -> NDArray[np.integer[Any]]:
    """An array of integers of any shape; an empty list counts as one."""
    array = np.asarray(values)
    if array.size == 0 and array.dtype.kind == "f":
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers, got {array.dtype}")
    return array


def known_ids(ids: ArrayLike, size: int) -> NDArray[np.integer[Any]]:
    """The ids as an array, each of them in `0 .. size - 1`."""
    ids = integers("ids", ids)
    unknown = ids[(ids < 0) | (ids >= size)]
    if unknown.size:
        known = f"ids run from 0 to {size - 1}" if size else "it has no ids"
        raise IndexError(f"id {unknown[0]} is outside a table of size {size} ({known})")
    return ids


def embedding_table(table: ArrayLike) -> NDArray[Any]:
    """The table as an array of two dimensions."""
    table = np.asarray(table)
    if table.dtype.kind not in "fiu":
        raise TypeError(f"table must hold real numbers, got {table.dtype}")
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


def known_lengths(lengths: ArrayLike, n: int) -> NDArray[np.integer[Any]]:
    """The lengths as an array, each of them in `0 .. n`."""
    lengths = integers("lengths", lengths)
    wrong = lengths[(lengths < 0) | (lengths > n)]
    if wrong.size:
        raise ValueError(f"lengths must be in 0 .. {n}, got {wrong[0]}")
    return lengths


def softmax_input(x: ArrayLike) -> tuple[FloatArray, FloatDType]:
    """Numbers with at least one axis to sum over."""
    (x,), dtype = real_arrays(x=x)
    if x.ndim == 0:
        raise ValueError("x needs one dimension or more, got a scalar")
    return x, dtype


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
    (q, k, v), dtype = float_arrays(q=q, k=k, v=v)
    for name, array in (("q", q), ("k", k), ("v", v)):
        at_least_2d(name, array)
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
    """The mask seen as an array of that shape, (..., n_q, n_k); None stays None."""
    if mask is None:
        return None
    array = np.asarray(mask)
    if array.dtype != np.bool_:
        raise TypeError(f"mask must be boolean, True = may attend, got {array.dtype}")
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        raise ValueError(
            f"mask needs to broadcast to (..., n_q, n_k) = {shape}, got {array.shape}"
        ) from None


def at_least_2d(name: str, array: NDArray[Any]) -> None:
    """One row a token: a single vector is a ValueError, not a guess."""
    if array.ndim < 2:
        raise ValueError(f"{name} needs two dimensions or more, (..., n, d), got {array.shape}")


def gradient_pairs(
    grad: ArrayLike, weights: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatDType]:
    """Attention weights and their gradient, which has the same shape."""
    (grad, weights), dtype = float_arrays(grad=grad, weights=weights)
    if grad.shape != weights.shape or grad.ndim == 0:
        raise ValueError(
            f"grad and weights need the same shape (..., n), got {grad.shape} and {weights.shape}"
        )
    return grad, weights, dtype


def output_gradient(grad_output: ArrayLike, output: FloatArray) -> FloatArray:
    """The gradient of the output, in the dtype to compute in."""
    (grad,), _ = float_arrays(grad_output=grad_output)
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
