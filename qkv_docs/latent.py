"""Multi-head latent attention: one small vector a token is kept, in place of keys and values."""

import math

import numpy as np
from numpy.typing import ArrayLike

from qkv_docs._checks import FloatArray, number, real_arrays
from qkv_docs.attention import scaled_dot_product_attention


def latent_attention(
    q: ArrayLike,
    c: ArrayLike,
    w_uk: ArrayLike,
    w_uv: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    q_rope: ArrayLike | None = None,
    k_rope: ArrayLike | None = None,
    scale: float | None = None,
    absorbed: bool = True,
) -> tuple[FloatArray, FloatArray]:
    """Attend to keys `c w_uk` and values `c w_uv`, which need not be formed.

    Since `q (c w_uk)^T = (q w_uk^T) c^T`, the queries can be taken to the latent space instead.
    There all heads share one key, c, and one value, c again: multi-query attention. What comes out
    is mapped by `w_uv` afterwards. Both ways give the same, up to rounding.

    Args:
        q: queries, `(..., n_heads, n_q, d_k)`.
        c: latent vectors, `(..., n_k, d_c)`: what is kept for each token.
        w_uk: parameter, `(n_heads, d_c, d_k)`.
        w_uv: parameter, `(n_heads, d_c, d_v)`.
        mask: boolean, True = may attend; broadcasts to `(..., n_heads, n_q, n_k)`.
        q_rope: further columns of the queries, rotated by position, `(..., n_heads, n_q, d_r)`.
        k_rope: further columns of the keys, rotated, one for all heads, `(..., n_k, d_r)`: kept
            as well. A rotation between `w_uk` and the query could not be moved.
        scale: what the dot products are multiplied by; `1 / sqrt(d_k + d_r)` by default.
        absorbed: whether to attend in the latent space; if not, keys and values are formed.

    Returns:
        `output`, `(..., n_heads, n_q, d_v)`, and `weights`, `(..., n_heads, n_q, n_k)`.

    Raises:
        TypeError: an array does not hold real numbers, the mask is not boolean, or scale is not a
            number.
        ValueError: the shapes do not fit, or one of q_rope and k_rope came without the other.

    Source:
        [@deepseek2024, 2.1]; both ways as code [@deepseek-v3].

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> q, c = rng.normal(size=(2, 1, 4)), rng.normal(size=(5, 3))  # two heads, five tokens
        >>> w_uk, w_uv = rng.normal(size=(2, 2, 3, 4))
        >>> output, weights = latent_attention(q, c, w_uk, w_uv)
        >>> formed, _ = latent_attention(q, c, w_uk, w_uv, absorbed=False)
        >>> output.shape, weights.shape, np.allclose(output, formed)
        ((2, 1, 4), (2, 1, 5), True)
    """
    if (q_rope is None) != (k_rope is None):
        raise ValueError("q_rope and k_rope need to come together, got one of them")
    named = {"q": q, "c": c, "w_uk": w_uk, "w_uv": w_uv}
    if q_rope is not None and k_rope is not None:
        named |= {"q_rope": q_rope, "k_rope": k_rope}
    (q, c, w_uk, w_uv, *turned), dtype = real_arrays(**named)
    _fit(q, c, w_uk, w_uv, turned)
    d = q.shape[-1] + (turned[0].shape[-1] if turned else 0)
    scale = 1 / math.sqrt(d) if scale is None else number("scale", scale)
    kept = c[..., None, :, :]  # (..., 1, n_k, d_c)
    with np.errstate(all="ignore"):  # a masked vector may be huge, inf or nan
        if absorbed:
            q, k, v = q @ w_uk.swapaxes(-1, -2), kept, kept
        else:
            k, v = kept @ w_uk, kept @ w_uv  # (..., n_heads, n_k, d)
    if turned:
        q_turned, k_turned = turned
        shape = (*k.shape[:-1], k_turned.shape[-1])
        k_turned = np.broadcast_to(k_turned[..., None, :, :], shape)
        q = np.concatenate([q, q_turned], axis=-1)
        k = np.concatenate([k, k_turned], axis=-1)  # of all heads the same
    output, weights = scaled_dot_product_attention(q, k, v, mask, scale=scale)
    if absorbed:
        output = output @ w_uv  # (..., n_heads, n_q, d_v)
    return output.astype(dtype, copy=False), weights.astype(dtype, copy=False)


def _fit(
    q: FloatArray, c: FloatArray, w_uk: FloatArray, w_uv: FloatArray, turned: list[FloatArray]
) -> None:
    """Whether the shapes are those of the docstring."""
    if q.ndim < 3 or c.ndim < 2 or q.shape[-1] == 0:
        raise ValueError(
            f"q needs the shape (..., n_heads, n_q, d_k) and c (..., n_k, d_c), "
            f"got {q.shape} and {c.shape}"
        )
    of_all = (q.shape[-3], c.shape[-1])
    for name, w, d in (
        ("w_uk", w_uk, q.shape[-1]),
        ("w_uv", w_uv, w_uv.shape[-1] if w_uv.ndim else 0),
    ):
        if w.shape != (*of_all, d):
            raise ValueError(
                f"{name} needs the shape {(*of_all, d)} for q {q.shape} and c {c.shape}, "
                f"got {w.shape}"
            )
    if turned and (
        turned[0].shape[:-1] != q.shape[:-1]
        or turned[1].shape[:-1] != c.shape[:-1]
        or turned[0].shape[-1] != turned[1].shape[-1]
    ):
        raise ValueError(
            f"q_rope and k_rope need the rows of q {q.shape} and c {c.shape} and as many columns "
            f"as each other, got {turned[0].shape} and {turned[1].shape}"
        )
