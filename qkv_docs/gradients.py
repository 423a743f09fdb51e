"""Back through attention by hand: which way would each query, key and value have to move."""

import math

import numpy as np
from numpy.typing import ArrayLike

from qkv_docs._checks import FloatArray, number, numbers
from qkv_docs._inputs import attention_inputs
from qkv_docs._shapes import gradient_pairs, output_gradient
from qkv_docs.attention import masked_product, scaled_dot_product_attention


def softmax_backward(grad: ArrayLike, weights: ArrayLike) -> FloatArray:
    """Return the gradient of the scores, given that of the weights softmax made from them.

    `weights * (grad - sum(grad * weights))`, row by row: what counts is how far the gradient of
    a weight differs from the average of its row, `sum(grad * weights)`. Where one weight is 1
    and the others are 0, nothing is left: the softmax is saturated. Each row of the result sums
    to 0.

    Args:
        grad: the gradient of the weights, `(..., n)`.
        weights: what softmax returned along its last axis, `(..., n)`.

    Returns:
        The gradient of the scores, `(..., n)`, in the dtype of the two.

    Raises:
        TypeError: an array does not hold real numbers.
        ValueError: the shapes differ, or scalars came.

    Source:
        [@dao2022, appendix B.2]

    Examples:
        >>> softmax_backward([1.0, 0.0], [0.5, 0.5])
        array([ 0.25, -0.25])
        >>> softmax_backward([1.0, 0.0], [0.99, 0.01]).round(4)
        array([ 0.0099, -0.0099])
    """
    grad, weights, dtype = gradient_pairs(grad, weights)
    average: FloatArray = (grad * weights).sum(axis=-1, keepdims=True)  # (..., 1)
    return (weights * (grad - average)).astype(dtype)


def scaled_dot_product_attention_backward(
    grad_output: ArrayLike,
    q: ArrayLike,
    k: ArrayLike,
    v: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    scale: float | None = None,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the gradients of q, k and v, given that of the output.

    The steps of `scaled_dot_product_attention` in reverse. What is masked neither gives nor
    gets a gradient, even where it is nan or inf.

    Args:
        grad_output: the gradient of the output, `(..., n_q, d_v)`.
        q: queries, `(..., n_q, d_k)`.
        k: keys, `(..., n_k, d_k)`.
        v: values, `(..., n_k, d_v)`.
        mask: boolean, True = may attend; broadcasts to `(..., n_q, n_k)`, as it does there.
        scale: what the dot products were multiplied by; `1 / sqrt(d_k)` by default.

    Returns:
        The gradients of q, k and v, each in the shape of its array; what was broadcast is summed.
        The dtype is that of q, k and v.

    Raises:
        TypeError: an array does not hold real numbers, the mask is not boolean, or the scale is
            not a number.
        ValueError: the shapes do not fit.

    Source:
        [@dao2022, appendix B.2]

    Examples:
        >>> q, k, v = np.array([[1.0]]), np.array([[0.0], [0.0]]), np.array([[1.0], [3.0]])
        >>> grads = scaled_dot_product_attention_backward([[1.0]], q, k, v)
        >>> for name, grad in zip("qkv", grads):
        ...     print(name, grad.tolist())
        q [[0.0]]
        k [[-0.5], [0.5]]
        v [[0.5], [0.5]]
    """
    q, k, v = numbers("q", q), numbers("k", k), numbers("v", v)
    shapes = q.shape, k.shape, v.shape
    q, k, v, mask, _, dtype = attention_inputs(q, k, v, mask)
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else number("scale", scale)
    output, weights = scaled_dot_product_attention(q, k, v, mask, scale=scale)
    grad_output = output_gradient(grad_output, output)

    with np.errstate(all="ignore"):  # a masked value may be huge or inf
        grad_weights = grad_output @ v.swapaxes(-1, -2)  # (..., n_q, n_k)
    if mask is not None:
        grad_weights = np.where(mask, grad_weights, 0)
    grad_scores = softmax_backward(grad_weights, weights) * scale

    seen_by = None if mask is None else mask.swapaxes(-1, -2)  # (..., n_k, n_q)
    grad_q = masked_product(grad_scores, k, mask)
    grad_k = masked_product(grad_scores.swapaxes(-1, -2), q, seen_by)
    grad_v = masked_product(weights.swapaxes(-1, -2), grad_output, seen_by)
    grads = zip((grad_q, grad_k, grad_v), shapes, strict=True)
    grad_q, grad_k, grad_v = (sum_to_shape(grad, shape).astype(dtype) for grad, shape in grads)
    return grad_q, grad_k, grad_v


def sum_to_shape(grad: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Add up what broadcasting had copied: every copy has its share of the gradient."""
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    copied = tuple(i for i, size in enumerate(shape) if size == 1 and grad.shape[i] != 1)
    total: FloatArray = grad.sum(axis=copied, keepdims=True)
    return total
