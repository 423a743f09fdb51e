"""Where a token stands: added to the input, turned into queries and keys, or taken off the scores.

One rule for angles: pair i of d columns, columns 2i and 2i + 1, turns by `base^(-2i/d)` radians
for each position, so the first pair turns fastest, 1 radian a step.
"""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from qkv_docs._checks import FloatArray, float_dtype, integer
from qkv_docs._rotation import pair_columns, pair_frequencies, rotation_inputs
from qkv_docs.frequencies import rope_frequencies


def sinusoidal_positions(n: int, d: int, *, dtype: DTypeLike = np.float64) -> FloatArray:
    """Return a fixed vector for each position, to be added to the embedding of the token there.

    Column 2i is `sin(position / 10000^(2i/d))`, column 2i + 1 the cosine of the same angle.
    Nothing in it is learned.

    Args:
        n: the number of positions, 0 or more; the first is position 0.
        d: the number of columns, that of the embeddings: even, at least 2.
        dtype: of the result: that of the embeddings. Computed in float64 and rounded once.

    Returns:
        The vectors, `(n, d)`, all in [-1, 1].

    Raises:
        TypeError: a number is not an integer, or there is no such floating dtype.
        ValueError: n is negative, d is odd or less than 2.

    Source:
        [@vaswani2017, 3.5]

    Examples:
        >>> sinusoidal_positions(3, 4).round(2)
        array([[ 0.  ,  1.  ,  0.  ,  1.  ],
               [ 0.84,  0.54,  0.01,  1.  ],
               [ 0.91, -0.42,  0.02,  1.  ]])
        >>> sinusoidal_positions(3, 5)
        Traceback (most recent call last):
        ValueError: d must be even, for columns come in pairs, got 5
    """
    positions = np.arange(integer("n", n, least=0))
    angles = positions[:, None] * rope_frequencies(integer("d", d, least=2))  # (n, d/2)
    pairs = np.stack([np.sin(angles), np.cos(angles)], axis=-1)  # (n, d/2, 2)
    return pairs.reshape(n, d).astype(float_dtype(dtype))


def rope(
    x: ArrayLike,
    positions: ArrayLike,
    base: float = 10000.0,
    *,
    frequencies: ArrayLike | None = None,
    layout: str = "interleaved",
) -> FloatArray:
    """Rotate each pair of columns by an angle proportional to the token's position (RoPE).

    Done to queries and keys, of each head on its own, it makes their dot products depend on the
    difference of the two positions alone. Pairs are neighbours, (x0, x1), (x2, x3), …, as in the
    paper. Code with a function `rotate_half` pairs x_i with x_(i + d/2), here the layout "half":
    the same rotation of the columns in another order, and not to be mixed with the first.

    Args:
        x: queries or keys, `(..., n, d)`.
        positions: where each row stands, in tokens, `(..., n)`; the dimensions before n broadcast.
            Any real numbers: fractions and negative ones are rotations too. With heads, x
            `(batch, n_heads, n, d)`, positions that differ from sequence to sequence are
            `(batch, 1, n)`.
        base: how much slower each pair turns than the one before: pair i turns by
            `base^(-2i/d)` radians a position. d is then even.
        frequencies: in the place of base, the radians a position of each pair, `(n_pairs,)`, such
            as `llama3_frequencies` makes. Fewer than d/2 are partial rotation: the columns after
            the first `2 * n_pairs` stay as they are.
        layout: which columns are a pair, "interleaved" for neighbours, "half" for those that lie
            half of the rotated columns apart.

    Returns:
        The rotated rows, `(..., n, d)`, each as long as before, in the dtype of x; angles are
        computed in float64.

    Raises:
        TypeError: x, the positions or the frequencies do not hold real numbers, or base is not a
            number.
        ValueError: d is odd, the shapes do not fit, positions `(batch, n)` fit the heads as well,
            a position is not finite, base is not positive or came with frequencies, or the layout
            is not one of the two.

    Source:
        [@su2021, 3.2.2], eq. 15; the layout "half" [@transformers, modeling_llama.py].

    Examples:
        >>> q, k = np.array([[2.0, 0.0]]), np.array([[1.0, 1.0]])
        >>> rope(q, [1]).round(2)
        array([[1.08, 1.68]])
        >>> (rope(q, [1]) @ rope(k, [0]).T).round(2)
        array([[2.76]])
        >>> (rope(q, [101]) @ rope(k, [100]).T).round(2)
        array([[2.76]])
        >>> rope([[1.0, 0.0, 0.0, 5.0]], [1], frequencies=[1.0], layout="half").round(2)
        array([[0.54, 0.84, 0.  , 5.  ]])
        >>> rope(np.ones((3, 4)), [0, 1])
        Traceback (most recent call last):
        ValueError: positions need one number for each row of x (3, 4), got (2,)
    """
    x, positions, dtype = rotation_inputs(x, positions)
    theta = pair_frequencies(x.shape[-1], base, frequencies)
    first, second = pair_columns(len(theta), layout)  # the two columns of every pair
    angles = positions[..., None] * theta  # (..., n, n_pairs)
    cos, sin = np.cos(angles).astype(x.dtype), np.sin(angles).astype(x.dtype)
    turned = x.copy()  # what is no part of a pair stays
    with np.errstate(all="ignore"):  # a row of padding may hold anything
        turned[..., first] = x[..., first] * cos - x[..., second] * sin
        turned[..., second] = x[..., first] * sin + x[..., second] * cos
    return turned.astype(dtype, copy=False)


def alibi_bias(n_heads: int, n: int, *, dtype: DTypeLike = np.float64) -> FloatArray:
    """Return what ALiBi adds to the scaled scores: the further back a key, the larger the penalty.

    `-slope * (i - j)` for query i and key j up to i, and -inf for the keys after it: adding the
    bias also applies the causal mask. Each head has a slope of its own, fixed and not learned:
    `2^(-8h/n_heads)` for head h = 1, 2, …, n_heads where that is a power of two. Otherwise the
    slopes of the largest power of two below, then every other one of those of twice as many.

    Args:
        n_heads: the number of heads, 1 or more.
        n: the number of tokens, 0 or more.
        dtype: of the result: that of the scores, which a sum with float64 would widen. Computed
            in float64 and rounded once.

    Returns:
        The bias, `(n_heads, n, n)`; add it to the scores after the division by sqrt(d_k), before
        the softmax.

    Raises:
        TypeError: a number is not an integer, or there is no such floating dtype.
        ValueError: n_heads is less than 1, or n is negative.

    Source:
        [@press2021, 3]; where n_heads is no power of two, the authors' code, which does not
        follow the paper's formula there.

    Examples:
        >>> alibi_bias(2, 3)[0]
        array([[ 0.    ,    -inf,    -inf],
               [-0.0625,  0.    ,    -inf],
               [-0.125 , -0.0625,  0.    ]])
        >>> -alibi_bias(8, 2)[:, 1, 0]  # the slopes
        array([0.5       , 0.25      , 0.125     , 0.0625    , 0.03125   ,
               0.015625  , 0.0078125 , 0.00390625])
    """
    slope = slopes(integer("n_heads", n_heads, least=1))[:, None, None]
    key = np.arange(integer("n", n, least=0))
    query = key[:, None]
    bias = np.where(key <= query, slope * (key - query), -np.inf)
    return bias.astype(float_dtype(dtype))


def slopes(n_heads: int) -> NDArray[np.float64]:
    """ALiBi's slope of each head."""
    power = 1 << (n_heads.bit_length() - 1)  # the largest power of two up to n_heads
    regular = 8 * np.arange(1, power + 1) / power
    between = 4 * np.arange(1, 2 * (n_heads - power), 2) / power
    return 2.0 ** -np.concatenate([regular, between])
