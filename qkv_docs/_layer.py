"""What a whole attention layer takes: its parameters, and what they are applied to."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qkv_docs._checks import FloatArray, FloatDType, array, integer, real_arrays
from qkv_docs._inputs import Mask, boolean_mask
from qkv_docs._shapes import at_least_2d

Rotary: TypeAlias = Callable[[FloatArray, NDArray[Any]], FloatArray]
WEIGHTS = ("w_q", "w_k", "w_v", "w_o")


class Layer(NamedTuple):
    """Checked inputs of multi-head attention, in the dtype to compute in.

    A bias that was not given is 0; gains that were not given are None.
    """

    x: FloatArray
    context: FloatArray
    values: FloatArray
    w_q: FloatArray
    w_k: FloatArray
    w_v: FloatArray
    w_o: FloatArray
    b_q: FloatArray
    b_k: FloatArray
    b_v: FloatArray
    b_o: FloatArray
    g_q: FloatArray | None
    g_k: FloatArray | None
    n_kv_heads: int
    mask: Mask
    dtype: FloatDType


def layer_inputs(
    x: ArrayLike,
    context: ArrayLike | None,
    values: ArrayLike | None,
    parameters: dict[str, ArrayLike | None],
    n_heads: int,
    n_kv_heads: int | None,
    mask: ArrayLike | None,
) -> Layer:
    """The checks of multi-head attention: what is not given gets its default."""
    context = x if context is None else context
    values = context if values is None else values
    named: dict[str, Any] = {"x": x, "context": context, "values": values} | {
        name: value for name, value in parameters.items() if name in WEIGHTS or value is not None
    }
    listed, dtype = real_arrays(**named)
    given = dict(zip(named, listed, strict=True))
    n_kv_heads = n_heads if n_kv_heads is None else n_kv_heads
    if integer("n_heads", n_heads, least=1) % integer("n_kv_heads", n_kv_heads, least=1):
        raise ValueError(f"n_kv_heads must divide n_heads, got {n_kv_heads} and {n_heads}")
    sources = {"w_q": "x", "w_k": "context", "w_v": "values"}
    if given["values"].shape == given["context"].shape:
        sources["w_v"] = "context"
    heads = {"w_q": n_heads, "w_k": n_kv_heads, "w_v": n_kv_heads}
    weights_fit(given, sources, heads)
    for name in WEIGHTS:
        row_fits(given, f"b{name[1:]}", (given[name].shape[1],), f"column of {name}")
    for gain, name in (("g_q", "w_q"), ("g_k", "w_k")):
        columns = given[name].shape[1]
        one_head = (columns // heads[name],)
        if gain in given and given[gain].shape not in (one_head, (columns,)):
            raise ValueError(
                f"{gain} needs one number for each column of a head, {one_head}, or of {name}, "
                f"({columns},), got {given[gain].shape}"
            )
    rows = (given["x"], given["context"], given["values"])
    try:
        batch = np.broadcast_shapes(*(source.shape[:-2] for source in rows))
    except ValueError:
        same = given["values"].shape == given["context"].shape
        names = "x and context" if same else "x, context and values"
        shapes = " and ".join(str(source.shape) for source in rows[: 2 if same else 3])
        raise ValueError(
            f"the batch dimensions of {names} need to broadcast, got {shapes}"
        ) from None
    none = {f"b{name[1:]}": given[name][:0].sum(axis=0) for name in WEIGHTS}
    full = {"g_q": None, "g_k": None} | none | given
    scores = (*batch, rows[0].shape[-2], rows[1].shape[-2])
    seen = head_mask(mask, scores, n_heads)
    return Layer(**full, n_kv_heads=n_kv_heads, mask=seen, dtype=dtype)


def weights_fit(
    given: dict[str, FloatArray], sources: dict[str, str], heads: dict[str, int]
) -> None:
    """Each matrix has a row for each column it is applied to, and columns for its heads."""
    for name in ("x", "context", "values"):
        at_least_2d(name, given[name])
    if given["context"].shape[-2] != given["values"].shape[-2]:
        raise ValueError(
            "context and values need the same number of rows n_k, "
            f"got {given['context'].shape} and {given['values'].shape}"
        )
    for name in WEIGHTS:
        if given[name].ndim != 2:
            raise ValueError(
                f"{name} needs two dimensions, (rows, columns), got {given[name].shape}"
            )
    for name, source in sources.items():
        rows, w = given[source], given[name]
        if rows.shape[-1] != w.shape[0]:
            raise ValueError(
                f"{name} needs one row for each column of {source}, got {w.shape} and {rows.shape}"
            )
        if w.shape[1] % heads[name]:
            raise ValueError(
                f"{heads[name]} heads must divide the columns of {name}, got {w.shape}"
            )
    w_q, w_k, w_v, w_o = (given[name] for name in WEIGHTS)
    n_heads, n_kv_heads = heads["w_q"], heads["w_k"]
    if w_q.shape[1] // n_heads != w_k.shape[1] // n_kv_heads:
        raise ValueError(
            f"w_q and w_k need the same d_k in each head, got {w_q.shape} for {n_heads} heads "
            f"and {w_k.shape} for {n_kv_heads}"
        )
    d_v = w_v.shape[1] // n_kv_heads
    if w_o.shape[0] != n_heads * d_v:
        raise ValueError(f"w_o needs n_heads * d_v = {n_heads * d_v} rows, got {w_o.shape}")


def row_fits(given: dict[str, FloatArray], name: str, shape: tuple[int], of: str) -> None:
    """A row of parameters, where it was given, has one number for each column."""
    if name in given and given[name].shape != shape:
        raise ValueError(f"{name} needs one number for each {of}, {shape}, got {given[name].shape}")


def head_mask(mask: ArrayLike | None, shape: tuple[int, ...], n_heads: int) -> Mask:
    """The mask seen as (..., n_heads, n_q, n_k), or with 1 in the place of n_heads.

    As many axes as the weights have mean a mask for each head; fewer, one for all heads.
    """
    if mask is None:
        return None
    seen = array("mask", mask, "must be boolean, True = may attend")
    if seen.ndim > len(shape):
        return boolean_mask(seen, (*shape[:-2], n_heads, *shape[-2:]))
    allowed = boolean_mask(seen, shape)
    return None if allowed is None else allowed[..., None, :, :]


def rotated(
    q: FloatArray, k: FloatArray, rotary: Rotary | None, positions: ArrayLike | None
) -> tuple[FloatArray, FloatArray]:
    """Queries and keys, turned by their positions where a rotation is given.

    Keys stand at 0, 1, 2, … or at the positions given, the queries at the last of them.
    """
    n_q, n_k = q.shape[-2], k.shape[-2]
    if rotary is None:
        if positions is not None:
            raise ValueError("positions are for a rotary function, and none was given")
        return q, k
    if not callable(rotary):
        raise TypeError(f"rotary must be a function, such as rope, got {rotary!r}")
    if n_q > n_k:
        raise ValueError(
            "with rotary the queries stand at the last positions of the keys, "
            f"got {n_q} queries and {n_k} keys"
        )
    (places,), _ = real_arrays(positions=np.arange(n_k) if positions is None else positions)
    if places.ndim == 0 or places.shape[-1] != n_k:
        raise ValueError(f"positions need one number for each of {n_k} keys, got {places.shape}")
    places = places[..., None, :]  # the same for every head
    return rotary(q, places[..., n_k - n_q :]), rotary(k, places)
