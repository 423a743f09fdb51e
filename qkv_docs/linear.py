"""Linear attention: no softmax, so that keys and values can be multiplied first."""

import numpy as np
from numpy.typing import ArrayLike

from qkv_docs._checks import FloatArray, real_arrays
from qkv_docs._inputs import attention_inputs


def elu_feature_map(x: ArrayLike) -> FloatArray:
    """Return `elu(x) + 1`, never below 0: `x + 1` above 0, `exp(x)` below.

    Args:
        x: numbers, `(...)`.

    Returns:
        The features, in the shape and dtype of `x` (integers give float64).

    Raises:
        TypeError: `x` does not hold real numbers.

    Source:
        [@katharopoulos2020], in the authors' code.

    Examples:
        >>> elu_feature_map([-1.0, 0.0, 2.0]).round(2)
        array([0.37, 1.  , 3.  ])
    """
    (x,), dtype = real_arrays(x=x)
    features: FloatArray = np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))
    return features.astype(dtype, copy=False)


def linear_attention(
    q: ArrayLike, k: ArrayLike, v: ArrayLike, *, causal: bool = False
) -> FloatArray:
    """Return attention without a softmax, in which no table of scores is ever made.

    A pair weighs `phi(q) · phi(k)`, divided by the sum over the keys, with `elu_feature_map` for
    `phi`. A product of three matrices can be bracketed either way: `(phi(q) phi(k)^T) v` has a
    table of `n_q * n_k`, `phi(q) (phi(k)^T v)` a state of `d_k * d_v`, whatever n is. With
    `causal` the state grows by `phi(k_j)^T v_j` from key to key, as in a recurrent network.

    Args:
        q: queries, `(..., n_q, d_k)`.
        k: keys, `(..., n_k, d_k)`.
        v: values, `(..., n_k, d_v)`. The batch dimensions of all three broadcast.
        causal: whether a query sees only its own position and those before; the last query lines
            up with the last key, as in `causal_mask`.

    Returns:
        The output, `(..., n_q, d_v)`, in the dtype of q, k and v; 0 where there is nothing to see.

    Raises:
        TypeError: an array does not hold real numbers.
        ValueError: the shapes do not fit.

    Source:
        [@katharopoulos2020]

    Examples:
        >>> rows = np.array([[0.0], [1.0], [2.0]])
        >>> linear_attention(rows, rows, rows).round(2)
        array([[1.33],
               [1.33],
               [1.33]])
        >>> linear_attention(rows, rows, rows, causal=True).round(2)
        array([[0.  ],
               [0.67],
               [1.33]])
    """
    q, k, v, _, _, dtype = attention_inputs(q, k, v, None)
    q, k = elu_feature_map(q), elu_feature_map(k)
    if causal:
        state: FloatArray = np.cumsum(
            k[..., :, None] * v[..., None, :], axis=-3
        )  # (..., n_k, d_k, d_v)
        size: FloatArray = np.cumsum(k, axis=-2)  # (..., n_k, d_k)
        state, size = _from_zero(state, -3), _from_zero(size, -2)
        n_q, n_k = q.shape[-2], k.shape[-2]
        seen = np.maximum(np.arange(n_q) + (n_k - n_q) + 1, 0)  # how many keys each query sees
        summed = (q[..., None, :] @ state[..., seen, :, :])[..., 0, :]
        total = (q * size[..., seen, :]).sum(axis=-1, keepdims=True)
    else:
        summed = q @ (k.swapaxes(-1, -2) @ v)
        total = q @ k.sum(axis=-2)[..., :, None]
    output: FloatArray = np.divide(summed, total, out=np.zeros_like(summed), where=total != 0)
    return output.astype(dtype, copy=False)


def _from_zero(sums: FloatArray, axis: int) -> FloatArray:
    """Running sums with the one before the first, 0, in front."""
    before = list(sums.shape)
    before[axis] = 1
    return np.concatenate([np.zeros(before, sums.dtype), sums], axis=axis)
