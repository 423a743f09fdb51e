"""What RoPE takes: rows and their positions, which columns are a pair, and how fast it turns."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qkv_docs._checks import FloatArray, FloatDType, number, real_arrays
from qkv_docs._shapes import at_least_2d, with_all_axes
from qkv_docs.frequencies import rope_frequencies


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
    x = np.broadcast_to(x, (*np.broadcast_shapes(positions.shape, rows), x.shape[-1]))
    return x, positions.astype(np.float64), dtype


def pair_frequencies(d: int, base: float, frequencies: ArrayLike | None) -> NDArray[np.float64]:
    """Radians a position of each pair: those of the base, or those given."""
    if frequencies is None:
        return rope_frequencies(d, base)
    if number("base", base) != 10000:
        raise ValueError(f"frequencies take the place of base, got base {base} as well")
    (given,), _ = real_arrays(frequencies=frequencies)
    if given.ndim != 1 or 2 * len(given) > d:
        raise ValueError(
            f"frequencies need one number for each pair of columns, at most {d // 2} of "
            f"{d} columns, got {given.shape}"
        )
    if not np.isfinite(given).all():
        raise ValueError("frequencies must be finite, got nan or inf")
    return given.astype(np.float64)


def pair_columns(n_pairs: int, layout: str) -> tuple[slice, slice]:
    """Where the first column of every pair stands, and where the second."""
    if layout == "interleaved":
        return slice(0, 2 * n_pairs, 2), slice(1, 2 * n_pairs, 2)
    if layout == "half":
        return slice(0, n_pairs), slice(n_pairs, 2 * n_pairs)
    raise ValueError(f'layout must be "interleaved" or "half", got {layout!r}')
