"""A real decoder in NumPy, as small language models are built: SmolLM2, Llama, and their kin.

Layers one upon another, each an attention and a small gated network; each of the two reads the
stream after an RMS norm and adds its output to it. Queries and keys are turned by RoPE, several
query heads share a KV head, nobody sees the future, and the keys and values of earlier tokens can
be kept in a cache. The logits are read with the embedding table itself. It only computes; a model,
98 MB, does not come with this package.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qkv_docs._checks import (
    BoolArray,
    FloatArray,
    FloatDType,
    integer,
    known_ids,
    number,
    real_arrays,
    result_dtype,
)
from qkv_docs._inputs import boolean_mask
from qkv_docs._layer import Rotary
from qkv_docs._product import product
from qkv_docs._shapes import fitting_parameters
from qkv_docs.attention import scaled_dot_product_attention
from qkv_docs.cache import KVCache
from qkv_docs.heads import merge_heads, split_heads
from qkv_docs.masks import causal_mask
from qkv_docs.norm import rms_norm
from qkv_docs.positions import rope


@dataclass(frozen=True)
class DecoderLayer:
    """The parameters of one layer; there are no biases. A weight maps rows, `x @ w`.

    Shapes: `gain_1`, `gain_2` `(d_model,)`, of the norms before attention and before the network;
    `w_q` `(d_model, n_heads * d_k)`; `w_k`, `w_v` `(d_model, n_kv_heads * d_k)`; `w_o`
    `(n_heads * d_k, d_model)`; `w_gate`, `w_up` `(d_model, d_mlp)`; `w_down` `(d_mlp, d_model)`.

    Raises:
        TypeError: a parameter does not hold real numbers.
        ValueError: the shapes do not fit.
    """

    gain_1: FloatArray
    w_q: FloatArray
    w_k: FloatArray
    w_v: FloatArray
    w_o: FloatArray
    gain_2: FloatArray
    w_gate: FloatArray
    w_up: FloatArray
    w_down: FloatArray

    def __post_init__(self) -> None:
        axes = dict.fromkeys(("gain_1", "gain_2"), "d_model")
        axes |= {"w_q": "d_model n_heads*d_k", "w_o": "n_heads*d_k d_model"}
        axes |= dict.fromkeys(("w_k", "w_v"), "d_model n_kv_heads*d_k")
        axes |= dict.fromkeys(("w_gate", "w_up"), "d_model d_mlp") | {"w_down": "d_mlp d_model"}
        fitting_parameters(self, axes)


class DecoderTrace(NamedTuple):
    """All that one text left behind in a decoder.

    Shapes: `hidden` `(n_layers + 1, n, d_model)`, the stream before the first layer and after each;
    `q` `(n_layers, n_heads, n, d_k)` and `k` `(n_layers, n_kv_heads, n, d_k)`, as turned by
    `rotary`; `v` `(n_layers, n_kv_heads, n, d_k)`; `weights`, the attention weights,
    `(n_layers, n_heads, n, n)`; `logits` `(n, size)`. Of a text that goes on from a cache there are
    the n new tokens, and `weights` `(n_layers, n_heads, n, n_k)`, over the keys that are kept.
    """

    hidden: FloatArray
    q: FloatArray
    k: FloatArray
    v: FloatArray
    weights: FloatArray
    logits: FloatArray


class _Step(NamedTuple):
    """The stream after a layer, and what its attention computed."""

    x: FloatArray  # (n, d_model)
    q: FloatArray  # (n_heads, n, d_k)
    k: FloatArray  # (n_kv_heads, n, d_k), and so are the values
    v: FloatArray
    weights: FloatArray  # (n_heads, n, n_k)


@dataclass(frozen=True)
class Decoder:
    """A decoder of the Llama family.

    Shapes: `tokens` `(size, d_model)`, the embedding table, which also reads the logits; `gain`
    `(d_model,)`, of the last norm. `rotary` is as in `multi_head_attention`: `rope`, or with other
    settings `functools.partial(rope, base=1e5)`. To stretch a model, give another one, and for YaRN
    another `scale` of the scores as well. `layers` may also be a sequence that unpacks a layer when
    it is asked for it: a call asks for each once, in order, and keeps none.

    Raises:
        TypeError: a parameter does not hold real numbers, a number of heads is not an integer, a
            setting is not a number, or rotary is not a function.
        ValueError: the shapes or the numbers of heads do not fit, or there is no layer.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> w_q, w_o, w_gate, w_up, w_down = rng.normal(size=(5, 8, 8))
        >>> w_k, w_v = rng.normal(size=(2, 8, 4))  # one KV head for two query heads
        >>> one = np.ones(8)
        >>> layer = DecoderLayer(one, w_q, w_k, w_v, w_o, one, w_gate, w_up, w_down)
        >>> decoder = Decoder(rng.normal(size=(9, 8)), one, [layer], 2, 1)
        >>> decoder([3, 1, 4]).shape
        (3, 9)
        >>> cache = decoder.cache(capacity=3)
        >>> by_one = [decoder([token], cache=cache) for token in (3, 1, 4)]
        >>> np.allclose(np.concatenate(by_one), decoder([3, 1, 4]))
        True
    """

    tokens: FloatArray
    gain: FloatArray
    layers: Sequence[DecoderLayer]
    n_heads: int
    n_kv_heads: int
    rotary: Rotary = rope
    eps: float = 1e-5
    scale: float | None = None
    # the widest of all parameters
    _dtype: FloatDType = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        d_model = fitting_parameters(self, {"tokens": "size d_model", "gain": "d_model"})["d_model"]
        n_heads = integer("n_heads", self.n_heads, least=1)
        n_kv_heads = integer("n_kv_heads", self.n_kv_heads, least=1)
        if n_heads % n_kv_heads:
            raise ValueError(f"n_kv_heads must divide n_heads, got {n_kv_heads} and {n_heads}")
        if not callable(self.rotary):
            raise TypeError(f"rotary must be a function, such as rope, got {self.rotary!r}")
        number("eps", self.eps, least=0)
        if not self.layers:
            raise ValueError("there must be one layer or more, got none")
        dtype = result_dtype(self.tokens, self.gain)
        for i, layer in enumerate(self.layers):
            dtype = np.result_type(dtype, result_dtype(*vars(layer).values()))
            rows, queries, keys = *layer.w_q.shape, layer.w_k.shape[1]
            if rows != d_model or queries % n_heads or keys * n_heads != queries * n_kv_heads:
                raise ValueError(
                    f"layer {i} needs d_model = {d_model} and columns for {n_heads} heads that ask "
                    f"and {n_kv_heads} that answer, got w_q {layer.w_q.shape} and w_k "
                    f"{layer.w_k.shape}"
                )
        object.__setattr__(self, "_dtype", dtype)

    def cache(self, capacity: int, window: int | None = None) -> list[KVCache]:
        """An empty cache for each layer, with room for `capacity` tokens; see `KVCache`.

        Raises:
            TypeError: a number is not an integer.
            ValueError: a number is less than 1, or the window is wider than the capacity.
        """
        d_k = self.layers[0].w_q.shape[1] // self.n_heads
        dtype = np.result_type(self._dtype, np.float32)
        return [
            KVCache(capacity, self.n_kv_heads, d_k, window=window, dtype=dtype) for _ in self.layers
        ]

    def __call__(
        self,
        ids: ArrayLike,
        mask: ArrayLike | None = None,
        *,
        cache: Sequence[KVCache] | None = None,
        last: bool = False,
    ) -> FloatArray:
        """The logits of the token after each of a text, or of the next tokens of one in the cache.

        Args:
            ids: rows of the embedding table, `(n,)`.
            mask: boolean, True = may attend; broadcasts to `(n_layers, n_heads, n, n)`, the last
                axes lined up, and takes away from what the causal mask allows. A head without a
                single key adds nothing: `(n_layers, n_heads, 1, 1)` cuts heads.
            cache: what `self.cache(…)` made: the text goes on where its last call ended. It then
                has its own window, and no mask can come beside it.
            last: whether the logits of the last token are all that is wanted.

        Returns:
            The logits, `(n, size)`, or `(1, size)`, in the dtype of the parameters (float16 is
            computed in float32 and rounded at the end).

        Raises:
            IndexError: an id is outside the table; a negative id is never counted from the end.
            TypeError: the ids are not integers, or the mask is not boolean.
            ValueError: there are no ids, not in one row, or more than the cache has room for; the
                cache does not fit, or came with a mask.

        Source:
            [@transformers, modeling_llama.py]
        """
        for step in self._steps(ids, mask, cache):
            x = step.x
        return self._logits(x[-1:] if last else x)

    def trace(
        self,
        ids: ArrayLike,
        mask: ArrayLike | None = None,
        *,
        cache: Sequence[KVCache] | None = None,
        last: bool = False,
    ) -> DecoderTrace:
        """Run one text and keep everything: the attention weights alone have n² numbers a head.

        Args:
            ids: as in a call.
            mask: as in a call.
            cache: as in a call.
            last: as in a call.

        Returns:
            A `DecoderTrace`.

        Raises:
            IndexError: an id is outside the table.
            TypeError: the ids are not integers, or the mask is not boolean.
            ValueError: as in a call.
        """
        hidden, *heads = zip(*self._steps(ids, mask, cache), strict=True)
        q, k, v, weights = map(self._stacked, heads)
        stream = self._stacked([self._embedded(ids), *hidden])
        x = hidden[-1]
        return DecoderTrace(stream, q, k, v, weights, self._logits(x[-1:] if last else x))

    def _steps(
        self, ids: ArrayLike, mask: ArrayLike | None, cache: Sequence[KVCache] | None = None
    ) -> Iterator[_Step]:
        """Layer after layer."""
        x = self._embedded(ids)  # (n, d_model)
        n, start = len(x), 0
        caches: Sequence[KVCache | None] = [None] * len(self.layers)
        if cache is not None:
            if mask is not None or len(cache) != len(self.layers):
                raise ValueError(
                    f"a cache needs one KVCache for each of {len(self.layers)} layers and no mask, "
                    f"got {len(cache)}{' and a mask' if mask is not None else ''}"
                )
            start, caches = len(cache[0]), cache
        positions = np.arange(start, start + n)
        for layer, seen, kept in zip(self.layers, self._masks(mask, n), caches, strict=True):
            rows = rms_norm(x, layer.gain_1, self.eps)
            q = self.rotary(split_heads(product(rows, layer.w_q), self.n_heads), positions)
            k = self.rotary(split_heads(product(rows, layer.w_k), self.n_kv_heads), positions)
            v = split_heads(product(rows, layer.w_v), self.n_kv_heads)  # (n_kv_heads, n, d_k)
            if kept is None:
                found, weights = scaled_dot_product_attention(
                    q, k, v, seen, scale=self.scale, grouped=True
                )
            else:
                kept.append(k, v)
                found, weights = kept.attend(q, scale=self.scale)
            x = x + product(merge_heads(found), layer.w_o)
            rows = rms_norm(x, layer.gain_2, self.eps)
            gated = silu(product(rows, layer.w_gate)) * product(rows, layer.w_up)  # (n, d_mlp)
            x = x + product(gated, layer.w_down)
            yield _Step(x, q, k, v, weights)

    def _masks(self, mask: ArrayLike | None, n: int) -> Iterator[BoolArray]:
        """What each layer may see: what the causal mask allows, and the mask if there is one."""
        causal = causal_mask(n)
        allowed = boolean_mask(mask, (len(self.layers), self.n_heads, n, n))
        for i in range(len(self.layers)):
            yield causal if allowed is None else allowed[i] & causal

    def _embedded(self, ids: ArrayLike) -> FloatArray:
        """The rows of the table, `(n, d_model)`, in the dtype to compute in."""
        ids = known_ids(ids, len(self.tokens))
        if ids.ndim != 1 or not len(ids):
            raise ValueError(f"ids must be a row of one token or more, got shape {ids.shape}")
        return self.tokens[ids].astype(np.result_type(self._dtype, np.float32))

    def _logits(self, x: FloatArray) -> FloatArray:
        """How well each token of the table would follow, `(n, size)`."""
        logits = product(rms_norm(x, self.gain, self.eps), self.tokens.T)
        return logits.astype(self._dtype, copy=False)

    def _stacked(self, rows: Sequence[FloatArray]) -> FloatArray:
        """What each layer gave, one upon the other, in the dtype of the parameters."""
        return np.stack(rows).astype(self._dtype, copy=False)


def silu(x: ArrayLike) -> FloatArray:
    """The bend in a gated network: x times a number from 0 to 1, `x / (1 + exp(-x))`.

    Args:
        x: numbers, `(...)`.

    Returns:
        The bent numbers, `(...)`, in the dtype of x (integers give float64).

    Raises:
        TypeError: x does not hold real numbers.

    Source:
        [@transformers, modeling_llama.py], `LlamaMLP`.

    Examples:
        >>> silu(np.array([-3.0, -1.0, 0.0, 1.0, 3.0])).round(2)
        array([-0.14, -0.27,  0.  ,  0.73,  2.86])
    """
    (x,), dtype = real_arrays(x=x)
    with np.errstate(over="ignore"):  # x / inf is 0, as it should be
        return np.asarray(x / (1 + np.exp(-x))).astype(dtype, copy=False)
