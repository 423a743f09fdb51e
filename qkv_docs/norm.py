"""RMSNorm: rows of one size, whatever came; on queries and keys it bounds the scores."""

import numpy as np
from numpy.typing import ArrayLike

from qkv_docs._checks import FloatArray, number, real_arrays


def rms_norm(x: ArrayLike, gain: ArrayLike, eps: float = 1e-6) -> FloatArray:
    """Divide each row by its root mean square, then stretch its components.

    `x / sqrt(mean(x^2) + eps) * gain`: unlike `layer_norm` it takes off no mean and adds nothing.
    Done to the queries and keys of each head it is QK-norm: with gains of 1 no dot product then
    passes d_k, however large the parameters have grown.

    Args:
        x: rows, `(..., d)`.
        gain: what each component is multiplied by, `(d,)`. Gemma keeps its gains less 1: add it.
        eps: added to the mean square, so that a row of zeros is not divided by 0.

    Returns:
        The rows, `(..., d)`, in the dtype of x and gain (integers give float64).

    Raises:
        TypeError: an array does not hold real numbers, or eps is not a number.
        ValueError: the shapes do not fit, or eps is negative.

    Source:
        As Qwen3 does it to each head [@huggingface-qwen3].

    Examples:
        >>> rms_norm([[3.0, 4.0], [30.0, 40.0]], np.ones(2)).round(2)
        array([[0.85, 1.13],
               [0.85, 1.13]])
    """
    (x, gain), dtype = real_arrays(x=x, gain=gain)
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError(f"x needs rows of one column or more, (..., d), got {x.shape}")
    if gain.shape != x.shape[-1:]:
        raise ValueError(
            f"gain needs the shape {x.shape[-1:]} of a row of x {x.shape}, got {gain.shape}"
        )
    mean_square = (x * x).mean(axis=-1, keepdims=True)  # (..., 1)
    result: FloatArray = x / np.sqrt(mean_square + number("eps", eps, least=0)) * gain
    return result.astype(dtype, copy=False)
