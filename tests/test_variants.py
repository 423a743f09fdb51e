"""Rules of one's own: a mask or a score is a function; PyTorch's FlexAttention says the same."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.attention import flex_attention as flex

from docs.figures.variants import MASKS, SCORES
from qkv_docs import (
    alibi_bias,
    and_masks,
    apply_score_mod,
    causal_mask,
    create_mask,
    differential_attention,
    document_mask,
    flex_attention,
    or_masks,
    prefix_mask,
    scaled_dot_product_attention,
    sliding_window_mask,
    softmax,
)

SIZES = st.integers(0, 12)


def rule(code: str) -> Any:
    """The one function that a piece of code defines."""
    names: dict[str, Any] = {"np": np}
    exec(code, names)
    return next(value for name, value in names.items() if callable(value) and name[0] != "_")


MASK = {name: rule(code) for name, code in MASKS.items()}
SCORE = {name: rule(code) for name, code in SCORES.items()}


def causal(q_index: Any, k_index: Any) -> Any:
    return k_index <= q_index


def attended(seed: int = 0, n: int = 8, d: int = 4, *batch: int) -> tuple[Any, Any, Any]:
    q, k, v = np.random.default_rng(seed).normal(size=(3, *batch, n, d))
    return q, k, v


# The rules that a reader can start from


DOCUMENTS = np.repeat([0, 1, 2], [3, 2, 7])
LAWS: dict[str, Any] = {
    "everyone": lambda n: np.ones((n, n), bool),
    "causal": causal_mask,
    "window": lambda n: sliding_window_mask(n, 3, both_sides=True),
    "streaming": lambda n: LAWS["window"](n) | (np.arange(n) == 0),
    "prefix": lambda n: np.broadcast_to(np.arange(n) < 3, (n, n)),
    "documents": lambda n: document_mask(DOCUMENTS[:n]),
    "blocks": lambda n: document_mask(np.arange(n) // 4),
    "strided": lambda n: np.subtract.outer(np.arange(n), np.arange(n)) % 3 == 0,
    "landmark": lambda n: np.pad(
        np.zeros((n - 1, n - 1), bool), ((1, 0), (1, 0)), constant_values=True
    ),
    "others": lambda n: ~np.eye(n, dtype=bool),
}


def test_every_mask_that_a_reader_starts_from_has_its_law() -> None:
    assert LAWS.keys() == MASK.keys()
    assert len(MASK) + len(SCORE) >= 12


@pytest.mark.parametrize("name", MASK)
def test_the_masks_that_a_reader_starts_from(name: str) -> None:
    for n in (1, 2, 7, 12):
        np.testing.assert_array_equal(create_mask(MASK[name], n), LAWS[name](n))


@pytest.mark.parametrize(("one", "other"), list(combinations(MASK, 2)))
def test_any_two_compose(one: str, other: str) -> None:
    alone = create_mask(MASK[one], 8), create_mask(MASK[other], 8)
    both = create_mask(and_masks(MASK[one], MASK[other]), 8)
    np.testing.assert_array_equal(both, alone[0] & alone[1])
    either = create_mask(or_masks(MASK[one], MASK[other]), 8)
    np.testing.assert_array_equal(either, alone[0] | alone[1])


def test_known_masks_are_compositions() -> None:
    window = and_masks(causal, MASK["window"])
    np.testing.assert_array_equal(create_mask(window, 8), sliding_window_mask(8, 3))
    np.testing.assert_array_equal(
        create_mask(or_masks(causal, MASK["prefix"]), 8), prefix_mask(3, 8)
    )


def test_the_scores_that_a_reader_starts_from() -> None:
    scores = np.random.default_rng(0).normal(size=(8, 8))
    i, j = np.indices((8, 8))
    after = {name: apply_score_mod(scores, mod) for name, mod in SCORE.items()}
    allowed = causal_mask(8)
    np.testing.assert_allclose((after["alibi"] - scores)[allowed], alibi_bias(8, 8)[0][allowed])
    differences = after["relative"] - scores
    for distance in range(-7, 8):
        assert np.ptp(differences[i - j == distance]) < 1e-12  # of the distance alone
    _, capped = scaled_dot_product_attention(scores, np.eye(8), np.eye(8), scale=1, softcap=2)
    np.testing.assert_allclose(softmax(after["softcap"]), capped)
    assert np.abs(after["softcap"]).max() < 2
    np.testing.assert_allclose(after["sharper"], 2 * scores)
    assert not after["positions"].any()


# Laws


@given(n_q=SIZES, n_k=SIZES)
def test_the_last_query_stands_at_the_last_key(n_q: int, n_k: int) -> None:
    np.testing.assert_array_equal(create_mask(causal, n_q, n_k), causal_mask(n_q, n_k))


def test_a_rule_is_asked_once_about_everybody() -> None:
    asked = []

    def mod(q_index: Any, k_index: Any) -> Any:
        asked.append((q_index.tolist(), k_index.tolist()))
        return True

    assert create_mask(mod, 2, 3).tolist() == [[True] * 3] * 2
    assert asked == [([[1], [2]], [[0, 1, 2]])]


def test_a_made_mask_is_ones_own() -> None:
    mask = create_mask(lambda q_index, k_index: True, 2)
    mask[0, 0] = False
    assert mask.sum() == 3


def test_no_rules_at_all() -> None:
    assert create_mask(and_masks(), 2).all()
    assert not create_mask(or_masks(), 2).any()


@given(seed=st.integers(0, 99), n_q=st.integers(1, 6), n_k=st.integers(1, 6))
def test_without_rules_it_is_attention(seed: int, n_q: int, n_k: int) -> None:
    rng = np.random.default_rng(seed)
    q, k, v = rng.normal(size=(n_q, 4)), rng.normal(size=(n_k, 4)), rng.normal(size=(n_k, 2))
    for mod, options in (
        (None, {}),
        (causal, {"mask": causal_mask(n_q, n_k)}),
    ):
        found = flex_attention(q, k, v, mask_mod=mod)
        for got, expected in zip(
            found, scaled_dot_product_attention(q, k, v, **options), strict=True
        ):
            np.testing.assert_allclose(got, expected, atol=1e-12)


def test_a_rule_for_scores_is_a_bias_or_a_cap() -> None:
    q, k, v = attended(0, 6, 4, 2, 3)
    slopes = 2.0 ** -np.arange(1, 4)[:, None, None]
    wanted = scaled_dot_product_attention(
        q, k, v, bias=slopes * np.subtract.outer(np.arange(6), np.arange(6)).T
    )
    found = flex_attention(q, k, v, lambda score, i, j: score + slopes * (j - i))
    for got, expected in zip(found, wanted, strict=True):
        np.testing.assert_allclose(got, expected)
    wanted = scaled_dot_product_attention(q, k, v, softcap=2)
    found = flex_attention(q, k, v, lambda score, i, j: 2 * np.tanh(score / 2))
    for got, expected in zip(found, wanted, strict=True):
        np.testing.assert_allclose(got, expected)


def test_minus_infinity_hides_as_a_mask_does() -> None:
    q, k, v = attended()
    v[7] = np.nan

    def hiding(score: Any, q_index: Any, k_index: Any) -> Any:
        return np.where(k_index < 7, score, -np.inf)

    hidden = flex_attention(q, k, v, hiding)
    masked = flex_attention(q, k, v, mask_mod=lambda q_index, k_index: k_index < 7)
    for got, expected in zip(hidden, masked, strict=True):
        np.testing.assert_array_equal(got, expected)
    assert np.isfinite(hidden[0]).all()


def test_a_query_that_may_see_nothing_gets_nothing() -> None:
    q, k, v = attended()
    output, weights = flex_attention(q, k, v, mask_mod=lambda q_index, k_index: q_index != 0)
    assert not output[0].any()
    assert not weights[0].any()
    assert output[1:].all()


def test_what_both_tables_share_goes_away() -> None:
    q, k, v = attended(d=6)
    output, weights = differential_attention(q, k, v, 0)
    plain = scaled_dot_product_attention(q[:, :3], k[:, :3], v)
    np.testing.assert_array_equal(output, plain[0])
    np.testing.assert_array_equal(weights, plain[1])
    _, weights = differential_attention(q, k, v, 0.7, causal_mask(8))
    np.testing.assert_allclose(weights.sum(axis=-1), 0.3)
    assert not weights[~causal_mask(8)].any()
    twice = np.tile(q[:, :3], 2), np.tile(k[:, :3], 2)
    for one in differential_attention(*twice, v, 1):
        assert not one.any()


# PyTorch


def flexible(
    q: Any, k: Any, v: Any, score_mod: Any = None, mask_mod: Any = None
) -> tuple[Any, Any]:
    """FlexAttention in eager mode: heads of one batch, and the logarithm of the sums."""
    tensors = [torch.tensor(one)[None, None] for one in (q, k, v)]
    block = mask_mod and flex.create_block_mask(
        lambda b, h, i, j: mask_mod(i, j), None, None, len(q), len(k), device="cpu", BLOCK_SIZE=4
    )
    mod = score_mod and (lambda score, b, h, i, j: score_mod(score, i, j))
    found, more = flex.flex_attention(
        *tensors, score_mod=mod, block_mask=block, return_aux=flex.AuxRequest(lse=True)
    )
    return found[0, 0].numpy(), more.lse[0, 0].numpy()


TORCH: dict[str, Any] = {
    "everyone": lambda i, j: j >= 0,
    "documents": lambda i, j: torch.tensor(DOCUMENTS)[i] == torch.tensor(DOCUMENTS)[j],
    "alibi": lambda score, i, j: score - 0.5 * torch.abs(i - j),
    "relative": lambda score, i, j: (
        score + torch.tensor([1.0, 0, -1, -2])[(i - j).abs().clamp(max=3)]
    ),
    "softcap": lambda score, i, j: 2 * torch.tanh(score / 2),
}


@pytest.mark.filterwarnings("ignore")  # that it is not compiled
@pytest.mark.parametrize("name", [*MASK, *SCORE])
def test_flexattention_says_the_same(name: str) -> None:
    """With the very same function where it can take it: it asks about one pair at a time."""
    q, k, v = attended()
    ours = {"mask_mod": MASK[name]} if name in MASK else {"score_mod": SCORE[name]}
    theirs = {kind: TORCH.get(name, mod) for kind, mod in ours.items()}
    if name in SCORE:
        ours, theirs = ({**mods, "mask_mod": causal} for mods in (ours, theirs))
    np.testing.assert_allclose(
        flex_attention(q, k, v, **ours)[0], flexible(q, k, v, **theirs)[0], atol=1e-12
    )
    if name in MASK:
        mask = flex.create_mask(
            lambda b, h, i, j: theirs["mask_mod"](i, j), None, None, 8, 8, device="cpu"
        )
        np.testing.assert_array_equal(create_mask(MASK[name], 8), mask[0, 0].numpy())


def test_they_compose_alike() -> None:
    first, second = MASK["causal"], MASK["window"]
    for ours, theirs in ((and_masks, flex.and_masks), (or_masks, flex.or_masks)):
        joined = theirs(lambda b, h, i, j: first(i, j), lambda b, h, i, j: second(i, j))
        mask = flex.create_mask(joined, None, None, 8, 8, device="cpu")[0, 0].numpy()
        np.testing.assert_array_equal(create_mask(ours(first, second), 8), mask)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("sink", [-2.0, 0.0, 3.0])
def test_a_sink_is_no_rule_for_scores_but_a_factor_of_the_sum(sink: float) -> None:
    """sigmoid(log of the sum - sink) times the output, as the page says."""
    q, k, v = attended()
    output, lse = flexible(q, k, v, mask_mod=causal)
    wanted, _ = scaled_dot_product_attention(q, k, v, causal_mask(8), sinks=sink)
    np.testing.assert_allclose(output / (1 + np.exp(sink - lse))[:, None], wanted, atol=1e-12)


def test_differential_attention_is_that_of_diffllama() -> None:
    """Its layer without projections, rotation, norm and factor, which come before and after."""
    q, k, v = (torch.tensor(one) for one in attended(d=6))
    wanted = sum(
        sign * torch.nn.functional.scaled_dot_product_attention(q[:, part], k[:, part], v)
        for sign, part in ((1, slice(3)), (-0.4, slice(3, 6)))
    )
    found, _ = differential_attention(q.numpy(), k.numpy(), v.numpy(), 0.4)
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-12)


# Awkward input


def forgets(*_: Any) -> Any:
    pass


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: create_mask(forgets, 2), TypeError, "mask_mod returned None: is its `return` mis"),
        (lambda: create_mask(None, 2), TypeError, "mask_mod must be a function, got NoneType"),
        (lambda: create_mask(lambda i, j: i - j, 2, 3), TypeError,
         "mask_mod must return booleans, True = may attend, got int64 (2, 3)"),
        (lambda: create_mask(lambda i, j: j[:, 1:] <= i, 2, 3), ValueError,
         "mask_mod must return what broadcasts to (..., n_q, n_k) = (2, 3), got (2, 2)"),
        (lambda: create_mask(lambda i, j: j <= i and j < 2, 2), ValueError,
         "mask_mod gets all pairs at once: write & | ~ np.where for and or not if"),
        (lambda: create_mask(lambda i, j: [[True], [True, False]], 2), ValueError,
         "mask_mod must return booleans, True = may attend, got lists of different lengths"),
        (lambda: create_mask(causal, -1), ValueError, "n_q must be at least 0, got -1"),
        (lambda: and_masks(causal_mask(2)), TypeError,
         "mask_mods must be functions of (q_index, k_index), got ndarray: masks that are made are"),
        (lambda: create_mask(or_masks(causal, lambda i, j: j), 2), TypeError,
         "mask_mod must return booleans, True = may attend, got int64 (1, 2)"),
        (lambda: apply_score_mod(np.zeros((2, 2)), forgets), TypeError, "score_mod returned None"),
        (lambda: apply_score_mod(np.zeros((2, 2)), lambda s, i, j: j <= i), TypeError,
         "what score_mod returns must hold real numbers (float16, float32, float64, longdouble or "
         "integers), got bool"),
        (lambda: apply_score_mod(np.zeros((2, 2)), lambda s, i, j: s[:1, :1, None]), ValueError,
         "score_mod must return what broadcasts to (..., n_q, n_k) = (2, 2), got (1, 1, 1)"),
        (lambda: apply_score_mod(np.zeros(2), lambda s, i, j: s), ValueError,
         "scores needs two dimensions or more"),
        (lambda: flex_attention(*attended(), lambda s, i, j: max(s, 0)), ValueError,
         "score_mod gets all pairs at once"),
        (lambda: differential_attention(*attended(d=3), 0.5), ValueError,
         "q needs two halves, (..., n, 2 * d_k), got (8, 3)"),
    ],
)  # fmt: skip
def test_what_a_function_should_not_return(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        call()


def test_an_error_of_the_function_is_its_own() -> None:
    with pytest.raises(ValueError, match="out of ideas"):
        create_mask(lambda i, j: (_ for _ in ()).throw(ValueError("out of ideas")), 2)


def test_the_dtype_is_that_of_the_scores() -> None:
    scores = np.ones((2, 2), np.float32)
    assert apply_score_mod(scores, lambda score, i, j: score + 0.5 * i).dtype == np.float32
    q, k, v = (one.astype(np.float32) for one in attended())
    for one in flex_attention(q, k, v, SCORE["alibi"]):
        assert one.dtype == np.float32
