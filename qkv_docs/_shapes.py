"""Which shapes fit: the checks of functions that take several arrays at once."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qkv_docs._checks import FloatArray, FloatDType, integer, numbers, real_arrays


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


def fitting_parameters(holder: Any, axes: Mapping[str, str]) -> dict[str, int]:
    """Make arrays of what a frozen dataclass holds, and compare them as `fit` does."""
    for name in axes:
        object.__setattr__(holder, name, numbers(name, getattr(holder, name)))
    return fit(axes, vars(holder))


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
