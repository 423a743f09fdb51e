"""Attention's inputs cut into tiles, and the scores of one: forward and backward read these."""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from qkv_docs._blocks import seen
from qkv_docs._checks import FloatArray, FloatDType, integer
from qkv_docs._inputs import Bias, Mask, attention_inputs, score_settings

Head: TypeAlias = tuple[int, ...]


class Tiles(NamedTuple):
    """Checked inputs of attention with every batch axis, and how they are cut."""

    q: FloatArray
    k: FloatArray
    v: FloatArray
    mask: Mask
    bias: Bias
    scale: float
    softcap: float | None
    sinks: FloatArray | None
    rows: int
    columns: int
    dtype: FloatDType

    def of_queries(self) -> Iterator[tuple[Head, slice, slice]]:
        """Each tile of queries of each head, and the keys from the first to the last it may see."""
        n_q, n_k = self.q.shape[-2], self.k.shape[-2]
        for top in range(0, n_q, self.rows):
            tile = slice(top, min(top + self.rows, n_q))
            keys = slice(0, n_k) if self.mask is None else seen(self.mask[..., tile, :])
            for head in np.ndindex(*self.q.shape[:-2]):
                yield head, tile, keys

    def of_keys(self, head: Head, tile: slice, keys: slice) -> Iterator[tuple[slice, Mask]]:
        """The tiles of those keys that one of the queries may see, and their part of the mask."""
        for left in range(keys.start or 0, keys.stop, self.columns):
            part = slice(left, min(left + self.columns, keys.stop))
            allowed = None if self.mask is None else self.mask[head][tile, part]
            if allowed is None or allowed.all():
                yield part, None
            elif allowed.any():
                yield part, allowed

    def scaled(self, head: Head, tile: slice) -> FloatArray:
        """A tile of queries, scaled before the products, which might overflow."""
        with np.errstate(all="ignore"):
            scaled: FloatArray = self.q[head][tile] * self.scale
        return scaled

    def scores(
        self, q_tile: FloatArray, head: Head, tile: slice, part: slice, allowed: Mask
    ) -> FloatArray:
        """The scores of one tile, (rows, columns); -inf where the mask hides a key."""
        with np.errstate(all="ignore"):  # what is masked may be huge, inf or nan
            scores: FloatArray = q_tile @ self.k[head][part].T
            if self.softcap is not None:
                scores = self.softcap * np.tanh(scores / self.softcap)
            if self.bias is not None:
                scores += self.bias[head][tile, part]
        if allowed is not None:
            np.copyto(scores, -np.inf, where=~allowed)
        return scores


def cut(
    q: ArrayLike,
    k: ArrayLike,
    v: ArrayLike,
    mask: ArrayLike | None,
    *,
    bias: ArrayLike | None,
    scale: float | None,
    rows: int,
    columns: int,
    softcap: float | None = None,
    sinks: ArrayLike | None = None,
    grouped: bool = False,
) -> Tiles:
    """The checks of attention, and those of the sizes of a tile."""
    q, k, v, mask, bias, dtype = attention_inputs(q, k, v, mask, bias, grouped)
    scale, softcap, sinks = score_settings(q, scale, softcap, sinks)
    k, v = (np.broadcast_to(one, (*q.shape[:-2], *one.shape[-2:])) for one in (k, v))
    rows, columns = integer("rows", rows, least=1), integer("columns", columns, least=1)
    return Tiles(q, k, v, mask, bias, scale, softcap, sinks, rows, columns, dtype)
