"""Attention with a rule of one's own: small functions of positions, as in PyTorch's FlexAttention.

`mask_mod(q_index, k_index)` says who may look at whom, `score_mod(score, q_index, k_index)` what
becomes of a score. Both are asked once about everybody: `q_index` is `(n_q, 1)`, `k_index`
`(1, n_k)`, and what they return broadcasts.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qkv_docs._checks import BoolArray, FloatArray, array, integer, number, numbers, real_arrays
from qkv_docs._inputs import attention_inputs, score_settings
from qkv_docs._shapes import at_least_2d
from qkv_docs.attention import masked_product, scaled_dot_product_attention, softmax

IntArray: TypeAlias = NDArray[np.int64]
MaskMod: TypeAlias = Callable[[IntArray, IntArray], ArrayLike]
ScoreMod: TypeAlias = Callable[[FloatArray, IntArray, IntArray], ArrayLike]

AT_ONCE = "gets all pairs at once: write & | ~ np.where for and or not if"


def create_mask(mask_mod: MaskMod, n_q: int, n_k: int | None = None) -> BoolArray:
    """Return the mask that a rule makes: True where `mask_mod(q_index, k_index)` is.

    The last query lines up with the last key, as in `causal_mask`: `q_index` is the position of
    the query among the keys. (FlexAttention counts the queries from 0, which differs as soon as
    n_q and n_k do.)

    Args:
        mask_mod: the rule. It gets two arrays of integers, `(n_q, 1)` and `(1, n_k)`, and returns
            booleans that broadcast to `(n_q, n_k)`, True = may attend.
        n_q: the number of queries, 0 or more.
        n_k: the number of keys, 0 or more; `n_q` by default.

    Returns:
        The mask, `(n_q, n_k)`.

    Raises:
        TypeError: the rule is no function or returns no booleans, or a number is not an integer.
        ValueError: what it returns does not broadcast to `(n_q, n_k)`, or a number is negative.

    Source:
        [@pytorch-flex], where the rule is also told the batch and the head.

    Examples:
        >>> create_mask(lambda q, k: (k <= q) & (q - k < 2), 4).astype(int)
        array([[1, 0, 0, 0],
               [1, 1, 0, 0],
               [0, 1, 1, 0],
               [0, 0, 1, 1]])
        >>> create_mask(lambda q, k: q - k, 4)
        Traceback (most recent call last):
        TypeError: mask_mod must return booleans, True = may attend, got int64 (4, 4)
    """
    n_q = integer("n_q", n_q, least=0)
    n_k = n_q if n_k is None else integer("n_k", n_k, least=0)
    allowed = _allowed(mask_mod, *_positions(n_q, n_k))
    return np.array(_spread("mask_mod", allowed, (n_q, n_k)))


def and_masks(*mask_mods: MaskMod) -> MaskMod:
    """Return the rule that lets a query look where all of these rules do.

    Args:
        mask_mods: functions of `(q_index, k_index)`, as for `create_mask`; none of them allows
            everything.

    Returns:
        A function of the same kind.

    Raises:
        TypeError: one is no function, or, once asked, returns no booleans.

    Source:
        [@pytorch-flex]

    Examples:
        >>> near = lambda q, k: q - k < 2
        >>> past = lambda q, k: k <= q
        >>> create_mask(and_masks(past, near), 3).astype(int)
        array([[1, 0, 0],
               [1, 1, 0],
               [0, 1, 1]])
    """
    return _combined(np.logical_and, True, mask_mods)


def or_masks(*mask_mods: MaskMod) -> MaskMod:
    """Return the rule that lets a query look where at least one of these rules does.

    Args:
        mask_mods: functions of `(q_index, k_index)`, as for `create_mask`; none of them allows
            nothing.

    Returns:
        A function of the same kind.

    Raises:
        TypeError: one is no function, or, once asked, returns no booleans.

    Source:
        [@pytorch-flex]

    Examples:
        >>> prefix = lambda q, k: k < 2
        >>> past = lambda q, k: k <= q
        >>> create_mask(or_masks(past, prefix), 3).astype(int)
        array([[1, 1, 0],
               [1, 1, 0],
               [1, 1, 1]])
    """
    return _combined(np.logical_or, False, mask_mods)


def apply_score_mod(scores: ArrayLike, score_mod: ScoreMod) -> FloatArray:
    """Return what `score_mod(score, q_index, k_index)` makes of scores.

    Args:
        scores: scaled scores, `(..., n_q, n_k)`.
        score_mod: the rule. It gets the scores and the positions, `(n_q, 1)` and `(1, n_k)`, the
            last query lined up with the last key, and returns numbers that broadcast to
            `(..., n_q, n_k)`; -inf hides a key.

    Returns:
        The scores after the rule, `(..., n_q, n_k)`, in the dtype of `scores`.

    Raises:
        TypeError: the scores are no real numbers, the rule is no function or returns no numbers.
        ValueError: the scores have fewer than two dimensions, or what is returned does not fit.

    Source:
        [@pytorch-flex]

    Examples:
        >>> apply_score_mod(np.zeros((3, 3)), lambda score, q, k: score - abs(q - k))
        array([[ 0., -1., -2.],
               [-1.,  0., -1.],
               [-2., -1.,  0.]])
    """
    (scores,), dtype = real_arrays(scores=scores)
    at_least_2d("scores", scores)
    q_index, k_index = _positions(*scores.shape[-2:])
    changed = numbers(
        "what score_mod returns", _asked("score_mod", score_mod, scores, q_index, k_index)
    )
    return _spread("score_mod", changed, scores.shape).astype(dtype)


def flex_attention(
    q: ArrayLike,
    k: ArrayLike,
    v: ArrayLike,
    score_mod: ScoreMod | None = None,
    mask_mod: MaskMod | None = None,
    *,
    scale: float | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Return `scaled_dot_product_attention` with rules of one's own.

    The scaled scores go through `score_mod`, what `mask_mod` forbids becomes -inf, then comes the
    softmax. All the scores are computed here, whatever the mask; PyTorch's function skips blocks
    that a mask hides.

    Args:
        q: queries, `(..., n_q, d_k)`.
        k: keys, `(..., n_k, d_k)`.
        v: values, `(..., n_k, d_v)`. The batch dimensions of all three broadcast.
        score_mod: what becomes of a score, as for `apply_score_mod`; nothing by default.
        mask_mod: who may look at whom, as for `create_mask`; everybody by default.
        scale: what the dot products are multiplied by; `1 / sqrt(d_k)` by default.

    Returns:
        `output`, `(..., n_q, d_v)`, and `weights`, `(..., n_q, n_k)`, in the dtype of q, k and v.
        A query that may attend to nothing gets 0.

    Raises:
        TypeError: an array holds no real numbers, scale is not a number, or a rule does not return
            what it should.
        ValueError: the shapes do not fit.

    Source:
        [@pytorch-flex]

    Examples:
        >>> rows = np.eye(3)
        >>> def alibi(score, q, k):
        ...     return score - 0.5 * (q - k)
        >>> _, weights = flex_attention(rows, rows, rows, alibi, lambda q, k: k <= q)
        >>> weights.round(2)
        array([[1.  , 0.  , 0.  ],
               [0.25, 0.75, 0.  ],
               [0.13, 0.22, 0.65]])
    """
    q, k, v, _, _, dtype = attention_inputs(q, k, v, None)
    scale, _, _ = score_settings(q, scale, None, None)
    with np.errstate(all="ignore"):  # what is masked may be huge, inf or nan
        scores: FloatArray = (q * scale) @ k.swapaxes(-1, -2)  # (..., n_q, n_k)
        if score_mod is not None:
            scores = apply_score_mod(scores, score_mod)
    mask = ~np.isneginf(scores)
    if mask_mod is not None:
        mask &= create_mask(mask_mod, *scores.shape[-2:])
    np.copyto(scores, -np.inf, where=~mask)  # exp(-inf) = 0
    weights = softmax(scores)
    output = masked_product(weights, v, mask)
    return output.astype(dtype, copy=False), weights.astype(dtype, copy=False)


def differential_attention(
    q: ArrayLike, k: ArrayLike, v: ArrayLike, lam: float, mask: ArrayLike | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return attention with the difference of two tables of weights, `softmax - lam * softmax`.

    Queries and keys are cut in two halves; each pair of halves has a softmax of its own. What both
    give to a key alike goes away, and a weight may be negative. Without the norm and the factor
    that follow in the paper.

    Args:
        q: queries, `(..., n_q, 2 * d_k)`.
        k: keys, `(..., n_k, 2 * d_k)`.
        v: values, `(..., n_k, d_v)`.
        lam: what the second table is multiplied by; 0 leaves the first alone. Learned in the paper.
        mask: boolean, True = may attend, as in `scaled_dot_product_attention`, for both.

    Returns:
        `output`, `(..., n_q, d_v)`, and `weights`, `(..., n_q, n_k)`, whose rows sum to `1 - lam`,
        in the dtype of q, k and v.

    Raises:
        TypeError: an array does not hold real numbers, the mask is not boolean, or lam is not a
            number.
        ValueError: the shapes do not fit, or q and k have an odd last axis.

    Source:
        [@ye2024]

    Examples:
        >>> q, k = np.array([[2.0, 0.0]]), np.array([[2.0, 1.0], [0.0, 1.0]])
        >>> v = np.array([[1.0], [0.0]])
        >>> differential_attention(q, k, v, lam=0.5)[1].round(2)
        array([[ 0.73, -0.23]])
        >>> differential_attention(q, k, v, lam=0)[1].round(2)
        array([[0.98, 0.02]])
    """
    lam = number("lam", lam)
    (q, k, v), dtype = real_arrays(q=q, k=k, v=v)
    for name, rows in (("q", q), ("k", k)):
        at_least_2d(name, rows)
        if rows.shape[-1] % 2:
            raise ValueError(f"{name} needs two halves, (..., n, 2 * d_k), got {rows.shape}")
    first, second = (
        scaled_dot_product_attention(q_half, k_half, v, mask)
        for q_half, k_half in zip(np.split(q, 2, -1), np.split(k, 2, -1), strict=True)
    )
    output, weights = (a - lam * b for a, b in zip(first, second, strict=True))
    return output.astype(dtype, copy=False), weights.astype(dtype, copy=False)


def _positions(n_q: int, n_k: int) -> tuple[IntArray, IntArray]:
    """Where each query and each key stands, the last query at the last key."""
    query, key = (np.arange(n, dtype=np.int64) for n in (n_q, n_k))  # so in a browser, too
    return query[:, None] + (n_k - n_q), key[None, :]


def _asked(name: str, rule: Callable[..., ArrayLike], *about: NDArray[Any]) -> ArrayLike:
    """What a reader's function returns; a sentence for what goes wrong most often."""
    if not callable(rule):
        raise TypeError(f"{name} must be a function, got {type(rule).__name__}")
    try:
        answer = rule(*about)
    except ValueError as error:
        if "truth value of an array" not in str(error):
            raise
        raise ValueError(f"{name} {AT_ONCE}") from None
    if answer is None:
        raise TypeError(f"{name} returned None: is its `return` missing?")
    return answer


def _allowed(mask_mod: MaskMod, q_index: IntArray, k_index: IntArray) -> BoolArray:
    must = "must return booleans, True = may attend"
    allowed = array("mask_mod", _asked("mask_mod", mask_mod, q_index, k_index), must)
    if allowed.dtype != np.bool_:
        raise TypeError(f"mask_mod {must}, got {allowed.dtype} {allowed.shape}")
    return allowed


def _combined(join: Callable[..., Any], start: bool, mask_mods: tuple[MaskMod, ...]) -> MaskMod:
    for rule in mask_mods:
        if not callable(rule):
            raise TypeError(
                "mask_mods must be functions of (q_index, k_index), "
                f"got {type(rule).__name__}: masks that are made are combined with & and |"
            )

    def combined(q_index: IntArray, k_index: IntArray) -> ArrayLike:
        result: Any = np.bool_(start)
        for rule in mask_mods:
            result = join(result, _allowed(rule, q_index, k_index))
        answer: BoolArray = result
        return answer

    return combined


def _spread(name: str, answer: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    try:
        return np.broadcast_to(answer, shape)
    except ValueError:
        raise ValueError(
            f"{name} must return what broadcasts to (..., n_q, n_k) = {shape}, got {answer.shape}"
        ) from None
