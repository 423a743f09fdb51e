"""A cache of keys and values: what earlier tokens have computed is kept, not computed again."""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from qkv_docs._checks import FloatArray, float_dtype, integer, numbers
from qkv_docs._inputs import Pair
from qkv_docs.attention import scaled_dot_product_attention
from qkv_docs.masks import causal_mask, sliding_window_mask


class KVCache:
    """Keys and values of the tokens so far, in memory that is taken once.

    Queries are not kept: nobody asks again what an earlier token asked. Keys with RoPE are put in
    rotated, each by its own position.

    Args:
        capacity: how many tokens there is room for, 1 or more. With a window, at least that;
            older tokens make room when it is full.
        n_kv_heads: the number of key and value heads.
        d_k: the columns of a key.
        d_v: the columns of a value; `d_k` by default.
        window: how many keys a query sees at most, its own included; all by default.
        batch: how many sequences are kept side by side; without it keys have no batch axis.
        dtype: of what is kept.

    Raises:
        TypeError: a number is not an integer, or there is no such floating dtype.
        ValueError: a number is less than 1, or the window is wider than the capacity.

    Source:
        [@shazeer2019], where keys and values of earlier positions are handed from step to step.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> q, k, v = rng.normal(size=(3, 2, 5, 4))  # two heads, five tokens
        >>> cache = KVCache(capacity=8, n_kv_heads=2, d_k=4)
        >>> for i in range(5):
        ...     cache.append(k[:, i : i + 1], v[:, i : i + 1])
        ...     output, weights = cache.attend(q[:, i : i + 1])
        >>> expected, _ = scaled_dot_product_attention(q, k, v, causal_mask(5))
        >>> np.allclose(output[:, 0], expected[:, 4])
        True
        >>> len(cache), cache.nbytes
        (5, 1024)
        >>> cache.crop(3)
        >>> len(cache)
        3
    """

    def __init__(
        self,
        capacity: int,
        n_kv_heads: int,
        d_k: int,
        d_v: int | None = None,
        *,
        window: int | None = None,
        batch: int | None = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        capacity = integer("capacity", capacity, least=1)
        sequences = () if batch is None else (integer("batch", batch, least=1),)
        rows = (*sequences, integer("n_kv_heads", n_kv_heads, least=1), capacity)
        d_k = integer("d_k", d_k, least=1)
        d_v = d_k if d_v is None else integer("d_v", d_v, least=1)
        self.window = None if window is None else integer("window", window, least=1)
        if self.window is not None and self.window > capacity:
            raise ValueError(
                f"the window must fit into the capacity, got window {window} and {capacity}"
            )
        self._k = np.zeros((*rows, d_k), float_dtype(dtype))
        self._v = np.zeros((*rows, d_v), float_dtype(dtype))
        self._kept = self._seen = 0

    def __len__(self) -> int:
        """How many tokens have come: the position of the next one."""
        return self._seen

    @property
    def nbytes(self) -> int:
        """The memory taken, whether it is filled or not."""
        return self._k.nbytes + self._v.nbytes

    @property
    def keys(self) -> FloatArray:
        """The keys that are kept, `(..., n_kv_heads, n_k, d_k)`, a view of the memory."""
        return self._k[..., : self._kept, :]

    @property
    def values(self) -> FloatArray:
        """The values that are kept, `(..., n_kv_heads, n_k, d_v)`, a view of the memory."""
        return self._v[..., : self._kept, :]

    def append(self, k: ArrayLike, v: ArrayLike) -> None:
        """Put in the keys and values of the next tokens.

        Args:
            k: keys, `(..., n_kv_heads, n, d_k)`.
            v: values, `(..., n_kv_heads, n, d_v)`.

        Raises:
            TypeError: an array does not hold real numbers, or would lose digits in the cache.
            ValueError: a shape does not fit, or there is no room for n more tokens.
        """
        k, v = numbers("k", k), numbers("v", v)
        n = k.shape[-2] if k.ndim > 1 else 0
        for name, rows, kept in (("k", k, self._k), ("v", v, self._v)):
            wanted = (*kept.shape[:-2], n, kept.shape[-1])
            if rows.shape != wanted:
                raise ValueError(f"{name} needs the shape {wanted}, got {rows.shape}")
            if not np.can_cast(rows.dtype, kept.dtype):
                raise TypeError(
                    f"{name} would lose digits in a cache of {kept.dtype}: {rows.dtype}"
                )
        capacity = self._k.shape[-2]
        if self._kept + n > capacity and self.window is not None:
            left = min(self.window - 1, self._kept)  # all that the next query may see
            for kept in (self._k, self._v):
                kept[..., :left, :] = kept[..., self._kept - left : self._kept, :].copy()
            self._kept = left
        if self._kept + n > capacity:
            raise ValueError(f"the cache holds {capacity} tokens: {self._kept} are in it, got {n}")
        self._k[..., self._kept : self._kept + n, :] = k
        self._v[..., self._kept : self._kept + n, :] = v
        self._kept, self._seen = self._kept + n, self._seen + n

    def crop(self, n: int) -> None:
        """Forget the last tokens, so that n are left: guesses that turned out wrong.

        Args:
            n: how many tokens stay, 0 or more.

        Raises:
            TypeError: n is not an integer.
            ValueError: fewer than n tokens have come, or keys that the next query would see
                within its window have made room already.
        """
        n = integer("n", n, least=0)
        kept = self._kept - (self._seen - n)
        if n > self._seen:
            raise ValueError(f"{self._seen} tokens have come, {n} cannot be left")
        if kept < n and kept < (self.window or 1) - 1:
            raise ValueError(
                f"of {n} tokens {max(kept, 0)} would be left, the next query sees {self.window}"
            )
        self._kept, self._seen = kept, n

    def attend(
        self,
        q: ArrayLike,
        *,
        scale: float | None = None,
        softcap: float | None = None,
        sinks: ArrayLike | None = None,
    ) -> Pair:
        """Attend with the queries of the last tokens, causally and within the window.

        Args:
            q: queries, `(..., n_heads, n_q, d_k)`, of the last n_q tokens put in; n_heads is a
                multiple of n_kv_heads.
            scale: as in `scaled_dot_product_attention`.
            softcap: as there.
            sinks: as there.

        Returns:
            `output`, `(..., n_heads, n_q, d_v)`, and `weights`, `(..., n_heads, n_q, n_k)`, over
            the keys that are kept.

        Raises:
            TypeError: q does not hold real numbers, or a setting is not a number.
            ValueError: the shapes do not fit, or more queries came than the cache can answer.
        """
        q = numbers("q", q)
        n_q = q.shape[-2] if q.ndim > 1 else 0
        known = self._kept if self._kept == self._seen else self._kept - (self.window or 1) + 1
        if n_q > known:
            raise ValueError(f"the cache can answer the last {known} tokens, got {n_q} queries")
        k, v = self.keys, self.values
        if self.window is None:
            mask = None if n_q == 1 else causal_mask(n_q, self._kept)
        else:
            mask = sliding_window_mask(n_q, self.window, self._kept)
        shared = q.shape[-3] // k.shape[-3] if q.ndim > 2 else 0
        if n_q == 1 and sinks is None and shared > 1 and q.shape[-3] == shared * k.shape[-3]:
            # The query heads that share keys are rows of one product: no key is copied for them.
            rows = q.reshape(*q.shape[:-3], k.shape[-3], shared, q.shape[-1])
            pair = scaled_dot_product_attention(rows, k, v, mask, scale=scale, softcap=softcap)
            output, weights = (one.reshape(*q.shape[:-1], one.shape[-1]) for one in pair)
            return output, weights
        return scaled_dot_product_attention(
            q, k, v, mask, scale=scale, softcap=softcap, sinks=sinks, grouped=True
        )
